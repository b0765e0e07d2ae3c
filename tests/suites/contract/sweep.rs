//! What nobody needs any more.

use chrono::TimeDelta;
use slipway_common::ids::Sha256;
use slipway_common::jobs::{self, Settled};
use slipway_common::model::job::Job;
use slipway_common::model::token::{Token, TokenKind};
use slipway_tests::on_both_engines;

use crate::authorizations::asked;
use crate::bench::{Bench, package_name};
use crate::tokens;

on_both_engines!(only_what_is_long_over_goes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
    asked(&bench, "AAAA-BBBB").await;
    let soon = Token { expires_at: Some(bench.now() + hour), ..tokens::draft(&bench, ada.id, TokenKind::Web) };
    let never = tokens::draft(&bench, ada.id, TokenKind::Personal);
    bench
        .write(async |tx| {
            tx.create_token(&soon, &Sha256::of(b"soon")).await.unwrap();
            tx.create_token(&never, &Sha256::of(b"never")).await.unwrap();
            for index in 0..4 {
                let job = Job::Announce { package: package_name(&format!("@std/p{index}")) };
                let id = jobs::enqueue(tx, &bench.ids, &job).await.unwrap();
                // The first one waits on, the others are done, given up and worked on.
                if index == 0 {
                    continue;
                }
                let claim = jobs::claim(tx, id, "one").await.unwrap().unwrap();
                let settled = match index {
                    1 => jobs::settle(tx, &claim).await.unwrap(),
                    2 => jobs::give_up(tx, &claim, "it rained").await.unwrap(),
                    _ => continue,
                };
                assert_eq!(settled, Settled::Ours(None));
            }
        })
        .await;
    let sweep = async || bench.write(async |tx| tx.sweep().await.unwrap()).await;
    assert_eq!(sweep().await, 0);
    bench.advance(day);
    assert_eq!(sweep().await, 1, "the request that nobody decided");
    bench.advance(hour);
    assert_eq!(sweep().await, 0, "what expired is still remembered as expired");
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(sweep().await, 1, "the token");
    assert_eq!(bench.read(async |tx| tx.tokens_of(ada.id).await.unwrap()).await, std::slice::from_ref(&never));
    bench.advance(day * 6 - hour - TimeDelta::microseconds(1));
    assert_eq!(sweep().await, 0);
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(sweep().await, 1, "the job that is done");
    bench.advance(day * 365);
    assert_eq!(sweep().await, 0);
    assert!(bench.read(async |tx| tx.token_by_hash(&Sha256::of(b"never")).await.unwrap()).await.is_some());
    let left = scratch.connect().await.texts("SELECT state FROM jobs ORDER BY state").await;
    assert_eq!(left, ["failed", "queued", "running"].map(|state| Some(state.to_owned())));
});

on_both_engines!(a_round_goes_on_where_it_was_left, async |scratch| {
    let bench = Bench::on(scratch).await;
    let round = async |name| bench.read(async |tx| tx.round(name).await.unwrap()).await;
    assert_eq!(round("uploads").await, None);
    for after in [Some("uploads/a"), Some("uploads/b"), None] {
        bench.write(async |tx| tx.note_round("uploads", after).await.unwrap()).await;
        assert_eq!((round("uploads").await.as_deref(), round("others").await), (after, None));
    }
});
