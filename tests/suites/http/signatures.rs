//! What vouches for npm versions: a signature with each of them, the list of keys, and what stays when the key changes.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::formats::npm_keys::NpmKeys;
use slipway_common::ids::PackageName;
use slipway_common::signing::{Verdict, judge};
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

const DOCUMENT: &str = "/npm/@jsr/acme__maths";
const KEYS: &str = "/npm/-/npm/v1/keys";
const SHORT: &str = "application/vnd.npm.install-v1+json";

async fn published() -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish(&registry, &author, "1.0.0").await;
    (registry, author)
}

async fn publish(registry: &TestRegistry, author: &Client, version: &str) {
    assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", version)).await["status"], "success");
    registry.drain().await;
}

async fn keys(registry: &TestRegistry) -> NpmKeys {
    serde_json::from_slice(&registry.anonymous().get(KEYS).await.expect(200).body).unwrap()
}

/// What a client that knows the list of keys makes of each version in a document.
async fn verdicts(registry: &TestRegistry, accept: &str) -> Vec<(String, Verdict)> {
    let keys = keys(registry).await;
    let document = registry.anonymous().with("accept", accept).get(DOCUMENT).await.expect(200).json();
    let package = PackageName::try_from("@acme/maths").unwrap();
    let versions = document["versions"].as_object().unwrap().iter();
    let verdict = |(version, manifest): (&String, &Value)| {
        let published = document["time"][version].as_str().unwrap().parse().unwrap();
        (version.clone(), judge(&keys, &package, &version.as_str().try_into().unwrap(), manifest, published))
    };
    versions.map(verdict).collect()
}

async fn dist(registry: &TestRegistry, version: &str) -> String {
    registry.anonymous().get(DOCUMENT).await.expect(200).json()["versions"][version]["dist"].to_string()
}

#[tokio::test]
async fn every_version_is_signed_in_both_documents() {
    let (registry, author) = published().await;
    publish(&registry, &author, "2.0.0-rc.1+build.5").await;
    for accept in ["*/*", SHORT] {
        let all = [("1.0.0".to_owned(), Verdict::Vouched), ("2.0.0-rc.1+build.5".to_owned(), Verdict::Vouched)];
        assert_eq!(verdicts(&registry, accept).await, all, "{accept}");
    }
}

#[tokio::test]
async fn a_version_keeps_its_signature_when_the_key_changes() {
    let (mut registry, author) = published().await;
    let (before, old) = (dist(&registry, "1.0.0").await, keys(&registry).await.keys[0].id().to_owned());
    registry.advance(TimeDelta::days(30));
    let replaced = registry.now();
    let new = registry.restart_with_new_key().await;
    let listed: Vec<_> = keys(&registry).await.keys.iter().map(|key| (key.id().to_owned(), key.expires())).collect();
    assert_eq!(listed, [(new.clone(), None), (old, Some(replaced + TimeDelta::hours(1)))]);
    registry.advance(TimeDelta::days(1));
    publish(&registry, &author, "1.1.0").await;
    assert_eq!(dist(&registry, "1.0.0").await, before);
    assert!(dist(&registry, "1.1.0").await.contains(&new));
    let all = [("1.0.0".to_owned(), Verdict::Vouched), ("1.1.0".to_owned(), Verdict::Vouched)];
    assert_eq!(verdicts(&registry, SHORT).await, all);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_npm_was_told_of_a_version_never_changes() {
    let (mut registry, author) = published().await;
    let (before, tarball) = (dist(&registry, "1.0.0").await, "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz");
    // Made by an edition of the rules that nobody has any more: these are not the bytes that would come out today.
    let key = StorageKey::NpmTarball { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    let older = Bytes::from_static(b"as it was made long ago");
    registry.context().storage.put(&key, older.clone()).await.unwrap();
    registry.database().execute("UPDATE versions SET npm_revision = 1").await;

    let version = "/api/scopes/acme/packages/maths/versions/1.0.0";
    for yanked in [true, false] {
        drop(author.patch(version, json!({ "yanked": yanked })).await.expect(204));
        registry.drain().await;
        assert_eq!(dist(&registry, "1.0.0").await, before, "announced anew");
    }
    registry.restart().await;
    registry.restart_with_new_key().await;
    publish(&registry, &author, "1.1.0").await;
    registry.reconcile().await;
    assert_eq!(dist(&registry, "1.0.0").await, before, "restarted, with another key, and after another version");
    assert_eq!(registry.anonymous().get(tarball).await.expect(200).body, older, "nothing that recurs writes a tarball");
    let shown = registry.anonymous().get(version).await.expect(200).json();
    assert_eq!(shown["npmRevision"], 1);
    let newest = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.1.0").await.expect(200).json();
    assert_ne!(newest["npmRevision"], 1);
}

#[tokio::test]
async fn a_tarball_is_only_made_again_as_it_was() {
    let (registry, _) = published().await;
    let (before, tarball) = (dist(&registry, "1.0.0").await, "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz");
    let bytes = registry.anonymous().get(tarball).await.expect(200).body;
    let key = StorageKey::NpmTarball { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    registry.context().storage.delete(&key).await.unwrap();
    registry.compare(Repair::Everything).await;
    assert_eq!(registry.anonymous().get(tarball).await.expect(200).body, bytes);
    assert_eq!(dist(&registry, "1.0.0").await, before);
    // The row of a version of another edition has a digest that does not come out today.
    let made = slipway_common::ids::Sha256::of(&bytes).hex();
    let other = slipway_common::ids::Sha256::of(b"as it was made long ago").hex();
    let replace = if registry.database().url().starts_with("postgres") {
        format!("CAST(REPLACE(CAST(artefacts AS TEXT), '{made}', '{other}') AS JSONB)")
    } else {
        format!("REPLACE(artefacts, '{made}', '{other}')")
    };
    let statement = format!("UPDATE versions SET artefacts = {replace}");
    registry.database().execute(&statement).await;
    registry.context().storage.delete(&key).await.unwrap();
    let left = registry.compare(Repair::Everything).await;
    assert!(left.contains(&"objectMissing npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz".to_owned()), "{left:?}");
    assert_eq!(registry.anonymous().get(tarball).await.status, 404, "no bytes are better than others");
}

#[tokio::test]
async fn the_keys_are_read_like_every_object() {
    let (mut registry, _) = published().await;
    let first = registry.anonymous().get(KEYS).await.expect(200);
    let anonymous = registry.anonymous();
    for (client, path) in [
        (anonymous.clone(), "/-/npm/v1/keys"),
        (anonymous.clone().with("host", "npm.registry.test"), "/-/npm/v1/keys"),
        (anonymous.clone().with("accept", "text/html"), KEYS),
    ] {
        assert_eq!(client.get(path).await.expect(200).body, first.body, "{path}");
    }
    assert_eq!((first.header("content-type"), first.header("cache-control")), ("application/json", "public, max-age=60, s-maxage=60"));
    assert_eq!(anonymous.clone().with("if-none-match", first.header("etag")).get(KEYS).await.status, 304);
    let head = anonymous.head(KEYS).await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (first.body.len().to_string().as_str(), 0));
    registry.restart().await;
    assert_eq!(registry.anonymous().get(KEYS).await.expect(200).header("etag"), first.header("etag"), "nothing was written again");
}

#[tokio::test]
async fn doctor_tells_what_no_listed_key_vouches_for() {
    let (registry, _) = published().await;
    let storage = &registry.context().storage;
    let keys = storage.get(&StorageKey::NpmKeys).await.unwrap();
    storage.delete(&StorageKey::NpmKeys).await.unwrap();
    assert_eq!(registry.compare(Repair::Nothing).await, ["documentMissing -/npm/v1/keys"]);
    assert_eq!(registry.compare(Repair::Everything).await, ["documentMissing -/npm/v1/keys repaired"]);
    assert_eq!(storage.get(&StorageKey::NpmKeys).await.unwrap(), keys, "there was one key, and its process runs");
    let other = r#"{"keys":[{"expires":null,"keyid":"SHA256:x","keytype":"t","scheme":"s","key":"QQ=="}]}"#;
    storage.put(&StorageKey::NpmKeys, Bytes::from_static(other.as_bytes())).await.unwrap();
    assert_eq!(registry.compare(Repair::Everything).await, ["signatureInvalid @acme/maths@1.0.0"]);
    storage.put(&StorageKey::NpmKeys, keys).await.unwrap();
    registry.database().execute("UPDATE versions SET npm_manifest = REPLACE(npm_manifest, 'sha512-', 'sha512-A')").await;
    let told = registry.compare(Repair::Nothing).await;
    assert!(told.contains(&"signatureInvalid @acme/maths@1.0.0".to_owned()), "{told:?}");
}
