//! What holds when all is quiet, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{PackageName, Sha256, Sha512, Version};
use slipway_common::storage::{Storage, StorageKey, Store};
use slipway_tests::TestRegistry;

use crate::acts::Stage;
use crate::documents;
use crate::rows::{self, PackageRow};

/// Demands all of it.
pub(crate) async fn hold(stage: &Stage<'_>) {
    let database = stage.registry.database();
    let offences = rows::offences(database).await;
    assert!(offences.is_empty(), "{}", offences.join("\n"));
    let packages = rows::packages(database).await;
    let storage = &stage.registry.context().storage;
    for (name, row) in &packages {
        assert_eq!(row.generation, row.announced, "{name}: what was changed is announced");
        if !row.versions.is_empty() {
            documents::agree(storage, name, row).await;
        }
        stage.observer.lock().await.look(name).await;
        the_api_agrees(&stage.registry, name, row).await;
    }
    objects_and_rows_agree(storage, &packages).await;
    nothing_is_lost(stage, &packages).await;
    let (known, stored) = (rows::uploads(database, &["published", "failed"]).await, uploads(storage).await);
    assert!(known.is_subset(&stored), "uploads that are gone: {:?}", known.difference(&stored));
}

/// Demands that every artefact of every version is there as it was fixed, and that nothing else is.
async fn objects_and_rows_agree(storage: &Storage, packages: &BTreeMap<PackageName, PackageRow>) {
    let mut expected = BTreeMap::new();
    for (package, row) in packages {
        for (version, of_version) in &row.versions {
            for artefact in &of_version.artefacts {
                let key = StorageKey::of_artefact(package, version, &artefact.kind);
                expected.insert(key.text(), (key, artefact.size, artefact.digest));
            }
        }
    }
    let mut listed: BTreeMap<_, _> = storage.list(Store::Public).await.expect("memory can be listed").into_iter().collect();
    for (text, (key, size, digest)) in &expected {
        assert_eq!(listed.remove(text), Some(*size), "{text}");
        let bytes = storage.get(key).await.expect("it was listed");
        assert_eq!(Sha256::of(&bytes), *digest, "{text} is not what was committed");
    }
    for (package, row) in packages {
        for key in documents::keys(package).iter().filter(|_| !row.versions.is_empty()) {
            listed.remove(&key.text());
        }
        for version in row.versions.keys() {
            let key = StorageKey::NpmAttestations { package: package.clone(), version: version.clone() };
            assert!(listed.remove(&key.text()).is_some(), "nothing is attested of {package}@{version}");
            is_about_its_tarball(storage, key, package, version).await;
        }
    }
    assert!(listed.remove(&StorageKey::NpmKeys.text()).is_some(), "there is a list of signing keys");
    assert!(listed.is_empty(), "objects that belong to nothing: {:?}", listed.keys());
}

/// Demands that what the registry attests of a version is about the tarball that is there.
async fn is_about_its_tarball(storage: &Storage, attested: StorageKey, package: &PackageName, version: &Version) {
    let tarball = StorageKey::NpmTarball { package: package.clone(), version: version.clone() };
    let tarball = Sha512::of(&storage.get(&tarball).await.expect("it was compared"));
    let document: Value = serde_json::from_slice(&storage.get(&attested).await.expect("it was listed")).expect("it is JSON");
    let payload = document["attestations"][0]["bundle"]["dsseEnvelope"]["payload"].as_str().expect("the registry signed something");
    let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).expect("it is Base64")).expect("it is JSON");
    let subject = &statement["subject"][0];
    assert_eq!(subject["digest"]["sha512"], tarball.hex(), "{package}@{version}");
    assert!(subject["name"].as_str().is_some_and(|name| name.ends_with(&format!("@{version}"))), "{package}@{version}: {subject}");
}

/// Demands that what somebody was told to be published is there, and theirs.
async fn nothing_is_lost(stage: &Stage<'_>, packages: &BTreeMap<PackageName, PackageRow>) {
    let nobody = stage.registry.anonymous();
    for ((package, version), mark) in stage.published() {
        let name = PackageName::try_from(package.as_str()).expect("it was published");
        let is_there = packages.get(&name).is_some_and(|row| row.versions.keys().any(|known| known.to_string() == version));
        assert!(is_there, "{package}@{version} is lost");
        let text = nobody.get(&format!("/{package}/{version}/mod.ts")).await.expect(200).text();
        assert!(text.contains(&format!("\"{mark}\"")), "{package}@{version} was {mark}, and is:\n{text}");
    }
}

/// Demands that the API lists what the rows say.
async fn the_api_agrees(registry: &TestRegistry, name: &PackageName, row: &PackageRow) {
    let at = format!("/api/scopes/{}/packages/{}", name.scope(), name.name());
    let nobody = registry.anonymous();
    let listed = nobody.get(&format!("{at}/versions?limit=100")).await.expect(200).json();
    let listed: Vec<_> =
        listed["items"].as_array().into_iter().flatten().map(|item| (item["version"].clone(), item["yanked"].clone())).collect();
    let expected: Vec<_> = row.versions.iter().rev().map(|(version, row)| (json!(version.to_string()), json!(row.is_yanked))).collect();
    assert_eq!(listed, expected, "{name}: the list of the API");
    let shown = nobody.get(&at).await.expect(200).json();
    let latest = documents::highest(&row.versions, Version::is_stable);
    assert_eq!((&shown["latestVersion"], &shown["versionCount"]), (&json!(latest), &json!(row.versions.len())), "{name}: the API");
    assert_ne!(shown["description"], Value::Null);
}

/// The uploads that are stored, as hexadecimal digits. Nothing else is private but the registry's own records.
async fn uploads(storage: &Storage) -> BTreeSet<String> {
    let listed = storage.list(Store::Private).await.expect("memory can be listed");
    let digits = |(key, _): (String, u64)| {
        let name = key.strip_prefix("uploads/").and_then(|name| name.strip_suffix(".tgz"));
        name.unwrap_or_else(|| panic!("{key} is left behind")).replace('-', "")
    };
    listed.into_iter().filter(|(key, _)| !key.starts_with("registry/")).map(digits).collect()
}

/// Demands that housekeeping, given the time, leaves of the private objects what may be asked for and nothing else.
pub(crate) async fn nothing_stays_behind(stage: &Stage<'_>) {
    // Objects are as old as the machine says, so the house has to be sure to be later.
    stage.registry.advance(TimeDelta::days(36_500));
    stage.registry.housekeep().await;
    let database = stage.registry.database();
    assert_eq!(uploads(&stage.registry.context().storage).await, rows::uploads(database, &["published", "failed"]).await);
    let jobs = database.connect().await.texts("SELECT kind FROM jobs").await;
    let rounds = [Some("catalogue"), Some("housekeep"), Some("reconcile")];
    assert!(jobs.iter().all(|kind| rounds.contains(&kind.as_deref())), "jobs that are left: {jobs:?}");
}
