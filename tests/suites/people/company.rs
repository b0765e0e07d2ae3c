//! A scope with people in it.

use serde_json::{Value, json};
use slipway_tests::{Client, TestRegistry};

/// Somebody with an account.
pub(crate) struct Person {
    /// What they ask with.
    pub(crate) client: Client,
    /// What they are called in addresses.
    pub(crate) id: String,
}

impl Person {
    /// Where a scope has them as a member.
    pub(crate) fn place(&self, scope: &str) -> String {
        format!("/api/scopes/{scope}/members/{}", self.id)
    }
}

/// A new account.
pub(crate) async fn person(registry: &TestRegistry, login: &str) -> Person {
    let client = registry.person(login).await;
    let id = client.get("/api/user").await.expect(200).json()["id"].as_str().unwrap().to_owned();
    Person { client, id }
}

/// A new account that owns a new scope.
pub(crate) async fn owner(registry: &TestRegistry, login: &str, scope: &str) -> Person {
    let owner = person(registry, login).await;
    drop(owner.client.post("/api/scopes", json!({ "scope": scope, "description": "" })).await.expect(200));
    owner
}

/// Has an admin ask somebody to belong to a scope, and them say yes, a second later than whoever belongs to it already.
pub(crate) async fn join(registry: &TestRegistry, scope: &str, admin: &Person, person: &Person, is_admin: bool) {
    registry.advance(chrono::TimeDelta::seconds(1));
    drop(admin.client.post(&format!("/api/scopes/{scope}/members"), json!({ "id": person.id })).await.expect(200));
    drop(person.client.post(&format!("/api/user/invites/{scope}"), json!({})).await.expect(200));
    if is_admin {
        drop(admin.client.patch(&person.place(scope), json!({ "isAdmin": true })).await.expect(200));
    }
}

/// The members of a scope as anybody sees them: names, admins with a star.
pub(crate) async fn members(registry: &TestRegistry, scope: &str) -> Vec<String> {
    let listed = registry.anonymous().get(&format!("/api/scopes/{scope}/members")).await.expect(200).json();
    let name = |member: &Value| format!("{}{}", member["user"]["name"].as_str().unwrap(), if member["isAdmin"] == true { "*" } else { "" });
    listed.as_array().unwrap().iter().map(name).collect()
}
