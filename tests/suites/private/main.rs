//! Private packages and scopes, by the front door: who reads them, who cannot even tell that they exist, what may depend on them, and how
//! they become public.

mod dependencies;
mod hidden;
mod opening;
mod reading;
mod scopes;

use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::{Permission, TokenKind};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

/// A private package with a version.
pub(crate) const PACKAGE: &str = "@acme/maths";

/// A registry with a private package in a public scope, and its author.
pub(crate) async fn registry() -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author(PACKAGE).await;
    close(&author, PACKAGE).await;
    publish(&registry, &author, &PackageBuilder::small(PACKAGE, "1.0.0")).await;
    (registry, author)
}

pub(crate) async fn publish(registry: &TestRegistry, author: &Client, package: &PackageBuilder) {
    let task = author.publish_through(package).await;
    assert_eq!(task["status"], "success", "{task}");
    registry.drain().await;
}

/// The address of a package in the API.
pub(crate) fn api(package: &str) -> String {
    let (scope, name) = package.trim_start_matches('@').split_once('/').unwrap();
    format!("/api/scopes/{scope}/packages/{name}")
}

/// Makes an empty package private.
pub(crate) async fn close(author: &Client, package: &str) {
    let closed = author.patch(&api(package), json!({ "visibility": "private" })).await.expect(200).json();
    assert_eq!(closed["visibility"], "private");
}

/// Asks for a package to be public.
pub(crate) async fn open(author: &Client, package: &str) -> Value {
    author.patch(&api(package), json!({ "visibility": "public" })).await.expect(200).json()
}

/// Who somebody is.
pub(crate) async fn id(person: &Client) -> UserId {
    serde_json::from_value(person.get("/api/user").await.expect(200).json()["id"].clone()).unwrap()
}

/// The same person with a token that may do these things alone.
pub(crate) async fn restricted(registry: &TestRegistry, person: &Client, permissions: &[&str]) -> Client {
    let permissions = permissions.iter().map(|text| Permission::read(text).unwrap()).collect();
    registry.anonymous().bearer(&registry.token(id(person).await, TokenKind::Personal, Some(permissions), None).await)
}

/// The same person in front of a browser.
pub(crate) async fn browser(registry: &TestRegistry, person: &Client) -> Client {
    registry.anonymous().cookie(&registry.token(id(person).await, TokenKind::Web, None, None).await)
}
