//! Signing in with an account elsewhere, when somebody does not mean well.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::model::token::TokenKind;
use slipway_tests::identity::{Manner, Provider, Way};
use slipway_tests::{Answer, TestRegistry};

use crate::browser::Browser;
use crate::providers::claims;

/// A registry with a provider `work`, and somebody who was let in there and is not back yet.
struct Scene {
    provider: Provider,
    registry: TestRegistry,
    browser: Browser,
    way: Way,
}

impl Scene {
    async fn new(manner: Manner) -> Self {
        let provider = Provider::start();
        let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
        provider.behave(manner);
        let mut browser = Browser::of(&registry);
        let way = browser.let_in(&provider, "work").await;
        Self { provider, registry, browser, way }
    }

    /// How many accounts there are.
    async fn accounts(&self) -> usize {
        self.registry.world().await.lines().filter(|line| line.contains("scope_limit=")).count()
    }

    async fn end(self) {
        assert!(!self.browser.jar.contains_key("token"), "nobody is signed in");
        assert_eq!(self.accounts().await, 0, "no account was made");
        self.registry.drain().await;
    }
}

/// The refusal that a page shows.
pub(crate) fn said(answer: &Answer, status: u16, code: &str) -> String {
    let text = answer.text();
    assert_eq!((answer.status, answer.header("content-type")), (status, "text/html; charset=utf-8"), "{text}");
    assert!(text.contains(&format!("<code>{code}</code>")), "{code}: {text}");
    assert!(!text.contains("<b>internal"), "{text}");
    text
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_asked() {
    let mut scene = Scene::new(Manner::default()).await;
    let way = scene.way.clone();
    // Somebody else's browser, which has set out as well, or never has.
    for browser in [&mut Browser::of(&scene.registry), &mut {
        let mut other = Browser::of(&scene.registry);
        drop(other.set_out("work", "/").await);
        other
    }] {
        said(&browser.get(&way.address()).await, 400, "invalidOauthState");
        assert!(!browser.jar.contains_key("token"));
    }
    for state in ["", "x", &way.state[1..], &format!("{}x", way.state)] {
        let bent = Way { state: state.to_owned(), ..way.clone() };
        said(&scene.browser.get(&bent.address()).await, 400, "invalidOauthState");
    }
    said(&scene.browser.get("/login/callback/work").await, 400, "invalidOauthState");
    // A cookie that says something else than what the person set out with.
    let (kept, place) = scene.browser.jar["sign_in"].clone();
    for (from, to) in [("back=%2F", "back=%2Fevil"), ("link=", "link=00000000-0000-0000-0000-000000002710"), ("to=work", "to=work2")] {
        let bent = kept.replacen(from, to, 1);
        assert_ne!(bent, kept);
        let mut browser = Browser::of(&scene.registry);
        browser.jar.insert("sign_in".to_owned(), (bent, place.clone()));
        said(&browser.get(&way.address()).await, 400, "invalidOauthState");
    }
    assert_eq!(scene.provider.exchanged(), 0, "the code was not shown to anybody");
    drop(scene.browser.get(&way.address()).await.expect(303));
    scene.registry.drain().await;
}

#[tokio::test]
async fn an_answer_comes_once_and_in_time() {
    let mut scene = Scene::new(Manner::default()).await;
    let (first, way) = (scene.browser.clone(), scene.way.clone());
    drop(scene.browser.get(&way.address()).await.expect(303));
    said(&scene.browser.get(&way.address()).await, 400, "invalidOauthState");
    // With a cookie that was kept, and a provider that would give out its code again.
    let mut copy = first.clone();
    let fresh = scene.provider.let_in(&again(&scene, &first), scene.registry.now().timestamp());
    said(&copy.get(&Way { state: way.state.clone(), ..fresh }.address()).await, 400, "invalidOauthState");
    assert!(!copy.jar.contains_key("token"));
    assert_eq!(scene.provider.exchanged(), 2, "it would have");

    let mut late = Browser::of(&scene.registry);
    let way = late.let_in(&scene.provider, "work").await;
    scene.registry.advance(TimeDelta::minutes(10));
    said(&late.get(&way.address()).await, 400, "invalidOauthState");
    scene.registry.drain().await;
}

/// The address to which a browser was sent, worked out from what it kept: what a thief of the cookie could do.
fn again(scene: &Scene, browser: &Browser) -> String {
    use slipway_common::ids::Sha256;
    let kept = &browser.jar["sign_in"].0;
    let digest = |text: String| URL_SAFE_NO_PAD.encode(Sha256::of(text.as_bytes()).as_bytes());
    let of = |what: &str| digest(format!("slipway sign-in {what} {kept}"));
    assert_eq!(of("state"), scene.way.state);
    format!(
        "{}/authorize?response_type=code&client_id=the+registry&redirect_uri=http%3A%2F%2Fregistry.test%2Flogin%2Fcallback%2Fwork&state={}\
         &nonce={}&code_challenge={}&code_challenge_method=S256",
        scene.provider.url(),
        of("state"),
        of("nonce"),
        digest(of("verifier")),
    )
}

#[tokio::test]
async fn a_token_that_does_not_hold_lets_nobody_in() {
    let now = "2025-01-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
    let mallory = Provider::start();
    let of_another = |header: Value| {
        let own = json!({ "iss": mallory.url(), "aud": "the registry", "sub": "1", "iat": now, "exp": now + 300 });
        mallory.keys().sign_with_header(&own, &header)
    };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned =
        |alg: &str| format!("{}.{}.{}", part(json!({ "alg": alg, "kid": "first" })), part(json!({ "iss": mallory.url() })), "c2ln");
    let token = |token: String| Manner { token: Some(token), ..Manner::default() };
    for (manner, word) in [
        (claims(json!({ "nonce": "of another sign-in" })), "`nonce`"),
        (claims(json!({ "nonce": null })), "`nonce`"),
        (claims(json!({ "aud": "another registry" })), "`aud`"),
        (claims(json!({ "aud": ["another registry", "the registry"] })), "`aud`"),
        (claims(json!({ "azp": "another registry" })), "`aud`"),
        (claims(json!({ "iss": "https://evil.example" })), "`iss`"),
        (claims(json!({ "iss": null })), "`iss`"),
        (claims(json!({ "exp": now - 61, "iat": now - 300 })), "expired"),
        (claims(json!({ "exp": null })), "`exp`"),
        (claims(json!({ "iat": now + 600, "exp": now + 900 })), "`iat`"),
        (claims(json!({ "sub": null })), "`sub`"),
        (claims(json!({ "sub": "" })), "`sub`"),
        (claims(json!({ "sub": "s".repeat(600) })), "`sub`"),
        (Manner { header: json!({ "alg": "none" }), ..Manner::default() }, "`alg`"),
        (Manner { header: json!({ "alg": "HS256" }), ..Manner::default() }, "`alg`"),
        (Manner { header: json!({ "alg": "RS256" }), ..Manner::default() }, "`alg`"),
        (Manner { header: json!({ "kid": "made up" }), ..Manner::default() }, "no such key"),
        (Manner { header: json!({ "crit": ["b64"] }), ..Manner::default() }, "`crit`"),
        (token(of_another(json!({}))), "`iss`"),
        (token(unsigned("none")), "`alg`"),
        (token("x".repeat(20_000)), "longer"),
        (token("no token".to_owned()), "three parts"),
        (token(String::new()), "no ID token"),
    ] {
        let mut scene = Scene::new(manner.clone()).await;
        let text = said(&scene.browser.get(&scene.way.address()).await, 400, "oauthError");
        assert!(text.contains(word), "{word}: {text}");
        scene.end().await;
    }
}

#[tokio::test]
async fn a_token_of_another_key_lets_nobody_in() {
    // Signed by somebody who calls their key as the provider calls its own.
    let (mut scene, mallory) = (Scene::new(Manner::default()).await, Provider::start());
    let kept = scene.browser.jar["sign_in"].0.clone();
    let nonce = slipway_common::ids::Sha256::of(format!("slipway sign-in nonce {kept}").as_bytes());
    let now = scene.registry.now().timestamp();
    let good = json!({
        "iss": scene.provider.url(), "aud": "the registry", "sub": "1", "iat": now, "exp": now + 300,
        "nonce": URL_SAFE_NO_PAD.encode(nonce.as_bytes()),
    });
    scene.provider.behave(Manner { token: Some(mallory.keys().sign(&good)), ..Manner::default() });
    let text = said(&scene.browser.get(&scene.way.address()).await, 400, "oauthError");
    assert!(text.contains("signature"), "{text}");
    scene.end().await;
}

#[tokio::test]
async fn one_provider_does_not_answer_for_another() {
    let (honest, evil) = (Provider::start(), Provider::start());
    let both = format!("{},{}", honest.setting("honest", "oidc"), evil.setting("evil", "oidc"));
    let registry = TestRegistry::configured(&[("identity_provider", &both)]).await;
    // Somebody who went to one comes back as if they had been at the other, which would be shown the code.
    let mut browser = Browser::of(&registry);
    let way = browser.let_in(&honest, "honest").await;
    said(&browser.get(&Way { path: "/login/callback/evil".to_owned(), ..way.clone() }.address()).await, 400, "invalidOauthState");
    assert_eq!((honest.exchanged(), evil.exchanged()), (0, 0));
    // Who says whose answer it is has to be right, and has to say it where it was announced.
    let text = said(&browser.get(&way.with(&[("iss", evil.url())])).await, 400, "oauthError");
    assert!(text.contains("another issuer"), "{text}");
    assert_eq!(honest.exchanged(), 0);
    drop(browser.get(&way.with(&[("iss", honest.url())])).await.expect(303));

    let strict = Provider::start();
    strict.behave(Manner { discovery: json!({ "authorization_response_iss_parameter_supported": true }), ..Manner::default() });
    let registry = TestRegistry::configured(&[("identity_provider", &strict.setting("strict", "oidc"))]).await;
    let mut browser = Browser::of(&registry);
    let way = browser.let_in(&strict, "strict").await;
    said(&browser.get(&way.address()).await, 400, "oauthError");
    drop(browser.get(&way.with(&[("iss", strict.url())])).await.expect(303));
    registry.drain().await;
}

#[tokio::test]
async fn who_says_more_speaks_of_the_same_person() {
    let manner =
        Manner { userinfo: json!({ "sub": "somebody else", "email": "boss@example.org", "email_verified": true }), ..Manner::default() };
    let mut scene = Scene::new(manner).await;
    let text = said(&scene.browser.get(&scene.way.address()).await, 400, "oauthError");
    assert!(text.contains("somebody else"), "{text}");
    scene.end().await;
}

#[tokio::test]
async fn without_a_code_nobody_comes_in() {
    let mut scene = Scene::new(Manner::default()).await;
    let state = scene.way.state.clone();
    for (query, word) in [
        ("error=access_denied", "was told not to let you in"),
        ("error=server_error&error_description=%3Cb%3Einternal", "did not let you in"),
        ("code=", "did not let you in"),
        ("", "did not let you in"),
        ("code=made%20up", "does not take the code"),
    ] {
        let answer = scene.browser.get(&format!("/login/callback/work?{query}&state={state}")).await;
        assert!(said(&answer, 400, "oauthError").contains(word), "{query}");
    }
    let long = format!("/login/callback/work?code={}&state={state}", "c".repeat(5_000));
    said(&scene.browser.get(&long).await, 400, "oauthError");
    scene.end().await;
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_fault_of_ours() {
    for (door, is_begun) in [("/.well-known/openid-configuration", false), ("/token", true), ("/userinfo", true)] {
        for is_endless in [false, true] {
            let provider = Provider::start();
            let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
            let mut browser = Browser::of(&registry);
            let trouble = || match is_endless {
                true => Manner { endless: vec![door], ..Manner::default() },
                false => Manner { shut: vec![door], ..Manner::default() },
            };
            let answer = if is_begun {
                let way = browser.let_in(&provider, "work").await;
                provider.behave(trouble());
                browser.get(&way.address()).await
            } else {
                provider.behave(trouble());
                browser.form("/login/work", &[]).await
            };
            assert!(said(&answer, 503, "unavailable").contains("The work does not answer right now"), "{door} {is_endless}");
            assert!(!browser.jar.contains_key("token"));
            registry.drain().await;
        }
    }
    let provider = Provider::start();
    provider.behave(Manner { discovery: json!({ "issuer": "https://evil.example" }), ..Manner::default() });
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    said(&registry.anonymous().form("/login/work", &[]).await, 503, "unavailable");
    // Keys that cannot be read are asked for again after a while.
    let mut scene = Scene::new(Manner::default()).await;
    scene.provider.keys().go_down(true);
    said(&scene.browser.get(&scene.way.address()).await, 503, "unavailable");
    scene.provider.keys().go_down(false);
    scene.registry.advance(TimeDelta::seconds(30));
    let way = scene.browser.let_in(&scene.provider, "work").await;
    drop(scene.browser.get(&way.address()).await.expect(303));
    scene.registry.drain().await;
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    let long = format!("/{}", "a".repeat(500));
    for redirect in
        ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "evil", "", "/a\r\nset-cookie: x=y", &long]
    {
        let mut browser = Browser::of(&registry);
        let address = browser.set_out("work", redirect).await;
        let back = browser.get(&provider.let_in(&address, registry.now().timestamp()).address()).await.expect(303);
        assert_eq!(back.header("location"), "/", "{redirect:?}");
    }
    registry.drain().await;
}

#[tokio::test]
async fn other_sites_set_nobody_going() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    for (name, value) in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let answer = registry.anonymous().with(name, value).form("/login/work", &[]).await;
        said(&answer, 403, "crossSiteRequest");
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert_eq!(registry.anonymous().get("/login/work").await.status, 405);
    for path in ["/login/nobody", "/login/callback"] {
        said(&registry.anonymous().form(path, &[]).await, 400, "unknownLoginService");
    }
    said(&registry.anonymous().get("/login/callback/nobody").await, 400, "unknownLoginService");
}

#[tokio::test]
async fn a_blocked_account_stays_out() {
    let mut scene = Scene::new(Manner::default()).await;
    drop(scene.browser.get(&scene.way.address()).await.expect(303));
    scene.registry.database().execute("UPDATE users SET is_blocked = TRUE").await;
    let mut again = Browser::of(&scene.registry);
    said(&again.sign_in(&scene.provider, "work").await, 403, "blocked");
    assert!(!again.jar.contains_key("token"));
    assert_eq!(scene.browser.get("/api/user").await.refusal(), "403 blocked");
    // A session that is refused does not keep anybody from coming in when they are blocked no longer.
    scene.registry.database().execute("UPDATE users SET is_blocked = FALSE").await;
    drop(again.sign_in(&scene.provider, "work").await.expect(303));
    scene.registry.drain().await;
}

#[tokio::test]
async fn a_session_is_never_one_that_was_there_before() {
    let mut scene = Scene::new(Manner::default()).await;
    let mallory = scene.registry.person("mallory").await;
    let id = mallory.get("/api/user").await.json()["id"].as_str().unwrap().parse().unwrap();
    let planted = scene.registry.token(id, TokenKind::Web, None, None).await;
    // A browser into which somebody put a session of theirs, or nonsense.
    for secret in [planted.as_str(), "nonsense"] {
        let mut browser = scene.browser.clone();
        browser.jar.insert("token".to_owned(), (secret.to_owned(), "/".to_owned()));
        let way = browser.let_in(&scene.provider, "work").await;
        drop(browser.get(&way.address()).await.expect(303));
        assert_ne!(browser.jar["token"].0, secret);
        assert_eq!(browser.user().await["login"], "user");
    }
    let old = scene.registry.anonymous().cookie(&planted);
    assert_eq!(old.get("/api/user").await.refusal(), "401 invalidBearerToken", "the session of before is over");
    drop(scene.browser.get(&scene.way.address()).await.expect(303));
    scene.registry.drain().await;
}
