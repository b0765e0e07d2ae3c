//! What can be seen of a publish and done about it after it was accepted.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::{Permission, TokenKind};
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

const NOBODY: &str = "00000000-0000-0000-0000-0000000000ff";

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

async fn act(client: &Client, task: &str, verb: &str) -> slipway_tests::Answer {
    client.post(&format!("/api/publishing_tasks/{task}/{verb}"), json!({})).await
}

async fn status(client: &Client, task: &str) -> Value {
    client.get(&format!("/api/publishing_tasks/{task}")).await.expect(200).json()
}

/// A device of the author with this permission.
async fn device(registry: &TestRegistry, author: &Client, allowed: Value) -> Client {
    let id: UserId = serde_json::from_value(author.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    let allowed: Permission = serde_json::from_value(allowed).unwrap();
    registry.anonymous().bearer(&registry.token(id, TokenKind::Device, Some(vec![allowed]), None).await)
}

/// Has a publish fail through no fault of the package: its upload is lost, and found again afterwards.
async fn fail(registry: &TestRegistry, author: &Client, package: &PackageBuilder) -> String {
    let task = registry.accept(author, package).await;
    let key = StorageKey::Upload(task.parse().unwrap());
    registry.context().storage.delete(&key).await.unwrap();
    for _ in 0..12 {
        registry.drain().await;
        registry.advance(TimeDelta::minutes(2));
    }
    assert_eq!(status(author, &task).await["error"]["code"], "internalServerError");
    registry.context().storage.put(&key, package.tarball()).await.unwrap();
    task
}

#[tokio::test]
async fn a_publish_is_cancelled_while_it_waits() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    assert_eq!(act(&registry.anonymous(), &task, "cancel").await.refusal(), "401 missingAuthentication");
    assert_eq!(act(&registry.person("stranger").await, &task, "cancel").await.refusal(), "403 actorNotScopeMember");
    let elsewhere = device(&registry, &author, json!({ "permission": "package/publish", "scope": "acme", "package": "other" })).await;
    assert_eq!(act(&elsewhere, &task, "cancel").await.refusal(), "403 missingPermission");
    assert_eq!(act(&author, NOBODY, "cancel").await.refusal(), "404 publishNotFound");
    assert_eq!(act(&author, "x", "cancel").await.refusal(), "400 malformedRequest");

    let cancelled = act(&author, &task, "cancel").await.expect(200);
    assert_eq!(cancelled.header("cache-control"), "no-store");
    let (cancelled, seen) = (cancelled.json(), status(&registry.anonymous(), &task).await);
    assert_eq!((&cancelled["status"], &cancelled["error"]["code"]), (&json!("failure"), &json!("cancelled")));
    assert_eq!(seen["error"], cancelled["error"]);
    assert_eq!(act(&author, &task, "cancel").await.refusal(), "409 publishNotQueued");
    assert_eq!(act(&author, &task, "retry").await.refusal(), "409 publishNotFailed");
    registry.drain().await;
    assert_eq!(status(&author, &task).await["error"]["code"], "cancelled", "its job does nothing");
    assert_eq!(registry.public_objects().await, [""; 0]);

    // The version is free.
    let task = registry.accept(&author, &small("1.0.0")).await;
    registry.drain().await;
    assert_eq!(status(&author, &task).await["status"], "success");
    assert_eq!(act(&author, &task, "cancel").await.refusal(), "409 publishNotQueued");
}

#[tokio::test]
async fn a_publish_that_has_begun_goes_on() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    registry.database().execute("UPDATE publishes SET state = 'checking'").await;
    assert_eq!(act(&author, &task, "cancel").await.refusal(), "409 publishNotQueued");
    registry.drain().await;
    assert_eq!(status(&author, &task).await["status"], "success");
}

#[tokio::test]
async fn a_failed_publish_is_tried_again_on_its_upload() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = fail(&registry, &author, &small("1.0.0")).await;
    assert_eq!(act(&registry.anonymous(), &task, "retry").await.refusal(), "401 missingAuthentication");
    assert_eq!(act(&registry.person("stranger").await, &task, "retry").await.refusal(), "403 actorNotScopeMember");
    assert_eq!(act(&author, NOBODY, "retry").await.refusal(), "404 publishNotFound");
    let permission = |package: &PackageBuilder| {
        json!({
            "permission": "package/publish", "scope": "acme", "package": "maths", "version": "1.0.0",
            "tarballHash": package.tarball_hash(),
        })
    };
    let other = device(&registry, &author, permission(&small("1.0.0").file("mod.ts", "export const other = 1;\n"))).await;
    assert_eq!(act(&other, &task, "retry").await.refusal(), "403 missingPermission");

    let device = device(&registry, &author, permission(&small("1.0.0"))).await;
    let again = act(&device, &task, "retry").await.expect(200).json();
    assert_ne!(again["id"], json!(task));
    assert_eq!(again["status"], "pending");
    let duplicate = act(&author, &task, "retry").await;
    assert_eq!((duplicate.refusal().as_str(), &duplicate.json()["task"]["id"]), ("400 duplicateVersionPublish", &again["id"]));
    registry.drain().await;
    assert_eq!(status(&author, again["id"].as_str().unwrap()).await["status"], "success");
    assert_eq!(status(&author, &task).await["status"], "failure", "what happened stays as it was");
    let log = author.get("/api/scopes/acme/audit?limit=2").await.expect(200).json();
    let (retried, failed) = (&log["items"][0], &log["items"][1]);
    assert_eq!((&retried["act"], &retried["credential"]["kind"]), (&json!("publish.retry"), &json!("device")));
    assert_eq!(retried["details"], json!({ "task": again["id"], "failed": task }));
    assert_eq!((&failed["act"], &failed["actor"]["kind"]), (&json!("publish.fail"), &json!("registry")));
    assert_eq!((&failed["reason"], &failed["details"]["task"]), (&json!("internalServerError"), &json!(task)));
    let tarball = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200);
    assert_eq!(tarball.body, small("1.0.0").tarball());
    assert_eq!(act(&author, again["id"].as_str().unwrap(), "retry").await.refusal(), "409 publishNotFailed");
}

#[tokio::test]
async fn trying_again_counts_like_publishing() {
    let registry = TestRegistry::with(slipway_tests::Settings {
        work: slipway_tests::Work::Never,
        config: vec![("quotas.publishes_per_week", "2".to_owned())],
    })
    .await;
    let author = registry.author("@acme/maths").await;
    let task = fail(&registry, &author, &small("1.0.0")).await;
    let at = "/api/scopes/acme/packages/maths";
    drop(author.patch(at, json!({ "isArchived": true })).await.expect(200));
    assert_eq!(act(&author, &task, "retry").await.refusal(), "400 packageArchived");
    drop(author.patch(at, json!({ "isArchived": false })).await.expect(200));
    registry.accept(&author, &small("1.0.1")).await;
    assert_eq!(act(&author, &task, "retry").await.refusal(), "400 weeklyPublishAttemptsLimitExceeded");
    registry.drain().await;
}

#[tokio::test]
async fn stages_are_shown_to_those_whom_they_concern() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let task = registry.accept(&author, &small("1.0.0")).await;
    let second = TimeDelta::milliseconds(1_250);
    registry.advance(second);
    registry.drain().await;
    let shown = status(&author, &task).await["stages"].clone();
    let stages: Vec<_> = shown.as_array().unwrap().iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["accepted", "claimed", "planned", "committed", "stored", "announced"]);
    assert_eq!(shown[0], json!({ "stage": "accepted", "at": "2025-01-01T00:00:00Z", "tookMillis": 0 }));
    assert_eq!(shown[1], json!({ "stage": "claimed", "at": "2025-01-01T00:00:01.250Z", "tookMillis": 1_250 }));
    assert_eq!(shown[5]["tookMillis"], 0);

    let device = device(&registry, &author, json!({ "permission": "package/publish", "scope": "acme" })).await;
    assert_eq!(status(&device, &task).await["stages"], shown, "whoever asked for it, with whatever credential");
    let (member, staff, stranger) = (registry.person("member").await, registry.person("staff").await, registry.person("stranger").await);
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'staff'").await;
    assert_eq!(status(&staff, &task).await["stages"], shown);
    for somebody in [&registry.anonymous(), &stranger, &member] {
        assert_eq!(status(somebody, &task).await.get("stages"), None);
    }
    let join = "INSERT INTO scope_members (scope, user_id, is_admin, created_at, updated_at)
                SELECT 'acme', id, FALSE, created_at, created_at FROM users WHERE login = 'member'";
    registry.database().execute(join).await;
    assert_eq!(status(&member, &task).await.get("stages"), None);
    registry.database().execute("UPDATE scope_members SET is_admin = TRUE").await;
    assert_eq!(status(&member, &task).await["stages"], shown);
}

/// What an author has to know of a slow type is on the task, on the version and in the packages that people install.
#[tokio::test]
async fn exports_without_types_are_listed() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let source = "export const port = Number(\"80\");\nexport function double(value: number) {\n  return value * 2;\n}\nexport const name: string = \"maths\";\n";
    let task = registry.accept(&author, &small("1.0.0").file("mod.ts", source)).await;
    registry.drain().await;
    let seen = status(&registry.anonymous(), &task).await;
    assert_eq!(seen["untyped"], json!({ "./mod.ts": ["double", "port"] }));
    let said = |severity: &str| -> Vec<String> {
        let findings = seen["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == severity);
        findings
            .map(|finding| format!("{}:{} {}", finding["file"].as_str().unwrap(), finding["line"], finding["message"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(
        said("warning"),
        [
            "/mod.ts:1 slow types in 'port': missing explicit type in the public API",
            "/mod.ts:2 slow types in 'double': missing explicit return type in the public API",
        ]
    );
    let note = "/mod.ts:null the declarations of this module are made by fast check, with `any` in the types of 'double', 'port'";
    assert_eq!(said("note"), [note]);
    let version = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0").await.expect(200).json();
    assert_eq!((&version["untyped"], &version["compiler"]), (&seen["untyped"], &Value::Null));
    let npm = registry.anonymous().get("/npm/@jsr/acme__maths").await.expect(200).json();
    assert_eq!(npm["versions"]["1.0.0"]["slipway"]["untyped"], seen["untyped"]);

    let task = registry.accept(&author, &small("1.0.1")).await;
    assert_eq!(status(&registry.anonymous(), &task).await.get("untyped"), None, "there is no version yet");
    registry.drain().await;
    let seen = status(&registry.anonymous(), &task).await;
    assert_eq!((&seen["untyped"], &seen["findings"]), (&json!({}), &json!([])));
}
