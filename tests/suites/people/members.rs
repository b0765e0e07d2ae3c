//! Members: who is listed, who runs a scope, who leaves it, and who must not.

use serde_json::{Value, json};
use slipway_common::db::Db;
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_common::storage::StorageKey;
use slipway_tests::tables::tables;
use slipway_tests::{TestDatabase, TestRegistry};
use slipway_worker::rebuild;

use crate::company::{join, members, owner, person};

#[tokio::test]
async fn everybody_sees_who_belongs_to_a_scope() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    join(&registry, "acme", &ada, &bob, false).await;
    registry.database().execute("UPDATE users SET email = login || '@example.com'").await;
    let listed = registry.anonymous().get("/api/scopes/acme/members").await.expect(200);
    assert!(!listed.text().contains("example.com"), "addresses are nobody's business");
    insta::assert_snapshot!(serde_json::to_string_pretty(&listed.json()).unwrap());
    assert_eq!(bob.client.get("/api/user/member/acme").await.expect(200).json(), listed.json()[1]);
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob"]);
    let eve = person(&registry, "eve").await;
    assert_eq!(eve.client.get("/api/user/member/acme").await.refusal(), "404 scopeMemberNotFound");
    assert_eq!(registry.anonymous().get("/api/user/member/acme").await.refusal(), "401 missingAuthentication");
    assert_eq!(registry.anonymous().get("/api/scopes/nowhere/members").await.refusal(), "404 scopeNotFound");
    drop(ada);
}

#[tokio::test]
async fn admins_say_who_runs_a_scope() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    join(&registry, "acme", &ada, &bob, false).await;
    let admin = json!({ "isAdmin": true });
    let bobs = bob.place("acme");
    // Who may not hears so before anything is said of what was sent, or of whom it is about.
    for body in [admin.clone(), json!({ "isAdmin": 7 })] {
        assert_eq!(registry.anonymous().patch(&bobs, body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(eve.client.patch(&bobs, body.clone()).await.refusal(), "403 actorNotScopeMember");
        assert_eq!(eve.client.patch(&eve.place("acme"), body.clone()).await.refusal(), "403 actorNotScopeMember");
        assert_eq!(bob.client.patch(&bobs, body.clone()).await.refusal(), "403 actorNotScopeAdmin");
        assert_eq!(registry.anonymous().patch(&bob.place("nowhere"), body).await.refusal(), "401 missingAuthentication");
    }
    assert_eq!(ada.client.patch(&bob.place("nowhere"), admin.clone()).await.refusal(), "404 scopeNotFound");
    assert_eq!(ada.client.patch(&eve.place("acme"), admin.clone()).await.refusal(), "404 scopeMemberNotFound");
    assert_eq!(ada.client.patch("/api/scopes/acme/members/bob", admin.clone()).await.refusal(), "400 malformedRequest");
    for bad in [json!({}), json!({ "isAdmin": "yes" }), Value::Null] {
        assert_eq!(ada.client.patch(&bobs, bad).await.refusal(), "400 malformedRequest");
    }
    let changed = ada.client.patch(&bobs, admin.clone()).await.expect(200).json();
    assert_eq!((&changed["isAdmin"], &changed["user"]["name"], &changed["scope"]), (&json!(true), &json!("bob"), &json!("acme")));
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob*"]);
    assert!(bob.client.get("/api/scopes/acme").await.expect(200).json()["quotas"].is_object(), "an admin sees what an admin sees");
    drop(bob.client.patch(&bobs, json!({ "isAdmin": false })).await.expect(200));
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob"]);
}

#[tokio::test]
async fn who_may_not_hears_so_before_what_was_sent_is_looked_at() {
    let registry = TestRegistry::start().await;
    let (ada, bob, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, person(&registry, "eve").await);
    join(&registry, "acme", &ada, &bob, false).await;
    let nobody = registry.anonymous();
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    assert_eq!(nobody.post("/api/scopes", json!({})).await.refusal(), "401 missingAuthentication");
    assert_eq!(nobody.post("/api/scopes/acme/packages", json!({})).await.refusal(), "401 missingAuthentication");
    assert_eq!(eve.client.post("/api/scopes/acme/packages", json!({})).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(bob.client.post("/api/scopes/acme/packages", json!({})).await.refusal(), "400 malformedRequest");
    let (scope, maths) = ("/api/scopes/acme", "/api/scopes/acme/packages/maths");
    for (path, of_a_member) in [
        (scope.to_owned(), "403 actorNotScopeAdmin"),
        (maths.to_owned(), "400 malformedRequest"),
        (format!("{maths}/versions/1.0.0"), "403 actorNotScopeAdmin"),
    ] {
        let unreadable = json!({ "nothing": 7 });
        assert_eq!(nobody.patch(&path, unreadable.clone()).await.refusal(), "401 missingAuthentication", "{path}");
        assert_eq!(eve.client.patch(&path, unreadable.clone()).await.refusal(), "403 actorNotScopeMember", "{path}");
        assert_eq!(bob.client.patch(&path, unreadable.clone()).await.refusal(), of_a_member, "{path}");
        assert_eq!(ada.client.patch(&path, unreadable).await.refusal(), "400 malformedRequest", "{path}");
    }
    registry.drain().await;
}

#[tokio::test]
async fn a_restricted_token_changes_no_members() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    join(&registry, "acme", &ada, &bob, false).await;
    let id: UserId = ada.id.parse().unwrap();
    let permissions = serde_json::from_value(json!([{ "permission": "package/publish", "scope": "acme" }])).unwrap();
    let robot = registry.anonymous().bearer(&registry.token(id, TokenKind::Personal, Some(permissions), None).await);
    assert_eq!(robot.patch(&bob.place("acme"), json!({ "isAdmin": true })).await.refusal(), "403 missingPermission");
    assert_eq!(robot.delete(&bob.place("acme")).await.refusal(), "403 missingPermission");
    assert_eq!(robot.delete(&ada.place("acme")).await.refusal(), "403 missingPermission");
    assert_eq!(members(&registry, "acme").await, ["ada*", "bob"]);
}

#[tokio::test]
async fn members_leave_and_are_sent_away() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    let (cyd, eve) = (person(&registry, "cyd").await, person(&registry, "eve").await);
    for member in [&bob, &cyd] {
        join(&registry, "acme", &ada, member, false).await;
    }
    assert_eq!(registry.anonymous().delete(&bob.place("acme")).await.refusal(), "401 missingAuthentication");
    assert_eq!(eve.client.delete(&bob.place("acme")).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(eve.client.delete(&eve.place("acme")).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(cyd.client.delete(&bob.place("acme")).await.refusal(), "403 actorNotScopeAdmin");
    assert_eq!(ada.client.delete(&eve.place("acme")).await.refusal(), "404 scopeMemberNotFound");
    assert_eq!(ada.client.delete(&bob.place("nowhere")).await.refusal(), "404 scopeNotFound");
    drop(bob.client.delete(&bob.place("acme")).await.expect(204));
    drop(ada.client.delete(&cyd.place("acme")).await.expect(204));
    assert_eq!(members(&registry, "acme").await, ["ada*"]);
    let refused = cyd.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.refusal();
    assert_eq!(refused, "403 actorNotScopeMember", "what a member may ends with the membership");
}

#[tokio::test]
async fn a_scope_keeps_an_admin_who_can_act() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    join(&registry, "acme", &ada, &bob, false).await;
    let demote = json!({ "isAdmin": false });
    let last = async || {
        assert_eq!(ada.client.delete(&ada.place("acme")).await.refusal(), "400 scopeMustHaveAdmin");
        assert_eq!(ada.client.patch(&ada.place("acme"), demote.clone()).await.refusal(), "400 scopeMustHaveAdmin");
    };
    last().await;
    drop(ada.client.patch(&bob.place("acme"), json!({ "isAdmin": true })).await.expect(200));
    registry.database().execute("UPDATE users SET is_blocked = TRUE WHERE login = 'bob'").await;
    last().await;
    registry.database().execute("UPDATE users SET is_blocked = FALSE").await;
    drop(ada.client.patch(&ada.place("acme"), demote.clone()).await.expect(200));
    assert_eq!(members(&registry, "acme").await, ["ada", "bob*"]);
    assert_eq!(bob.client.delete(&bob.place("acme")).await.refusal(), "400 scopeMustHaveAdmin");
}

#[tokio::test]
async fn the_owner_of_a_scope_hands_it_on() {
    let registry = TestRegistry::configured(&[("quotas.scopes_per_user", "1")]).await;
    let ada = owner(&registry, "ada", "acme").await;
    let (bob, cyd) = (owner(&registry, "bob", "bobs").await, person(&registry, "cyd").await);
    join(&registry, "acme", &ada, &bob, true).await;
    let creator = async || bob.client.get("/api/scopes/acme").await.expect(200).json()["creator"]["name"].clone();
    // Bob has as many scopes as he may.
    assert_eq!(ada.client.delete(&ada.place("acme")).await.refusal(), "400 noScopeOwnerAvailable");
    join(&registry, "acme", &ada, &cyd, true).await;
    // Who does not own it may go without an heir.
    drop(cyd.client.patch(&cyd.place("acme"), json!({ "isAdmin": false })).await.expect(200));
    assert_eq!(creator().await, "ada");
    drop(ada.client.patch(&cyd.place("acme"), json!({ "isAdmin": true })).await.expect(200));
    drop(ada.client.delete(&ada.place("acme")).await.expect(204));
    assert_eq!(creator().await, "cyd");
    assert_eq!(members(&registry, "acme").await, ["bob*", "cyd*"]);
    assert_eq!(ada.client.get("/api/user").await.expect(200).json()["scopeUsage"], 0);
    assert_eq!(cyd.client.get("/api/user").await.expect(200).json()["scopeUsage"], 1);
    drop(ada.client.post("/api/scopes", json!({ "scope": "again", "description": "" })).await.expect(200));
}

#[tokio::test]
async fn who_belongs_to_a_scope_is_written_down() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    join(&registry, "acme", &ada, &bob, false).await;
    let record = async || -> Value {
        registry.drain().await;
        let key = StorageKey::ScopeRecord("acme".try_into().unwrap());
        serde_json::from_slice(&registry.context().storage.get(&key).await.unwrap()).unwrap()
    };
    drop(ada.client.patch(&bob.place("acme"), json!({ "isAdmin": true })).await.expect(200));
    let both = record().await;
    assert_eq!((&both["members"][1]["user_id"], &both["members"][1]["is_admin"]), (&json!(bob.id), &json!(true)));
    drop(ada.client.delete(&ada.place("acme")).await.expect(204));
    let one = record().await;
    assert_eq!((one["members"].as_array().unwrap().len(), &one["creator_id"]), (1, &json!(bob.id)));
}

/// The rows that say who belongs to what.
async fn belonging(database: &TestDatabase) -> Vec<Vec<String>> {
    let tables = tables(database).await.into_iter();
    tables.filter(|table| ["users", "scopes", "scope_members"].contains(&table.name.as_str())).map(|table| table.rows).collect()
}

#[tokio::test]
async fn a_rebuilt_registry_knows_who_belongs_to_what() {
    let registry = TestRegistry::start().await;
    let (ada, bob, cyd) = (owner(&registry, "ada", "modern").await, person(&registry, "bob").await, person(&registry, "cyd").await);
    registry.database().execute("UPDATE users SET is_staff = TRUE, generation = generation + 1 WHERE login = 'bob'").await;
    join(&registry, "modern", &ada, &bob, true).await;
    join(&registry, "modern", &ada, &cyd, false).await;
    drop(ada.client.delete(&ada.place("modern")).await.expect(204));
    drop(bob.client.post("/api/admin/scopes", json!({ "scope": "rnodern", "userId": cyd.id })).await.expect(200));
    drop(bob.client.patch(&format!("/api/admin/users/{}", ada.id), json!({ "isBlocked": true })).await.expect(200));
    drop(bob.client.patch(&format!("/api/admin/users/{}", bob.id), json!({ "scopeLimit": 9 })).await.expect(200));
    registry.drain().await;
    let database = TestDatabase::fresh().await;
    let mut context = registry.context().clone();
    context.db = Db::open(database.url(), None, context.clock.clone()).await.unwrap();
    context.db.migrate().await.unwrap();
    assert_eq!(rebuild::run(&context).await.unwrap().left_out, [""; 0]);
    context.db.close().await;
    assert_eq!(belonging(&database).await, belonging(registry.database()).await);
}
