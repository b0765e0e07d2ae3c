//! Sign-ins that happen once, and sessions that end together.

use chrono::TimeDelta;
use slipway_common::ids::Sha256;
use slipway_common::model::token::TokenKind;
use slipway_tests::on_both_engines;

use crate::bench::Bench;
use crate::tokens;

on_both_engines!(a_sign_in_is_finished_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ends = bench.now() + TimeDelta::minutes(20);
    let finish = async |state: &[u8]| {
        let state = Sha256::of(state);
        bench.write(async |tx| tx.use_sign_in(&state, ends).await.unwrap()).await
    };
    assert_eq!((finish(b"one").await, finish(b"one").await, finish(b"two").await), (true, false, true));
    let state = Sha256::of(b"raced");
    let raced =
        bench.race(async |tx| tx.use_sign_in(&state, ends).await.unwrap(), async |tx| tx.use_sign_in(&state, ends).await.unwrap()).await;
    assert_eq!(raced, (true, false));
    let sweep = async || bench.write(async |tx| tx.sweep().await.unwrap()).await;
    bench.advance(TimeDelta::minutes(20));
    assert_eq!(sweep().await, 0);
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(sweep().await, 3);
});

on_both_engines!(a_link_is_used_once_and_ends, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let ends = bench.now() + TimeDelta::minutes(15);
    let (one, two) = (Sha256::of(b"one"), Sha256::of(b"two"));
    bench
        .write(async |tx| {
            tx.create_sign_in_link(&one, ada.id, ends).await.unwrap();
            tx.create_sign_in_link(&two, bob.id, ends).await.unwrap();
        })
        .await;
    let look = async |hash: &Sha256| bench.read(async |tx| tx.sign_in_link(hash).await.unwrap()).await;
    let take = async |hash: &Sha256| bench.write(async |tx| tx.take_sign_in_link(hash).await.unwrap()).await;
    assert_eq!((look(&one).await, look(&one).await, look(&Sha256::of(b"none")).await), (Some(ada.id), Some(ada.id), None));
    let raced =
        bench.race(async |tx| tx.take_sign_in_link(&one).await.unwrap(), async |tx| tx.take_sign_in_link(&one).await.unwrap()).await;
    assert_eq!(raced, (Some(ada.id), None));
    assert_eq!((look(&one).await, take(&one).await), (None, None));
    bench.advance(TimeDelta::minutes(15));
    assert_eq!((look(&two).await, take(&two).await), (None, None), "it has ended");
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(bench.write(async |tx| tx.sweep().await.unwrap()).await, 1);
});

on_both_engines!(sessions_end_together_and_nothing_else, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let mut secret = 0_u8;
    for user in [&ada, &bob] {
        for kind in [TokenKind::Web, TokenKind::Web, TokenKind::Device, TokenKind::Personal] {
            let token = tokens::draft(&bench, user.id, kind);
            secret += 1;
            bench.write(async |tx| tx.create_token(&token, &Sha256::of(&[secret])).await.unwrap()).await;
        }
    }
    let sessions = bench.read(async |tx| tx.tokens_of(ada.id).await.unwrap()).await;
    let kept = sessions.iter().find(|token| token.kind == TokenKind::Web).map(|token| token.id);
    let end = async |but| bench.write(async |tx| tx.end_sessions(ada.id, but).await.unwrap()).await;
    assert_eq!((end(kept).await, end(kept).await), (1, 0));
    let left = bench.read(async |tx| tx.tokens_of(ada.id).await.unwrap()).await;
    assert!(left.len() == 3 && left.iter().any(|token| Some(token.id) == kept));
    assert_eq!((end(None).await, end(None).await), (1, 0));
    let kinds = async |user| {
        let mut kinds: Vec<_> =
            bench.read(async |tx| tx.tokens_of(user).await.unwrap()).await.iter().map(|token| token.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds(ada.id).await, ["device", "personal"]);
    assert_eq!(kinds(bob.id).await, ["device", "personal", "web", "web"]);
});
