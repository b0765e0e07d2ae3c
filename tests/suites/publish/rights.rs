//! Who may publish what: members, and devices that were allowed one scope, one package, or these very bytes.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::{Permission, TokenKind};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

fn permission(value: Value) -> Permission {
    serde_json::from_value(value).expect("a permission as clients write it")
}

/// A device of the author with this permission.
async fn device(registry: &TestRegistry, author: &Client, allowed: Value) -> Client {
    let id: UserId = serde_json::from_value(author.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    let token = registry.token(id, TokenKind::Device, Some(vec![permission(allowed)]), Some(TimeDelta::hours(1))).await;
    registry.anonymous().bearer(&token)
}

#[tokio::test]
async fn a_device_publishes_the_bytes_it_was_allowed() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let allowed = json!({
        "permission": "package/publish", "scope": "acme", "package": "maths", "version": "1.0.0",
        "tarballHash": small("1.0.0").tarball_hash(),
    });
    let device = device(&registry, &author, allowed).await;
    let other = small("1.0.0").file("mod.ts", "export const stolen = true;\n");
    assert_eq!(device.publish(&other).await.refusal(), "403 missingPermission");
    assert_eq!(registry.private_objects().await, [""; 0], "the wrong bytes are not kept");
    assert_eq!(device.publish(&small("1.0.1")).await.refusal(), "403 missingPermission");
    assert_eq!(device.publish_through(&small("1.0.0")).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_device_stays_in_its_package_or_scope() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "other" })).await.expect(200));
    let of_package = device(&registry, &author, json!({ "permission": "package/publish", "scope": "acme", "package": "maths" })).await;
    let of_scope = device(&registry, &author, json!({ "permission": "package/publish", "scope": "acme" })).await;
    let of_elsewhere = device(&registry, &author, json!({ "permission": "package/publish", "scope": "elsewhere" })).await;
    assert_eq!(of_package.publish(&PackageBuilder::small("@acme/other", "1.0.0")).await.refusal(), "403 missingPermission");
    assert_eq!(of_elsewhere.publish(&small("1.0.0")).await.refusal(), "403 missingPermission");
    assert_eq!(of_package.publish_through(&small("1.0.0")).await["status"], "success");
    assert_eq!(of_scope.publish_through(&PackageBuilder::small("@acme/other", "1.0.0")).await["status"], "success");
    // A credential to publish with is for nothing else.
    assert_eq!(of_scope.get("/api/user").await.refusal(), "403 missingPermission");
    assert_eq!(of_scope.post("/api/scopes/acme/packages", json!({ "package": "third" })).await.refusal(), "403 missingPermission");
    assert_eq!(
        of_scope.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.refusal(),
        "403 missingPermission"
    );
    registry.advance(TimeDelta::hours(1));
    assert_eq!(of_scope.publish(&small("1.0.1")).await.refusal(), "401 invalidBearerToken");
    registry.drain().await;
}

#[tokio::test]
async fn an_empty_list_of_permissions_allows_nothing() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let id: UserId = serde_json::from_value(author.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    let token = registry.token(id, TokenKind::Device, Some(Vec::new()), None).await;
    let device = registry.anonymous().bearer(&token);
    assert_eq!(device.publish(&small("1.0.0")).await.refusal(), "403 missingPermission");
    registry.drain().await;
}

#[tokio::test]
async fn a_scope_that_publishes_from_ci_takes_nothing_from_people() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    registry.database().execute("UPDATE scopes SET require_publishing_from_ci = TRUE").await;
    assert_eq!(author.publish(&small("1.0.0")).await.refusal(), "403 scopeRequiresPublishingFromCi");
    let ci = registry.anonymous().with("authorization", "githuboidc abc.def.ghi");
    assert_eq!(ci.publish(&small("1.0.0")).await.refusal(), "401 invalidOidcToken");
    registry.drain().await;
}
