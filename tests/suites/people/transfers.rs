//! Packages that move to another scope.

use serde_json::{Value, json};
use slipway_tests::issuer::Issuer;
use slipway_tests::{PackageBuilder, TestRegistry};

use crate::company::{join, owner, person};

const MOVE: &str = "/api/scopes/acme/packages/maths/transfer";

fn to(scope: &str) -> Value {
    json!({ "scope": scope })
}

#[tokio::test]
async fn an_empty_package_moves_with_all_that_is_said_of_it() {
    let issuer = Issuer::start();
    let registry = TestRegistry::configured(&[("ci_issuer", &issuer.setting("github"))]).await;
    let ada = owner(&registry, "ada", "acme").await;
    drop(ada.client.post("/api/scopes", json!({ "scope": "other", "description": "" })).await.expect(200));
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    let repository = json!({ "owner": "acme", "name": "widgets", "id": 7 });
    for change in
        [json!({ "description": "Adds." }), json!({ "runtimeCompat": { "deno": true } }), json!({ "githubRepository": repository })]
    {
        drop(ada.client.patch("/api/scopes/acme/packages/maths", change).await.expect(200));
    }
    let before = ada.client.get("/api/scopes/acme/packages/maths/publishers").await.expect(200).json();
    assert_eq!(before.as_array().unwrap().len(), 1);
    let moved = ada.client.post(MOVE, to("other")).await.expect(200).json();
    assert_eq!((&moved["scope"], &moved["name"], &moved["description"]), (&json!("other"), &json!("maths"), &json!("Adds.")));
    assert_eq!((&moved["runtimeCompat"]["deno"], &moved["githubRepository"]["name"]), (&json!(true), &json!("widgets")));
    assert_eq!(ada.client.get("/api/scopes/other/packages/maths").await.expect(200).json(), moved);
    assert_eq!(ada.client.get("/api/scopes/other/packages/maths/publishers").await.expect(200).json(), before);
    assert_eq!(ada.client.get("/api/scopes/acme/packages/maths").await.refusal(), "404 packageNotFound");
    assert_eq!(ada.client.publish_through(&PackageBuilder::small("@other/maths", "1.0.0")).await["status"], "success");
    // The old name is free again.
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    registry.drain().await;
}

#[tokio::test]
async fn what_is_published_keeps_its_name() {
    let registry = TestRegistry::start().await;
    let ada = owner(&registry, "ada", "acme").await;
    drop(ada.client.post("/api/scopes", json!({ "scope": "other", "description": "" })).await.expect(200));
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    ada.client.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    let (before, objects) = (ada.client.get("/api/scopes/acme/packages/maths").await.expect(200).json(), registry.public_objects().await);
    assert_eq!(ada.client.post(MOVE, to("other")).await.refusal(), "409 packageNotEmpty");
    registry.drain().await;
    assert_eq!(ada.client.get("/api/scopes/acme/packages/maths").await.expect(200).json(), before);
    assert_eq!(ada.client.get("/api/scopes/other/packages/maths").await.refusal(), "404 packageNotFound", "nothing was begun");
    assert_eq!(registry.public_objects().await, objects);
}

#[tokio::test]
async fn who_moves_a_package_runs_both_scopes() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, owner(&registry, "bob", "other").await, person(&registry, "eve").await);
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    for body in [to("other"), to("No Scope"), json!({})] {
        assert_eq!(registry.anonymous().post(MOVE, body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(eve.client.post(MOVE, body.clone()).await.refusal(), "403 actorNotScopeMember");
        assert_eq!(bob.client.post(MOVE, body).await.refusal(), "403 actorNotScopeMember");
    }
    for bad in [to("No Scope"), json!({}), to("acme")] {
        assert_eq!(ada.client.post(MOVE, bad).await.refusal(), "400 malformedRequest");
    }
    for scope in ["other", "nowhere"] {
        assert_eq!(ada.client.post(MOVE, to(scope)).await.refusal(), "403 actorNotScopeMember", "{scope}");
    }
    join(&registry, "other", &bob, &ada, false).await;
    assert_eq!(ada.client.post(MOVE, to("other")).await.refusal(), "403 actorNotScopeAdmin");
    drop(bob.client.patch(&ada.place("other"), json!({ "isAdmin": true })).await.expect(200));
    assert_eq!(ada.client.post(&MOVE.replace("maths", "none"), to("other")).await.refusal(), "404 packageNotFound");
    drop(bob.client.post("/api/scopes/other/packages", json!({ "package": "ma-ths" })).await.expect(200));
    assert_eq!(ada.client.post(MOVE, to("other")).await.refusal(), "409 packageAlreadyExists");
    drop(bob.client.delete("/api/scopes/other/packages/ma-ths").await.expect(204));
    registry.database().execute("UPDATE scopes SET package_limit = 0 WHERE scope = 'other'").await;
    assert_eq!(ada.client.post(MOVE, to("other")).await.refusal(), "400 packageLimitExceeded");
    registry.database().execute("UPDATE scopes SET package_limit = 1 WHERE scope = 'other'").await;
    drop(ada.client.post(MOVE, to("other")).await.expect(200));
    registry.drain().await;
}
