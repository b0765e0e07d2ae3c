//! Invites: who may ask whom, what both sides see of it, and how it ends.

use serde_json::{Value, json};
use slipway_common::model::identity::{Identity, ProviderKind};
use slipway_tests::TestRegistry;

use crate::company::{Person, join, members, owner, person};

const ASK: &str = "/api/scopes/acme/members";

async fn asked(person: &Person) -> Value {
    person.client.get("/api/user/invites").await.expect(200).json()
}

async fn waiting(admin: &Person) -> usize {
    admin.client.get("/api/scopes/acme/invites").await.expect(200).json().as_array().unwrap().len()
}

#[tokio::test]
async fn both_sides_see_an_invite() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    let invite = ada.client.post(ASK, json!({ "login": "BOB" })).await.expect(200).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&invite).unwrap());
    assert_eq!(ada.client.get("/api/scopes/acme/invites").await.expect(200).json(), json!([invite]));
    assert_eq!(asked(&bob).await, json!([invite]));
    assert_eq!(asked(&ada).await, json!([]));
    assert_eq!(bob.client.get("/api/user").await.expect(200).json()["inviteCount"], 1);
    assert_eq!(members(&registry, "acme").await, ["ada*"], "who was asked has not answered");
    let refused = bob.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.refusal();
    assert_eq!(refused, "403 actorNotScopeMember");

    let member = bob.client.post("/api/user/invites/acme", json!({})).await.expect(200).json();
    assert_eq!((&member["scope"], &member["isAdmin"], &member["user"]["name"]), (&json!("acme"), &json!(false), &json!("bob")));
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob"]);
    assert_eq!((asked(&bob).await, waiting(&ada).await), (json!([]), 0));
    assert_eq!(bob.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
    drop(bob.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    registry.drain().await;
}

#[tokio::test]
async fn admins_ask_people_who_are_there() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    join(&registry, "acme", &ada, &bob, false).await;
    for body in [json!({ "id": eve.id }), json!({ "login": 7 }), json!({ "login": "nobody" })] {
        assert_eq!(registry.anonymous().post(ASK, body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(eve.client.post(ASK, body.clone()).await.refusal(), "403 actorNotScopeMember");
        assert_eq!(bob.client.post(ASK, body.clone()).await.refusal(), "403 actorNotScopeAdmin");
        assert_eq!(ada.client.post("/api/scopes/nowhere/members", body).await.refusal(), "404 scopeNotFound");
    }
    for nobody in [json!({ "login": "nobody" }), json!({ "id": "00000000-0000-0000-0000-0000000000ff" })] {
        assert_eq!(ada.client.post(ASK, nobody).await.refusal(), "404 userNotFound");
    }
    for bad in [
        json!({}),
        json!({ "id": "bob" }),
        json!({ "id": eve.id, "login": "eve" }),
        json!({ "email": "" }),
        json!({ "email": "eve" }),
        json!({ "email": "@example.com" }),
        json!({ "email": "e e@example.com" }),
        json!({ "email": "eve@a@b" }),
        json!({ "email": format!("{}@example.com", "e".repeat(254)) }),
        json!({ "githubLogin": "eve", "login": "eve" }),
        json!({ "twitterName": "eve" }),
    ] {
        assert_eq!(ada.client.post(ASK, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    for there in [json!({ "id": bob.id }), json!({ "login": "bob" }), json!({ "login": "ada" })] {
        assert_eq!(ada.client.post(ASK, there).await.refusal(), "400 alreadyScopeMember");
    }
    drop(ada.client.post(ASK, json!({ "login": "eve" })).await.expect(200));
    assert_eq!(ada.client.post(ASK, json!({ "id": eve.id })).await.refusal(), "400 alreadyInvited");
    assert_eq!(bob.client.get("/api/scopes/acme/invites").await.refusal(), "403 actorNotScopeAdmin");
    assert_eq!(eve.client.get("/api/scopes/acme/invites").await.refusal(), "403 actorNotScopeMember");
    assert_eq!(registry.anonymous().get("/api/scopes/acme/invites").await.refusal(), "401 missingAuthentication");
    assert_eq!(registry.anonymous().get("/api/user/invites").await.refusal(), "401 missingAuthentication");
}

#[tokio::test]
async fn an_address_is_asked_without_saying_whose_it_is() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    registry.database().execute("UPDATE users SET email = 'Bob@Example.com' WHERE login = 'bob'").await;
    let known = ada.client.post(ASK, json!({ "email": " bob@example.COM " })).await.expect(200).json();
    let unknown = ada.client.post(ASK, json!({ "email": "nobody@example.com" })).await.expect(200).json();
    assert_eq!((&known["email"], &known["targetUser"]), (&json!("bob@example.com"), &Value::Null));
    assert_eq!((&unknown["email"], &unknown["targetUser"]), (&json!("nobody@example.com"), &Value::Null));
    assert_eq!(ada.client.post(ASK, json!({ "email": "BOB@example.com" })).await.refusal(), "400 alreadyInvited");
    // Who has no address was not asked by it.
    assert_eq!((asked(&eve).await, eve.client.post("/api/user/invites/acme", json!({})).await.status), (json!([]), 404));
    let of_bob = asked(&bob).await;
    assert_eq!((&of_bob[0]["email"], &of_bob[0]["targetUser"]["name"]), (&json!("bob@example.com"), &json!("bob")));
    // By both ways is asked once, and answered once.
    drop(ada.client.post(ASK, json!({ "login": "bob" })).await.expect(200));
    assert_eq!(asked(&bob).await.as_array().unwrap().len(), 1);
    assert_eq!(bob.client.get("/api/user").await.expect(200).json()["inviteCount"], 1);
    drop(bob.client.post("/api/user/invites/acme", json!({})).await.expect(200));
    assert_eq!((asked(&bob).await, waiting(&ada).await), (json!([]), 1));
    // Somebody who comes later finds the invite that waits.
    let cyd = person(&registry, "cyd").await;
    registry.database().execute("UPDATE users SET email = 'nobody@example.com' WHERE login = 'cyd'").await;
    drop(cyd.client.post("/api/user/invites/acme", json!({})).await.expect(200));
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob", "cyd"]);
}

#[tokio::test]
async fn an_invite_is_declined_or_withdrawn() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    drop(ada.client.post(ASK, json!({ "login": "bob" })).await.expect(200));
    drop(eve.client.delete("/api/user/invites/acme").await.expect(204));
    assert_eq!(waiting(&ada).await, 1, "nobody declines for somebody else");
    drop(bob.client.delete("/api/user/invites/acme").await.expect(204));
    assert_eq!((waiting(&ada).await, asked(&bob).await), (0, json!([])));
    assert_eq!(bob.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");

    let invite = ada.client.post(ASK, json!({ "login": "bob" })).await.expect(200).json();
    let by_account = format!("/api/scopes/acme/invites/{}", bob.id);
    let by_itself = format!("/api/scopes/acme/invites/{}", invite["id"].as_str().unwrap());
    for path in [&by_account, &by_itself] {
        assert_eq!(registry.anonymous().delete(path).await.refusal(), "401 missingAuthentication");
        assert_eq!(eve.client.delete(path).await.refusal(), "403 actorNotScopeMember");
    }
    let others = owner(&registry, "cyd", "other").await;
    drop(others.client.delete(&by_itself.replace("acme", "other")).await.expect(204));
    assert_eq!(waiting(&ada).await, 1, "an invite of another scope is out of reach");
    drop(ada.client.delete(&by_account).await.expect(204));
    drop(ada.client.delete(&by_account).await.expect(204));
    drop(ada.client.post(ASK, json!({ "email": "eve@example.com" })).await.expect(200));
    let id = ada.client.get("/api/scopes/acme/invites").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
    drop(ada.client.delete(&format!("/api/scopes/acme/invites/{id}")).await.expect(204));
    assert_eq!(waiting(&ada).await, 0);
    assert_eq!(bob.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
    assert_eq!(registry.anonymous().post("/api/user/invites/acme", json!({})).await.refusal(), "401 missingAuthentication");
    assert_eq!(registry.anonymous().delete("/api/user/invites/acme").await.refusal(), "401 missingAuthentication");
}

#[tokio::test]
async fn an_invite_is_worth_as_much_as_who_wrote_it() {
    let registry = TestRegistry::start().await;
    let ada = owner(&registry, "ada", "acme").await;
    let (mal, eve, bob) = (person(&registry, "mal").await, person(&registry, "eve").await, person(&registry, "bob").await);
    drop(ada.client.post(ASK, json!({ "login": "bob" })).await.expect(200));
    for leave in [true, false] {
        join(&registry, "acme", &ada, &mal, true).await;
        drop(mal.client.post(ASK, json!({ "login": "eve" })).await.expect(200));
        drop(mal.client.post(ASK, json!({ "email": "eve@example.com" })).await.expect(200));
        assert_eq!(waiting(&ada).await, 3);
        if leave {
            drop(ada.client.delete(&mal.place("acme")).await.expect(204));
        } else {
            drop(ada.client.patch(&mal.place("acme"), json!({ "isAdmin": false })).await.expect(200));
        }
        assert_eq!(eve.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
        assert_eq!(waiting(&ada).await, 1, "those of others stay");
    }
    // Nor does anybody come in at the word of somebody who is blocked.
    drop(ada.client.patch(&mal.place("acme"), json!({ "isAdmin": true })).await.expect(200));
    drop(mal.client.post(ASK, json!({ "login": "eve" })).await.expect(200));
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'bob'").await;
    drop(bob.client.patch(&format!("/api/admin/users/{}", mal.id), json!({ "isBlocked": true })).await.expect(200));
    assert_eq!(eve.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
    drop(bob.client.post("/api/user/invites/acme", json!({})).await.expect(200));
}

#[tokio::test]
async fn an_address_that_only_looks_the_same_is_another_one() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "eve").await);
    drop(ada.client.post(ASK, json!({ "email": "mike@example.com" })).await.expect(200));
    // With the sign of Kelvin, which is a small k to whoever lowers Unicode.
    registry.database().execute("UPDATE users SET email = 'mi\u{212a}e@example.com' WHERE login = 'eve'").await;
    assert_eq!(asked(&eve).await, json!([]));
    assert_eq!(eve.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
}

#[tokio::test]
async fn a_scope_asks_so_many_and_goes_with_its_invites() {
    let registry = TestRegistry::start().await;
    let ada = owner(&registry, "ada", "acme").await;
    for number in 0..100 {
        drop(ada.client.post(ASK, json!({ "email": format!("{number}@example.com") })).await.expect(200));
    }
    assert_eq!(ada.client.post(ASK, json!({ "email": "more@example.com" })).await.refusal(), "400 scopeInviteLimitReached");
    let bob = person(&registry, "bob").await;
    registry.database().execute("UPDATE users SET email = '7@example.com' WHERE login = 'bob'").await;
    assert_eq!(asked(&bob).await.as_array().unwrap().len(), 1);
    drop(ada.client.delete("/api/scopes/acme").await.expect(204));
    assert_eq!(asked(&bob).await, json!([]));
    assert_eq!(bob.client.post("/api/user/invites/acme", json!({})).await.refusal(), "404 scopeInviteNotFound");
}

/// Has somebody sign in with an account elsewhere, as far as the registry remembers it.
async fn known(registry: &TestRegistry, person: &Person, kind: ProviderKind, issuer: &str, login: &str) {
    let mut tx = registry.context().db.write("test.identity").await.unwrap();
    let identity = Identity {
        id: registry.context().ids.next(),
        user_id: person.id.parse().unwrap(),
        kind,
        issuer: issuer.to_owned(),
        subject: person.id.clone(),
        login: Some(login.to_owned()),
        email: None,
        created_at: tx.now(),
        seen_at: tx.now(),
    };
    assert!(tx.create_identity(&identity).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn people_are_asked_by_what_they_are_called_elsewhere() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    for key in ["githubLogin", "gitlabUsername"] {
        assert_eq!(ada.client.post(ASK, json!({ key: "mona" })).await.refusal(), "404 userNotFound");
    }
    known(&registry, &bob, ProviderKind::Github, "https://github.com", "mona").await;
    known(&registry, &eve, ProviderKind::Gitlab, "https://gitlab.com", "mona").await;
    assert_eq!(registry.anonymous().post(ASK, json!({ "githubLogin": "mona" })).await.refusal(), "401 missingAuthentication");
    let invite = ada.client.post(ASK, json!({ "githubLogin": "Mona" })).await.expect(200).json();
    assert_eq!(invite["targetUser"]["id"], bob.id.as_str());
    assert_eq!(ada.client.post(ASK, json!({ "githubLogin": "mona" })).await.refusal(), "400 alreadyInvited");
    let invite = ada.client.post(ASK, json!({ "gitlabUsername": "mona" })).await.expect(200).json();
    assert_eq!(invite["targetUser"]["id"], eve.id.as_str());
    // Two places have somebody of this name: which one is meant, nobody knows.
    let cyd = person(&registry, "cyd").await;
    known(&registry, &cyd, ProviderKind::Github, "https://code.acme.example", "mona").await;
    assert_eq!(ada.client.post(ASK, json!({ "githubLogin": "mona" })).await.refusal(), "400 malformedRequest");
    registry.drain().await;
}
