//! Jobs that crash, or meet what time does not heal. Left of the commit the author is told; right of it the version is promised, so
//! the job waits until somebody has looked.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{JobId, PackagePath};
use slipway_common::jobs::{self, LEASE};
use slipway_common::storage::StorageKey;
use slipway_tests::registry::Work;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

/// Somebody who runs the registry.
async fn staff(registry: &TestRegistry) -> Client {
    let staff = registry.person("staff").await;
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'staff'").await;
    staff
}

async fn status(registry: &TestRegistry, task: &str) -> Value {
    registry.anonymous().get(&format!("/api/publishing_tasks/{task}")).await.expect(200).json()
}

async fn texts(registry: &TestRegistry, query: &str) -> Vec<String> {
    registry.database().connect().await.texts(query).await.into_iter().flatten().collect()
}

/// Does what is due, and what is due later, as often as a job is tried and more.
async fn try_hard(registry: &TestRegistry) {
    for _ in 0..8 {
        registry.drain().await;
        registry.advance(TimeDelta::minutes(2));
    }
    registry.drain().await;
}

/// A worker takes the job that is due, and is not heard of again.
async fn die_of_it(registry: &TestRegistry) {
    let mut tx = registry.context().db.write("test.die").await.unwrap();
    let due: Vec<JobId> = tx.due_jobs().await.unwrap();
    jobs::claim(&mut tx, due[0], "dead").await.unwrap().unwrap();
    tx.commit().await.unwrap();
    registry.advance(LEASE + TimeDelta::seconds(1));
}

/// An object where one of the version belongs, with other bytes: what nobody may paper over.
async fn obstruct(registry: &TestRegistry) -> StorageKey {
    let package = "@acme/maths".try_into().unwrap();
    let key = StorageKey::Module { package, version: "1.0.0".try_into().unwrap(), path: PackagePath::try_from("/mod.ts").unwrap() };
    registry.context().storage.put(&key, Bytes::from_static(b"not what was published")).await.unwrap();
    key
}

#[tokio::test]
async fn a_publish_that_kills_its_workers_fails() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    for _ in 0..2 {
        die_of_it(&registry).await;
    }
    assert_eq!(status(&registry, &task).await["status"], "pending");
    die_of_it(&registry).await;
    registry.drain().await;
    let failed = status(&registry, &task).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failure"), &json!("internalServerError")));
    let reasons = texts(&registry, "SELECT last_fault FROM jobs WHERE state = 'failed'").await;
    let (incident, _) = reasons[0].split_once(':').unwrap();
    assert!(incident.starts_with("incident ") && failed["error"]["message"].as_str().unwrap().ends_with(incident), "{reasons:?} {failed}");
    // Two deaths are bad luck.
    let task = registry.accept(&author, &small("1.0.0")).await;
    for _ in 0..2 {
        die_of_it(&registry).await;
    }
    registry.drain().await;
    assert_eq!(status(&registry, &task).await["status"], "success");
}

#[tokio::test]
async fn what_was_promised_is_parked_and_the_next_start_takes_it_up() {
    let mut registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    let obstacle = obstruct(&registry).await;
    try_hard(&registry).await;
    assert_eq!(status(&registry, &task).await["status"], "processed", "the version exists");
    let parked = texts(&registry, "SELECT last_fault FROM jobs WHERE state = 'parked'").await;
    assert!(parked.len() == 1 && parked[0].starts_with("incident "), "{parked:?}");
    let attempts = texts(&registry, "SELECT kind FROM jobs WHERE state = 'parked' AND attempt = 3").await;
    assert_eq!(attempts, ["store"], "it is left alone after the third attempt");

    registry.context().storage.delete(&obstacle).await.unwrap();
    registry.restart_as(Work::AsInService).await;
    assert_eq!(author.follow(json!({ "id": task, "status": "processed" })).await["status"], "success");
    registry.drain().await;
    drop(registry.anonymous().get("/@acme/maths/1.0.0/mod.ts").await.expect(200));
}

#[tokio::test]
async fn the_operator_takes_up_what_is_parked() {
    let registry = TestRegistry::without_worker().await;
    let (author, staff) = (registry.author("@acme/maths").await, staff(&registry).await);
    let task = registry.accept(&author, &small("1.0.0")).await;
    let requeue = format!("/api/admin/publishing_tasks/{task}/requeue");
    assert_eq!(author.post(&requeue, json!({})).await.refusal(), "403 actorNotAuthorized");
    assert_eq!(staff.post(&requeue, json!({})).await.refusal(), "409 publishNotFailed");
    let obstacle = obstruct(&registry).await;
    try_hard(&registry).await;
    // It crashes again, as often as before, and is parked again.
    assert_eq!(staff.post(&requeue, json!({})).await.expect(200).json()["status"], "processed");
    assert_eq!(staff.post(&requeue, json!({})).await.refusal(), "409 publishNotFailed", "it is on its way");
    try_hard(&registry).await;
    assert_eq!(texts(&registry, "SELECT kind FROM jobs WHERE state = 'parked'").await, ["store"]);
    registry.context().storage.delete(&obstacle).await.unwrap();
    drop(staff.post(&requeue, json!({})).await.expect(200));
    registry.drain().await;
    assert_eq!(status(&registry, &task).await["status"], "success");
    assert_eq!(staff.post(&requeue, json!({})).await.refusal(), "409 publishNotFailed");
    let missing = "/api/admin/publishing_tasks/00000000-0000-0000-0000-0000000000ff/requeue";
    assert_eq!(staff.post(missing, json!({})).await.refusal(), "404 publishNotFound");
}

#[tokio::test]
async fn an_announcement_that_kills_its_workers_holds_no_other_up() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    for _ in 0..3 {
        die_of_it(&registry).await;
    }
    registry.drain().await;
    assert_eq!(texts(&registry, "SELECT kind FROM jobs WHERE state = 'parked'").await, ["announce"]);
    let task = registry.accept(&author, &small("1.0.0")).await;
    registry.drain().await;
    assert_eq!(status(&registry, &task).await["status"], "success");
}

#[tokio::test]
async fn the_operator_has_a_failed_publish_tried_again() {
    let registry = TestRegistry::without_worker().await;
    let (author, staff) = (registry.author("@acme/maths").await, staff(&registry).await);
    let task = registry.accept(&author, &small("1.0.0")).await;
    for _ in 0..3 {
        die_of_it(&registry).await;
    }
    registry.drain().await;
    let again = staff.post(&format!("/api/admin/publishing_tasks/{task}/requeue"), json!({})).await.expect(200).json();
    assert_ne!(again["id"], json!(task));
    registry.drain().await;
    assert_eq!(status(&registry, again["id"].as_str().unwrap()).await["status"], "success");
    assert_eq!(status(&registry, &task).await["status"], "failure", "what happened stays as it was");
    let tarball = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200);
    assert_eq!(tarball.body, small("1.0.0").tarball());
    registry.advance(TimeDelta::days(36_500));
    registry.housekeep().await;
    drop(registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200));
}
