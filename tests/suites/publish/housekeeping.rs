//! What is stored for publishes, and how long it stays.
//!
//! The store writes down when an object came by a clock of its own, the one of this machine. Until the registry's clock has
//! passed that one, no object is old.

use bytes::Bytes;
use chrono::TimeDelta;
use slipway_common::storage::{StorageKey, Store};
use slipway_tests::{PackageBuilder, Settings, TestRegistry, Work};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

/// The names of the objects that nobody outside can read.
async fn kept(registry: &TestRegistry) -> Vec<String> {
    registry.private_objects().await.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

fn upload(task: &serde_json::Value) -> String {
    StorageKey::Upload(task["id"].as_str().unwrap().parse().unwrap()).text()
}

/// Long enough for every object to be old.
const AGES: TimeDelta = TimeDelta::days(36_500);

#[tokio::test]
async fn what_was_published_stays_and_what_was_refused_goes_after_a_month() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let published = author.publish_through(&small("1.0.0")).await;
    let refused = author.publish_through(&small("1.0.1").without("mod.ts")).await;
    assert_eq!(refused["status"], "failure");
    registry.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [upload(&published), upload(&refused)]);
    registry.advance(TimeDelta::seconds(1));
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [upload(&published)]);
    registry.advance(AGES);
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [upload(&published)]);
    drop(registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200));
}

#[tokio::test]
async fn what_nobody_knows_goes_after_a_day() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let live = registry.accept(&author, &small("1.0.0")).await;
    let task = registry.context().ids.next();
    let (stray, pack) = (StorageKey::Upload(task), StorageKey::PlanPack { task, attempt: 1 });
    for key in [&stray, &pack] {
        registry.context().storage.put(key, Bytes::from_static(b"left behind")).await.unwrap();
    }
    registry.housekeep().await;
    assert!(kept(&registry).await.contains(&stray.text()), "an upload that comes in has no row yet");
    registry.advance(AGES);
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [StorageKey::Upload(live.parse().unwrap()).text()]);
}

#[tokio::test]
async fn plan_packs_go_when_they_were_not_committed_or_are_announced() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await.parse().unwrap();
    let pack = |attempt| StorageKey::PlanPack { task, attempt };
    let storage = &registry.context().storage;
    // Another worker is on its way between the commit and the announcement.
    registry.database().execute("UPDATE publishes SET state = 'committed', plan_attempt = 2").await;
    for attempt in 1..=3 {
        storage.put(&pack(attempt), Bytes::from_static(b"pack")).await.unwrap();
    }
    registry.housekeep().await;
    let upload = StorageKey::Upload(task).text();
    assert_eq!(kept(&registry).await, [pack(2).text(), upload.clone()]);
    registry.advance(AGES);
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [pack(2).text(), upload.clone()]);
    registry.database().execute("UPDATE publishes SET state = 'published'").await;
    registry.housekeep().await;
    assert_eq!(kept(&registry).await, [upload]);
}

#[tokio::test]
async fn files_that_a_crash_left_go_after_a_day() {
    let place = tempfile::TempDir::with_prefix("slipway-objects-").unwrap();
    let url = |name: &str| format!("file:{}", place.path().join(name).display());
    let config = vec![("objects", url("public")), ("objects_private", url("private"))];
    let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&small("1.0.0")).await;
    let files = ["public/@acme/maths/1.0.0/mod.ts#1", "private/uploads/x.tgz#2"].map(|name| place.path().join(name));
    for file in &files {
        std::fs::write(file, "half of it").unwrap();
    }
    let before = registry.context().storage.list(Store::Public).await.unwrap();
    registry.housekeep().await;
    assert!(files.iter().all(|file| file.exists()));
    registry.advance(AGES);
    registry.housekeep().await;
    assert!(!files.iter().any(|file| file.exists()));
    assert_eq!(registry.context().storage.list(Store::Public).await.unwrap(), before);
    assert_eq!(author.publish_through(&small("1.0.1")).await["status"], "success");
}
