//! Users and their tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

/// A person in front of a browser.
async fn browser(registry: &TestRegistry, person: &Client) -> Client {
    let id: UserId = serde_json::from_value(person.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await)
}

#[tokio::test]
async fn everybody_sees_a_name_and_no_address() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    registry.database().execute("UPDATE users SET email = 'ada@example.com'").await;
    let me = ada.get("/api/user").await.expect(200).json();
    assert_eq!(me["email"], "ada@example.com");
    let seen = registry.anonymous().get(&format!("/api/users/{}", me["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(seen.json()["name"], "ada");
    assert!(!seen.text().contains("example.com"));
    assert_eq!(registry.anonymous().get("/api/users/00000000-0000-0000-0000-0000000000ff").await.refusal(), "404 userNotFound");
    assert_eq!(registry.anonymous().get("/api/users/ada").await.refusal(), "400 malformedRequest");
}

#[tokio::test]
async fn a_token_is_made_shown_once_and_taken_back() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let browser = browser(&registry, &ada).await;
    let made = browser.post("/api/user/tokens", json!({ "description": " my laptop " })).await.expect(200).json();
    let secret = made["secret"].as_str().unwrap();
    assert!(slipway_api::secret::is_well_formed(secret) && secret.starts_with("jsrp_"));
    assert_eq!((&made["token"]["description"], &made["token"]["type"]), (&json!("my laptop"), &json!("personal")));
    let laptop = registry.anonymous().bearer(secret);
    assert_eq!(laptop.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await["status"], "success");

    let listed = browser.get("/api/user/tokens").await.expect(200);
    assert_eq!(listed.json().as_array().unwrap().len(), 3);
    assert!(!listed.text().contains(secret), "the secret is shown once");
    assert!(!registry.world().await.contains(secret), "and kept nowhere");

    let id = made["token"]["id"].as_str().unwrap();
    drop(browser.delete(&format!("/api/user/tokens/{id}")).await.expect(204));
    assert_eq!(laptop.get("/api/user").await.refusal(), "401 invalidBearerToken");
    assert_eq!(browser.delete(&format!("/api/user/tokens/{id}")).await.refusal(), "404 tokenNotFound");
    registry.drain().await;
}

#[tokio::test]
async fn a_token_of_somebody_else_is_out_of_reach() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (registry.person("ada").await, registry.person("eve").await);
    let token = ada.get("/api/user/tokens").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
    let eve = browser(&registry, &eve).await;
    assert_eq!(eve.delete(&format!("/api/user/tokens/{token}")).await.refusal(), "404 tokenNotFound");
    drop(ada.get("/api/user").await.expect(200));
}

#[tokio::test]
async fn tokens_are_made_by_people_and_bounded() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let browser = browser(&registry, &ada).await;
    // A token that leaks must not make others.
    assert_eq!(ada.post("/api/user/tokens", json!({ "description": "more" })).await.refusal(), "403 credentialNotInteractive");
    assert_eq!(
        registry.anonymous().post("/api/user/tokens", json!({ "description": "more" })).await.refusal(),
        "401 missingAuthentication"
    );
    for bad in [json!({}), json!({ "description": " " }), json!({ "description": "x".repeat(251) }), json!({ "description": "a\nb" })] {
        assert_eq!(browser.post("/api/user/tokens", bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    let publish = json!({ "permission": "package/publish", "scope": "acme" });
    for permissions in [
        json!([]),
        Value::Array(vec![publish.clone(); 65]),
        json!([{ "values": ["~ada"], "types": { "pkg": { "read": true } } }]),
        json!([{ "permission": "package/delete", "scope": "acme" }]),
        json!([{ "permission": "package/publish", "scope": "ACME" }]),
    ] {
        let body = json!({ "description": "ci", "permissions": permissions });
        assert_eq!(browser.post("/api/user/tokens", body.clone()).await.refusal(), "400 malformedRequest", "{body}");
    }
    let until = registry.now() + TimeDelta::days(1);
    let body = json!({ "description": "ci", "permissions": [publish], "expiresAt": until });
    let made = browser.post("/api/user/tokens", body).await.expect(200).json();
    assert_eq!(made["token"]["permissions"], json!([publish]));
    let ci = registry.anonymous().bearer(made["secret"].as_str().unwrap());
    assert_eq!(ci.get("/api/user").await.refusal(), "403 missingPermission");
    registry.advance(TimeDelta::days(1));
    assert_eq!(ci.get("/api/user").await.refusal(), "401 invalidBearerToken");
    assert_eq!(made["token"]["expiresAt"], Value::String(until.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
}
