//! Depending on private packages: for whom they are there, and what may not need them.

use serde_json::{Value, json};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

use crate::{close, publish, registry};

fn needing(name: &str, version: &str, needed: &str) -> PackageBuilder {
    let text = format!("export {{ next }} from \"jsr:{needed}@^1.0.0\";\n");
    PackageBuilder::small(name, version).file("mod.ts", text)
}

async fn tried(author: &Client, package: &PackageBuilder) -> (Value, Value) {
    let task = author.publish_through(package).await;
    (task["error"]["code"].clone(), task["error"]["message"].clone())
}

#[tokio::test]
async fn private_packages_depend_on_each_other() {
    let (registry, author) = registry().await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "words", "visibility": "private" })).await.expect(200));
    publish(&registry, &author, &needing("@acme/words", "1.0.0", "@acme/maths")).await;
    let needs = author.get("/api/scopes/acme/packages/words/versions/1.0.0/dependencies").await.expect(200).json();
    assert_eq!(needs[0]["name"], "@acme/maths");
}

#[tokio::test]
async fn a_public_one_on_a_private_one_is_a_finding_for_who_may_read_it() {
    let (registry, author) = registry().await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "words" })).await.expect(200));
    let (code, message) = tried(&author, &needing("@acme/words", "1.0.0", "@acme/maths")).await;
    assert_eq!(code, "privateDependency");
    assert_eq!(
        message,
        "'@acme/maths' is private, and what depends on it can be installed by nobody but its members (/mod.ts:1:22); make '@acme/maths' \
         public, or this package private"
    );
    registry.drain().await;
}

#[tokio::test]
async fn for_everybody_else_it_is_missing_word_for_word() {
    let (registry, author) = registry().await;
    let bob = registry.author("@bobs/words").await;
    for name in ["@bobs/words", "@bobs/shut"] {
        if name == "@bobs/shut" {
            drop(bob.post("/api/scopes/bobs/packages", json!({ "package": "shut" })).await.expect(200));
            close(&bob, name).await;
        }
        let hidden = tried(&bob, &needing(name, "1.0.0", "@acme/maths")).await;
        let missing = tried(&bob, &needing(name, "1.0.0", "@acme/nofun")).await;
        assert_eq!(hidden.0, "unresolvableJsrDependency");
        assert_eq!(hidden.1.as_str().unwrap().replace("maths", "nofun"), missing.1.as_str().unwrap());
    }
    // Who belongs to both scopes may need one from the other.
    drop(author.post("/api/scopes/acme/members", json!({ "login": "bobs-author" })).await.expect(200));
    drop(bob.post("/api/user/invites/acme", json!({})).await.expect(200));
    publish(&registry, &bob, &needing("@bobs/shut", "1.0.0", "@acme/maths")).await;
    assert_eq!(tried(&bob, &needing("@bobs/words", "1.0.0", "@acme/maths")).await.0, "privateDependency");
    registry.drain().await;
}

#[tokio::test]
async fn what_needs_a_private_one_stays_private() {
    let (registry, author) = registry().await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "words", "visibility": "private" })).await.expect(200));
    publish(&registry, &author, &needing("@acme/words", "1.0.0", "@acme/maths")).await;
    let refused = author.patch("/api/scopes/acme/packages/words", json!({ "visibility": "public" })).await;
    assert_eq!(refused.refusal(), "409 dependsOnPrivate");
    assert!(refused.text().contains("@acme/maths"));
    crate::open(&author, "@acme/maths").await;
    registry.drain().await;
    assert_eq!(crate::open(&author, "@acme/words").await["visibility"], "opening");
    registry.drain().await;
    let seen = registry.anonymous().get("/api/scopes/acme/packages/words").await.expect(200).json();
    assert_eq!(seen["visibility"], "public");
    after(&registry).await;
}

/// Lets the private copies be taken away.
async fn after(registry: &TestRegistry) {
    registry.advance(chrono::TimeDelta::minutes(2));
    registry.drain().await;
    let copies = registry.private_objects().await;
    assert!(copies.iter().all(|line| line.starts_with("uploads/")), "{copies:?}");
}
