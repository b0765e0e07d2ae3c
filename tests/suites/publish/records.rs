//! What the private store remembers of the registry.

use bytes::Bytes;
use serde_json::{Value, json};
use slipway_common::storage::StorageKey;
use slipway_tests::{PackageBuilder, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

fn of_package() -> StorageKey {
    StorageKey::PackageRecord("@acme/maths".try_into().unwrap())
}

async fn record(registry: &TestRegistry, key: &StorageKey) -> Option<Value> {
    let seen = registry.context().storage.look(key).await.unwrap();
    seen.bytes.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn of_version(version: &str) -> StorageKey {
    StorageKey::VersionRecord { package: "@acme/maths".try_into().unwrap(), version: version.try_into().unwrap() }
}

/// What was changed of versions.
fn changed(record: &Value) -> Vec<String> {
    let versions = record["changed"].as_array().unwrap().iter();
    versions.map(|one| format!("{} {}", one["version"].as_str().unwrap(), one["is_yanked"])).collect()
}

#[tokio::test]
async fn what_happens_is_written_down() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    registry.drain().await;
    let scope = record(&registry, &StorageKey::ScopeRecord("acme".try_into().unwrap())).await.unwrap();
    assert_eq!((scope["members"].as_array().unwrap().len(), &scope["members"][0]["is_admin"]), (1, &json!(true)));
    let user = scope["creator_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(record(&registry, &StorageKey::UserRecord(user)).await.unwrap()["login"], "acme-author");
    let empty = record(&registry, &of_package()).await.unwrap();
    assert_eq!((&empty["changed"], &empty["generation"]), (&json!([]), &json!(0)));

    for version in ["1.0.0", "1.1.0"] {
        assert_eq!(author.publish_through(&small(version)).await["status"], "success");
        let written = record(&registry, &of_version(version)).await.unwrap();
        assert_eq!((&written["version"], &written["npm_manifest"]["version"]), (&json!(version), &json!(version)));
    }
    assert_eq!(record(&registry, &of_package()).await.unwrap(), empty, "a version is no news about the package");
    let first = record(&registry, &of_version("1.0.0")).await;
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await);
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    drop(author.patch("/api/scopes/acme", json!({ "description": "Acme." })).await.expect(200));
    registry.drain().await;
    let package = record(&registry, &of_package()).await.unwrap();
    assert_eq!((changed(&package), &package["description"]), (vec!["1.0.0 true".to_owned()], &json!("Adds.")));
    assert_eq!(record(&registry, &of_version("1.0.0")).await, first, "what is remembered of a version never changes");
    let scope = record(&registry, &StorageKey::ScopeRecord("acme".try_into().unwrap())).await.unwrap();
    assert_eq!(scope["description"], "Acme.");
}

#[tokio::test]
async fn a_record_that_is_lost_or_damaged_is_written_whole() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&small("1.0.0")).await;
    let storage = &registry.context().storage;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    registry.drain().await;
    storage.delete(&of_package()).await.unwrap();
    author.publish_through(&small("1.1.0")).await;
    assert_eq!(record(&registry, &of_package()).await.unwrap()["description"], "Adds.");
    storage.put(&of_package(), Bytes::from_static(b"{ not")).await.unwrap();
    author.publish_through(&small("1.2.0")).await;
    assert_eq!(record(&registry, &of_package()).await.unwrap()["description"], "Adds.");
}

#[tokio::test]
async fn what_is_deleted_is_forgotten() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    registry.drain().await;
    drop(author.delete("/api/scopes/acme/packages/maths").await);
    registry.drain().await;
    assert_eq!(record(&registry, &of_package()).await, None);
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    registry.drain().await;
    assert_eq!(record(&registry, &of_package()).await.unwrap()["generation"], 0);
    drop(author.delete("/api/scopes/acme/packages/maths").await);
    drop(author.delete("/api/scopes/acme").await);
    registry.drain().await;
    assert_eq!(record(&registry, &StorageKey::ScopeRecord("acme".try_into().unwrap())).await, None);
}
