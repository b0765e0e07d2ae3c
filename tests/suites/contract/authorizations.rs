//! Devices that ask, people who decide.

use chrono::TimeDelta;
use slipway_common::db::DbError;
use slipway_common::ids::Sha256;
use slipway_common::model::authorization::{Authorization, AuthorizationState};
use slipway_common::model::token::{Permission, Reach, Verb};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name, version_of};

pub(crate) fn draft(bench: &Bench<'_>, code: &str) -> Authorization {
    Authorization {
        id: bench.ids.next(),
        code: code.to_owned(),
        challenge: "a/b+c=".to_owned(),
        permissions: None,
        state: AuthorizationState::Pending,
        user_id: None,
        networks: None,
        expires_at: bench.now() + TimeDelta::minutes(10),
    }
}

/// A request that waits for a decision.
pub(crate) async fn asked(bench: &Bench<'_>, code: &str) -> Authorization {
    let authorization = draft(bench, code);
    bench.write(async |tx| tx.create_authorization(&authorization, &Sha256::of(code.as_bytes())).await.unwrap()).await;
    authorization
}

on_both_engines!(a_request_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = package_name("@std/path");
    let permissions = vec![
        Permission::Allow { verb: Verb::Publish, reach: Reach::Scope(scope_name("std")) },
        Permission::Allow { verb: Verb::Publish, reach: Reach::Package(package.clone()) },
        Permission::PublishVersion { package, version: version_of("1.0.0-rc.1+b"), tarball_hash: "sha256-00".to_owned() },
    ];
    let (open, narrow) = (draft(&bench, "AAAA-BBBB"), Authorization { permissions: Some(permissions), ..draft(&bench, "CCCC-DDDD") });
    bench
        .write(async |tx| {
            tx.create_authorization(&open, &Sha256::of(b"one")).await.unwrap();
            tx.create_authorization(&narrow, &Sha256::of(b"two")).await.unwrap();
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.open_authorization("AAAA-BBBB").await.unwrap(), Some(open));
            assert_eq!(tx.authorization_by_exchange(&Sha256::of(b"two")).await.unwrap(), Some(narrow));
            assert_eq!(tx.open_authorization("aaaa-bbbb").await.unwrap(), None);
            assert_eq!(tx.authorization_by_exchange(&Sha256::of(b"three")).await.unwrap(), None);
        })
        .await;
});

on_both_engines!(codes_and_secrets_are_unique, async |scratch| {
    let bench = Bench::on(scratch).await;
    asked(&bench, "AAAA-BBBB").await;
    for (code, secret) in [("AAAA-BBBB", "other"), ("CCCC-DDDD", "AAAA-BBBB")] {
        let mut tx = bench.db.write("test").await.unwrap();
        let refused = tx.create_authorization(&draft(&bench, code), &Sha256::of(secret.as_bytes())).await;
        assert!(matches!(refused, Err(DbError::Conflict(_))), "{code} {secret}: {refused:?}");
    }
});

on_both_engines!(a_request_is_decided_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let request = asked(&bench, "AAAA-BBBB").await;
    let other = asked(&bench, "CCCC-DDDD").await;
    bench
        .write(async |tx| {
            let office = ["192.0.2.0/24".parse().unwrap()];
            assert!(tx.decide_authorization(&request.code, ada.id, Some(&office), AuthorizationState::Denied).await.unwrap());
            assert!(!tx.decide_authorization(&request.code, bob.id, None, AuthorizationState::Approved).await.unwrap());
            assert!(!tx.decide_authorization("EEEE-FFFF", bob.id, None, AuthorizationState::Approved).await.unwrap());
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.open_authorization(&request.code).await.unwrap(), None);
            let decided = tx.authorization_by_exchange(&Sha256::of(b"AAAA-BBBB")).await.unwrap().unwrap();
            assert_eq!((decided.state, decided.user_id), (AuthorizationState::Denied, Some(ada.id)));
            assert_eq!(decided.networks, Some(vec!["192.0.2.0/24".parse().unwrap()]));
            assert_eq!(tx.open_authorization(&other.code).await.unwrap(), Some(other));
        })
        .await;
});

on_both_engines!(a_void_request_cannot_be_decided, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let request = asked(&bench, "AAAA-BBBB").await;
    bench.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    assert!(bench.read(async |tx| tx.open_authorization(&request.code).await.unwrap()).await.is_some());
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(bench.read(async |tx| tx.open_authorization(&request.code).await.unwrap()).await, None);
    let decided = bench.write(async |tx| tx.decide_authorization(&request.code, ada.id, None, AuthorizationState::Approved).await.unwrap());
    assert!(!decided.await);
    let void = bench.read(async |tx| tx.authorization_by_exchange(&Sha256::of(b"AAAA-BBBB")).await.unwrap()).await;
    assert_eq!(void, Some(request), "whoever collects the answer hears that it expired");
});

on_both_engines!(an_answer_is_taken_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let request = asked(&bench, "AAAA-BBBB").await;
    bench
        .write(async |tx| {
            assert!(tx.take_authorization(&request).await.unwrap());
            assert!(!tx.take_authorization(&request).await.unwrap());
        })
        .await;
    assert_eq!(bench.read(async |tx| tx.authorization_by_exchange(&Sha256::of(b"AAAA-BBBB")).await.unwrap()).await, None);
});

on_both_engines!(a_code_that_no_text_column_holds_is_unknown, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    assert_eq!(bench.read(async |tx| tx.open_authorization("\0").await.unwrap()).await, None);
    assert!(!bench.write(async |tx| tx.decide_authorization("\0", ada.id, None, AuthorizationState::Approved).await.unwrap()).await);
});

on_both_engines!(those_that_wait_are_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let count = async || bench.read(async |tx| tx.count_open_authorizations().await.unwrap()).await;
    assert_eq!(count().await, 0);
    for code in ["AAAA-BBBB", "CCCC-DDDD", "EEEE-FFFF"] {
        asked(&bench, code).await;
    }
    assert_eq!(count().await, 3);
    bench.write(async |tx| assert!(tx.decide_authorization("AAAA-BBBB", ada.id, None, AuthorizationState::Approved).await.unwrap())).await;
    assert_eq!(count().await, 2);
    bench.advance(TimeDelta::minutes(10));
    assert_eq!(count().await, 0, "void");
});
