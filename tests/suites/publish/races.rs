//! Publishes that meet each other, and publishes that meet the end of the process.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::registry::Work;
use slipway_tests::{PackageBuilder, Settings, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

/// The versions in each of the two public documents.
async fn listed(registry: &TestRegistry) -> [Vec<String>; 2] {
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let nobody = registry.anonymous();
    let meta = nobody.get("/@acme/maths/meta.json").await.expect(200).json();
    let packument = nobody.get("/npm/@jsr/acme__maths").await.expect(200).json();
    [keys(&meta["versions"]), keys(&packument["versions"])]
}

#[tokio::test]
async fn versions_that_are_published_at_once_are_all_listed() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let packages: Vec<_> = (0..6).map(|minor| small(&format!("1.{minor}.0"))).collect();
    let tasks = futures::future::join_all(packages.iter().map(|package| author.publish_through(package))).await;
    for task in &tasks {
        assert_eq!(task["status"], "success", "{task}");
    }
    registry.drain().await;
    let all: Vec<_> = (0..6).map(|minor| format!("1.{minor}.0")).collect();
    assert_eq!(listed(&registry).await, [all.clone(), all]);
}

#[tokio::test]
async fn of_one_version_published_at_once_one_gets_through() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let packages: Vec<_> = (0..5).map(|n| small("1.0.0").file("mod.ts", format!("export const winner = {n};\n"))).collect();
    let answers = futures::future::join_all(packages.iter().map(|package| author.publish(package))).await;
    let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(accepted.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.refusal(), "400 duplicateVersionPublish");
        assert_eq!(answer.json()["task"]["id"], accepted[0].json()["id"]);
    }
    assert_eq!(author.follow(accepted[0].json()).await["status"], "success");
    registry.drain().await;
    assert_eq!(registry.private_objects().await.len(), 1, "the uploads that lost are gone");
}

#[tokio::test]
async fn an_accepted_upload_outlives_the_process() {
    let mut registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    registry.restart_as(Work::Never).await;
    let nobody = registry.anonymous();
    assert_eq!(nobody.get("/@acme/maths/1.0.0_meta.json").await.status, 404, "nothing is public before the commit");
    registry.drain().await;
    assert_eq!(nobody.get(&format!("/api/publish_status/{task}")).await.expect(200).json()["status"], "success");
    assert_eq!(listed(&registry).await, [vec!["1.0.0"], vec!["1.0.0"]]);
}

#[tokio::test]
async fn a_bell_that_nobody_heard_is_rung_again() {
    let mut registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    // The bell is lost with the queue. The relay of the next process finds the row when it is old enough.
    registry.advance(TimeDelta::seconds(10));
    registry.restart_as(Work::AsInService).await;
    let task = registry.anonymous().follow(json!({ "id": task, "status": "pending" })).await;
    assert_eq!(task["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_worker_that_died_is_followed_by_another() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    registry.accept(&author, &small("1.0.0")).await;
    // What a worker leaves behind that died while it judged the package.
    registry.database().execute("UPDATE publishes SET state = 'checking'").await;
    let until = (registry.now() + TimeDelta::seconds(30)).to_rfc3339();
    registry.database().execute(&format!("UPDATE jobs SET state = 'running', attempt = 1, worker = 'dead', lease_until = '{until}'")).await;
    registry.drain().await;
    let before = author.get("/api/scopes/acme/packages/maths/publishing_tasks").await.expect(200).json();
    assert_eq!(before[0]["status"], "processing", "its lease protects it");
    registry.advance(TimeDelta::seconds(31));
    registry.drain().await;
    assert_eq!(listed(&registry).await, [vec!["1.0.0"], vec!["1.0.0"]]);
}

#[tokio::test]
async fn an_upload_that_was_tampered_with_is_not_published() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    let key = slipway_common::storage::StorageKey::Upload(task.parse().unwrap());
    registry.context().storage.put(&key, small("1.0.0").file("mod.ts", "export const evil = true;\n").tarball()).await.unwrap();
    registry.drain().await;
    let task = author.get(&format!("/api/publish_status/{task}")).await.expect(200).json();
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failure"), &json!("internalServerError")));
    let message = task["error"]["message"].as_str().unwrap();
    assert!(message.contains("incident") && !message.contains("upload"), "{message}");
    // It was no fault of the package: the version is free.
    registry.accept(&author, &small("1.0.0")).await;
    registry.drain().await;
    assert_eq!(listed(&registry).await, [vec!["1.0.0"], vec!["1.0.0"]]);
}

#[tokio::test]
async fn a_fault_is_tried_again_later() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    let key = slipway_common::storage::StorageKey::Upload(task.parse().unwrap());
    let bytes = registry.context().storage.get(&key).await.unwrap();
    registry.context().storage.delete(&key).await.unwrap();
    registry.drain().await;
    registry.context().storage.put(&key, bytes).await.unwrap();
    registry.advance(TimeDelta::minutes(10));
    registry.drain().await;
    assert_eq!(author.get(&format!("/api/publish_status/{task}")).await.expect(200).json()["status"], "success");
}

#[tokio::test]
async fn a_restart_in_good_order_finishes_what_is_under_way() {
    let mut registry = TestRegistry::with(Settings { work: Work::AsInService, ..Settings::default() }).await;
    let author = registry.author("@acme/maths").await;
    registry.accept(&author, &small("1.0.0")).await;
    registry.restart().await;
    let task = author.publish_through(&small("1.1.0")).await;
    assert_eq!(task["status"], "success");
    registry.drain().await;
    assert_eq!(listed(&registry).await, [vec!["1.0.0", "1.1.0"], vec!["1.0.0", "1.1.0"]]);
}
