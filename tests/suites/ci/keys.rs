//! The issuer's keys: discovered, kept, rotated, and asked for no more often than they should be.

use chrono::TimeDelta;
use serde_json::json;
use slipway_tests::issuer::Issuer;
use slipway_tests::{Client, TestRegistry};

struct Asked {
    registry: TestRegistry,
    issuer: Issuer,
}

impl Asked {
    async fn start(issuer: Issuer) -> Self {
        let registry = TestRegistry::configured(&[("ci_issuer", &issuer.setting("generic"))]).await;
        Self { registry, issuer }
    }

    fn shows(&self, header: serde_json::Value) -> Client {
        let now = self.registry.now().timestamp();
        let claims = json!({ "iss": self.issuer.url(), "aud": "http://registry.test/", "iat": now, "exp": now + 300, "sub": "job" });
        self.registry.anonymous().bearer(&self.issuer.sign_with_header(&claims, &header))
    }

    async fn status(&self, header: serde_json::Value) -> u16 {
        self.shows(header).get("/api/packages").await.status
    }
}

#[tokio::test]
async fn keys_are_found_by_discovery_and_kept() {
    let asked = Asked::start(Issuer::with_rsa()).await;
    for _ in 0..3 {
        assert_eq!(asked.status(json!({})).await, 200);
    }
    assert_eq!(asked.issuer.asked(), 1);
    asked.registry.advance(TimeDelta::minutes(61));
    assert_eq!(asked.status(json!({})).await, 200);
    assert_eq!(asked.issuer.asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_strangers_do_not_make_us_ask() {
    let asked = Asked::start(Issuer::start()).await;
    assert_eq!(asked.status(json!({})).await, 200);
    asked.registry.advance(TimeDelta::seconds(30));
    asked.issuer.rotate("second", true);
    assert_eq!(asked.status(json!({})).await, 200, "a key that nobody knows is looked for");
    assert_eq!(asked.issuer.asked(), 2);
    for number in 0..20 {
        assert_eq!(asked.status(json!({ "kid": format!("made up {number}") })).await, 401);
    }
    assert_eq!(asked.issuer.asked(), 2, "twenty strangers later nobody asked again");
    asked.issuer.rotate("third", true);
    assert_eq!(asked.status(json!({})).await, 401, "within half a minute nobody asks");
    asked.registry.advance(TimeDelta::seconds(30));
    assert_eq!(asked.status(json!({})).await, 200);
    assert_eq!(asked.issuer.asked(), 3);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_is_good_for_nothing() {
    let asked = Asked::start(Issuer::start()).await;
    let old = asked.shows(json!({}));
    assert_eq!(old.get("/api/packages").await.status, 200);
    asked.issuer.rotate("second", false);
    asked.registry.advance(TimeDelta::seconds(31));
    assert_eq!(asked.status(json!({})).await, 200);
    assert_eq!(old.get("/api/packages").await.refusal(), "401 invalidOidcToken");
}

#[tokio::test]
async fn an_issuer_that_is_away_is_missed_for_a_day() {
    let asked = Asked::start(Issuer::start()).await;
    asked.issuer.go_down(true);
    let answer = asked.shows(json!({})).get("/api/packages").await;
    assert_eq!(answer.refusal(), "503 unavailable");
    assert_eq!(answer.header("retry-after"), "30");
    asked.issuer.go_down(false);
    asked.registry.advance(TimeDelta::seconds(30));
    assert_eq!(asked.status(json!({})).await, 200);
    asked.issuer.go_down(true);
    asked.registry.advance(TimeDelta::hours(23));
    assert_eq!(asked.status(json!({})).await, 200, "what was read is still believed");
    asked.registry.advance(TimeDelta::hours(2));
    assert_eq!(asked.status(json!({})).await, 503);
}

#[tokio::test]
async fn discovery_is_the_issuers_own_word() {
    let (honest, mallory) = (Issuer::start(), Issuer::start());
    // Somebody else's document, under an address that is configured.
    let odd = format!("generic {}/", mallory.url());
    let registry = TestRegistry::configured(&[("ci_issuer", &odd)]).await;
    let now = registry.now().timestamp();
    let claims =
        json!({ "iss": format!("{}/", mallory.url()), "aud": "http://registry.test/", "iat": now, "exp": now + 300, "sub": "job" });
    let job = registry.anonymous().bearer(&mallory.sign(&claims));
    assert_eq!(job.get("/api/packages").await.refusal(), "503 unavailable");
    assert_eq!((honest.asked(), mallory.asked()), (0, 0));
    // With the address of the keys in the configuration nobody is asked where they are.
    let told = format!("generic {0}/ {0}/keys", mallory.url());
    let registry = TestRegistry::configured(&[("ci_issuer", &told)]).await;
    let job = registry.anonymous().bearer(&mallory.sign(&claims));
    assert_eq!(job.get("/api/packages").await.status, 200);
}
