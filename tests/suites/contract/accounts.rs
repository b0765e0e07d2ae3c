//! Users, and what they have made.

use chrono::TimeDelta;
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

on_both_engines!(a_user_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let user = User {
        id: bench.ids.next(),
        login: "ada".to_owned(),
        name: "Ada \u{1f6a2} O'Hara; -- \\".to_owned(),
        email: None,
        avatar_url: "https://example.org/a.png?x=1".to_owned(),
        is_staff: true,
        is_blocked: false,
        scope_limit: i64::MAX,
        created_at: bench.now(),
        updated_at: bench.now(),
    };
    assert!(bench.write(async |tx| tx.create_user(&user).await.unwrap()).await);
    let (by_id, by_login, shouted) = bench
        .read(async |tx| (tx.user(user.id).await.unwrap(), tx.user_by_login("ada").await.unwrap(), tx.user_by_login("ADA").await.unwrap()))
        .await;
    assert_eq!(by_id.as_ref(), Some(&user));
    assert_eq!((&by_login, &shouted), (&by_id, &by_id));
    bench
        .read(async |tx| {
            assert_eq!(tx.user(bench.ids.next()).await.unwrap(), None);
            assert_eq!(tx.users(&[user.id, bench.ids.next()].into()).await.unwrap(), [(user.id, user.clone())].into());
            assert_eq!(tx.users(&[].into()).await.unwrap(), [].into());
            assert_eq!(tx.user_by_login("ad").await.unwrap(), None);
            assert_eq!(tx.user_by_login("a%").await.unwrap(), None);
        })
        .await;
});

on_both_engines!(a_login_is_taken_once_in_any_case, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("Ada").await;
    let again = User { id: bench.ids.next(), login: "aDA".to_owned(), ..ada.clone() };
    assert!(!bench.write(async |tx| tx.create_user(&again).await.unwrap()).await);
    let stored = bench.read(async |tx| tx.user_by_login("ada").await.unwrap().unwrap()).await;
    assert_eq!((stored.id, stored.login.as_str()), (ada.id, "ada"));
});

on_both_engines!(scopes_are_counted_by_creator_and_listed_by_name, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    // A collation that knows languages would put the hyphen aside.
    let names = ["aa", "a-b", "a0", "b-0"];
    bench.advance(TimeDelta::seconds(1));
    bench
        .write(async |tx| {
            for name in names {
                assert!(tx.create_scope(&bench.draft_scope(name, &ada)).await.unwrap());
                assert!(tx.add_member(&scope_name(name), bob.id, false).await.unwrap());
            }
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.scopes_created(ada.id).await.unwrap(), 4);
            assert_eq!(tx.scopes_created(bob.id).await.unwrap(), 0);
            let listed: Vec<_> = tx.scopes_of(bob.id).await.unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(listed, ["a-b", "a0", "aa", "b-0"]);
            assert_eq!(tx.scopes_of(ada.id).await.unwrap(), []);
        })
        .await;
});

on_both_engines!(a_login_that_no_text_column_holds_is_unknown, async |scratch| {
    let bench = Bench::on(scratch).await;
    assert_eq!(bench.read(async |tx| tx.user_by_login("a\0b").await.unwrap()).await, None);
});
