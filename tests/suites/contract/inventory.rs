//! Everything there is, a part at a time.

use slipway_common::jobs;
use slipway_common::model::job::Job;
use slipway_common::model::package::Package;
use slipway_tests::on_both_engines;

use crate::bench::Bench;
use crate::jobs::announce;

on_both_engines!(what_was_announced_is_listed_with_its_generation, async |scratch| {
    let bench = Bench::on(scratch).await;
    assert_eq!(bench.read(async |tx| tx.announcements().await.unwrap()).await, 0);
    let [first, second, old, _] =
        [bench.package("@aa/bb").await, bench.package("@b-b/aa").await, bench.package("@b-b/old").await, bench.package("@b-b/new").await];
    bench
        .write(async |tx| {
            tx.mark_announced(&second, 7).await.unwrap();
            tx.mark_announced(&first, 2).await.unwrap();
            tx.mark_announced(&old, 1).await.unwrap();
            let package = tx.package(&old).await.unwrap().unwrap();
            assert!(tx.update_package(&Package { is_archived: true, ..package }).await.unwrap());
        })
        .await;
    bench
        .read(async |tx| {
            assert_eq!(tx.announcements().await.unwrap(), 10);
            assert_eq!(tx.announced_after(None, 10).await.unwrap(), [(first.clone(), 2), (second.clone(), 7)]);
            assert_eq!(tx.announced_after(None, 1).await.unwrap(), [(first.clone(), 2)]);
            assert_eq!(tx.announced_after(Some(&first), 10).await.unwrap(), [(second.clone(), 7)]);
            assert_eq!(tx.announced_after(Some(&second), 10).await.unwrap(), []);
        })
        .await;
});

on_both_engines!(lists_go_on_behind_any_name, async |scratch| {
    let bench = Bench::on(scratch).await;
    for name in ["@b-b/aa", "@aa/bb", "@aa/a-b"] {
        let package = bench.package(name).await;
        for version in ["2.0.0", "10.0.0", "1.0.0-rc.1"] {
            bench.stored(&package, version).await;
        }
        bench.publish(&package, "3.0.0").await;
    }
    let mut tx = bench.db.read().await.unwrap();
    let mut users = Vec::new();
    while let [user] = tx.users_after(users.last().copied(), 1).await.unwrap()[..] {
        users.push(user);
    }
    assert!(users.len() == 2 && users.is_sorted());
    let mut publishes = Vec::new();
    while let [publish] = tx.publishes_after(publishes.last().copied(), 1).await.unwrap()[..] {
        publishes.push(publish);
    }
    assert!(publishes.len() == 3 && publishes.is_sorted());
    let scopes = tx.scopes_after(None, 10).await.unwrap();
    assert_eq!(scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["aa", "b-b"]);
    assert_eq!(tx.scopes_after(scopes.first(), 10).await.unwrap(), scopes[1..]);
    let packages = tx.packages_after(None, 2).await.unwrap();
    assert_eq!(packages.iter().map(ToString::to_string).collect::<Vec<_>>(), ["@aa/a-b", "@aa/bb"]);
    let rest = tx.packages_after(packages.last(), 2).await.unwrap();
    assert_eq!(rest.iter().map(ToString::to_string).collect::<Vec<_>>(), ["@b-b/aa"]);
    let mut versions = Vec::new();
    while let Some(next) = tx.versions_after(versions.last(), 1).await.unwrap().pop() {
        versions.push(next);
    }
    let texts: Vec<_> = versions.iter().map(|(package, version)| format!("{package}@{version}")).collect();
    assert_eq!(texts.len(), 9);
    assert_eq!(texts[..4], ["@aa/a-b@1.0.0-rc.1", "@aa/a-b@10.0.0", "@aa/a-b@2.0.0", "@aa/bb@1.0.0-rc.1"]);
});

on_both_engines!(what_is_under_way_is_seen, async |scratch| {
    let bench = Bench::on(scratch).await;
    let seen = async |job: &Job| bench.read(async |tx| tx.is_under_way(job).await.unwrap()).await;
    assert!(!seen(&announce()).await);
    let id = bench.enqueue(&announce()).await;
    assert!(seen(&announce()).await && !seen(&Job::Reconcile).await);
    let claim = bench.claim(id, "one").await.unwrap();
    assert!(seen(&announce()).await);
    let _ = bench.settle(&claim).await;
    assert!(!seen(&announce()).await);
    // What was given up is known until a person looks, and under way no more.
    let known = async |job: &Job| bench.read(async |tx| tx.is_known(job).await.unwrap()).await;
    assert!(!known(&announce()).await);
    let id = bench.enqueue(&announce()).await;
    assert!(known(&announce()).await);
    let claim = bench.claim(id, "one").await.unwrap();
    assert!(known(&announce()).await);
    let _ = bench.write(async |tx| jobs::park(tx, &claim, "it fell").await.unwrap()).await;
    assert!(known(&announce()).await && !seen(&announce()).await);
});
