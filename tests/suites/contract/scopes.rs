//! Scopes, their members, and how much may happen in them.

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::db::WriteTx;
use slipway_common::model::finding::Findings;
use slipway_common::model::publish::{Publish, PublishError, PublishState};
use slipway_common::model::scope::{Quotas, Scope, Usage};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

on_both_engines!(a_scope_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let plain = bench.draft_scope("std", &ada);
    let rich = Scope {
        description: "numbers \u{00bd}".to_owned(),
        quotas: Quotas { packages: 1, new_packages_per_week: 2, publishes_per_week: 3 },
        verify_oidc_actor: false,
        require_publishing_from_ci: true,
        upload_limits: Some(json!({ "file_bytes": 1_000_000, "entries": 5 })),
        ..bench.draft_scope("a-b-c", &ada)
    };
    for scope in [plain, rich] {
        assert!(bench.write(async |tx| tx.create_scope(&scope).await.unwrap()).await);
        assert_eq!(bench.read(async |tx| tx.scope(&scope.name).await.unwrap()).await, Some(scope));
    }
    assert_eq!(bench.read(async |tx| tx.scope(&scope_name("none")).await.unwrap()).await, None);
});

on_both_engines!(scopes_that_differ_in_hyphens_alone_are_one, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&bench.draft_scope("my-scope", &ada)).await.unwrap());
            for taken in ["my-scope", "myscope", "m-y-scope"] {
                assert!(!tx.create_scope(&bench.draft_scope(taken, &ada)).await.unwrap(), "{taken}");
            }
            assert!(tx.create_scope(&bench.draft_scope("my-scopes", &ada)).await.unwrap());
            assert_eq!(tx.scopes_created(ada.id).await.unwrap(), 2);
        })
        .await;
});

on_both_engines!(members_belong_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob, eve) = (bench.user("ada").await, bench.user("bob").await, bench.user("eve").await);
    let scope = bench.draft_scope("std", &ada);
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&scope).await.unwrap());
            assert!(tx.add_member(&scope.name, ada.id, true).await.unwrap());
            assert!(tx.add_member(&scope.name, bob.id, false).await.unwrap());
            assert!(!tx.add_member(&scope.name, bob.id, true).await.unwrap());
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.membership(&scope.name, ada.id).await.unwrap(), Some(true));
            assert_eq!(tx.membership(&scope.name, bob.id).await.unwrap(), Some(false), "adding again promotes nobody");
            assert_eq!(tx.membership(&scope.name, eve.id).await.unwrap(), None);
            assert_eq!(tx.membership(&scope_name("other"), ada.id).await.unwrap(), None);
        })
        .await;
});

on_both_engines!(what_admins_may_change_changes_and_says_when, async |scratch| {
    let bench = Bench::on(scratch).await;
    let scope = bench.draft_scope("std", &bench.user("ada").await);
    bench.write(async |tx| assert!(tx.create_scope(&scope).await.unwrap())).await;
    bench.advance(TimeDelta::microseconds(1));
    let changed = Scope {
        description: "new".to_owned(),
        verify_oidc_actor: !scope.verify_oidc_actor,
        require_publishing_from_ci: !scope.require_publishing_from_ci,
        updated_at: bench.now(),
        ..scope.clone()
    };
    // Limits are not theirs.
    let draft = Scope { quotas: Quotas { packages: 7, ..scope.quotas }, upload_limits: Some(json!({ "ratio": 7 })), ..changed.clone() };
    assert!(bench.write(async |tx| tx.update_scope(&draft).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.scope(&scope.name).await.unwrap()).await, Some(changed));
    let absent = Scope { name: scope_name("none"), ..scope };
    assert!(!bench.write(async |tx| tx.update_scope(&absent).await.unwrap()).await);
});

on_both_engines!(of_two_changes_at_once_the_second_builds_on_the_first, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let name = scope_name("std");
    bench.write(async |tx| assert!(tx.create_scope(&bench.draft_scope("std", &ada)).await.unwrap())).await;
    let describe = async |tx: &mut WriteTx| {
        let scope = tx.scope_to_change(&name).await.unwrap().unwrap();
        tx.update_scope(&Scope { description: "tools".to_owned(), ..scope }).await.unwrap()
    };
    let require = async |tx: &mut WriteTx| {
        let scope = tx.scope_to_change(&name).await.unwrap().unwrap();
        tx.update_scope(&Scope { require_publishing_from_ci: true, ..scope }).await.unwrap()
    };
    assert_eq!(bench.race(describe, require).await, (true, true));
    let scope = bench.read(async |tx| tx.scope(&name).await.unwrap().unwrap()).await;
    assert_eq!((scope.description.as_str(), scope.require_publishing_from_ci), ("tools", true));
    assert_eq!(bench.write(async |tx| tx.scope_to_change(&scope_name("none")).await.unwrap()).await, None);
});

on_both_engines!(limits_change_and_go_back, async |scratch| {
    let bench = Bench::on(scratch).await;
    let scope = bench.draft_scope("std", &bench.user("ada").await);
    bench.write(async |tx| assert!(tx.create_scope(&scope).await.unwrap())).await;
    for upload_limits in [Some(json!({ "ratio": 7 })), None] {
        bench.advance(TimeDelta::microseconds(1));
        let quotas = Quotas { packages: 7, new_packages_per_week: 8, publishes_per_week: i64::MAX };
        let limited = Scope { quotas, upload_limits, updated_at: bench.now(), ..scope.clone() };
        // Nothing but limits changes.
        let draft = Scope { description: "other".to_owned(), verify_oidc_actor: false, ..limited.clone() };
        assert!(bench.write(async |tx| tx.limit_scope(&draft).await.unwrap()).await);
        assert_eq!(bench.read(async |tx| tx.scope(&scope.name).await.unwrap()).await, Some(limited));
    }
    let absent = Scope { name: scope_name("none"), ..scope };
    assert!(!bench.write(async |tx| tx.limit_scope(&absent).await.unwrap()).await);
});

on_both_engines!(a_scope_is_frozen_and_thawed, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let scope = package.scope().clone();
    let (first, second) = (bench.publish(&package, "1.0.0").await, bench.publish(&package, "2.0.0").await);
    let commit = async |publish: &Publish| {
        bench
            .write(async |tx| {
                tx.take_publish(publish.id).await.unwrap().unwrap();
                tx.commit_publish(publish.id, 1, bench.now(), &Findings::default()).await.unwrap()
            })
            .await
    };
    bench.advance(TimeDelta::microseconds(1));
    let freeze = async |reason| bench.write(async |tx| tx.freeze_scope(&scope, reason).await.unwrap()).await;
    let before = bench.read(async |tx| tx.scope_record(&scope).await.unwrap().unwrap()).await;
    for (reason, shown) in [(Some("stol\0en"), Some("stol\u{fffd}en".to_owned())), (None, None)] {
        assert!(freeze(reason).await);
        let row = bench.read(async |tx| tx.scope(&scope).await.unwrap().unwrap()).await;
        assert_eq!((&row.frozen, row.updated_at), (&shown, bench.now()));
        let record = bench.read(async |tx| tx.scope_record(&scope).await.unwrap().unwrap()).await;
        assert!(record.frozen == shown && record.generation > before.generation);
        assert_eq!(commit(&first).await, reason.is_none(), "nothing is published in a frozen scope, however long ago it was accepted");
    }
    assert!(commit(&second).await);
    assert!(!bench.write(async |tx| tx.freeze_scope(&scope_name("none"), Some("x")).await.unwrap()).await);
});

on_both_engines!(only_an_empty_scope_is_deleted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let ada = bench.user("ada").await;
    let empty = bench.draft_scope("empty", &ada);
    bench
        .write(async |tx| {
            assert!(tx.add_member(name.scope(), ada.id, true).await.unwrap());
            assert!(tx.create_scope(&empty).await.unwrap());
            assert!(tx.add_member(&empty.name, ada.id, true).await.unwrap());
        })
        .await;
    bench
        .write(async |tx| {
            assert!(!tx.delete_scope(name.scope()).await.unwrap());
            assert!(!tx.delete_scope(&scope_name("none")).await.unwrap());
            assert!(tx.delete_scope(&empty.name).await.unwrap());
            assert!(!tx.delete_scope(&empty.name).await.unwrap());
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.scopes_of(ada.id).await.unwrap(), [name.scope().clone()], "what is kept keeps its members");
            assert_eq!(tx.scope(&empty.name).await.unwrap(), None);
        })
        .await;
});

on_both_engines!(quotas_look_back_seven_days, async |scratch| {
    let bench = Bench::on(scratch).await;
    let usage = async || bench.read(async |tx| tx.scope_usage(&scope_name("std")).await.unwrap()).await;
    let used = |packages, new_packages_per_week, publishes_per_week| Usage { packages, new_packages_per_week, publishes_per_week };
    assert_eq!(usage().await, Usage::default());
    let first = bench.package("@std/first").await;
    bench.package("@other/first").await;
    let publish = bench.publish(&first, "1.0.0").await;
    bench.advance(TimeDelta::days(3));
    let second = bench.package("@std/second").await;
    bench.publish(&second, "1.0.0").await;
    bench.publish(&second, "2.0.0").await;
    assert_eq!(usage().await, used(2, 2, 3));

    // A publish that came to nothing was an attempt all the same.
    let error = PublishError { code: "cancelled".to_owned(), message: String::new() };
    let (from, to) = (PublishState::Queued, PublishState::Cancelled);
    bench.write(async |tx| assert!(tx.end_publish(publish.id, from, to, &error, &publish.findings).await.unwrap())).await;
    assert_eq!(usage().await, used(2, 2, 3));

    bench.advance(TimeDelta::days(4) - TimeDelta::microseconds(1));
    assert_eq!(usage().await, used(2, 2, 3), "a microsecond short of seven days");
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(usage().await, used(2, 1, 2), "seven days");
    bench.advance(TimeDelta::days(3));
    assert_eq!(usage().await, used(2, 0, 0));
});
