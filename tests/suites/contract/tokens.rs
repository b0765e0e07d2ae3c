//! Credentials.

use chrono::TimeDelta;
use slipway_common::db::DbError;
use slipway_common::ids::{Sha256, UserId};
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name, version_of};

pub(crate) fn draft(bench: &Bench<'_>, user: UserId, kind: TokenKind) -> Token {
    Token {
        id: bench.ids.next(),
        user_id: user,
        kind,
        description: None,
        permissions: None,
        opened_by: None,
        expires_at: None,
        created_at: bench.now(),
        updated_at: bench.now(),
    }
}

on_both_engines!(a_token_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let package = package_name("@std/path");
    let permissions = [
        None,
        Some(vec![]),
        Some(vec![
            Permission::PublishScope(scope_name("std")),
            Permission::PublishPackage(package.clone()),
            Permission::PublishVersion { package, version: version_of("1.0.0"), tarball_hash: "sha256-00".to_owned() },
        ]),
    ];
    for (kind, permissions) in TokenKind::ALL.into_iter().zip(permissions) {
        let expires_at = permissions.is_some().then(|| bench.now() + TimeDelta::microseconds(1));
        let token = Token { description: Some("laptop".to_owned()), permissions, expires_at, ..draft(&bench, ada.id, kind) };
        let secret = Sha256::of(kind.as_str().as_bytes());
        bench.write(async |tx| tx.create_token(&token, &secret).await.unwrap()).await;
        bench.advance(TimeDelta::hours(1));
        let found = bench.read(async |tx| tx.token_by_hash(&secret).await.unwrap()).await;
        assert_eq!(found, Some((token, ada.clone())), "expired or not");
    }
    assert_eq!(bench.read(async |tx| tx.token_by_hash(&Sha256::of(b"other")).await.unwrap()).await, None);
});

on_both_engines!(tokens_are_listed_newest_first, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let mut made = Vec::new();
    for (index, pause) in [0, 1, 0, 1_000_000].into_iter().enumerate() {
        bench.advance(TimeDelta::microseconds(pause));
        let token = draft(&bench, ada.id, TokenKind::Personal);
        bench.write(async |tx| tx.create_token(&token, &Sha256::of(&[u8::try_from(index).unwrap()])).await.unwrap()).await;
        made.insert(0, token);
    }
    let foreign = draft(&bench, bob.id, TokenKind::Personal);
    bench.write(async |tx| tx.create_token(&foreign, &Sha256::of(b"bob")).await.unwrap()).await;
    assert_eq!(bench.read(async |tx| tx.tokens_of(ada.id).await.unwrap()).await, made);
});

on_both_engines!(only_its_owner_deletes_a_token, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let token = draft(&bench, ada.id, TokenKind::Web);
    bench
        .write(async |tx| {
            tx.create_token(&token, &Sha256::of(b"secret")).await.unwrap();
            assert!(!tx.delete_token(bob.id, token.id).await.unwrap());
            assert!(tx.delete_token(ada.id, token.id).await.unwrap());
            assert!(!tx.delete_token(ada.id, token.id).await.unwrap());
            assert_eq!(tx.tokens_of(ada.id).await.unwrap(), []);
        })
        .await;
});

on_both_engines!(a_token_needs_its_own_secret_and_a_user, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    bench.write(async |tx| tx.create_token(&draft(&bench, ada.id, TokenKind::Web), &Sha256::of(b"secret")).await.unwrap()).await;
    for (user, secret) in [(ada.id, b"secret"), (bench.ids.next(), b"others")] {
        let mut tx = bench.db.write("test").await.unwrap();
        let refused = tx.create_token(&draft(&bench, user, TokenKind::Web), &Sha256::of(secret)).await;
        assert!(matches!(refused, Err(DbError::Conflict(_))), "{refused:?}");
    }
});

on_both_engines!(a_session_goes_with_the_token_that_opened_it, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let (one, two) = (draft(&bench, ada.id, TokenKind::Personal), draft(&bench, ada.id, TokenKind::Personal));
    let of_one = Token { opened_by: Some(one.id), ..draft(&bench, ada.id, TokenKind::Web) };
    let of_two = Token { opened_by: Some(two.id), ..draft(&bench, ada.id, TokenKind::Web) };
    bench
        .write(async |tx| {
            for (index, token) in [&one, &two, &of_one, &of_two].into_iter().enumerate() {
                tx.create_token(token, &Sha256::of(&[u8::try_from(index).unwrap()])).await.unwrap();
            }
            assert!(tx.delete_token(ada.id, one.id).await.unwrap());
        })
        .await;
    let mut left = bench.read(async |tx| tx.tokens_of(ada.id).await.unwrap()).await;
    left.sort_by_key(|token| token.id);
    assert_eq!(left, [two, of_two]);
    let orphan = Token { opened_by: Some(one.id), ..draft(&bench, ada.id, TokenKind::Web) };
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.create_token(&orphan, &Sha256::of(b"orphan")).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "{refused:?}");
});
