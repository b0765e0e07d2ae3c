//! A registry that is given another address says so in every document, and changes nothing else.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::{PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

const NAMES: [&str; 3] = ["maths", "shapes", "words"];
const SHORT: &str = "application/vnd.npm.install-v1+json";

/// More packages than one run takes.
async fn furnished() -> TestRegistry {
    let registry = TestRegistry::configured(&[("quotas.new_packages_per_week", "100")]).await;
    let author = registry.author("@acme/maths").await;
    for number in 0..40 {
        drop(author.post("/api/scopes/acme/packages", json!({ "package": format!("empty{number}") })).await.expect(200));
    }
    for name in &NAMES[1..] {
        drop(author.post("/api/scopes/acme/packages", json!({ "package": name })).await.expect(200));
    }
    for (name, version) in [("maths", "1.0.0"), ("maths", "1.1.0"), ("shapes", "1.0.0"), ("words", "1.0.0")] {
        let task = author.publish_through(&PackageBuilder::small(&format!("@acme/{name}"), version)).await;
        assert_eq!(task["status"], "success");
    }
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.expect(204));
    registry.drain().await;
    registry
}

/// The npm documents of all packages, full and short.
async fn documents(registry: &TestRegistry) -> Vec<Value> {
    let mut documents = Vec::new();
    for name in NAMES {
        for accept in ["*/*", SHORT] {
            let client = registry.anonymous().with("accept", accept);
            documents.push(client.get(&format!("/npm/@jsr/acme__{name}")).await.expect(200).json());
        }
    }
    documents
}

fn said(documents: &[Value]) -> String {
    serde_json::to_string(documents).unwrap()
}

#[tokio::test]
async fn every_document_states_the_new_address_and_nothing_else_changes() {
    let mut registry = furnished().await;
    let before = documents(&registry).await;
    assert!(registry.call_itself("https://new.example/").await, "it is noted");
    let publisher = registry.anonymous();
    drop(publisher.get("/npm/-/ping").await.expect(200));
    assert_eq!(documents(&registry).await, before, "nobody waits for it");
    registry.drain().await;
    let after = documents(&registry).await;
    let expected = said(&before).replace("http://registry.test/npm/", "https://new.example/npm/");
    assert_eq!(said(&after), expected, "the addresses of tarballs, and not a byte besides");
    assert_ne!(said(&before), expected);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
    assert!(!registry.call_itself("https://new.example/").await, "another start finds it done");
    registry.drain().await;
}

#[tokio::test]
async fn only_who_has_the_new_address_announces_it() {
    let mut registry = furnished().await;
    let old = documents(&registry).await;
    assert!(registry.call_itself("https://new.example/").await);
    // Somebody who was not restarted yet hears the bell.
    registry.misremember("http://registry.test/").await;
    registry.drain().await;
    assert_eq!(documents(&registry).await, old);
    assert!(!registry.call_itself("https://new.example/").await, "it is under way");
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    assert!(said(&documents(&registry).await).contains("https://new.example/npm/@jsr/acme__words/-/"));
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn an_address_that_was_taken_back_is_not_announced() {
    let mut registry = furnished().await;
    let old = documents(&registry).await;
    assert!(registry.call_itself("https://new.example/").await);
    assert!(registry.call_itself("http://registry.test/").await, "each change is noted");
    registry.drain().await;
    assert_eq!(documents(&registry).await, old);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}
