//! Private scopes: nobody but their members knows of them, and nothing in them is public.

use http::Method;
use serde_json::{Value, json};
use slipway_tests::{PackageBuilder, TestRegistry};

use crate::{api, browser, publish};

/// A private scope with a package, and who runs it.
async fn vault() -> (TestRegistry, slipway_tests::Client) {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let made = ada.post("/api/scopes", json!({ "scope": "vault", "visibility": "private" })).await.expect(200).json();
    assert_eq!(made["visibility"], "private");
    let made = ada.post("/api/scopes/vault/packages", json!({ "package": "gold", "visibility": "public" })).await.expect(200).json();
    assert_eq!(made["visibility"], "private", "whatever is said");
    publish(&registry, &ada, &PackageBuilder::small("@vault/gold", "1.0.0")).await;
    (registry, ada)
}

#[tokio::test]
async fn strangers_are_answered_as_if_it_did_not_exist() {
    let (registry, ada) = vault().await;
    let bob = registry.person("bob").await;
    let get = |path| (Method::GET, path, Value::Null);
    let questions = [
        get("/api/scopes/{s}"),
        get("/api/scopes/{s}/members"),
        get("/api/scopes/{s}/invites"),
        get("/api/scopes/{s}/packages"),
        get("/api/scopes/{s}/packages/gold"),
        get("/api/user/member/{s}"),
        get("/api/packages?query={s}"),
        get("/@{s}/gold/meta.json"),
        get("/npm/@jsr/{s}__gold"),
        (Method::PATCH, "/api/scopes/{s}", json!({ "description": "mine now" })),
        (Method::DELETE, "/api/scopes/{s}", Value::Null),
        (Method::POST, "/api/scopes/{s}/members", json!({ "login": "bob" })),
        (Method::PATCH, "/api/scopes/{s}/members/00000000-0000-0000-0000-0000000000ff", json!({ "isAdmin": true })),
        (Method::DELETE, "/api/scopes/{s}/members/00000000-0000-0000-0000-0000000000ff", Value::Null),
        (Method::DELETE, "/api/scopes/{s}/invites/00000000-0000-0000-0000-0000000000ff", Value::Null),
        (Method::POST, "/api/scopes/{s}/packages", json!({ "package": "gold" })),
        (Method::POST, "/api/user/invites/{s}", json!({})),
    ];
    for (index, who) in
        [registry.anonymous(), bob.clone(), browser(&registry, &bob).await.with("origin", "http://registry.test")].iter().enumerate()
    {
        for (method, path, body) in &questions {
            let body = if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() };
            let ask = async |name: &str| {
                let headers = [("content-type", "application/json")];
                let answer = who.send(method.clone(), &path.replace("{s}", name), &headers, body.clone()).await;
                format!("{} {}", answer.status, answer.text()).replace(name, "{s}")
            };
            assert_eq!(ask("vault").await, ask("nofun").await, "{index}: {method} {path}");
        }
        let hidden = who.publish(&PackageBuilder::small("@vault/gold", "2.0.0")).await;
        let missing = who.publish(&PackageBuilder::small("@nofun/gold", "2.0.0")).await;
        assert_eq!(hidden.refusal(), missing.refusal());
    }
    let scopes = format!("/api/users/{}/scopes", crate::id(&ada).await);
    assert_eq!(registry.anonymous().get(&scopes).await.expect(200).json(), json!([]));
    assert_eq!(bob.get(&scopes).await.expect(200).json(), json!([]));
    assert_eq!(ada.get(&scopes).await.expect(200).json()[0]["scope"], "vault");
    assert_eq!(ada.get("/api/user/scopes").await.expect(200).json()[0]["scope"], "vault");
    assert_eq!(ada.get("/api/scopes/vault").await.expect(200).json()["visibility"], "private");
}

#[tokio::test]
async fn who_runs_it_can_be_told_to_require_ci_without_strangers_noticing() {
    let (registry, ada) = vault().await;
    drop(ada.patch("/api/scopes/vault", json!({ "requirePublishingFromCI": true })).await.expect(200));
    let bob = registry.person("bob").await;
    assert_eq!(bob.publish(&PackageBuilder::small("@vault/gold", "2.0.0")).await.refusal(), "404 scopeNotFound");
    assert_eq!(ada.publish(&PackageBuilder::small("@vault/gold", "2.0.0")).await.refusal(), "403 scopeRequiresPublishingFromCi");
    registry.drain().await;
}

#[tokio::test]
async fn a_scope_becomes_private_when_nothing_in_it_is_public() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let shut = async || ada.patch("/api/scopes/acme", json!({ "visibility": "private" })).await;
    assert_eq!(shut().await.refusal(), "409 packageIsPublic");
    crate::close(&ada, "@acme/maths").await;
    assert_eq!(shut().await.expect(200).json()["visibility"], "private");
    assert_eq!(ada.patch(&api("@acme/maths"), json!({ "visibility": "public" })).await.refusal(), "409 scopeIsPrivate");
    assert_eq!(ada.patch("/api/scopes/acme", json!({ "visibility": "public" })).await.expect(200).json()["visibility"], "public");
    assert_eq!(ada.get(&api("@acme/maths")).await.json()["visibility"], "private", "a package is opened by itself");
    assert_eq!(crate::open(&ada, "@acme/maths").await["visibility"], "public", "an empty one at once");
    registry.drain().await;
}

#[tokio::test]
async fn a_package_that_moves_into_a_private_scope_is_private() {
    let (registry, ada) = vault().await;
    drop(ada.post("/api/scopes", json!({ "scope": "square" })).await.expect(200));
    drop(ada.post("/api/scopes/square/packages", json!({ "package": "iron" })).await.expect(200));
    let moved = ada.post(&format!("{}/transfer", api("@square/iron")), json!({ "scope": "vault" })).await.expect(200).json();
    assert_eq!((&moved["scope"], &moved["visibility"]), (&json!("vault"), &json!("private")));
    let back = ada.post(&format!("{}/transfer", api("@vault/iron")), json!({ "scope": "square" })).await.expect(200).json();
    assert_eq!((&back["scope"], &back["visibility"]), (&json!("square"), &json!("private")), "and stays so");
    registry.drain().await;
}
