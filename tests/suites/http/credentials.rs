//! Who is asking: a token, a session, or nobody; and what is no credential at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_tests::{Client, TestRegistry};

async fn id(client: &Client) -> UserId {
    serde_json::from_value(client.get("/api/user").await.expect(200).json()["id"].clone()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_asks() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let user = ada.get("/api/user").await.expect(200).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&user).unwrap());
    assert_eq!(registry.anonymous().get("/api/user").await.refusal(), "401 missingAuthentication");
    assert_eq!(registry.anonymous().get("/api/user").await.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_credential_that_is_shown_must_hold_everywhere() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let public = ["/api/packages", "/api/scopes/acme", "/api/scopes/acme/packages", "/api/scopes/acme/packages/maths", "/api/user"];
    let secret = ada.secret().unwrap().to_owned();
    let (head, tail) = secret.split_at(secret.len() - 1);
    let almost = format!("{head}{}", if tail == "a" { 'b' } else { 'a' });
    // Well-formed, but never given out.
    let unknown = slipway_api::secret::generate(TokenKind::Personal, &slipway_common::ids::IdSource::counting());
    let expired = registry.token(id(&ada).await, TokenKind::Personal, None, Some(TimeDelta::hours(1))).await;
    registry.advance(TimeDelta::hours(1));
    for secret in ["", "x", "jsrp_", almost.as_str(), unknown.as_str(), expired.as_str()] {
        for path in public {
            let client = registry.anonymous().bearer(secret);
            assert_eq!(client.get(path).await.refusal(), "401 invalidBearerToken", "{secret:?} at {path}");
        }
    }
    for path in public {
        drop(ada.get(path).await.expect(200));
    }
}

#[tokio::test]
async fn a_session_wins_over_a_token() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (registry.person("ada").await, registry.person("eve").await);
    let session = registry.token(id(&ada).await, TokenKind::Web, None, None).await;
    let both = eve.clone().cookie(&session);
    assert_eq!(both.get("/api/user").await.expect(200).json()["name"], "ada");
    let among_others = registry.anonymous().with("cookie", &format!("theme=dark; token={session}; x=y"));
    assert_eq!(among_others.get("/api/user").await.expect(200).json()["name"], "ada");
    // An empty cookie is what browsers keep after signing out.
    assert_eq!(eve.clone().with("cookie", "token=").get("/api/user").await.expect(200).json()["name"], "eve");
    assert_eq!(eve.with("cookie", "token=nonsense").get("/api/user").await.refusal(), "401 invalidBearerToken");
}

#[tokio::test]
async fn other_schemes() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let with = |header: String| registry.anonymous().with("authorization", &header);
    let secret = ada.secret().unwrap();
    // Prefixes are told apart by case, as at JSR; what is not known is nobody.
    assert_eq!(with(format!("bearer {secret}")).get("/api/user").await.refusal(), "401 missingAuthentication");
    let basic = |pair: &str| with(format!("Basic {}", STANDARD.encode(pair)));
    assert_eq!(basic(&format!("whoever:{secret}")).get("/api/user").await.expect(200).json()["name"], "ada");
    assert_eq!(basic("a:b").get("/api/user").await.refusal(), "401 invalidBearerToken");
    for none in ["Basic", "Basic !!", "Basic YQ==", "Digest x"] {
        assert_eq!(with(none.to_owned()).get("/api/user").await.refusal(), "401 missingAuthentication", "{none}");
    }
    assert_eq!(with("githuboidc a.b.c".to_owned()).get("/api/packages").await.status, 401);
    assert_eq!(with("githuboidc a.b.c".to_owned()).get("/api/user").await.refusal(), "401 invalidOidcToken");
}

#[tokio::test]
async fn a_blocked_user_is_refused_with_every_credential() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let session = registry.anonymous().cookie(&registry.token(id(&ada).await, TokenKind::Web, None, None).await);
    registry.database().execute("UPDATE users SET is_blocked = TRUE WHERE login = 'acme-author'").await;
    for client in [&ada, &session] {
        assert_eq!(client.get("/api/user").await.refusal(), "403 blocked");
        assert_eq!(client.get("/api/scopes/acme/packages/maths").await.refusal(), "403 blocked");
    }
    // What they published stays.
    drop(registry.anonymous().get("/api/scopes/acme/packages/maths").await.expect(200));
    let task = ada.post("/api/scopes", json!({ "scope": "more", "description": "" })).await;
    assert_eq!((task.refusal().as_str(), &task.json()["task"]), ("403 blocked", &Value::Null));
}

#[tokio::test]
async fn a_browser_of_another_site_cannot_use_a_session() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let session = registry.anonymous().cookie(&registry.token(id(&ada).await, TokenKind::Web, None, None).await);
    let body = json!({ "scope": "acme", "description": "" });
    for (name, value) in
        [("origin", "http://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        let elsewhere = session.clone().with(name, value);
        assert_eq!(elsewhere.post("/api/scopes", body.clone()).await.refusal(), "403 crossSiteRequest", "{name}: {value}");
        drop(elsewhere.get("/api/user").await.expect(200));
    }
    // A token is sent on purpose, wherever the page came from.
    let console = ada.with("origin", "http://elsewhere.test");
    drop(console.post("/api/scopes", body.clone()).await.expect(200));
    drop(
        session
            .with("origin", "http://registry.test")
            .with("sec-fetch-site", "same-origin")
            .delete("/api/user/tokens/00000000-0000-0000-0000-000000000000")
            .await
            .expect(404),
    );
}
