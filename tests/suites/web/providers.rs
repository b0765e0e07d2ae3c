//! Signing in with an account elsewhere, when everybody means well.

use serde_json::{Value, json};
use slipway_common::storage::StorageKey;
use slipway_tests::TestRegistry;
use slipway_tests::identity::{ACCESS, Manner, Provider, SECRET};

use crate::browser::Browser;

pub(crate) fn claims(claims: Value) -> Manner {
    Manner { claims, ..Manner::default() }
}

/// The account of a person on GitHub, with one address.
pub(crate) fn on_github(id: u64, login: &str, is_verified: bool) -> Manner {
    Manner {
        user: json!({ "id": id, "login": login, "name": null, "avatar_url": "https://github.example/a.png", "email": "public@example.org" }),
        emails: json!([
            { "email": "old@example.org", "primary": false, "verified": false },
            { "email": "mona@example.org", "primary": true, "verified": is_verified },
        ]),
        ..Manner::default()
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    insta::assert_snapshot!(registry.anonymous().get("/login?redirect=/packages").await.expect(200).text());
    provider.behave(claims(json!({
        "preferred_username": "Ada.Lovelace", "name": "Ada Lovelace", "email": "ada@example.org", "email_verified": true,
        "picture": "https://id.example/ada.png",
    })));
    let mut browser = Browser::of(&registry);
    let address = browser.set_out("work", "/auth?code=AAAA-AAAA").await;
    assert!(address.starts_with(&format!("{}/authorize?tenant=1&response_type=code&client_id=the+registry", provider.url())), "{address}");
    assert!(
        address.contains("&redirect_uri=http%3A%2F%2Fregistry.test%2Flogin%2Fcallback%2Fwork&scope=openid+profile+email&"),
        "{address}"
    );
    let way = provider.let_in(&address, registry.now().timestamp());
    let back = browser.get(&way.address()).await.expect(303);
    assert_eq!((back.header("location"), back.header("cache-control")), ("/auth?code=AAAA-AAAA", "no-store"));
    assert_eq!(browser.jar.keys().collect::<Vec<_>>(), ["token"], "what they set out with is gone");
    let user = browser.user().await;
    assert_eq!(
        [&user["login"], &user["name"], &user["email"], &user["avatarUrl"], &user["isStaff"]],
        [&json!("ada.lovelace"), &json!("Ada Lovelace"), &json!("ada@example.org"), &json!("https://id.example/ada.png"), &json!(false)]
    );

    // Another day, in another browser.
    let mut other = Browser::of(&registry);
    drop(other.sign_in(&provider, "work").await.expect(303));
    assert_eq!(other.user().await["id"], user["id"]);
    assert_eq!(registry.anonymous().get("/login").await.header("set-cookie"), "");
    let log = other.get("/api/user/audit").await.expect(200).json();
    let acts: Vec<_> = log["items"].as_array().unwrap().iter().map(|item| item["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["session.open", "session.open", "identity.link", "user.create"]);
    assert_eq!(log["items"][0]["credential"], json!({ "kind": "identity", "issuer": provider.url() }));

    registry.drain().await;
    let world = registry.world().await;
    for secret in [ACCESS, SECRET, &way.code, &way.state] {
        assert!(!world.contains(secret), "{secret} is kept");
    }
    // A registry that is made anew from its objects knows who comes in.
    let key = StorageKey::UserRecord(user["id"].as_str().unwrap().parse().unwrap());
    let record: Value = serde_json::from_slice(&registry.context().storage.get(&key).await.unwrap()).unwrap();
    let known = &record["identities"][0];
    assert_eq!((&known["issuer"], &known["subject"], &known["kind"]), (&json!(provider.url()), &json!("subject-1"), &json!("oidc")));
    assert!(!record.to_string().contains(ACCESS));
}

#[tokio::test]
async fn over_https_no_cookie_goes_elsewhere() {
    let provider = Provider::start();
    let registry =
        TestRegistry::configured(&[("public_url", "https://registry.test/"), ("identity_provider", &provider.setting("work", "oidc"))])
            .await;
    let page = registry.anonymous().form("/login/work", &[]).await.expect(200);
    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("sign_in=secret=") && cookie.ends_with("; Max-Age=600; Path=/login/callback; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    assert!(page.header("refresh").contains("redirect_uri=https%3A%2F%2Fregistry.test%2Flogin%2Fcallback%2Fwork&"));
    insta::assert_snapshot!(page.header("content-security-policy"));
}

#[tokio::test]
async fn github_says_who_somebody_is() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("github", "github"))]).await;
    provider.behave(on_github(583_231, "Octo-Cat", true));
    let mut browser = Browser::of(&registry);
    let address = browser.set_out("github", "/").await;
    assert!(address.starts_with(&format!("{}/login/oauth/authorize?response_type=code", provider.url())), "{address}");
    assert!(address.contains("&scope=read%3Auser+user%3Aemail&"), "{address}");
    drop(browser.get(&provider.let_in(&address, 0).address()).await.expect(303));
    let user = browser.user().await;
    assert_eq!(
        [&user["login"], &user["name"], &user["email"], &user["githubId"], &user["gitlabId"]],
        [&json!("octo-cat"), &json!("Octo-Cat"), &json!("mona@example.org"), &json!(583_231), &Value::Null]
    );
    let public = registry.anonymous().get(&format!("/api/users/{}", user["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!((&public["githubId"], &public["email"]), (&json!(583_231), &Value::Null));

    // Renamed there, and somebody else has the name now.
    provider.behave(on_github(583_231, "hubot", true));
    let mut again = Browser::of(&registry);
    drop(again.sign_in(&provider, "github").await.expect(303));
    assert_eq!(again.user().await["id"], user["id"], "the number says who it is");
    provider.behave(on_github(7, "octo-cat", true));
    let mut other = Browser::of(&registry);
    drop(other.sign_in(&provider, "github").await.expect(303));
    let other = other.user().await;
    assert_eq!((&other["login"], &other["githubId"]), (&json!("octo-cat-2"), &json!(7)));
    registry.drain().await;
}

#[tokio::test]
async fn gitlab_says_more_when_it_is_asked() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("lab", "gitlab"))]).await;
    provider.behave(Manner {
        claims: json!({ "sub": "42" }),
        userinfo: json!({ "sub": "42", "nickname": "tanuki", "name": "Tanuki", "email": "t@example.org", "email_verified": true }),
        discovery: json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }),
        ..Manner::default()
    });
    let mut browser = Browser::of(&registry);
    drop(browser.sign_in(&provider, "lab").await.expect(303));
    let user = browser.user().await;
    assert_eq!(
        [&user["login"], &user["name"], &user["email"], &user["gitlabId"]],
        [&json!("tanuki"), &json!("Tanuki"), &json!("t@example.org"), &json!(42)]
    );
    registry.drain().await;
}

#[tokio::test]
async fn an_address_that_nobody_verified_is_nobodys() {
    let (provider, github) = (Provider::start(), Provider::start());
    let both = format!("{},{}", provider.setting("work", "oidc"), github.setting("github", "github"));
    let registry = TestRegistry::configured(&[("identity_provider", &both)]).await;
    let ada = registry.author("@acme/maths").await;
    drop(ada.post("/api/scopes/acme/members", json!({ "email": "boss@example.org" })).await.expect(200));
    for (subject, word) in [("1", json!(false)), ("2", Value::Null), ("3", json!("false")), ("4", json!("yes"))] {
        let mut said = json!({ "sub": subject, "email": "boss@example.org", "email_verified": word });
        provider.behave(Manner { claims: said.take(), userinfo: Value::Null, ..Manner::default() });
        let mut browser = Browser::of(&registry);
        drop(browser.sign_in(&provider, "work").await.expect(303));
        let user = browser.user().await;
        assert_eq!((&user["email"], &user["inviteCount"]), (&Value::Null, &json!(0)));
    }
    github.behave(on_github(5, "mona", false));
    let mut browser = Browser::of(&registry);
    drop(browser.sign_in(&github, "github").await.expect(303));
    assert_eq!(browser.user().await["email"], Value::Null);
    // Verified, it is theirs, and so is what waits for it.
    provider.behave(claims(json!({ "sub": "9", "email": "Boss@example.org", "email_verified": true })));
    drop(browser.sign_in(&provider, "work").await.expect(303));
    assert_eq!(browser.user().await["inviteCount"], 1);
    registry.drain().await;
}

#[tokio::test]
async fn an_address_makes_nobody_somebody_else() {
    let (one, two) = (Provider::start(), Provider::start());
    let both = format!("{},{}", one.setting("one", "oidc"), two.setting("two", "oidc"));
    let registry = TestRegistry::configured(&[("identity_provider", &both)]).await;
    let same = || claims(json!({ "preferred_username": "ada", "email": "ada@example.org", "email_verified": true }));
    one.behave(same());
    two.behave(same());
    let (mut here, mut there) = (Browser::of(&registry), Browser::of(&registry));
    drop(here.sign_in(&one, "one").await.expect(303));
    drop(there.sign_in(&two, "two").await.expect(303));
    let (here, there) = (here.user().await, there.user().await);
    assert_ne!(here["id"], there["id"], "the same subject and address, from another issuer");
    assert_eq!((&here["login"], &there["login"]), (&json!("ada"), &json!("ada-2")));
    registry.drain().await;
}

#[tokio::test]
async fn nobody_becomes_the_admin_by_being_called_so() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    provider.behave(claims(json!({ "preferred_username": "Admin" })));
    let mut browser = Browser::of(&registry);
    drop(browser.sign_in(&provider, "work").await.expect(303));
    let user = browser.user().await;
    assert_eq!((&user["login"], &user["isStaff"]), (&json!("admin-2"), &json!(false)));
    registry.drain().await;
}

#[tokio::test]
async fn an_address_follows_whoever_verified_it() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    let said = |email: Value| claims(json!({ "preferred_username": "ada", "email": email, "email_verified": true }));
    let mut browser = Browser::of(&registry);
    for (email, expected) in [
        (json!("a@example.org"), json!("a@example.org")),
        (json!("b@example.org"), json!("b@example.org")),
        (Value::Null, Value::Null),
        (json!("c@example.org"), json!("c@example.org")),
    ] {
        provider.behave(said(email));
        drop(browser.sign_in(&provider, "work").await.expect(303));
        assert_eq!(browser.user().await["email"], expected);
    }
    // What the operator wrote down is not the provider's to change.
    registry.database().execute("UPDATE users SET email = 'desk@example.org'").await;
    provider.behave(said(json!("d@example.org")));
    drop(browser.sign_in(&provider, "work").await.expect(303));
    assert_eq!(browser.user().await["email"], "desk@example.org");
    registry.drain().await;
}
