//! How much of what is outside gets in when people sign in: what GitHub says, and how many come back.

use serde_json::{Value, json};
use slipway_tests::TestRegistry;
use slipway_tests::identity::{Manner, Provider};

use crate::attacks::said;
use crate::browser::Browser;
use crate::providers::on_github;

#[tokio::test]
async fn github_is_believed_no_further_than_it_goes() {
    let good = on_github(5, "mona", true);
    for (manner, status, code) in [
        (Manner { user: Value::Null, ..good.clone() }, 400, "oauthError"),
        (Manner { user: json!({ "login": "mona" }), ..good.clone() }, 400, "oauthError"),
        (Manner { user: json!({ "id": -5, "login": "mona" }), ..good.clone() }, 400, "oauthError"),
        (Manner { user: json!({ "id": "5", "login": "mona" }), ..good.clone() }, 400, "oauthError"),
        (Manner { user: json!({ "id": 5, "login": "mo\u{0}na" }), ..good.clone() }, 400, "oauthError"),
        (Manner { endless: vec!["/api/v3/user"], ..good.clone() }, 503, "unavailable"),
        (Manner { shut: vec!["/api/v3/user/emails"], ..good.clone() }, 503, "unavailable"),
        (Manner { shut: vec!["/login/oauth/access_token"], ..good.clone() }, 503, "unavailable"),
    ] {
        let provider = Provider::start();
        let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("github", "github"))]).await;
        provider.behave(manner);
        let mut browser = Browser::of(&registry);
        said(&browser.sign_in(&provider, "github").await, status, code);
        assert!(!browser.jar.contains_key("token"));
        registry.drain().await;
    }
    // One that shows no addresses has none.
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("github", "github"))]).await;
    provider.behave(Manner { emails: Value::Null, ..good });
    let mut browser = Browser::of(&registry);
    drop(browser.sign_in(&provider, "github").await.expect(303));
    assert_eq!(browser.user().await["email"], Value::Null);
    registry.drain().await;
}

#[tokio::test]
async fn a_crowd_that_comes_back_is_bounded() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    let mut crowd = Vec::new();
    for _ in 0..64 {
        let mut browser = Browser::of(&registry);
        let way = browser.let_in(&provider, "work").await.address();
        crowd.push((browser, way));
    }
    let mut last = Browser::of(&registry);
    let way = last.let_in(&provider, "work").await.address();
    provider.behave(Manner { silent: vec!["/token"], ..Manner::default() });
    let inside = futures::future::join_all(crowd.iter_mut().map(|(browser, way)| browser.get(way)));
    let outside = async {
        while provider.held() < 64 {
            tokio::task::yield_now().await;
        }
        let answer = last.get(&way).await;
        provider.behave(Manner::default());
        answer
    };
    let (inside, outside) = tokio::join!(inside, outside);
    said(&outside, 503, "unavailable");
    let statuses: Vec<u16> = inside.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [303; 64]);
    drop(last.get(&way).await.expect(303));
    registry.drain().await;
}
