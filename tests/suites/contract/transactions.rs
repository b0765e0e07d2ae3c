//! What a transaction promises, whatever is done in it.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike as _};
use futures::future::BoxFuture;
use slipway_common::clock::{Clock as _, SystemClock};
use slipway_common::db::{Db, DbError};
use slipway_common::ids::Sha256;
use slipway_common::model::authorization::Authorization;
use slipway_common::model::user::User;
use slipway_tests::engines::{Engine, Scratch, run};
use slipway_tests::on_both_engines;

use crate::authorizations;
use crate::bench::{Bench, start};

on_both_engines!(what_is_not_committed_never_happened, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let mut tx = bench.db.write("test").await.unwrap();
    assert_eq!(tx.bump_generation(&name).await.unwrap(), Some(1));
    assert_eq!(tx.package(&name).await.unwrap().unwrap().generation, 1, "a transaction sees its own changes");
    drop(tx);
    assert_eq!(bench.write(async |tx| tx.bump_generation(&name).await.unwrap()).await, Some(1));
});

on_both_engines!(a_read_sees_one_moment, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let mut early = bench.db.read().await.unwrap();
    assert_eq!(early.package(&name).await.unwrap().unwrap().generation, 0);
    bench.write(async |tx| tx.bump_generation(&name).await.unwrap()).await;
    assert_eq!(early.package(&name).await.unwrap().unwrap().generation, 0);
    let late = bench.read(async |tx| tx.package(&name).await.unwrap().unwrap().generation).await;
    assert_eq!(late, 1, "a read that begins after the commit sees it");
});

on_both_engines!(a_caller_who_goes_away_leaves_nothing_open, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    // Whatever is begun is begun on the one connection that there is.
    let db = Db::open_sized(&scratch.url, None, 1, bench.clock.clone()).await.unwrap();
    for looks in 0..12 {
        for is_read in [true, false] {
            let mut begin: BoxFuture<'_, bool> =
                if is_read { Box::pin(async { db.read().await.is_ok() }) } else { Box::pin(async { db.write("gone").await.is_ok() }) };
            for _ in 0..looks {
                if futures::poll!(&mut begin).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(begin);
            let mut tx = db.write("next").await.unwrap();
            tx.bump_generation(&name).await.unwrap_or_else(|error| panic!("after {looks} looks: {error}")).unwrap();
            tx.commit().await.unwrap();
            let seen = db.read().await.unwrap().package(&name).await.unwrap().unwrap().generation;
            assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap().unwrap().generation).await, seen, "a commit commits");
        }
    }
});

on_both_engines!(readers_and_a_writer_do_not_wait_for_each_other, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let mut writer = bench.db.write("test").await.unwrap();
    writer.bump_generation(&name).await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..3 {
        let mut reader = bench.db.read().await.unwrap();
        assert_eq!(reader.package(&name).await.unwrap().unwrap().generation, 0);
        readers.push(reader);
    }
    writer.commit().await.unwrap();
});

on_both_engines!(writers_of_two_processes_all_get_their_turn, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let rival = Db::open(&scratch.url, None, bench.clock.clone()).await.unwrap();
    let turns = (0..60).map(async |turn| {
        let db = if turn % 2 == 0 { &bench.db } else { &rival };
        let mut tx = db.write("turn").await.unwrap();
        let generation = tx.bump_generation(&name).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        generation
    });
    let mut generations = futures::future::join_all(turns).await;
    generations.sort_unstable();
    assert_eq!(generations, (1..=60).collect::<Vec<i64>>());
});

on_both_engines!(all_rows_of_one_act_share_one_instant, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (one, two) = (bench.package("@std/one").await, bench.package("@std/two").await);
    let mut tx = bench.db.write("test").await.unwrap();
    assert_eq!(tx.now(), start());
    for name in [&one, &two] {
        bench.advance(TimeDelta::seconds(1));
        let package = tx.package(name).await.unwrap().unwrap();
        assert!(tx.update_package(&package).await.unwrap());
    }
    tx.commit().await.unwrap();
    bench
        .read(async |tx| {
            for name in [&one, &two] {
                assert_eq!(tx.package(name).await.unwrap().unwrap().updated_at, start());
            }
            assert_eq!(tx.now(), start() + TimeDelta::seconds(2));
        })
        .await;
});

#[test]
fn a_replica_is_for_browsing() {
    run(Engine::Postgres, async |scratch| {
        let bench = Bench::on(scratch).await;
        let name = bench.package("@std/path").await;
        // A replica that shows something else can be told from the original.
        let replica = Scratch::make(Engine::Postgres).await.unwrap();
        Bench::on(&replica).await;
        let db = Db::open(&scratch.url, Some(&replica.url), bench.clock.clone()).await.unwrap();
        assert_eq!(db.browse().await.unwrap().package(&name).await.unwrap(), None);
        assert!(db.read().await.unwrap().package(&name).await.unwrap().is_some(), "what was committed is seen by who has to know");
        assert!(db.write("test").await.unwrap().package(&name).await.unwrap().is_some());
        db.close().await;
        replica.remove().await;
    });
}

#[test]
fn what_passes_is_told_from_what_does_not() {
    run(Engine::Postgres, async |scratch| {
        let bench = Bench::on(scratch).await;
        let (a, b) = (bench.package("@std/aa").await, bench.package("@std/bb").await);
        let mut one = bench.db.write("one").await.unwrap();
        let mut two = bench.db.write("two").await.unwrap();
        one.bump_generation(&a).await.unwrap();
        two.bump_generation(&b).await.unwrap();
        let (first, second) = tokio::join!(
            async {
                let outcome = one.bump_generation(&b).await;
                drop(one);
                outcome
            },
            async {
                let outcome = two.bump_generation(&a).await;
                drop(two);
                outcome
            }
        );
        let fallen: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
        assert!(matches!(fallen[..], [DbError::Unavailable(_)]), "one of two that wait for each other may try again: {fallen:?}");

        let mut cut = bench.db.write("cut").await.unwrap();
        cut.bump_generation(&a).await.unwrap();
        let others = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        scratch.connect().await.texts(others).await;
        let outcome = cut.bump_generation(&a).await;
        assert!(matches!(outcome, Err(DbError::Unavailable(_))), "{outcome:?}");
        drop(cut);
        assert_eq!(bench.write(async |tx| tx.bump_generation(&a).await.unwrap()).await, Some(1), "the next one finds a connection");
    });
}

on_both_engines!(times_keep_their_microseconds, async |scratch| {
    let bench = Bench::on(scratch).await;
    let real = Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap();
    let now = real.read().await.unwrap().now();
    assert_eq!(now.nanosecond() % 1_000, 0);
    let times =
        [0, 1, 10, 999, 1_000, 123_456, 500_000, 999_999].map(|microseconds| start().with_nanosecond(microseconds * 1_000).unwrap());
    for (index, created_at) in [now, SystemClock.now()].into_iter().chain(times).enumerate() {
        let login = format!("user{index}");
        let user = User {
            id: bench.ids.next(),
            login: login.clone(),
            created_at,
            updated_at: created_at,
            ..bench.user(&format!("model{index}")).await
        };
        bench.write(async |tx| assert!(tx.create_user(&user).await.unwrap())).await;
        assert_eq!(bench.read(async |tx| tx.user_by_login(&login).await.unwrap()).await, Some(user));
    }
});

on_both_engines!(times_compare_as_time_does, async |scratch| {
    let bench = Bench::on(scratch).await;
    // On SQLite times are text, with as many digits as they need: each pair of lengths is compared.
    let whole = start().with_nanosecond(0).unwrap();
    let steps = [0_i64, 1, 999, 1_000, 1_001, 100_000, 499_999, 500_000, 999_999, 1_000_000, 60_000_000, 86_400_000_000];
    bench
        .write(async |tx| {
            for step in steps {
                let expires_at = whole + TimeDelta::microseconds(step);
                let request = Authorization { expires_at, ..authorizations::draft(&bench, &step.to_string()) };
                tx.create_authorization(&request, &Sha256::of(request.code.as_bytes())).await.unwrap();
            }
        })
        .await;
    let mut now = start();
    for now_step in steps {
        bench.advance(whole + TimeDelta::microseconds(now_step) - now);
        now = whole + TimeDelta::microseconds(now_step);
        for step in steps {
            let open = bench.read(async |tx| tx.open_authorization(&step.to_string()).await.unwrap()).await;
            assert_eq!(open.is_some(), step > now_step, "{step} after {now_step}");
        }
    }
});
