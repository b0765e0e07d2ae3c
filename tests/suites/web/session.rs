//! Signing in with a token, and out again.

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::model::token::TokenKind;
use slipway_tests::{Answer, Client, TestRegistry};

/// The value of the session cookie that an answer sets.
fn session(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    cookie.strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap_or_default().to_owned()
}

async fn sign_in(registry: &TestRegistry, token: &str, redirect: &str) -> Answer {
    registry.anonymous().form("/login", &[("redirect", redirect), ("token", token)]).await
}

/// The guard in a page's forms.
fn guard(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"guard\" value=\"").expect("the page has a guarded form");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_opens_a_session() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let answer = sign_in(&registry, &format!("  {}\n", ada.secret().unwrap()), "/auth?code=AAAA-AAAA").await.expect(303);
    assert_eq!(answer.header("location"), "/auth?code=AAAA-AAAA");
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax") && cookie.contains("; Path=/") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let secret = session(&answer);
    assert!(secret.starts_with("jsrw_") && Some(secret.as_str()) != ada.secret());
    let browser = registry.anonymous().cookie(&secret);
    assert_eq!(browser.get("/api/user").await.expect(200).json()["name"], "ada");
    registry.advance(TimeDelta::days(7));
    assert_eq!(browser.get("/api/user").await.refusal(), "401 invalidBearerToken");
}

#[tokio::test]
async fn over_https_the_cookie_stays_there() {
    let registry = TestRegistry::configured(&[("public_url", "https://registry.test/")]).await;
    let ada = registry.person("ada").await;
    let answer = sign_in(&registry, ada.secret().unwrap(), "/").await.expect(303);
    assert!(answer.header("set-cookie").contains("; Secure"), "{}", answer.header("set-cookie"));
}

#[tokio::test]
async fn a_wrong_token_is_told_in_the_form() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let id = serde_json::from_value(ada.get("/api/user").await.json()["id"].clone()).unwrap();
    let permission = serde_json::from_value(json!({ "permission": "package/publish", "scope": "acme" })).unwrap();
    let kind = slipway_common::model::token::TokenKind::Personal;
    let restricted = registry.token(id, kind, Some(vec![permission]), None).await;
    for (token, status) in [("", 401), ("nonsense", 401), ("<script>", 401), (restricted.as_str(), 403)] {
        let answer = sign_in(&registry, token, "/auth?code=AAAA-AAAA").await.expect(status);
        assert_eq!((answer.header("set-cookie"), answer.header("content-type")), ("", "text/html; charset=utf-8"), "{token}");
        let page = answer.text();
        assert!(page.contains("role=\"alert\"") && !page.contains("<script>"), "{page}");
        assert!(page.contains("value=\"/auth?code=AAAA-AAAA\""), "the way back is kept: {page}");
        assert!(token.is_empty() || !page.contains(token), "the token is not repeated");
    }
    registry.database().execute("UPDATE users SET is_blocked = TRUE").await;
    drop(sign_in(&registry, ada.secret().unwrap(), "/").await.expect(403));
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    for redirect in [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "\\/evil.test",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nset-cookie: x=y",
        "/\t/evil.test",
    ] {
        let answer = sign_in(&registry, ada.secret().unwrap(), redirect).await.expect(303);
        assert_eq!(answer.header("location"), "/", "{redirect:?}");
        let query: String = url::form_urlencoded::byte_serialize(redirect.as_bytes()).collect();
        let form = registry.anonymous().get(&format!("/login?redirect={query}")).await.expect(200).text();
        assert!(form.contains("name=\"redirect\" value=\"/\""), "{redirect:?}: {form}");
    }
}

#[tokio::test]
async fn other_sites_cannot_sign_anybody_in() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    for (name, value) in
        [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        let elsewhere = registry.anonymous().with(name, value);
        let answer = elsewhere.form("/login", &[("token", ada.secret().unwrap())]).await.expect(403);
        assert!(answer.text().contains("crossSiteRequest") && answer.header("set-cookie").is_empty(), "{name}: {value}");
    }
    let own = registry.anonymous().with("origin", "http://registry.test").with("sec-fetch-site", "same-origin");
    drop(own.form("/login", &[("token", ada.secret().unwrap())]).await.expect(303));
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let browser = registry.anonymous().cookie(&session(&sign_in(&registry, ada.secret().unwrap(), "/").await));
    let guard = guarded(&registry, &browser).await;
    drop(browser.form("/logout", &[]).await.expect(403));
    drop(browser.form("/logout", &[("guard", "x")]).await.expect(403));
    let answer = browser.form("/logout", &[("guard", &guard)]).await.expect(303);
    assert!(answer.header("set-cookie").starts_with("token=; Max-Age=0;"), "{}", answer.header("set-cookie"));
    assert_eq!(browser.get("/api/user").await.refusal(), "401 invalidBearerToken", "a copy of the cookie is worth nothing");
    drop(ada.get("/api/user").await.expect(200));
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let id = serde_json::from_value(ada.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    let personal = ada.get("/api/user/tokens").await.expect(200).json()[0]["id"].clone();
    let browser = registry.anonymous().cookie(&session(&sign_in(&registry, ada.secret().unwrap(), "/").await.expect(303)));
    let other = registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await);
    drop(browser.get("/api/user").await.expect(200));

    // Revoked from elsewhere, the token takes along the session that it opened, and no other.
    drop(other.delete(&format!("/api/user/tokens/{}", personal.as_str().unwrap())).await.expect(204));
    assert_eq!(ada.get("/api/user").await.refusal(), "401 invalidBearerToken");
    assert_eq!(browser.get("/api/user").await.refusal(), "401 invalidBearerToken");
    assert_eq!(other.get("/api/user/tokens").await.expect(200).json().as_array().unwrap().len(), 1);

    // One that expires does so, too.
    let short = registry.token(id, TokenKind::Personal, None, Some(TimeDelta::hours(1))).await;
    let browser = registry.anonymous().cookie(&session(&sign_in(&registry, &short, "/").await.expect(303)));
    registry.advance(TimeDelta::minutes(59));
    drop(browser.get("/api/user").await.expect(200));
    registry.advance(TimeDelta::minutes(1));
    assert_eq!(browser.get("/api/user").await.refusal(), "401 invalidBearerToken");
}

/// The guard of a browser's session, read from a page that shows it.
async fn guarded(registry: &TestRegistry, browser: &Client) -> String {
    let asked = registry.anonymous().post("/api/authorizations", json!({ "challenge": "x" })).await.expect(200).json();
    guard(&browser.get(&format!("/auth?code={}", asked["code"].as_str().unwrap())).await.expect(200))
}
