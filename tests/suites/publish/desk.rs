//! What is decided while the upload comes in, in the order that JSR's clients know: a request with several faults is told the
//! first of them.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

const GZIP: (&str, &str) = ("content-encoding", "gzip");
/// A length that is over the limit. What is sent is shorter: a client that lies is refused for what it says.
const HUGE: (&str, &str) = ("content-length", "30000000");

async fn send(client: &Client, address: &str, headers: &[(&str, &str)]) -> String {
    client.send(http::Method::POST, address, headers, Bytes::new()).await.refusal()
}

fn address(scope: &str, name: &str, version: &str) -> String {
    format!("/api/scopes/{scope}/packages/{name}/versions/{version}?config=/jsr.json")
}

#[tokio::test]
async fn the_first_fault_is_told() {
    let registry = TestRegistry::configured(&[("quotas.publishes_per_week", "2")]).await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "shelved" })).await.expect(200));
    drop(author.patch("/api/scopes/acme/packages/shelved", json!({ "isArchived": true })).await.expect(200));
    let stranger = registry.person("stranger").await;
    author.publish_through(&small("1.0.0")).await;
    author.publish_through(&small("1.0.1").without("mod.ts")).await;

    let forged = registry.anonymous().bearer("jsrp_nonsense");
    let nobody = registry.anonymous();
    let bad = address("ACME", "x", "v1");
    assert_eq!(send(&forged, &bad, &[HUGE]).await, "401 invalidBearerToken");
    for malformed in [
        bad,
        address("acme", "m", "1.0.0"),
        address("acme", "maths", "1.0"),
        address("acme", "maths", "latest"),
        "/api/scopes/acme/packages/maths/versions/1.0.0".to_owned(),
        "/api/scopes/acme/packages/maths/versions/1.0.0?config=jsr.json".to_owned(),
        "/api/scopes/acme/packages/maths/versions/1.0.0?config=/../jsr.json".to_owned(),
    ] {
        assert_eq!(send(&nobody, &malformed, &[HUGE]).await, "400 malformedRequest", "{malformed}");
    }
    let missing = address("nowhere", "nothing", "1.0.0");
    assert_eq!(send(&nobody, &missing, &[HUGE]).await, "413 tarballSizeLimitExceeded");
    assert_eq!(send(&nobody, &missing, &[]).await, "400 missingGzipContentEncoding");
    assert_eq!(send(&nobody, &missing, &[("content-encoding", "GZIP")]).await, "400 missingGzipContentEncoding");
    assert_eq!(send(&nobody, &missing, &[GZIP]).await, "401 missingAuthentication");
    assert_eq!(send(&author, &missing, &[GZIP]).await, "404 scopeNotFound");
    assert_eq!(send(&stranger, &address("acme", "nothing", "1.0.0"), &[GZIP]).await, "403 actorNotScopeMember");
    assert_eq!(send(&author, &address("acme", "nothing", "1.0.0"), &[GZIP]).await, "404 packageNotFound");
    assert_eq!(send(&author, &address("acme", "shelved", "1.0.0"), &[GZIP]).await, "400 packageArchived");
    assert_eq!(send(&author, &address("acme", "maths", "1.0.0"), &[GZIP]).await, "400 duplicateVersionPublish");
    assert_eq!(send(&author, &address("acme", "maths", "1.0.2"), &[GZIP]).await, "400 weeklyPublishAttemptsLimitExceeded");
    registry.drain().await;
}

#[tokio::test]
async fn attempts_count_for_a_week_the_failed_ones_too() {
    let registry = TestRegistry::configured(&[("quotas.publishes_per_week", "2")]).await;
    let author = registry.author("@acme/maths").await;
    assert_eq!(author.publish_through(&small("1.0.0").without("mod.ts")).await["status"], "failure");
    registry.advance(TimeDelta::days(3));
    assert_eq!(author.publish_through(&small("1.0.0")).await["status"], "success");
    assert_eq!(author.publish(&small("1.0.1")).await.refusal(), "400 weeklyPublishAttemptsLimitExceeded");
    registry.advance(TimeDelta::days(4) + TimeDelta::seconds(1));
    assert_eq!(author.publish_through(&small("1.0.1")).await["status"], "success");
    assert_eq!(author.publish(&small("1.0.2")).await.refusal(), "400 weeklyPublishAttemptsLimitExceeded");
    registry.drain().await;
}

fn publishes(registry: &TestRegistry) -> i64 {
    registry.database().count_blocking("SELECT COUNT(*) FROM publishes")
}

#[tokio::test]
async fn an_upload_is_measured_while_it_comes() {
    let registry = TestRegistry::configured(&[("limits.compressed_bytes", "1000")]).await;
    let author = registry.author("@acme/maths").await;
    let before = (registry.private_objects().await, publishes(&registry));
    let chunks = vec![Ok(Bytes::from(vec![0; 600])); 3];
    let answer = author.stream(&small("1.0.0").address(), chunks).await;
    assert_eq!(answer.refusal(), "413 tarballSizeLimitExceeded");
    assert!(answer.text().contains("1000 bytes"), "{}", answer.text());
    let after = (registry.private_objects().await, publishes(&registry));
    assert_eq!(after, before, "a refused upload leaves nothing behind but that it was refused");

    // The limit of a scope stands in its row.
    registry.database().execute(r#"UPDATE scopes SET upload_limits = '{"compressed_bytes": 100000}'"#).await;
    assert_eq!(author.publish_through(&small("1.0.0")).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let before = registry.world().await;
    let chunks = vec![Ok(small("1.0.0").tarball().slice(..200)), Err("the line is dead")];
    let answer = author.stream(&small("1.0.0").address(), chunks).await;
    assert_eq!(answer.refusal(), "400 malformedRequest");
    assert_eq!(registry.world().await, before);
    assert_eq!(author.publish_through(&small("1.0.0")).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn duplicates_name_the_task_that_is_in_the_way() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let live = registry.accept(&author, &small("1.0.0")).await;
    let answer = author.publish(&small("1.0.0")).await;
    assert_eq!(answer.refusal(), "400 duplicateVersionPublish");
    assert_eq!((&answer.json()["task"]["id"], &answer.json()["task"]["status"]), (&json!(live), &json!("pending")));

    registry.drain().await;
    let answer = author.publish(&small("1.0.0")).await;
    assert_eq!(answer.refusal(), "400 duplicateVersionPublish");
    assert_eq!((&answer.json()["task"]["id"], &answer.json()["task"]["status"]), (&json!(live), &json!("success")));
    assert_eq!(answer.json()["task"]["error"], Value::Null);
    assert_eq!(registry.private_objects().await.len(), 1, "only the accepted upload is kept");
}

#[tokio::test]
async fn what_was_refused_does_not_block() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    for _ in 0..2 {
        assert_eq!(author.publish_through(&small("1.0.0").without("mod.ts")).await["status"], "failure");
    }
    assert_eq!(author.publish_through(&small("1.0.0")).await["status"], "success");
    let tasks = author.get("/api/scopes/acme/packages/maths/publishing_tasks").await.expect(200).json();
    let states: Vec<_> = tasks.as_array().unwrap().iter().map(|task| task["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["success", "failure", "failure"]);
    registry.drain().await;
}

#[tokio::test]
async fn a_shelved_package_takes_nothing_until_it_is_taken_down() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "isArchived": true })).await.expect(200));
    assert_eq!(author.publish(&small("1.0.0")).await.refusal(), "400 packageArchived");
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "isArchived": false })).await.expect(200));
    assert_eq!(author.publish_through(&small("1.0.0")).await["status"], "success");
    registry.drain().await;
}
