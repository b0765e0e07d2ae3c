//! Several accounts elsewhere for one account here, links that sign in once, and signing out everywhere.

use chrono::TimeDelta;
use serde_json::json;
use slipway_api::secret;
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_tests::identity::Provider;
use slipway_tests::{Answer, Client, TestRegistry};

use crate::browser::Browser;
use crate::providers::{claims, on_github};

/// A registry with two providers, and Ada, who has signed in with the first one.
struct Scene {
    work: Provider,
    github: Provider,
    registry: TestRegistry,
    ada: Browser,
}

impl Scene {
    async fn new() -> Self {
        let (work, github) = (Provider::start(), Provider::start());
        let both = format!("{},{}", work.setting("work", "oidc"), github.setting("github", "github"));
        let registry = TestRegistry::configured(&[("identity_provider", &both)]).await;
        work.behave(claims(json!({ "preferred_username": "ada", "name": "Ada <b>", "email": "ada@example.org", "email_verified": true })));
        github.behave(on_github(5, "Mona", true));
        let mut ada = Browser::of(&registry);
        drop(ada.sign_in(&work, "work").await.expect(303));
        Self { work, github, registry, ada }
    }

    /// What is linked to Ada's account: its kind, and what it is called there.
    async fn linked(&mut self) -> Vec<(String, String)> {
        let list = self.ada.get("/api/user/identities").await.expect(200).json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        list.as_array().unwrap().iter().map(|identity| (text(&identity["kind"]), text(&identity["login"]))).collect()
    }

    /// The identifier of what is linked in this place.
    async fn id(&mut self, place: usize) -> String {
        self.ada.get("/api/user/identities").await.expect(200).json()[place]["id"].as_str().unwrap().to_owned()
    }

    async fn unlink(&mut self, id: &str) -> Answer {
        let guard = self.ada.guard().await;
        self.ada.form("/account/identities/unlink", &[("guard", &guard), ("id", id)]).await
    }
}

fn refused(answer: &Answer, code: &str) {
    assert!(answer.text().contains(&format!("<code>{code}</code>")), "{code}: {} {}", answer.status, answer.text());
}

#[tokio::test]
async fn an_account_is_linked_and_unlinked() {
    let mut scene = Scene::new().await;
    let id = scene.ada.user().await["id"].clone();
    let session = scene.ada.jar["token"].clone();
    let back = scene.ada.link(&scene.github, "github").await.expect(303);
    assert_eq!((back.header("location"), &scene.ada.jar["token"]), ("/account/identities", &session));
    assert_eq!(scene.linked().await, [("oidc".into(), "ada".into()), ("github".into(), "mona".into())]);
    let user = scene.ada.user().await;
    assert_eq!((&user["githubId"], &user["email"]), (&json!(5), &json!("ada@example.org")));
    let page = scene.ada.get("/account/identities").await.expect(200).text();
    let guard = scene.ada.guard().await;
    insta::assert_snapshot!(page.replace(&guard, "GUARD"));
    // It is a way in now, and linking it once more changes nothing.
    let mut other = Browser::of(&scene.registry);
    drop(other.sign_in(&scene.github, "github").await.expect(303));
    assert_eq!(other.user().await["id"], id);
    drop(scene.ada.link(&scene.github, "github").await.expect(303));
    // The first one goes, and the address that it had verified with it.
    let first = scene.id(0).await;
    assert_eq!(scene.unlink(&first).await.expect(303).header("location"), "/account/identities");
    assert_eq!(scene.linked().await, [("github".into(), "mona".into())]);
    assert_eq!(scene.ada.user().await["email"], "mona@example.org");
    assert_eq!(other.get("/api/user").await.refusal(), "401 invalidBearerToken", "whoever else was in is out");
    refused(&scene.unlink(&first).await.expect(404), "identityNotFound");
    // Who comes with it later is somebody new.
    let mut stranger = Browser::of(&scene.registry);
    drop(stranger.sign_in(&scene.work, "work").await.expect(303));
    assert_ne!(stranger.user().await["id"], id);
    scene.registry.drain().await;
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let mut scene = Scene::new().await;
    let last = scene.id(0).await;
    refused(&scene.unlink(&last).await.expect(400), "disconnectLastService");
    let guard = scene.ada.guard().await;
    for id in ["", "x", "00000000-0000-0000-0000-0000000000ff"] {
        let answer = scene.ada.form("/account/identities/unlink", &[("guard", &guard), ("id", id)]).await;
        refused(&answer.expect(404), "identityNotFound");
    }
    // A token that ends is no way in; one that does not, is.
    let ada: UserId = scene.ada.user().await["id"].as_str().unwrap().parse().unwrap();
    drop(scene.registry.token(ada, TokenKind::Personal, None, Some(TimeDelta::days(90))).await);
    drop(scene.registry.token(ada, TokenKind::Device, None, None).await);
    refused(&scene.unlink(&last).await.expect(400), "disconnectLastService");
    drop(scene.registry.token(ada, TokenKind::Personal, None, None).await);
    drop(scene.unlink(&last).await.expect(303));
    assert_eq!(scene.linked().await, []);
    scene.registry.drain().await;
}

#[tokio::test]
async fn nobody_takes_what_is_somebody_elses() {
    let mut scene = Scene::new().await;
    let mut mona = Browser::of(&scene.registry);
    drop(mona.sign_in(&scene.github, "github").await.expect(303));
    refused(&scene.ada.link(&scene.github, "github").await.expect(400), "connectTakenService");
    assert_eq!(scene.linked().await.len(), 1);
    let hers = mona.get("/api/user/identities").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
    refused(&scene.unlink(&hers).await.expect(404), "identityNotFound");
    assert_eq!(scene.ada.get("/api/user/identities").await.expect(200).json().as_array().unwrap().len(), 1);
    drop(mona.get("/api/user").await.expect(200));
    scene.registry.drain().await;
}

#[tokio::test]
async fn linking_takes_the_session_that_asked_for_it() {
    let mut scene = Scene::new().await;
    let guard = scene.ada.guard().await;
    // Without the guard, from elsewhere, or by nobody.
    for fields in [&[][..], &[("guard", "guessed")]] {
        refused(&scene.ada.form("/connect/github", fields).await.expect(403), "crossSiteRequest");
        refused(&scene.ada.form("/logout/everywhere", fields).await.expect(403), "crossSiteRequest");
    }
    refused(&scene.registry.anonymous().form("/connect/github", &[("guard", &guard)]).await.expect(401), "missingAuthentication");
    // Ada sets out, and somebody else is signed in when the browser comes back, or nobody.
    let page = scene.ada.form("/connect/github", &[("guard", &guard)]).await.expect(200);
    let way = scene.github.let_in(&crate::browser::leads_to(&page), scene.registry.now().timestamp());
    let bob = scene.registry.person("bob").await;
    let bobs = Browser::signed_in(&scene.registry, &bob).await.jar["token"].clone();
    for session in [Some(bobs), None] {
        let mut browser = scene.ada.clone();
        match session {
            Some(session) => drop(browser.jar.insert("token".to_owned(), session)),
            None => drop(browser.jar.remove("token")),
        }
        refused(&browser.get(&way.address()).await.expect(400), "invalidOauthState");
    }
    assert_eq!(scene.github.exchanged(), 0);
    drop(scene.ada.get(&way.address()).await.expect(303));
    assert_eq!(scene.linked().await.len(), 2);
    assert_eq!(bob.get("/api/user/identities").await.expect(200).json(), json!([]));
    scene.registry.drain().await;
}

#[tokio::test]
async fn the_page_is_for_who_is_signed_in() {
    let registry = TestRegistry::start().await;
    let nobody = registry.anonymous();
    assert_eq!(nobody.get("/account/identities").await.expect(303).header("location"), "/login?redirect=/account/identities");
    assert_eq!(nobody.get("/api/user/identities").await.refusal(), "401 missingAuthentication");
    let bob = registry.person("bob").await;
    let page = Browser::signed_in(&registry, &bob).await.get("/account/identities").await.expect(200).text();
    assert!(page.contains("Sign out everywhere") && !page.contains("Accounts you sign in with"), "{page}");
}

#[tokio::test]
async fn somebody_signs_out_everywhere() {
    let mut scene = Scene::new().await;
    let mut other = Browser::of(&scene.registry);
    drop(other.sign_in(&scene.work, "work").await.expect(303));
    let bob = scene.registry.person("bob").await;
    let mut bystander = Browser::signed_in(&scene.registry, &bob).await;
    let guard = scene.ada.guard().await;
    let kept = scene.ada.clone();
    assert_eq!(scene.ada.form("/logout/everywhere", &[("guard", &guard)]).await.expect(303).header("location"), "/");
    assert!(scene.ada.jar.is_empty());
    for mut browser in [kept, other] {
        assert_eq!(browser.get("/api/user").await.refusal(), "401 invalidBearerToken");
    }
    drop(bystander.get("/api/user").await.expect(200));
    drop(bob.get("/api/user").await.expect(200));
    scene.registry.drain().await;
}

/// A link that the operator made for somebody.
async fn link(registry: &TestRegistry, person: &Client) -> String {
    let user: UserId = person.get("/api/user").await.json()["id"].as_str().unwrap().parse().unwrap();
    let made = secret::passing(&registry.context().ids);
    let mut tx = registry.context().db.write("test.link").await.unwrap();
    let ends = tx.now() + TimeDelta::minutes(15);
    tx.create_sign_in_link(&secret::hash(&made), user, ends).await.unwrap();
    tx.commit().await.unwrap();
    format!("/login/link/{made}")
}

#[tokio::test]
async fn a_link_signs_in_once_and_not_by_being_looked_at() {
    let registry = TestRegistry::start().await;
    let bob = registry.person("bob").await;
    let path = link(&registry, &bob).await;
    for _ in 0..3 {
        let page = registry.anonymous().get(&path).await.expect(200);
        assert_eq!((page.header("set-cookie"), page.header("cache-control")), ("", "private, no-store"));
        assert!(page.text().contains("Sign in as bob?") && !page.text().contains("jsrw_"), "{}", page.text());
    }
    refused(&registry.anonymous().with("origin", "https://evil.test").form(&path, &[]).await.expect(403), "crossSiteRequest");
    let mut browser = Browser::of(&registry);
    assert_eq!(browser.form(&path, &[]).await.expect(303).header("location"), "/account/identities");
    assert_eq!(browser.user().await["login"], "bob");
    let mut second = Browser::of(&registry);
    refused(&second.form(&path, &[]).await.expect(404), "signInLinkNotFound");
    refused(&second.get(&path).await.expect(404), "signInLinkNotFound");
    refused(&second.get("/login/link/made-up").await.expect(404), "signInLinkNotFound");
    assert!(second.jar.is_empty());
}

#[tokio::test]
async fn a_link_ends_and_opens_no_blocked_account() {
    let registry = TestRegistry::start().await;
    let bob = registry.person("bob").await;
    let (late, blocked) = (link(&registry, &bob).await, link(&registry, &bob).await);
    registry.database().execute("UPDATE users SET is_blocked = TRUE").await;
    refused(&registry.anonymous().form(&blocked, &[]).await.expect(403), "blocked");
    registry.database().execute("UPDATE users SET is_blocked = FALSE").await;
    drop(registry.anonymous().form(&blocked, &[]).await.expect(303));
    registry.advance(TimeDelta::minutes(15));
    refused(&registry.anonymous().get(&late).await.expect(404), "signInLinkNotFound");
    refused(&registry.anonymous().form(&late, &[]).await.expect(404), "signInLinkNotFound");
    let world = registry.world().await;
    assert!(!world.contains(late.rsplit('/').next().unwrap()), "the secret is not stored");
}

#[tokio::test]
async fn where_nobody_signs_up_people_link_what_they_have() {
    let provider = Provider::start();
    let setting = format!("{}&sign_up=false", provider.setting("work", "oidc"));
    let registry = TestRegistry::configured(&[("identity_provider", &setting)]).await;
    let mut browser = Browser::of(&registry);
    refused(&browser.sign_in(&provider, "work").await.expect(403), "signUpClosed");
    assert!(!browser.jar.contains_key("token"));
    // The operator makes an account, and lets its owner in.
    let bob = registry.person("bob").await;
    drop(browser.form(&link(&registry, &bob).await, &[]).await.expect(303));
    drop(browser.link(&provider, "work").await.expect(303));
    let mut other = Browser::of(&registry);
    drop(other.sign_in(&provider, "work").await.expect(303));
    assert_eq!(other.user().await["login"], "bob");
    registry.drain().await;
}

#[tokio::test]
async fn who_comes_twice_at_once_is_one_person() {
    let provider = Provider::start();
    let registry = TestRegistry::configured(&[("identity_provider", &provider.setting("work", "oidc"))]).await;
    let (mut one, mut two) = (Browser::of(&registry), Browser::of(&registry));
    let (first, second) = (one.let_in(&provider, "work").await.address(), two.let_in(&provider, "work").await.address());
    let (here, there) = tokio::join!(one.get(&first), two.get(&second));
    drop((here.expect(303), there.expect(303)));
    assert_eq!(one.user().await["id"], two.user().await["id"]);
    registry.drain().await;
}
