//! Rows and objects are compared, and what follows from the rest is put right.

use bytes::Bytes;
use serde_json::json;
use slipway_common::ids::PackagePath;
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

const NOTHING: [&str; 0] = [];

fn module(package: &str, version: &str) -> StorageKey {
    let (package, version) = (package.try_into().unwrap(), version.try_into().unwrap());
    StorageKey::Module { package, version, path: PackagePath::try_from("/mod.ts").unwrap() }
}

/// Two packages with three versions between them.
async fn furnished() -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "words" })).await.expect(200));
    for (name, version) in [("@acme/maths", "1.0.0"), ("@acme/maths", "1.1.0"), ("@acme/words", "1.0.0")] {
        assert_eq!(author.publish_through(&PackageBuilder::small(name, version)).await["status"], "success");
    }
    registry.drain().await;
    (registry, author)
}

async fn flip(registry: &TestRegistry, key: &StorageKey) {
    let mut bytes = registry.context().storage.get(key).await.unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    registry.context().storage.put(key, Bytes::from(bytes)).await.unwrap();
}

#[tokio::test]
async fn every_damage_is_seen_and_put_right() {
    let (registry, author) = furnished().await;
    assert_eq!(registry.compare(Repair::Nothing).await, NOTHING);
    let before = registry.public_objects().await;
    let storage = &registry.context().storage;
    let words = "@acme/words".try_into().unwrap();
    storage.delete(&module("@acme/maths", "1.0.0")).await.unwrap();
    flip(&registry, &StorageKey::NpmTarball { package: words, version: "1.0.0".try_into().unwrap() }).await;
    storage.delete(&StorageKey::PackageMeta("@acme/words".try_into().unwrap())).await.unwrap();
    storage.delete(&StorageKey::ScopeRecord("acme".try_into().unwrap())).await.unwrap();
    storage.delete(&StorageKey::PackageRecord("@acme/words".try_into().unwrap())).await.unwrap();
    let maths = "@acme/maths".try_into().unwrap();
    flip(&registry, &StorageKey::VersionRecord { package: maths, version: "1.0.0".try_into().unwrap() }).await;
    registry.database().execute("DELETE FROM versions WHERE name = 'maths' AND version = '1.1.0'").await;

    let damage = [
        "documentMissing @acme/words/meta.json",
        "documentMissing registry/packages/acme/words.json",
        "documentMissing registry/scopes/acme.json",
        "documentStale @acme/maths/meta.json",
        "documentStale npm/@jsr/acme__maths/abbreviated.json",
        "documentStale npm/@jsr/acme__maths/index.json",
        "documentStale registry/versions/acme/maths/1.0.0.json",
        "objectDamaged npm/@jsr/acme__words/-/acme__words-1.0.0.tgz",
        "objectMissing @acme/maths/1.0.0/mod.ts",
        "versionWithoutRow @acme/maths@1.1.0",
    ];
    // One line stands for all objects of a version, apart from what is attested of it.
    let lost = [
        "objectWithoutRow -/npm/v1/attestations/@jsr/acme__maths@1.1.0",
        "objectWithoutRow @acme/maths/1.1.0/jsr.json",
        "objectWithoutRow registry/versions/acme/maths/1.1.0.json",
    ];
    let seen = registry.compare(Repair::Nothing).await;
    for line in damage.iter().chain(&lost) {
        assert!(seen.contains(&(*line).to_owned()), "{line} is not in {seen:#?}");
    }
    assert_eq!(seen.len(), damage.len() + lost.len(), "{seen:#?}");
    assert_eq!(registry.compare(Repair::Nothing).await, seen, "looking changes nothing");
    let repaired: Vec<_> = damage.iter().map(|line| format!("{line} repaired")).collect();
    assert_eq!(registry.compare(Repair::Everything).await, repaired);
    assert_eq!(registry.compare(Repair::Nothing).await, NOTHING);
    assert_eq!(registry.public_objects().await, before, "every byte is as it was");
    assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", "1.2.0")).await["status"], "success");
    assert_eq!(registry.compare(Repair::Nothing).await, NOTHING);
}

#[tokio::test]
async fn what_does_not_follow_from_anything_is_only_told() {
    let (registry, _) = furnished().await;
    let storage = &registry.context().storage;
    let words: slipway_common::ids::PackageName = "@acme/words".try_into().unwrap();
    let row = registry.context().db.read().await.unwrap().version(&words, &"1.0.0".try_into().unwrap()).await.unwrap().unwrap();
    let upload = StorageKey::Upload(row.task_id);
    storage.delete(&upload).await.unwrap();
    flip(&registry, &module("@acme/words", "1.0.0")).await;
    storage.put(&module("@acme/words", "7.0.0"), Bytes::from_static(b"whose is this?")).await.unwrap();
    let told = [
        "objectDamaged @acme/words/1.0.0/mod.ts".to_owned(),
        format!("objectMissing {}", upload.text()),
        "objectWithoutRow @acme/words/7.0.0/mod.ts".to_owned(),
    ];
    for _ in 0..2 {
        assert_eq!(registry.compare(Repair::Everything).await, told);
    }
}

#[tokio::test]
async fn what_recurs_mends_documents_and_nothing_else() {
    let (registry, _) = furnished().await;
    let storage = &registry.context().storage;
    storage.delete(&module("@acme/maths", "1.0.0")).await.unwrap();
    storage.put(&StorageKey::Packument("@acme/maths".try_into().unwrap()), Bytes::from_static(b"{}")).await.unwrap();
    storage.delete(&StorageKey::PackageMeta("@acme/words".try_into().unwrap())).await.unwrap();
    registry.reconcile().await;
    assert_eq!(registry.compare(Repair::Nothing).await, ["objectMissing @acme/maths/1.0.0/mod.ts"]);
}

#[tokio::test]
async fn a_version_that_lost_its_row_is_not_forgotten_by_what_recurs() {
    let (registry, _) = furnished().await;
    registry.database().execute("DELETE FROM versions WHERE name = 'maths' AND version = '1.1.0'").await;
    let before = registry.public_objects().await;
    registry.reconcile().await;
    assert_eq!(registry.public_objects().await, before);
    assert!(registry.compare(Repair::Everything).await.iter().any(|line| line == "versionWithoutRow @acme/maths@1.1.0 repaired"));
    assert_eq!(registry.compare(Repair::Nothing).await, NOTHING);
}
