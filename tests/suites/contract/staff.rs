//! What staff goes through and changes.

use chrono::TimeDelta;
use slipway_common::db::{Page, WriteTx};
use slipway_common::model::package::Repository;
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

on_both_engines!(users_are_found_by_login, async |scratch| {
    let bench = Bench::on(scratch).await;
    let mut users = Vec::new();
    for login in ["ada", "adam", "b_b"] {
        bench.advance(TimeDelta::seconds(1));
        users.push(bench.user(login).await);
    }
    bench
        .read(async |tx| {
            let all = tx.find_users("", Page::default()).await.unwrap();
            assert_eq!((all.items, all.total), (users.iter().rev().cloned().collect(), 3));
            let some = tx.find_users("ADA", Page::new(2, 1)).await.unwrap();
            assert_eq!((some.items, some.total), (vec![users[0].clone()], 2));
            for (query, total) in [("_", 1), ("%", 0), ("\0", 0)] {
                assert_eq!(tx.find_users(query, Page::default()).await.unwrap().total, total, "{query:?}");
            }
        })
        .await;
});

on_both_engines!(what_staff_may_change_about_a_user_changes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let before = bench.read(async |tx| tx.user_record(ada.id).await.unwrap().unwrap().generation).await;
    bench.advance(TimeDelta::seconds(1));
    let changed = User { is_staff: true, is_blocked: true, scope_limit: 77, updated_at: bench.now(), ..ada.clone() };
    // Names are not theirs.
    let draft = User { name: "other".to_owned(), login: "other".to_owned(), ..changed.clone() };
    assert!(bench.write(async |tx| tx.update_user(&draft).await.unwrap()).await);
    let after = bench.read(async |tx| tx.user_record(ada.id).await.unwrap().unwrap()).await;
    assert_eq!(bench.read(async |tx| tx.user(ada.id).await.unwrap()).await, Some(changed));
    assert!(after.generation > before);
    let nobody = User { id: bench.ids.next(), ..ada.clone() };
    assert!(!bench.write(async |tx| tx.update_user(&nobody).await.unwrap()).await);
    assert_eq!(bench.write(async |tx| tx.user_to_change(nobody.id).await.unwrap()).await, None);

    let raise = async |tx: &mut WriteTx| {
        let user = tx.user_to_change(ada.id).await.unwrap().unwrap();
        tx.update_user(&User { scope_limit: user.scope_limit + 1, ..user }).await.unwrap()
    };
    assert_eq!(bench.race(raise, raise).await, (true, true));
    assert_eq!(bench.read(async |tx| tx.user(ada.id).await.unwrap().unwrap().scope_limit).await, 79, "the second builds on the first");
});

on_both_engines!(scopes_packages_and_publishes_are_found_whoever_they_belong_to, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (path, maths) = (bench.package("@std/path").await, bench.package("@acme/maths").await);
    let repository = Repository { owner: "acme".to_owned(), name: "maths".to_owned(), id: 7 };
    bench.write(async |tx| assert!(tx.set_repository(&maths, Some(&repository)).await.unwrap())).await;
    let first = bench.publish(&path, "1.0.0").await;
    bench.advance(TimeDelta::seconds(1));
    let second = bench.publish(&maths, "1.0.0").await;
    bench
        .read(async |tx| {
            let scopes = tx.find_scopes("", Page::default()).await.unwrap();
            let names: Vec<_> = scopes.items.iter().map(|scope| scope.name.clone()).collect();
            assert_eq!((names, scopes.total), (vec![scope_name("acme"), scope_name("std")], 2));
            assert_eq!(tx.find_scopes("ST", Page::default()).await.unwrap().total, 1);
            let packages = tx.find_all_packages("", "", None, Page::new(2, 1)).await.unwrap();
            assert_eq!((packages.items[0].name.clone(), packages.total), (path.clone(), 2));
            for (scope, name, repository, total) in [("none", "MATH", None, 1), ("none", "none", Some(7), 1), ("none", "none", Some(8), 0)]
            {
                assert_eq!(tx.find_all_packages(scope, name, repository, Page::default()).await.unwrap().total, total);
            }
            let publishes = tx.find_publishes("", "", Page::default()).await.unwrap();
            assert_eq!((publishes.items, publishes.total), (vec![second.clone(), first.clone()], 2));
            let of_std = tx.find_publishes("std", "none", Page::default()).await.unwrap();
            assert_eq!((of_std.items, of_std.total), (vec![first.clone()], 1));
        })
        .await;
});

on_both_engines!(what_somebody_published_is_listed_as_readers_see_it, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let mut packages = Vec::new();
    for name in ["@std/first", "@std/second", "@std/waiting", "@std/archived"] {
        let package = bench.package(name).await;
        for version in ["1.0.0", "1.1.0"] {
            bench.advance(TimeDelta::seconds(1));
            let mut draft = bench.draft_version(&package, version, bench.ids.next());
            draft.user_id = Some(ada.id);
            bench.write(async |tx| assert!(tx.create_version(&draft, &[]).await.unwrap())).await;
            if !name.ends_with("waiting") {
                bench
                    .write(async |tx| {
                        let generation = tx.bump_generation(&package).await.unwrap().unwrap();
                        assert!(tx.mark_stored(&package, &draft.version, generation).await.unwrap());
                        tx.mark_announced(&package, generation).await.unwrap();
                    })
                    .await;
            }
        }
        packages.push(package);
    }
    bench
        .write(async |tx| {
            let mut archived = tx.package(&packages[3]).await.unwrap().unwrap();
            archived.is_archived = true;
            assert!(tx.update_package(&archived).await.unwrap());
        })
        .await;
    bench.stored(&bench.package("@std/nobodys").await, "1.0.0").await;
    bench
        .read(async |tx| {
            let names = |listed: Vec<slipway_common::model::package::Package>| listed.into_iter().map(|it| it.name).collect::<Vec<_>>();
            let of_ada = [packages[1].clone(), packages[0].clone()];
            assert_eq!(names(tx.packages_published_by(ada.id, None, 10).await.unwrap()), of_ada);
            assert_eq!(names(tx.packages_published_by(ada.id, None, 1).await.unwrap()), of_ada[..1]);
            assert_eq!(names(tx.packages_published_by(bench.ids.next(), None, 10).await.unwrap()), []);
        })
        .await;
});
