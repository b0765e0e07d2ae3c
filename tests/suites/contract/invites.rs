//! Who is asked to belong to a scope.

use chrono::TimeDelta;
use slipway_common::db::WriteTx;
use slipway_common::ids::UserId;
use slipway_common::model::member::{Invite, Invitee};
use slipway_common::model::scope::Scope;
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

fn invite(bench: &Bench<'_>, scope: &Scope, by: &User, invitee: Invitee) -> Invite {
    Invite { id: bench.ids.next(), scope: scope.name.clone(), invitee, requested_by: by.id, created_at: bench.now() }
}

fn email(text: &str) -> Invitee {
    Invitee::Email(text.to_owned())
}

on_both_engines!(who_is_asked_is_seen_from_both_sides, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob, cyd) = (bench.user("ada").await, bench.user("Bob").await, bench.user("cyd").await);
    let bob = User { email: Some("BOB@example.org".to_owned()), ..bob };
    let (std, other) = (bench.draft_scope("std", &ada), bench.draft_scope("other", &ada));
    bench.write(async |tx| assert!(tx.create_scope(&std).await.unwrap() && tx.create_scope(&other).await.unwrap())).await;
    let mut all = Vec::new();
    for (scope, invitee) in
        [(&std, Invitee::Account(bob.id)), (&std, email("bob@example.org")), (&std, email("k@y")), (&other, email("bob@example.org"))]
    {
        bench.advance(TimeDelta::seconds(1));
        all.push(invite(&bench, scope, &ada, invitee));
        assert!(bench.write(async |tx| tx.create_invite(all.last().unwrap()).await.unwrap()).await);
    }
    for again in [&all[0].invitee, &all[1].invitee] {
        let again = invite(&bench, &std, &cyd, again.clone());
        assert!(!bench.write(async |tx| tx.create_invite(&again).await.unwrap()).await);
    }
    bench
        .read(async |tx| {
            assert_eq!(tx.invites_of(&std.name).await.unwrap(), all[..3]);
            assert_eq!(tx.invites_of(&scope_name("none")).await.unwrap(), []);
            let of_bob = [all[3].clone(), all[1].clone(), all[0].clone()];
            assert_eq!(tx.invites_for(&bob, 10).await.unwrap(), of_bob);
            assert_eq!(tx.invites_for(&bob, 1).await.unwrap(), of_bob[..1]);
            assert_eq!(tx.count_invites_for(&bob).await.unwrap(), 2, "scopes are counted");
            assert_eq!(tx.invites_for(&cyd, 10).await.unwrap(), []);
            for nobodys in [None, Some(String::new()), Some("\0".to_owned()), Some("\u{212a}@y".to_owned())] {
                assert_eq!(tx.count_invites_for(&User { email: nobodys, ..cyd.clone() }).await.unwrap(), 0);
            }
        })
        .await;
});

on_both_engines!(an_invite_ends_in_every_way, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob, cyd) = (bench.user("ada").await, bench.user("bob").await, bench.user("cyd").await);
    let (std, other) = (bench.draft_scope("std", &ada), bench.draft_scope("other", &ada));
    bench.write(async |tx| assert!(tx.create_scope(&std).await.unwrap() && tx.create_scope(&other).await.unwrap())).await;
    let ask = async |by: &User, invitee: Invitee| {
        let invite = invite(&bench, &std, by, invitee);
        assert!(bench.write(async |tx| tx.create_invite(&invite).await.unwrap()).await);
        invite
    };
    ask(&ada, Invitee::Account(bob.id)).await;
    ask(&ada, email("bob@example.org")).await;
    let of_cyd = ask(&ada, Invitee::Account(cyd.id)).await;
    bench
        .write(async |tx| {
            assert!(!tx.answer_invites(&other.name, &bob).await.unwrap());
            assert!(tx.answer_invites(&std.name, &bob).await.unwrap());
            assert!(!tx.answer_invites(&std.name, &bob).await.unwrap());
            assert_eq!(tx.invites_of(&std.name).await.unwrap(), std::slice::from_ref(&of_cyd));
            assert!(!tx.withdraw_invite(&other.name, of_cyd.id.uuid()).await.unwrap());
            assert!(!tx.withdraw_invite(&std.name, bob.id.uuid()).await.unwrap());
            assert!(tx.withdraw_invite(&std.name, cyd.id.uuid()).await.unwrap());
        })
        .await;
    let by_itself = ask(&ada, email("x@y")).await;
    assert!(bench.write(async |tx| tx.withdraw_invite(&std.name, by_itself.id.uuid()).await.unwrap()).await);
    ask(&bob, email("x@y")).await;
    ask(&bob, email("z@y")).await;
    let kept = ask(&ada, email("w@y")).await;
    bench
        .write(async |tx| {
            assert_eq!(tx.withdraw_invites_by(&other.name, bob.id).await.unwrap(), 0);
            assert_eq!(tx.withdraw_invites_by(&std.name, bob.id).await.unwrap(), 2);
            assert_eq!(tx.invites_of(&std.name).await.unwrap(), [kept]);
            assert_eq!(tx.withdraw_all_invites_by(bob.id).await.unwrap(), 0);
            let elsewhere = invite(&bench, &other, &ada, email("w@y"));
            assert!(tx.create_invite(&elsewhere).await.unwrap());
            assert_eq!(tx.withdraw_all_invites_by(ada.id).await.unwrap(), 2, "in every scope");
            assert!(tx.create_invite(&elsewhere).await.unwrap());
            assert!(tx.delete_scope(&std.name).await.unwrap(), "a scope that asks is deleted all the same");
            assert_eq!(tx.invites_of(&std.name).await.unwrap(), []);
        })
        .await;
});

on_both_engines!(an_invite_is_answered_or_withdrawn_and_not_both, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let std = bench.draft_scope("std", &ada);
    let asked = invite(&bench, &std, &ada, Invitee::Account(bob.id));
    bench.write(async |tx| assert!(tx.create_scope(&std).await.unwrap() && tx.create_invite(&asked).await.unwrap())).await;
    let withdraw = async |tx: &mut WriteTx, named: UserId| tx.withdraw_invite(&std.name, named.uuid()).await.unwrap();
    let won = bench.race(async |tx| withdraw(tx, bob.id).await, async |tx| tx.answer_invites(&std.name, &bob).await.unwrap()).await;
    assert_eq!(won, (true, false));
});
