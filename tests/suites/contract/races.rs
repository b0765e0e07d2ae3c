//! Two transactions that want the same thing at the same time. The second one begins while the first is open, and is seen to
//! wait for it; whoever commits first has won, on both engines.

use slipway_common::db::{DbError, WriteTx};
use slipway_common::ids::Sha256;
use slipway_common::jobs::{self, Settled};
use slipway_common::model::authorization::AuthorizationState;
use slipway_common::model::finding::Findings;
use slipway_common::model::job::Lane;
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{PublishError, PublishState};
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::authorizations::asked;
use crate::bench::{Bench, package_name};
use crate::jobs::announce;

on_both_engines!(two_people_want_one_name, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let twins = [(); 2].map(|()| User { id: bench.ids.next(), login: "twin".to_owned(), ..ada.clone() });
    let [one, two] = &twins;
    let won = bench.race(async |tx| tx.create_user(one).await.unwrap(), async |tx| tx.create_user(two).await.unwrap()).await;
    assert_eq!(won, (true, false));

    let (one, two) = (bench.draft_scope("my-scope", &ada), bench.draft_scope("myscope", &ada));
    let won = bench.race(async |tx| tx.create_scope(&one).await.unwrap(), async |tx| tx.create_scope(&two).await.unwrap()).await;
    assert_eq!(won, (true, false));

    let (one, two) = (package_name("@my-scope/a-b"), package_name("@my-scope/ab"));
    let won = bench
        .race(
            async |tx| tx.create_package(&one, Visibility::Public).await.unwrap(),
            async |tx| tx.create_package(&two, Visibility::Public).await.unwrap(),
        )
        .await;
    assert_eq!(won, (true, false));

    let join = async |tx: &mut WriteTx| tx.add_member(one.scope(), ada.id, false).await.unwrap();
    assert_eq!(bench.race(join, join).await, (true, false));
});

on_both_engines!(one_version_is_published_twice, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (one, two) = (bench.draft_publish(&package, "1.0.0"), bench.draft_publish(&package, "1.0.0"));
    let won = bench.race(async |tx| tx.create_publish(&one).await.unwrap(), async |tx| tx.create_publish(&two).await.unwrap()).await;
    assert_eq!(won, (true, false));
    let blocking = bench.read(async |tx| tx.blocking_publish(&package, &one.version).await.unwrap().unwrap()).await;
    assert_eq!(blocking.id, one.id, "the loser gets the winner's task");
});

on_both_engines!(one_version_is_fixed_twice, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (one, two) = (bench.draft_version(&package, "1.0.0", bench.ids.next()), bench.draft_version(&package, "1.0.0", bench.ids.next()));
    let won =
        bench.race(async |tx| tx.create_version(&one, &[]).await.unwrap(), async |tx| tx.create_version(&two, &[]).await.unwrap()).await;
    assert_eq!(won, (true, false));
    let mark = async |tx: &mut WriteTx| tx.mark_stored(&package, &one.version, 1).await.unwrap();
    assert_eq!(bench.race(mark, mark).await, (true, false));
});

on_both_engines!(a_publish_is_cancelled_while_it_is_claimed, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let error = PublishError { code: "cancelled".to_owned(), message: String::new() };
    let (queued, checking, cancelled) = (PublishState::Queued, PublishState::Checking, PublishState::Cancelled);
    let won = bench
        .race(
            async |tx| tx.move_publish(publish.id, queued, checking).await.unwrap(),
            async |tx| tx.end_publish(publish.id, queued, cancelled, &error, &Findings::default()).await.unwrap(),
        )
        .await;
    assert_eq!(won, (true, false));
    let commit = async |tx: &mut WriteTx| tx.commit_publish(publish.id, 1, bench.now(), &Findings::default()).await.unwrap();
    assert_eq!(bench.race(commit, commit).await, (true, false));
});

on_both_engines!(a_request_is_approved_and_denied, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let request = asked(&bench, "AAAA-BBBB").await;
    let won = bench
        .race(
            async |tx| tx.decide_authorization(&request.code, ada.id, None, AuthorizationState::Approved).await.unwrap(),
            async |tx| tx.decide_authorization(&request.code, bob.id, None, AuthorizationState::Denied).await.unwrap(),
        )
        .await;
    assert_eq!(won, (true, false));
    let decided = bench.read(async |tx| tx.authorization_by_exchange(&Sha256::of(b"AAAA-BBBB")).await.unwrap().unwrap()).await;
    assert_eq!((decided.state, decided.user_id), (AuthorizationState::Approved, Some(ada.id)));
    let take = async |tx: &mut WriteTx| tx.take_authorization(&decided).await.unwrap();
    assert_eq!(bench.race(take, take).await, (true, false), "an answer is given out once");
});

on_both_engines!(generations_never_meet, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let bump = async |tx: &mut WriteTx| tx.bump_generation(&name).await.unwrap().unwrap();
    assert_eq!(bench.race(bump, bump).await, (1, 2));
    bench.race(async |tx| tx.mark_announced(&name, 2).await.unwrap(), async |tx| tx.mark_announced(&name, 1).await.unwrap()).await;
    assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap().unwrap().announced).await, 2);
});

on_both_engines!(a_package_is_deleted_while_it_gets_a_publish, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let publish = bench.draft_publish(&name, "1.0.0");
    let won = bench.race(async |tx| tx.create_publish(&publish).await.unwrap(), async |tx| tx.delete_package(&name).await.unwrap()).await;
    assert_eq!(won, (true, false));
    assert!(bench.read(async |tx| tx.package(&name).await.unwrap()).await.is_some());

    let empty = bench.package("@std/empty").await;
    let publish = bench.draft_publish(&empty, "1.0.0");
    let (deleted, refused) =
        bench.race(async |tx| tx.delete_package(&empty).await.unwrap(), async |tx| tx.create_publish(&publish).await).await;
    assert!(deleted && matches!(refused, Err(DbError::Conflict(_))), "{refused:?}");
});

on_both_engines!(a_scope_is_deleted_while_it_gets_a_package, async |scratch| {
    let bench = Bench::on(scratch).await;
    let scope = bench.draft_scope("std", &bench.user("ada").await);
    bench.write(async |tx| assert!(tx.create_scope(&scope).await.unwrap())).await;
    let name = package_name("@std/path");
    let won = bench
        .race(
            async |tx| tx.create_package(&name, Visibility::Public).await.unwrap(),
            async |tx| tx.delete_scope(&scope.name).await.unwrap(),
        )
        .await;
    assert_eq!(won, (true, false));
    assert!(bench.read(async |tx| tx.package(&name).await.unwrap()).await.is_some());
});

on_both_engines!(one_job_is_claimed_by_two, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let (one, two) =
        bench.race(async |tx| jobs::claim(tx, id, "one").await.unwrap(), async |tx| jobs::claim(tx, id, "two").await.unwrap()).await;
    assert_eq!((one.map(|claim| claim.attempt), two), (Some(1), None));
});

on_both_engines!(an_expired_job_is_taken_over_by_two, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    bench.claim(id, "zombie").await.unwrap();
    bench.advance(jobs::LEASE * 2);
    let (one, two) =
        bench.race(async |tx| jobs::claim(tx, id, "one").await.unwrap(), async |tx| jobs::claim(tx, id, "two").await.unwrap()).await;
    assert_eq!((one.as_ref().map(|claim| claim.attempt), two), (Some(2), None));
    let second = one.unwrap();
    bench.advance(jobs::LEASE * 2);
    let (third, late) =
        bench.race(async |tx| jobs::claim(tx, id, "three").await.unwrap(), async |tx| jobs::settle(tx, &second).await.unwrap()).await;
    assert_eq!((third.map(|claim| claim.attempt), late), (Some(3), Settled::Zombie), "it settles while it is taken over");
});

on_both_engines!(two_jobs_of_one_key_are_claimed, async |scratch| {
    let bench = Bench::on(scratch).await;
    let first = bench.enqueue(&announce()).await;
    let working = bench.claim(first, "one").await.unwrap();
    let second = bench.enqueue(&announce()).await;
    // The first one is settled while the second one is claimed: the claim waits and then gets it.
    let (settled, claimed) =
        bench.race(async |tx| jobs::settle(tx, &working).await.unwrap(), async |tx| jobs::claim(tx, second, "two").await.unwrap()).await;
    assert_eq!(settled, Settled::Ours(Some((second, Lane::Announce))));
    assert_eq!(claimed.map(|claim| claim.attempt), Some(1));
});

on_both_engines!(a_claim_waits_for_the_change_that_touches_its_job, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let id = bench.enqueue(&announce()).await;
    let (touched, seen) = bench
        .race(
            async |tx| {
                tx.bump_generation(&name).await.unwrap();
                jobs::enqueue(tx, &bench.ids, &announce()).await.unwrap()
            },
            async |tx| {
                jobs::claim(tx, id, "one").await.unwrap().unwrap();
                tx.package(&name).await.unwrap().unwrap().generation
            },
        )
        .await;
    assert_eq!((touched, seen), (id, 1), "whoever claims a touched job sees what touched it");
});

on_both_engines!(a_change_that_meets_a_claim_gets_a_job_of_its_own, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let (claimed, put) = bench
        .race(
            async |tx| jobs::claim(tx, id, "one").await.unwrap().unwrap(),
            async |tx| jobs::enqueue(tx, &bench.ids, &announce()).await.unwrap(),
        )
        .await;
    assert_ne!(put, id);
    let settled = bench.write(async |tx| jobs::settle(tx, &claimed).await.unwrap()).await;
    assert_eq!(settled, Settled::Ours(Some((put, Lane::Announce))));
});

on_both_engines!(two_changes_put_one_job, async |scratch| {
    let bench = Bench::on(scratch).await;
    let put = async |tx: &mut WriteTx| jobs::enqueue(tx, &bench.ids, &announce()).await.unwrap();
    let (one, two) = bench.race(put, put).await;
    assert_eq!(one, two);
});

on_both_engines!(two_workers_go_on_to_one_job, async |scratch| {
    let bench = Bench::on(scratch).await;
    let go_on = async |tx: &mut WriteTx| jobs::enqueue_claimed(tx, &bench.ids, announce(), "one").await.unwrap();
    let (one, two) = bench.race(go_on, go_on).await;
    assert_eq!((one.map(|claim| claim.attempt), two), (Some(1), None));
    assert_eq!(bench.states().await, "running queued");
});

on_both_engines!(a_failed_job_is_put_back_while_its_twin_arrives, async |scratch| {
    let bench = Bench::on(scratch).await;
    let first = bench.enqueue(&announce()).await;
    let working = bench.claim(first, "one").await.unwrap();
    let (put, is_ours) = bench
        .race(
            async |tx| jobs::enqueue(tx, &bench.ids, &announce()).await.unwrap(),
            async |tx| jobs::put_back(tx, &working, bench.now(), "it rained", false).await.unwrap(),
        )
        .await;
    assert!(is_ours);
    assert_eq!(bench.states().await, "done queued", "the twin does the work");
    assert!(bench.claim(put, "two").await.is_some());
});
