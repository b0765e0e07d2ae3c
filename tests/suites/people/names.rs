//! Names that people take for each other.

use serde_json::json;
use slipway_tests::{Client, TestRegistry};

use crate::company::{owner, person};

async fn scope(client: &Client, name: &str) -> slipway_tests::Answer {
    client.post("/api/scopes", json!({ "scope": name, "description": "" })).await
}

#[tokio::test]
async fn no_scope_looks_like_another_one() {
    let registry = TestRegistry::configured(&[("reserved_names", "google,Modern-Art")]).await;
    let eve = person(&registry, "eve").await;
    owner(&registry, "ada", "commander").await;
    for alike in ["cornmander", "c0mmander", "comrnander", "com-rn-ander"] {
        let refused = scope(&eve.client, alike).await;
        assert_eq!(refused.refusal(), "409 scopeNameTooSimilar", "{alike}");
        assert!(refused.text().contains("@commander"), "{}", refused.text());
    }
    assert_eq!(scope(&eve.client, "com-mander").await.refusal(), "409 scopeAlreadyExists");
    for reserved in ["g00gle", "goog1e", "g-0ogle", "rnodernart"] {
        assert_eq!(scope(&eve.client, reserved).await.refusal(), "400 scopeNameReserved", "{reserved}");
    }
    drop(scope(&eve.client, "commanders").await.expect(200));
    // What is gone leaves its looks to others.
    drop(eve.client.delete("/api/scopes/commanders").await.expect(204));
    drop(scope(&eve.client, "c0mmanders").await.expect(200));
}

#[tokio::test]
async fn no_package_looks_like_another_one_of_its_scope() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (owner(&registry, "ada", "acme").await, owner(&registry, "eve", "other").await);
    let package = async |client: &Client, scope: &str, name: &str| {
        client.post(&format!("/api/scopes/{scope}/packages"), json!({ "package": name })).await
    };
    drop(package(&ada.client, "acme", "lodash").await.expect(200));
    let refused = package(&ada.client, "acme", "1o-dash").await;
    assert_eq!(refused.refusal(), "409 packageNameTooSimilar");
    assert!(refused.text().contains("@acme/lodash"), "{}", refused.text());
    assert_eq!(package(&ada.client, "acme", "lo-dash").await.refusal(), "409 packageAlreadyExists");
    drop(package(&ada.client, "acme", "iodash").await.expect(200));
    drop(package(&eve.client, "other", "1odash").await.expect(200));
    registry.drain().await;
}
