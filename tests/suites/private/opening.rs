//! Opening: a private package becomes public with the very bytes it had, and never goes back.

use chrono::TimeDelta;
use serde_json::json;
use slipway_tests::{Client, PackageBuilder, Settings, TestRegistry, Work};

use crate::{PACKAGE, api, close, open, publish};

const ATTESTED: &str = "/-/npm/v1/attestations/@jsr/acme__maths@1.1.0";
const READ: [&str; 3] = ["/@acme/maths/1.0.0_meta.json", "/@acme/maths/1.0.0/mod.ts", "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz"];

/// A registry in which nobody works until the test says so, with a private package that has two versions.
async fn idle() -> (TestRegistry, Client) {
    let registry = TestRegistry::with(Settings { work: Work::Never, ..Settings::default() }).await;
    let author = registry.author(PACKAGE).await;
    close(&author, PACKAGE).await;
    registry.drain().await;
    for version in ["1.0.0", "1.1.0"] {
        registry.accept(&author, &PackageBuilder::small(PACKAGE, version)).await;
        registry.drain().await;
    }
    (registry, author)
}

#[tokio::test]
async fn everybody_reads_what_members_read_before() {
    let (registry, author) = idle().await;
    let mut before = Vec::new();
    for path in READ {
        before.push(author.get(path).await.expect(200).body);
    }
    let attested = author.get(ATTESTED).await.expect(200);
    assert_eq!(attested.header("cache-control"), "private, no-store");
    assert_eq!(open(&author, PACKAGE).await["visibility"], "opening");
    drop(registry.anonymous().get(ATTESTED).await.expect(404));
    // Nothing was done yet: members read on, others do not.
    for path in READ {
        drop(author.get(path).await.expect(200));
        drop(registry.anonymous().get(path).await.expect(404));
    }
    assert_eq!(open(&author, PACKAGE).await["visibility"], "opening", "asking twice changes nothing");
    registry.drain().await;
    for (path, before) in READ.iter().zip(before) {
        let answer = registry.anonymous().get(path).await.expect(200);
        assert_eq!(answer.body, before, "{path}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    }
    assert_eq!(registry.anonymous().get(ATTESTED).await.expect(200).body, attested.body);
    let meta = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200).json();
    assert_eq!(meta["versions"].as_object().unwrap().len(), 2);
    assert_eq!(author.get(&api(PACKAGE)).await.json()["visibility"], "public");
    let log = author.get("/api/scopes/acme/audit?act=package.open").await.expect(200).json();
    assert_eq!(log["items"][0]["actor"]["kind"], "registry", "{log}");
    let asked = author.get("/api/scopes/acme/audit?act=package.change").await.expect(200).json();
    assert_eq!(asked["items"][1]["details"]["visibility"], json!({ "before": "private", "now": "public" }), "{asked}");
    assert!(!registry.private_objects().await.iter().all(|line| line.starts_with("uploads/")), "who is reading a copy reads it to its end");
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let left = registry.private_objects().await;
    assert!(left.iter().all(|line| line.starts_with("uploads/")), "{left:?}");
    assert_eq!(registry.compare(slipway_worker::reconcile::Repair::Nothing).await, Vec::<String>::new());
    registry.accept(&author, &PackageBuilder::small(PACKAGE, "1.2.0")).await;
    registry.drain().await;
    drop(registry.anonymous().get("/@acme/maths/1.2.0/mod.ts").await.expect(200));
}

#[tokio::test]
async fn a_public_version_never_becomes_private() {
    let registry = TestRegistry::start().await;
    let author = registry.author(PACKAGE).await;
    let shut = async || author.patch(&api(PACKAGE), json!({ "visibility": "private" })).await;
    publish(&registry, &author, &PackageBuilder::small(PACKAGE, "1.0.0")).await;
    assert_eq!(shut().await.refusal(), "409 packageIsPublic");
    drop(author.patch(&format!("{}/versions/1.0.0", api(PACKAGE)), json!({ "yanked": true })).await.expect(204));
    assert_eq!(shut().await.refusal(), "409 packageIsPublic", "a yanked one is one");
    registry.drain().await;
}

#[tokio::test]
async fn neither_does_one_that_is_on_its_way() {
    let registry = TestRegistry::with(Settings { work: Work::Never, ..Settings::default() }).await;
    let author = registry.author(PACKAGE).await;
    registry.accept(&author, &PackageBuilder::small(PACKAGE, "1.0.0")).await;
    let shut = async || author.patch(&api(PACKAGE), json!({ "visibility": "private" })).await;
    assert_eq!(shut().await.refusal(), "409 packageIsPublic", "its author was told that it would be public");
    registry.drain().await;
    assert_eq!(shut().await.refusal(), "409 packageIsPublic");
}

#[tokio::test]
async fn nothing_is_published_while_it_opens_and_it_waits_for_what_is_under_way() {
    let (registry, author) = idle().await;
    registry.accept(&author, &PackageBuilder::small(PACKAGE, "1.2.0")).await;
    assert_eq!(open(&author, PACKAGE).await["visibility"], "opening");
    let late = author.publish(&PackageBuilder::small(PACKAGE, "1.3.0")).await;
    assert_eq!(late.refusal(), "409 packageOpening");
    assert_eq!(late.header("retry-after"), "5");
    assert_eq!(
        author.patch(&api(PACKAGE), json!({ "visibility": "private" })).await.refusal(),
        "409 packageIsPublic",
        "there is no way back"
    );
    for _ in 0..3 {
        registry.drain().await;
        registry.advance(TimeDelta::minutes(2));
    }
    registry.drain().await;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        drop(registry.anonymous().get(&format!("/@acme/maths/{version}/mod.ts")).await.expect(200));
    }
    assert_eq!(author.get(&api(PACKAGE)).await.json()["visibility"], "public");
}

#[tokio::test]
async fn only_admins_with_the_whole_right_decide_it() {
    let (registry, author) = crate::registry().await;
    let managing = crate::restricted(&registry, &author, &["manage:@acme/*"]).await;
    let body = || json!({ "visibility": "public" });
    assert_eq!(managing.patch(&api(PACKAGE), body()).await.refusal(), "403 missingPermission");
    let bob = registry.person("bob").await;
    drop(author.post("/api/scopes/acme/members", json!({ "login": "bob" })).await.expect(200));
    drop(bob.post("/api/user/invites/acme", json!({})).await.expect(200));
    assert_eq!(bob.patch(&api(PACKAGE), body()).await.refusal(), "403 actorNotScopeAdmin");
    for nonsense in [json!({ "visibility": "opening" }), json!({ "visibility": true })] {
        assert_eq!(author.patch(&api(PACKAGE), nonsense).await.refusal(), "400 malformedRequest");
    }
    registry.drain().await;
}
