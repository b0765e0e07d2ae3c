//! A device asks for permission, a person decides, the device collects the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{Sha256, UserId};
use slipway_common::model::token::TokenKind;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

const VERIFIER: &str = "a verifier that only the device knows";

/// Asks for permission to publish these bytes.
async fn request(registry: &TestRegistry, package: &PackageBuilder) -> Value {
    let permissions = json!([{
        "permission": "package/publish", "scope": "acme", "package": "maths", "version": "1.0.0", "tarballHash": package.tarball_hash(),
    }]);
    let challenge = STANDARD.encode(Sha256::of(VERIFIER.as_bytes()).as_bytes());
    registry.anonymous().post("/api/authorizations", json!({ "challenge": challenge, "permissions": permissions })).await.expect(200).json()
}

async fn exchange(registry: &TestRegistry, asked: &Value, verifier: &str) -> slipway_tests::Answer {
    let body = json!({ "exchangeToken": asked["exchangeToken"], "verifier": verifier });
    registry.anonymous().post("/api/authorizations/exchange", body).await
}

async fn browser(registry: &TestRegistry, person: &Client) -> Client {
    let id: UserId = serde_json::from_value(person.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await)
}

fn decide(asked: &Value, decision: &str) -> String {
    format!("/api/authorizations/{decision}/{}", asked["code"].as_str().unwrap())
}

fn package() -> PackageBuilder {
    PackageBuilder::small("@acme/maths", "1.0.0")
}

#[tokio::test]
async fn from_the_question_to_the_publish() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let browser = browser(&registry, &author).await;
    let asked = request(&registry, &package()).await;
    assert_eq!(asked["verificationUrl"], "http://registry.test/auth");
    assert!(asked["pollInterval"].as_u64().is_some_and(|seconds| seconds > 0));
    assert_eq!(asked["expiresAt"], "2025-01-01T00:10:00Z");
    let code = asked["code"].as_str().unwrap();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");

    let details = registry.anonymous().get(&format!("/api/authorizations/details/{code}")).await.expect(200);
    assert_eq!(details.header("cache-control"), "no-store");
    let keys: Vec<_> = details.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["code", "permissions", "expires_at"]);
    assert!(!details.text().contains(asked["exchangeToken"].as_str().unwrap()));

    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "400 authorizationPending");
    drop(browser.post(&decide(&asked, "approve"), Value::Null).await.expect(204));
    let given = exchange(&registry, &asked, VERIFIER).await.expect(200).json();
    assert_eq!(given["user"]["name"], "acme-author");
    let secret = given["token"].as_str().unwrap();
    assert!(secret.starts_with("jsrd_"));
    let device = registry.anonymous().bearer(secret);
    assert_eq!(device.publish(&package().file("mod.ts", "export {};\n")).await.refusal(), "403 missingPermission");
    assert_eq!(device.publish_through(&package()).await["status"], "success");
    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "404 authorizationNotFound", "the answer is given once");
    registry.advance(TimeDelta::hours(1));
    assert_eq!(device.get("/api/packages").await.status, 401);
    registry.drain().await;
}

#[tokio::test]
async fn only_a_person_in_front_of_a_browser_decides() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let asked = request(&registry, &package()).await;
    for decision in ["approve", "deny"] {
        let path = decide(&asked, decision);
        assert_eq!(registry.anonymous().post(&path, Value::Null).await.refusal(), "401 missingAuthentication");
        assert_eq!(author.post(&path, Value::Null).await.refusal(), "403 credentialNotInteractive");
    }
    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "400 authorizationPending");
}

#[tokio::test]
async fn a_denial_is_final() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let browser = browser(&registry, &author).await;
    let asked = request(&registry, &package()).await;
    drop(browser.post(&decide(&asked, "deny"), Value::Null).await.expect(204));
    assert_eq!(browser.post(&decide(&asked, "approve"), Value::Null).await.refusal(), "404 authorizationNotFound");
    assert_eq!(browser.get(&decide(&asked, "details")).await.refusal(), "404 authorizationNotFound");
    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "400 authorizationDenied");
    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "404 authorizationNotFound");
}

#[tokio::test]
async fn a_wrong_verifier_uses_the_answer_up() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let browser = browser(&registry, &author).await;
    let asked = request(&registry, &package()).await;
    assert_eq!(exchange(&registry, &asked, "stolen").await.refusal(), "400 authorizationPending", "nothing is used up before it is there");
    drop(browser.post(&decide(&asked, "approve"), Value::Null).await.expect(204));
    assert_eq!(exchange(&registry, &asked, "stolen").await.refusal(), "400 authorizationInvalidVerifier");
    assert_eq!(exchange(&registry, &asked, VERIFIER).await.refusal(), "404 authorizationNotFound");
    assert!(!registry.world().await.contains("kind=device"), "no token was made");
}

#[tokio::test]
async fn a_question_is_open_for_ten_minutes() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let browser = browser(&registry, &author).await;
    let (late, later) = (request(&registry, &package()).await, request(&registry, &package()).await);
    drop(browser.post(&decide(&late, "approve"), Value::Null).await.expect(204));
    registry.advance(TimeDelta::minutes(10));
    assert_eq!(exchange(&registry, &late, VERIFIER).await.refusal(), "400 authorizationExpired", "approved in time, collected too late");
    assert_eq!(exchange(&registry, &later, VERIFIER).await.refusal(), "400 authorizationExpired");
    assert_eq!(browser.post(&decide(&later, "approve"), Value::Null).await.refusal(), "404 authorizationNotFound");
    assert_eq!(browser.get(&decide(&later, "details")).await.refusal(), "404 authorizationNotFound");
}

#[tokio::test]
async fn questions_that_make_no_sense() {
    let registry = TestRegistry::start().await;
    let nobody = registry.anonymous();
    for bad in [
        json!({}),
        json!({ "challenge": "" }),
        json!({ "challenge": "x".repeat(129) }),
        json!({ "challenge": 7 }),
        json!({ "challenge": "\0" }),
        json!({ "challenge": "x", "permissions": [{ "permission": "everything" }] }),
        json!({ "challenge": "x", "permissions": [{
            "permission": "package/publish", "scope": "acme", "package": "maths", "version": "1.0.0", "tarballHash": "\0",
        }] }),
        json!({ "challenge": "x", "permissions": [{ "permission": "package/publish", "scope": "No Scope" }] }),
        json!({ "challenge": "x", "permissions": vec![json!({ "permission": "package/publish", "scope": "acme" }); 1_001] }),
        json!([]),
    ] {
        assert_eq!(nobody.post("/api/authorizations", bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    assert_eq!(nobody.post("/api/authorizations/exchange", json!({ "exchangeToken": "x" })).await.refusal(), "400 malformedRequest");
    let unknown = json!({ "exchangeToken": "x", "verifier": "y" });
    assert_eq!(nobody.post("/api/authorizations/exchange", unknown).await.refusal(), "404 authorizationNotFound");
    assert_eq!(nobody.get("/api/authorizations/details/AAAA-AAAA").await.refusal(), "404 authorizationNotFound");
    assert_eq!(nobody.get("/api/authorizations/details/%00").await.refusal(), "404 authorizationNotFound");
}

#[tokio::test]
async fn so_many_devices_wait_and_no_more() {
    let registry = TestRegistry::configured(&[("quotas.open_authorizations", "2")]).await;
    let ada = registry.person("ada").await;
    let browser = browser(&registry, &ada).await;
    let ask = async || registry.anonymous().post("/api/authorizations", json!({ "challenge": "x" })).await;
    let first = ask().await.expect(200).json();
    drop(ask().await.expect(200));
    let refused = ask().await;
    assert_eq!(refused.refusal(), "429 tooManyAuthorizations");
    assert_eq!(refused.header("retry-after"), "60");
    // One that is decided makes room, and so does time.
    drop(browser.post(&decide(&first, "deny"), Value::Null).await.expect(204));
    drop(ask().await.expect(200));
    assert_eq!(ask().await.refusal(), "429 tooManyAuthorizations");
    registry.advance(TimeDelta::minutes(10));
    drop(ask().await.expect(200));
}
