//! Who belongs to a scope, and who answers for it.

use chrono::TimeDelta;
use slipway_common::db::WriteTx;
use slipway_common::model::member::Member;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

on_both_engines!(members_are_listed_by_seniority, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob, cyd) = (bench.user("ada").await, bench.user("bob").await, bench.user("cyd").await);
    let scope = bench.draft_scope("std", &ada);
    bench.write(async |tx| assert!(tx.create_scope(&scope).await.unwrap())).await;
    let mut expected = Vec::new();
    for (user, is_admin) in [(&cyd, false), (&ada, true), (&bob, false)] {
        bench.advance(TimeDelta::seconds(1));
        bench.write(async |tx| assert!(tx.add_member(&scope.name, user.id, is_admin).await.unwrap())).await;
        let at = bench.now();
        expected.push(Member { scope: scope.name.clone(), user: user.clone(), is_admin, created_at: at, updated_at: at });
    }
    bench
        .read(async |tx| {
            assert_eq!(tx.members_of(&scope.name).await.unwrap(), expected);
            assert_eq!(tx.members_of(&scope_name("none")).await.unwrap(), []);
            assert_eq!(tx.member(&scope.name, bob.id).await.unwrap().as_ref(), expected.last());
            assert_eq!(tx.member(&scope_name("none"), bob.id).await.unwrap(), None);
        })
        .await;
});

on_both_engines!(roles_and_owners_change_and_the_scope_counts_it, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let scope = bench.draft_scope("std", &ada);
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&scope).await.unwrap());
            assert!(tx.add_member(&scope.name, ada.id, true).await.unwrap());
        })
        .await;
    let generation = async || bench.read(async |tx| tx.scope_record(&scope.name).await.unwrap().unwrap().generation).await;
    let mut last = generation().await;
    let mut is_newer = async || {
        let now = generation().await;
        std::mem::replace(&mut last, now) < now
    };
    bench.advance(TimeDelta::seconds(1));
    bench
        .write(async |tx| {
            assert!(tx.set_admin(&scope.name, ada.id, false).await.unwrap());
            assert!(!tx.set_admin(&scope.name, bob.id, true).await.unwrap(), "who does not belong to it is no admin of it");
        })
        .await;
    let member = bench.read(async |tx| tx.member(&scope.name, ada.id).await.unwrap().unwrap()).await;
    assert_eq!((member.is_admin, member.updated_at - member.created_at), (false, TimeDelta::seconds(1)));
    assert!(is_newer().await);
    bench
        .write(async |tx| {
            assert!(tx.set_creator(&scope.name, bob.id).await.unwrap());
            assert!(!tx.set_creator(&scope_name("none"), bob.id).await.unwrap());
            assert_eq!((tx.scopes_created(ada.id).await.unwrap(), tx.scopes_created(bob.id).await.unwrap()), (0, 1));
        })
        .await;
    assert!(is_newer().await);
    bench
        .write(async |tx| {
            assert!(!tx.remove_member(&scope_name("none"), ada.id).await.unwrap());
            assert!(tx.remove_member(&scope.name, ada.id).await.unwrap());
            assert!(!tx.remove_member(&scope.name, ada.id).await.unwrap());
            assert_eq!(tx.members_of(&scope.name).await.unwrap(), []);
        })
        .await;
    assert!(is_newer().await);
});

on_both_engines!(of_two_admins_who_leave_at_once_the_second_sees_that_the_first_has_left, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let scope = bench.draft_scope("std", &ada);
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&scope).await.unwrap());
            assert!(tx.add_member(&scope.name, ada.id, true).await.unwrap());
            assert!(tx.add_member(&scope.name, bob.id, true).await.unwrap());
        })
        .await;
    let leave = async |tx: &mut WriteTx, who| {
        tx.scope_to_change(&scope.name).await.unwrap().unwrap();
        let left = tx.members_of(&scope.name).await.unwrap().len();
        tx.remove_member(&scope.name, who).await.unwrap();
        left
    };
    assert_eq!(bench.race(async |tx| leave(tx, ada.id).await, async |tx| leave(tx, bob.id).await).await, (2, 1));
});
