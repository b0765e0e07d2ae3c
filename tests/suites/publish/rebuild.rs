//! A database is made anew from what is stored, and the registry goes on.

use serde_json::json;
use slipway_common::db::Db;
use slipway_tests::tables::tables;
use slipway_tests::{PackageBuilder, TestDatabase, TestRegistry};
use slipway_worker::rebuild;
use slipway_worker::reconcile::Repair;

/// What does not come back: credentials, the audit log, what was counted, and what only had a meaning to the process of before.
const GONE: [&str; 6] = ["tokens", "authorizations", "jobs", "rounds", "audit", "rates"];

async fn rows(database: &TestDatabase) -> Vec<String> {
    let tables = tables(database).await.into_iter().filter(|table| !GONE.contains(&table.name.as_str()));
    tables.flat_map(|table| table.rows.into_iter().map(move |row| format!("{} {row}", table.name))).collect()
}

#[tokio::test]
async fn the_rebuilt_registry_is_the_same_and_goes_on() {
    let mut registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    registry.person("bob").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "empty" })).await.expect(200));
    let maths = PackageBuilder::small("@acme/maths", "1.0.0");
    author.publish_through(&maths).await;
    author
        .publish_through(
            &maths
                .clone()
                .version("1.1.0-rc.1")
                .file(
                    "jsr.json",
                    json!({
                        "name": "@acme/maths", "version": "1.1.0-rc.1", "license": "MIT", "exports": { "./z": "./z.ts", ".": "./mod.ts" },
                    })
                    .to_string(),
                )
                .file("z.ts", "import type { A } from \"npm:adder@^1.2\";\nexport const z: A | number = 1;\n")
                .file("README.md", "# Maths"),
        )
        .await;
    author.publish_through(&maths.clone().version("2.0.0").file("mod.ts", "export * from \"jsr:@acme/maths@^1\";\n")).await;
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.expect(204));
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    drop(author.put("/api/scopes/acme/packages/maths/dist-tags/next", json!({ "version": "1.1.0-rc.1" })).await.expect(204));
    registry.drain().await;
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
    let (before, objects) = (rows(registry.database()).await, registry.public_objects().await);

    let database = TestDatabase::fresh().await;
    let mut context = registry.context().clone();
    context.db = Db::open(database.url(), None, context.clock.clone()).await.unwrap();
    context.db.migrate().await.unwrap();
    let rebuilt = rebuild::run(&context).await.unwrap();
    assert_eq!(rebuilt.left_out, [""; 0]);
    assert_eq!((rebuilt.users, rebuilt.scopes, rebuilt.packages), (2, 1, 2));
    let mut difference = Vec::new();
    rebuild::compare(&registry.context().db, &context.db, |line| difference.push(line)).await.unwrap();
    let told: Vec<_> = difference.iter().filter(|line| !line.contains(" findings: ")).collect();
    assert_eq!(told, [""; 0]);
    context.db.close().await;
    let plain = |rows: Vec<String>| -> Vec<String> { rows.into_iter().filter(|row| !row.starts_with("publishes ")).collect() };
    assert_eq!(plain(rows(&database).await), plain(before));

    registry.move_to(database).await;
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
    assert_eq!(registry.public_objects().await, objects);
    drop(author.get("/api/user").await.expect(401));
    let mut tx = registry.context().db.read().await.unwrap();
    let user = tx.user_by_login("acme-author").await.unwrap().unwrap();
    drop(tx);
    let token = registry.token(user.id, slipway_common::model::token::TokenKind::Personal, None, None).await;
    let author = registry.anonymous().bearer(&token);
    assert!(author.publish(&maths).await.refusal().contains("duplicate"), "what was published stays published");
    assert_eq!(author.publish_through(&maths.clone().version("2.1.0")).await["status"], "success");
    let meta = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200).json();
    let tags = registry.anonymous().get("/npm/-/package/@jsr%2facme__maths/dist-tags").await.expect(200).json();
    assert_eq!(tags, json!({ "latest": "2.1.0", "next": "1.1.0-rc.1" }));
    assert_eq!((&meta["latest"], &meta["versions"]["1.0.0"]["yanked"]), (&json!("2.1.0"), &json!(true)));
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_readers_have_seen_is_never_taken_back() {
    let mut registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    // The record is of before the last announcement.
    let key = slipway_common::storage::StorageKey::PackageRecord("@acme/maths".try_into().unwrap());
    let old = registry.context().storage.get(&key).await.unwrap();
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    registry.drain().await;
    registry.context().storage.put(&key, old).await.unwrap();
    let shown = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200).json()["generation"].as_i64().unwrap();

    let database = TestDatabase::fresh().await;
    let mut context = registry.context().clone();
    context.db = Db::open(database.url(), None, context.clock.clone()).await.unwrap();
    context.db.migrate().await.unwrap();
    rebuild::run(&context).await.unwrap();
    let mut difference = Vec::new();
    rebuild::compare(&registry.context().db, &context.db, |line| difference.push(line)).await.unwrap();
    assert!(difference.iter().any(|line| line.starts_with("~ package @acme/maths description")), "{difference:?}");
    context.db.close().await;
    registry.move_to(database).await;
    registry.drain().await;
    let again = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200).json()["generation"].as_i64().unwrap();
    assert_eq!(again, shown + 1);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}
