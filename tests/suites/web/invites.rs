//! "Will you join?": who is shown what, and how only they can answer.

use serde_json::json;
use slipway_tests::{Client, TestRegistry};

/// Ada runs @acme and asks Bob, who sits in front of a browser.
struct Scene {
    registry: TestRegistry,
    ada: Client,
    browser: Client,
}

impl Scene {
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        let (ada, bob) = (registry.person("ada").await, registry.person("bob").await);
        drop(ada.post("/api/scopes", json!({ "scope": "acme", "description": "" })).await.expect(200));
        registry.database().execute("UPDATE users SET name = 'Ada <b>' WHERE login = 'ada'").await;
        let answer = registry.anonymous().form("/login", &[("token", bob.secret().unwrap())]).await.expect(303);
        let cookie = answer.header("set-cookie").strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap().to_owned();
        let browser = registry.anonymous().cookie(&cookie);
        Self { registry, ada, browser }
    }

    async fn ask(&self) {
        drop(self.ada.post("/api/scopes/acme/members", json!({ "login": "bob" })).await.expect(200));
    }

    async fn page(&self) -> String {
        self.browser.get("/account/invites").await.expect(200).text()
    }

    async fn answer(&self, how: &str) -> slipway_tests::Answer {
        let text = self.page().await;
        let guard = text.split_once("name=\"guard\" value=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default().to_owned();
        self.browser.form(&format!("/account/invites/{how}"), &[("scope", "acme"), ("guard", &guard)]).await
    }

    async fn members(&self) -> usize {
        self.registry.anonymous().get("/api/scopes/acme/members").await.expect(200).json().as_array().unwrap().len()
    }
}

#[tokio::test]
async fn somebody_joins_on_a_page() {
    let scene = Scene::new().await;
    assert!(scene.page().await.contains("No scope asks"));
    scene.ask().await;
    insta::assert_snapshot!(scene.page().await);
    let answered = scene.answer("accept").await.expect(303);
    assert_eq!((answered.header("location"), scene.members().await), ("/account/invites", 2));
    assert!(scene.page().await.contains("No scope asks"));
}

#[tokio::test]
async fn somebody_declines_on_a_page() {
    let scene = Scene::new().await;
    scene.ask().await;
    drop(scene.answer("decline").await.expect(303));
    assert!(scene.page().await.contains("No scope asks"));
    assert_eq!(scene.members().await, 1);
}

#[tokio::test]
async fn nobody_answers_for_somebody_else() {
    let scene = Scene::new().await;
    scene.ask().await;
    let nobody = scene.registry.anonymous();
    assert_eq!(nobody.get("/account/invites").await.expect(303).header("location"), "/login?redirect=/account/invites");
    for how in ["accept", "decline"] {
        let path = format!("/account/invites/{how}");
        for guard in ["", "guessed"] {
            assert_eq!(scene.browser.form(&path, &[("scope", "acme"), ("guard", guard)]).await.status, 403);
        }
        let foreign = scene.browser.clone().with("origin", "https://elsewhere.example");
        assert_eq!(foreign.form(&path, &[("scope", "acme"), ("guard", "")]).await.status, 403);
        assert_eq!(nobody.form(&path, &[("scope", "acme"), ("guard", "")]).await.status, 401);
        assert_eq!(scene.browser.get(&path).await.status, 405);
    }
    assert!(scene.page().await.contains("@acme"), "the invite waits");
    assert_eq!(scene.members().await, 1);
}
