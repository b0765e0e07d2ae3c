//! "Allow this upload?": what a person is shown, and how only they can answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

const VERIFIER: &str = "a verifier that only the device knows";

/// A person in front of a browser, and their command line, which asks.
struct Scene {
    registry: TestRegistry,
    browser: Client,
    asked: Value,
}

impl Scene {
    async fn new(permissions: Value) -> Self {
        let registry = TestRegistry::start().await;
        let author = registry.author("@acme/maths").await;
        let answer = registry.anonymous().form("/login", &[("token", author.secret().unwrap())]).await.expect(303);
        let cookie = answer.header("set-cookie").strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap().to_owned();
        let challenge = STANDARD.encode(Sha256::of(VERIFIER.as_bytes()).as_bytes());
        let body = json!({ "challenge": challenge, "permissions": permissions });
        let asked = registry.anonymous().post("/api/authorizations", body).await.expect(200).json();
        let browser = registry.anonymous().cookie(&cookie);
        Self { registry, browser, asked }
    }

    fn code(&self) -> &str {
        self.asked["code"].as_str().unwrap()
    }

    async fn page(&self) -> Answer {
        self.browser.get(&format!("/auth?code={}", self.code())).await
    }

    async fn guard(&self) -> String {
        let text = self.page().await.expect(200).text();
        let (_, rest) = text.split_once("name=\"guard\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn exchange(&self) -> Answer {
        let body = json!({ "exchangeToken": self.asked["exchangeToken"], "verifier": VERIFIER });
        self.registry.anonymous().post("/api/authorizations/exchange", body).await
    }
}

fn one_upload() -> Value {
    let hash = PackageBuilder::small("@acme/maths", "1.0.0").tarball_hash();
    json!([{ "permission": "package/publish", "scope": "acme", "package": "maths", "version": "1.0.0", "tarballHash": hash }])
}

#[tokio::test]
async fn the_page_says_what_is_asked_for() {
    let all = [
        one_upload()[0].clone(),
        json!({ "permission": "package/publish", "scope": "acme", "package": "maths" }),
        json!({ "permission": "package/publish", "scope": "acme" }),
    ];
    let scene = Scene::new(json!(all)).await;
    let page = scene.page().await.expect(200);
    insta::assert_snapshot!("some", page.text());
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert!(!page.text().contains(scene.asked["exchangeToken"].as_str().unwrap()));
    let scene = Scene::new(Value::Null).await;
    insta::assert_snapshot!("everything", scene.page().await.expect(200).text());
}

#[tokio::test]
async fn a_yes_lets_the_device_publish() {
    let scene = Scene::new(one_upload()).await;
    let guard = scene.guard().await;
    let answer = scene.browser.form("/auth/approve", &[("code", scene.code()), ("guard", &guard)]).await.expect(200);
    insta::assert_snapshot!("approved", answer.text());
    let token = scene.exchange().await.expect(200).json()["token"].as_str().unwrap().to_owned();
    let device = scene.registry.anonymous().bearer(&token);
    assert_eq!(device.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await["status"], "success");
    drop(scene.browser.form("/auth/approve", &[("code", scene.code()), ("guard", &guard)]).await.expect(404));
    drop(scene.page().await.expect(404));
    scene.registry.drain().await;
}

#[tokio::test]
async fn a_no_gives_it_nothing() {
    let scene = Scene::new(one_upload()).await;
    let guard = scene.guard().await;
    let answer = scene.browser.form("/auth/deny", &[("code", scene.code()), ("guard", &guard)]).await.expect(200);
    insta::assert_snapshot!("denied", answer.text());
    assert_eq!(scene.exchange().await.refusal(), "400 authorizationDenied");
}

#[tokio::test]
async fn nobody_else_can_answer() {
    let scene = Scene::new(one_upload()).await;
    let guard = scene.guard().await;
    let eve = scene.registry.person("eve").await;
    let fields = [("code", scene.code()), ("guard", guard.as_str())];
    for path in ["/auth/approve", "/auth/deny"] {
        for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
            let elsewhere = scene.browser.clone().with(name, value);
            assert!(elsewhere.form(path, &fields).await.expect(403).text().contains("crossSiteRequest"), "{name}: {value}");
        }
        for guard in ["", "x", &guard[1..]] {
            let answer = scene.browser.form(path, &[("code", scene.code()), ("guard", guard)]).await.expect(403);
            assert!(answer.text().contains("crossSiteRequest"), "{guard}");
        }
        // Another session's guard is no guard.
        let other = scene.registry.anonymous().form("/login", &[("token", eve.secret().unwrap())]).await.expect(303);
        let cookie = other.header("set-cookie").strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap().to_owned();
        drop(scene.registry.anonymous().cookie(&cookie).form(path, &fields).await.expect(403));
        // A token is not a person in front of a browser.
        drop(eve.form(path, &fields).await.expect(401));
        drop(scene.registry.anonymous().form(path, &fields).await.expect(401));
        assert_eq!(scene.browser.get(path).await.status, 405);
    }
    assert_eq!(scene.exchange().await.refusal(), "400 authorizationPending");
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_there_and_back() {
    let scene = Scene::new(one_upload()).await;
    let code = scene.code();
    let answer = scene.registry.anonymous().get(&format!("/auth?code={code}")).await.expect(303);
    let login = answer.header("location").to_owned();
    let form = scene.registry.anonymous().get(&login).await.expect(200).text();
    let back = format!("/auth?code={}", code.replace('-', "%2D"));
    assert!(form.contains(&format!("name=\"redirect\" value=\"{back}\"")), "{form}");
    drop(scene.browser.get(&back).await.expect(200));
    // An expired session is the same as none.
    scene.registry.advance(TimeDelta::days(8));
    drop(scene.page().await.expect(303));
}

#[tokio::test]
async fn a_code_that_is_none() {
    let scene = Scene::new(one_upload()).await;
    for code in ["", "AAAA-AAAA", "<script>alert(1)</script>", "'; DROP TABLE authorizations; --"] {
        let query: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
        let answer = scene.browser.get(&format!("/auth?code={query}")).await.expect(404);
        assert!(answer.text().contains("authorizationNotFound") && !answer.text().contains("<script>"), "{code}");
    }
    scene.registry.advance(TimeDelta::minutes(10));
    drop(scene.page().await.expect(404));
}
