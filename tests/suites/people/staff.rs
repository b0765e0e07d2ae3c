//! What staff sees and changes, and what becomes of somebody who is blocked.

use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

use crate::company::{Person, owner, person};

pub(crate) async fn staff(registry: &TestRegistry) -> Person {
    let staff = person(registry, "root").await;
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'root'").await;
    staff
}

/// What is at these keys of each item of a list.
async fn listed(client: &Client, path: &str, keys: &[&str]) -> (Vec<String>, i64) {
    let list = client.get(path).await.expect(200).json();
    let item = |item: &Value| keys.iter().map(|key| item[key].as_str().unwrap_or("-")).collect::<Vec<_>>().join("/");
    (list["items"].as_array().unwrap().iter().map(item).collect(), list["total"].as_i64().unwrap())
}

#[tokio::test]
async fn only_staff_sees_everything() {
    let registry = TestRegistry::start().await;
    let (ada, root) = (owner(&registry, "ada", "acme").await, staff(&registry).await);
    let id: UserId = root.id.parse().unwrap();
    let permissions = serde_json::from_value(json!([{ "permission": "package/publish", "scope": "acme" }])).unwrap();
    let robot = registry.anonymous().bearer(&registry.token(id, TokenKind::Personal, Some(permissions), None).await);
    let others = [
        (registry.anonymous(), "401 missingAuthentication"),
        (ada.client.clone(), "403 actorNotAuthorized"),
        (robot, "403 missingPermission"),
    ];
    for (client, refusal) in others {
        for path in ["users", "scopes", "packages", "publishing_tasks"] {
            assert_eq!(client.get(&format!("/api/admin/{path}")).await.refusal(), refusal, "{path}");
        }
        for body in [json!({ "isStaff": true }), json!({}), json!({ "nothing": 7 })] {
            assert_eq!(client.patch(&format!("/api/admin/users/{}", ada.id), body.clone()).await.refusal(), refusal, "{body}");
            assert_eq!(client.patch("/api/admin/scopes/acme", body.clone()).await.refusal(), refusal, "{body}");
            assert_eq!(client.post("/api/admin/scopes", body.clone()).await.refusal(), refusal, "{body}");
        }
    }
    for path in ["users", "scopes", "packages", "publishing_tasks"] {
        drop(root.client.get(&format!("/api/admin/{path}")).await.expect(200));
    }
}

#[tokio::test]
async fn users_are_found_and_changed() {
    let registry = TestRegistry::start().await;
    let root = staff(&registry).await;
    let mut ada = None;
    for login in ["ada", "adam", "bob"] {
        registry.advance(chrono::TimeDelta::seconds(1));
        let person = person(&registry, login).await;
        ada.get_or_insert(person);
    }
    let ada = ada.unwrap();
    let users = async |query: &str| listed(&root.client, &format!("/api/admin/users{query}"), &["login"]).await;
    assert_eq!(users("").await, (["bob", "adam", "ada", "root"].map(str::to_owned).to_vec(), 4));
    assert_eq!(users("?query=ADA").await, (["adam", "ada"].map(str::to_owned).to_vec(), 2));
    assert_eq!(users("?query=a%25").await, (vec![], 0), "wildcards are letters");
    assert_eq!(users("?limit=1&page=2").await, (vec!["adam".to_owned()], 4));
    let found = root.client.get("/api/admin/users?query=adam").await.expect(200).json()["items"][0].clone();
    insta::assert_snapshot!(serde_json::to_string_pretty(&found).unwrap());

    let at = format!("/api/admin/users/{}", ada.id);
    for bad in [json!({}), json!({ "isStaff": null }), json!({ "scopeLimit": -1 }), json!({ "scopeLimit": "7" }), json!({ "name": "eve" })]
    {
        assert_eq!(root.client.patch(&at, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    let nobody = "/api/admin/users/00000000-0000-0000-0000-0000000000ff";
    assert_eq!(root.client.patch(nobody, json!({ "isStaff": true })).await.refusal(), "404 userNotFound");
    let changed = root.client.patch(&at, json!({ "isStaff": true, "scopeLimit": 0 })).await.expect(200).json();
    assert_eq!((&changed["isStaff"], &changed["scopeLimit"], &changed["isBlocked"]), (&json!(true), &json!(0), &json!(false)));
    assert_eq!(ada.client.get("/api/user").await.expect(200).json(), changed);
    let refused = ada.client.post("/api/scopes", json!({ "scope": "acme", "description": "" })).await;
    assert_eq!(refused.refusal(), "400 scopeLimitReached");
    registry.drain().await;
    let record = registry.context().storage.get(&StorageKey::UserRecord(ada.id.parse().unwrap())).await.unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!((&record["is_staff"], &record["scope_limit"]), (&json!(true), &json!(0)), "it is written down");
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let registry = TestRegistry::start().await;
    let root = staff(&registry).await;
    let at = format!("/api/admin/users/{}", root.id);
    for change in [json!({ "isStaff": false }), json!({ "isBlocked": true }), json!({ "isBlocked": true, "scopeLimit": 9 })] {
        assert_eq!(root.client.patch(&at, change).await.refusal(), "403 actorNotAuthorized");
    }
    assert_eq!(root.client.patch(&at, json!({ "scopeLimit": 9 })).await.expect(200).json()["scopeLimit"], 9);
    assert_eq!(root.client.get("/api/user").await.expect(200).json()["isStaff"], true);
}

#[tokio::test]
async fn every_credential_of_somebody_who_is_blocked_is_refused() {
    let registry = TestRegistry::start().await;
    let (root, ada) = (staff(&registry).await, owner(&registry, "ada", "acme").await);
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    let id: UserId = ada.id.parse().unwrap();
    let session = registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await);
    let device = registry.anonymous().bearer(&registry.token(id, TokenKind::Device, None, None).await);
    let block = async |is_blocked: bool| {
        let changed = root.client.patch(&format!("/api/admin/users/{}", ada.id), json!({ "isBlocked": is_blocked })).await;
        assert_eq!(changed.expect(200).json()["isBlocked"], is_blocked);
    };
    let maths = PackageBuilder::small("@acme/maths", "1.0.0");
    block(true).await;
    for client in [&ada.client, &session, &device] {
        assert_eq!(client.get("/api/user").await.refusal(), "403 blocked");
        assert_eq!(client.get("/api/scopes/acme").await.refusal(), "403 blocked", "also where nobody asks for a credential");
        assert_eq!(client.publish(&maths).await.refusal(), "403 blocked");
        assert_eq!(client.post("/api/user/tokens", json!({ "description": "more" })).await.status, 403);
    }
    let signed_in = registry.anonymous().form("/login", &[("token", ada.client.secret().unwrap())]).await;
    assert!(!signed_in.headers.contains_key("set-cookie"), "and none is given: {}", signed_in.text());
    drop(registry.anonymous().get("/api/scopes/acme").await.expect(200));
    block(false).await;
    for client in [&ada.client, &session, &device] {
        drop(client.get("/api/user").await.expect(200));
    }
    assert_eq!(ada.client.publish_through(&maths).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn staff_gives_scopes_out_and_sets_their_quotas() {
    let registry = TestRegistry::configured(&[("reserved_names", "google"), ("quotas.scopes_per_user", "1")]).await;
    let (root, ada, bob) = (staff(&registry).await, owner(&registry, "ada", "acme").await, owner(&registry, "bob", "modern").await);
    let assign = async |scope: &str, user: &str| root.client.post("/api/admin/scopes", json!({ "scope": scope, "userId": user })).await;
    assert_eq!(assign("No Scope", &ada.id).await.refusal(), "400 scopeNameNotAllowed");
    assert_eq!(assign("acme", &ada.id).await.refusal(), "409 scopeAlreadyExists");
    assert_eq!(assign("google", "00000000-0000-0000-0000-0000000000ff").await.refusal(), "404 userNotFound");
    assert_eq!(assign("google", "ada").await.refusal(), "400 malformedRequest");
    for scope in ["google", "rnodern"] {
        assert_eq!(assign(scope, &ada.id).await.expect(200).json()["scope"], scope);
    }
    assert_eq!(ada.client.get("/api/user").await.expect(200).json()["scopeUsage"], 3, "quotas aside");
    let scopes = async |query: &str| listed(&root.client, &format!("/api/admin/scopes{query}"), &["scope"]).await;
    assert_eq!(scopes("").await, (["acme", "google", "modern", "rnodern"].map(str::to_owned).to_vec(), 4));
    assert_eq!(scopes("?query=@odern&limit=1").await, (vec!["modern".to_owned()], 2));
    drop(root.client.patch("/api/admin/scopes/modern", json!({ "packageLimit": 7 })).await.expect(200));
    let shown = root.client.get("/api/admin/scopes?query=modern").await.expect(200).json()["items"][0].clone();
    assert_eq!((&shown["creator"]["name"], &shown["quotas"]["packageLimit"]), (&json!("bob"), &json!(7)));
    assert_eq!(bob.client.get("/api/scopes/modern").await.expect(200).json(), shown);
    // What staff has given out beside another name is restored beside it.
    registry.drain().await;
}

#[tokio::test]
async fn staff_sees_all_packages_and_publishes() {
    let registry = TestRegistry::start().await;
    let (root, ada) = (staff(&registry).await, owner(&registry, "ada", "acme").await);
    for package in ["maths", "old", "empty"] {
        drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": package })).await.expect(200));
    }
    for (name, version) in [("maths", "1.0.0"), ("old", "1.0.0"), ("maths", "1.1.0")] {
        registry.advance(chrono::TimeDelta::seconds(1));
        ada.client.publish_through(&PackageBuilder::small(&format!("@acme/{name}"), version)).await;
    }
    drop(ada.client.patch("/api/scopes/acme/packages/old", json!({ "isArchived": true })).await.expect(200));
    registry.drain().await;
    registry
        .database()
        .execute("UPDATE packages SET repository_owner = 'a', repository_name = 'b', repository_id = 7 WHERE name = 'empty'")
        .await;
    let packages = async |query: &str| listed(&root.client, &format!("/api/admin/packages{query}"), &["scope", "name"]).await;
    assert_eq!(packages("").await, (["acme/empty", "acme/maths", "acme/old"].map(str::to_owned).to_vec(), 3));
    assert_eq!(packages("?query=old").await, (vec!["acme/old".to_owned()], 1));
    assert_eq!(packages("?query=7").await, (vec!["acme/empty".to_owned()], 1));
    let publishes = async |query: &str| {
        listed(&root.client, &format!("/api/admin/publishing_tasks{query}"), &["packageName", "packageVersion", "status"]).await
    };
    let all = ["maths/1.1.0/success", "old/1.0.0/success", "maths/1.0.0/success"].map(str::to_owned).to_vec();
    assert_eq!(publishes("").await, (all.clone(), 3));
    assert_eq!(publishes("?query=@nowhere/old").await, (vec![all[1].clone()], 1));
    assert_eq!(publishes("?limit=1").await, (vec![all[0].clone()], 3));

    // What everybody sees of somebody.
    let of = async |what: &str| registry.anonymous().get(&format!("/api/users/{}/{what}", ada.id)).await.expect(200).json();
    assert_eq!(of("scopes").await[0]["scope"], "acme");
    let published = of("packages").await;
    assert_eq!((published.as_array().unwrap().len(), &published[0]["name"]), (1, &json!("maths")), "no archived, and no empty ones");
    let root = root.id;
    assert_eq!(registry.anonymous().get(&format!("/api/users/{root}/packages")).await.expect(200).json(), json!([]));
    let nobody = "/api/users/00000000-0000-0000-0000-0000000000ff";
    for path in ["", "/scopes", "/packages"] {
        assert_eq!(registry.anonymous().get(&format!("{nobody}{path}")).await.refusal(), "404 userNotFound");
    }
}
