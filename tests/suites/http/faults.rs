//! When a door behind the desk does not open: the caller gets a number, the log gets the reason, and what needs no such door
//! goes on.

use http::Method;
use serde_json::json;
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

/// Words that only the inside knows: of SQL, of the driver, of files and tables.
const INSIDE: [&str; 14] = [
    "sql",
    "SELECT",
    "INSERT",
    "column",
    "table",
    "relation",
    "pool",
    "driver",
    "postgres",
    "registry.db",
    "/tmp",
    "tokens",
    "panicked",
    ".rs:",
];

/// A fault as a caller sees it.
fn assert_discreet(answer: &Answer, what: &str) {
    assert!([500, 503].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    let text = answer.text();
    assert!(text.contains("incident"), "{what}: {text}");
    for word in INSIDE {
        assert!(!text.contains(word), "{what} gives away `{word}`: {text}");
    }
    assert!(answer.headers.iter().all(|(_, value)| INSIDE.iter().all(|word| !value.to_str().unwrap_or_default().contains(word))), "{what}");
}

/// Every address that asks the database, once.
async fn ask_everything(author: &Client) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let package = "/api/scopes/acme/packages/maths";
    for path in [
        "/api/packages".to_owned(),
        "/api/scopes/acme".to_owned(),
        "/api/scopes/acme/packages".to_owned(),
        "/api/user".to_owned(),
        "/api/user/scopes".to_owned(),
        "/api/user/tokens".to_owned(),
        package.to_owned(),
        format!("{package}/versions"),
        format!("{package}/versions/1.0.0"),
        format!("{package}/versions/latest"),
        format!("{package}/versions/1.0.0/dependencies"),
        format!("{package}/versions/1.0.0/tarball"),
        format!("{package}/publishing_tasks"),
        "/api/publish_status/00000000-0000-0000-0000-000000000001".to_owned(),
        "/api/authorizations/details/AAAA-AAAA".to_owned(),
        "/status/00000000-0000-0000-0000-000000000001".to_owned(),
        "/auth?code=AAAA-AAAA".to_owned(),
        "/@acme/maths".to_owned(),
        "/readyz".to_owned(),
    ] {
        answers.push((path.clone(), author.get(&path).await));
    }
    for (method, path, body) in [
        (Method::POST, "/api/scopes", json!({ "scope": "more", "description": "" })),
        (Method::PATCH, "/api/scopes/acme", json!({ "description": "something else" })),
        (Method::POST, "/api/scopes/acme/packages", json!({ "package": "more" })),
        (Method::PATCH, package, json!({ "description": "something else" })),
        (Method::PATCH, "/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })),
        (Method::POST, "/api/authorizations", json!({ "challenge": "x" })),
        (Method::POST, "/api/authorizations/exchange", json!({ "exchangeToken": "x", "verifier": "x" })),
    ] {
        let answer = author.send(method.clone(), path, &[], body.to_string().into()).await;
        answers.push((format!("{method} {path}"), answer));
    }
    answers.push(("publish".to_owned(), author.publish(&PackageBuilder::small("@acme/maths", "1.0.1")).await));
    answers.push(("sign in".to_owned(), author.form("/login", &[("token", author.secret().unwrap())]).await));
    answers
}

#[tokio::test]
async fn a_database_that_is_gone() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    registry.context().db.close().await;
    for (what, answer) in ask_everything(&author).await {
        assert_discreet(&answer, &what);
        assert_eq!(answer.status, 503, "{what}: it may come back");
    }
    // Readers do not notice.
    for path in ["/@acme/maths/meta.json", "/@acme/maths/1.0.0_meta.json", "/@acme/maths/1.0.0/mod.ts", "/npm/@jsr/acme__maths"] {
        drop(registry.anonymous().get(path).await.expect(200));
    }
    assert_eq!(registry.anonymous().get("/").await.expect(200).header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_schema_that_is_not_what_it_should_be() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    for (table, column) in [
        ("versions", "is_yanked"),
        ("packages", "skeleton"),
        ("scopes", "creator_id"),
        ("publishes", "config"),
        ("authorizations", "challenge"),
        ("tokens", "expires_at"),
    ] {
        registry.database().execute(&format!("ALTER TABLE {table} RENAME COLUMN {column} TO lost")).await;
    }
    let mut broken = 0;
    for (what, answer) in ask_everything(&author).await {
        if answer.status >= 500 {
            assert_discreet(&answer, &what);
            broken += 1;
        }
    }
    assert!(broken >= 20, "{broken}");
}

#[tokio::test]
async fn a_row_that_no_build_would_write() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    registry.database().execute("UPDATE versions SET exports = '{\"secret-path\": 7}'").await;
    let answer = author.get("/api/scopes/acme/packages/maths/versions/1.0.0").await;
    assert_discreet(&answer, "a corrupt row");
    assert_eq!(answer.status, 500, "trying again does not help");
    assert!(!answer.text().contains("secret-path"));
}

#[tokio::test]
async fn an_upload_that_is_gone() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let task = author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    let key = slipway_common::storage::StorageKey::Upload(task["id"].as_str().unwrap().parse().unwrap());
    registry.context().storage.delete(&key).await.unwrap();
    let answer = author.get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await;
    assert_discreet(&answer, "a lost upload");
}
