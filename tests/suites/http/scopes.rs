//! Scopes: who may make one, what it may be called, and how much of it is seen.

use serde_json::{Value, json};
use slipway_tests::{Client, TestRegistry};

async fn create(client: &Client, scope: &str) -> slipway_tests::Answer {
    client.post("/api/scopes", json!({ "scope": scope, "description": "" })).await
}

#[tokio::test]
async fn a_scope_is_made_by_whoever_wants_one() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let scope = ada.post("/api/scopes", json!({ "scope": "acme", "description": "what we make" })).await.expect(200).json();
    assert_eq!((&scope["scope"], &scope["description"]), (&json!("acme"), &json!("what we make")));
    assert_eq!(scope["createdAt"], "2025-01-01T00:00:00Z");
    assert_eq!(registry.anonymous().get("/api/scopes/acme").await.expect(200).json(), scope);
    insta::assert_snapshot!(serde_json::to_string_pretty(&ada.get("/api/scopes/acme").await.expect(200).json()).unwrap());
    assert_eq!(ada.get("/api/user/scopes").await.expect(200).json(), json!([scope]));
    assert_eq!(registry.anonymous().get("/api/scopes/nowhere").await.refusal(), "404 scopeNotFound");
    assert_eq!(registry.anonymous().get("/api/scopes/No_Where").await.refusal(), "400 malformedRequest");
}

#[tokio::test]
async fn names_of_scopes() {
    let registry = TestRegistry::configured(&[("reserved_names", "well-known,deno")]).await;
    let ada = registry.person("ada").await;
    for bad in ["", "a", "Acme", "-acme", "acme-", "ac--me", "ac_me", "ac.me", "@acme", "a23456789012345678901", "äcme"] {
        assert_eq!(create(&ada, bad).await.refusal(), "400 scopeNameNotAllowed", "{bad:?}");
    }
    for reserved in ["deno", "de-no", "wellknown", "den0", "we11-known"] {
        assert_eq!(create(&ada, reserved).await.refusal(), "400 scopeNameReserved", "{reserved}");
    }
    drop(create(&ada, "ac-me").await.expect(200));
    assert_eq!(create(&ada, "ac-me").await.refusal(), "409 scopeAlreadyExists");
    assert_eq!(create(&ada, "acme").await.refusal(), "409 scopeAlreadyExists", "hyphens alone do not make another scope");
    registry.database().execute("UPDATE users SET is_staff = TRUE").await;
    drop(create(&ada, "deno").await.expect(200));
}

#[tokio::test]
async fn a_person_makes_so_many_and_no_more() {
    let registry = TestRegistry::configured(&[("quotas.scopes_per_user", "2")]).await;
    let ada = registry.person("ada").await;
    drop(create(&ada, "one").await.expect(200));
    drop(create(&ada, "two").await.expect(200));
    assert_eq!(create(&ada, "three").await.refusal(), "400 scopeLimitReached");
    let user = ada.get("/api/user").await.expect(200).json();
    assert_eq!((&user["scopeUsage"], &user["scopeLimit"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn descriptions_are_for_admins() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (registry.person("ada").await, registry.person("eve").await);
    drop(create(&ada, "acme").await.expect(200));
    let change = |text: &str| json!({ "description": text });
    let changed = ada.patch("/api/scopes/acme", change("  tools and toys ")).await.expect(200).json();
    assert_eq!((&changed["description"], &changed["creator"]["name"]), (&json!("tools and toys"), &json!("ada")));
    assert_eq!(ada.patch("/api/scopes/acme", change("")).await.expect(200).json()["description"], "");
    for bad in ["four", "two\nlines", &"x".repeat(201)] {
        assert_eq!(ada.patch("/api/scopes/acme", change(bad)).await.refusal(), "400 malformedRequest", "{bad:?}");
    }
    drop(ada.patch("/api/scopes/acme", change("tools again")).await.expect(200));
    let cleared = ada.patch("/api/scopes/acme", json!({ "description": Value::Null })).await.expect(200).json();
    assert_eq!(cleared["description"], "", "null takes it away");
    assert_eq!(ada.patch("/api/scopes/acme", json!({ "packageLimit": 1_000 })).await.refusal(), "400 malformedRequest");
    assert_eq!(eve.patch("/api/scopes/acme", change("mine now")).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(registry.anonymous().patch("/api/scopes/acme", change("mine now")).await.refusal(), "401 missingAuthentication");
    assert_eq!(ada.patch("/api/scopes/nowhere", change("mine now")).await.refusal(), "404 scopeNotFound");
    registry.database().execute("UPDATE scope_members SET is_admin = FALSE").await;
    assert_eq!(ada.patch("/api/scopes/acme", change("mine now")).await.refusal(), "403 actorNotScopeAdmin");
    assert_eq!(ada.get("/api/scopes/acme").await.expect(200).json().get("quotas"), None);
}

#[tokio::test]
async fn one_thing_changes_at_a_time() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let at = "/api/scopes/acme";
    for (key, other) in [("requirePublishingFromCI", true), ("ghActionsVerifyActor", true)] {
        assert_eq!(author.get(at).await.expect(200).json()[key], !other, "{key} before");
        assert_eq!(author.patch(at, json!({ key: other })).await.expect(200).json()[key], other, "{key} after");
    }
    let upload = slipway_tests::PackageBuilder::small("@acme/maths", "1.0.0");
    assert_eq!(author.publish(&upload).await.refusal(), "403 scopeRequiresPublishingFromCi");
    drop(author.patch(at, json!({ "requirePublishingFromCI": false })).await.expect(200));
    assert_eq!(author.publish_through(&upload).await["status"], "success");
    for bad in [
        json!({}),
        json!({ "description": "tools", "requirePublishingFromCI": true }),
        json!({ "requirePublishingFromCI": "yes" }),
        json!({ "requirePublishingFromCI": null }),
        json!({ "requirePublishingFromCi": true }),
    ] {
        assert_eq!(author.patch(at, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    let stranger = registry.person("stranger").await;
    assert_eq!(stranger.patch(at, json!({ "requirePublishingFromCI": true })).await.refusal(), "403 actorNotScopeMember");
    registry.drain().await;
}
