//! A reader who trusts nobody: whatever a document lists must be there, whole, and as it was when it was first seen.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha512};
use slipway_common::ids::{PackageName, PackagePath, Sha256, Version};
use slipway_common::storage::{Storage, StorageError, StorageKey};

/// Somebody who reads by the rules of Deno and of npm, from objects alone.
#[derive(Debug)]
pub struct Observer {
    storage: Storage,
    /// What the bytes of a version were when they were first seen, by what vouches for them.
    seen: BTreeMap<String, String>,
    looks: usize,
}

impl Observer {
    /// Somebody who has seen nothing yet.
    #[must_use]
    pub fn of(storage: &Storage) -> Self {
        Self { storage: storage.clone(), seen: BTreeMap::new(), looks: 0 }
    }

    /// How many versions were looked at, each time counted.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.looks
    }

    /// Looks at a package in both ways, and returns the versions that Deno and npm find.
    ///
    /// # Panics
    /// When something that is listed is not there, or is not what it was.
    pub async fn look(&mut self, package: &PackageName) -> [Vec<String>; 2] {
        [self.as_deno(package).await, self.as_npm(package).await]
    }

    async fn as_deno(&mut self, package: &PackageName) -> Vec<String> {
        let Some(document) = self.document(&StorageKey::PackageMeta(package.clone())).await else { return Vec::new() };
        let listed = keys(&document["versions"]);
        for text in &listed {
            let version = Version::try_from(text.as_str()).expect("a listed version is one");
            let meta = self.present(&StorageKey::VersionMeta { package: package.clone(), version: version.clone() }).await;
            self.unchanged(format!("{package}@{text}"), &Sha256::of(&meta).to_string());
            let meta: Value = serde_json::from_slice(&meta).expect("a document is whole");
            for (path, entry) in meta["manifest"].as_object().expect("a version has a manifest") {
                let path = PackagePath::try_from(path.as_str()).expect("a manifest names paths");
                let key = StorageKey::Module { package: package.clone(), version: version.clone(), path };
                let bytes = self.present(&key).await;
                assert_eq!(entry["size"], bytes.len(), "{}", key.text());
                assert_eq!(entry["checksum"], Sha256::of(&bytes).checksum(), "{}", key.text());
            }
            for target in meta["exports"].as_object().expect("a version has exports").values() {
                let path = target.as_str().and_then(|target| target.strip_prefix('.')).expect("an export is a path");
                assert!(meta["manifest"].get(path).is_some(), "{package}@{text} exports {path}, which is not in it");
            }
            self.looks += 1;
        }
        listed
    }

    async fn as_npm(&mut self, package: &PackageName) -> Vec<String> {
        let mut found = Vec::new();
        for key in [StorageKey::Packument(package.clone()), StorageKey::PackumentAbbreviated(package.clone())] {
            let Some(document) = self.document(&key).await else { continue };
            found = keys(&document["versions"]);
            for text in &found {
                let version = Version::try_from(text.as_str()).expect("a listed version is one");
                let dist = &document["versions"][text]["dist"];
                let integrity = dist["integrity"].as_str().expect("a version has an integrity");
                self.unchanged(format!("{} {text}", package.npm_name()), integrity);
                let tarball = StorageKey::NpmTarball { package: package.clone(), version };
                let address = dist["tarball"].as_str().expect("a version has a tarball");
                assert!(address.ends_with(&tarball.text()), "{address} leads elsewhere than {}", tarball.text());
                let bytes = self.present(&tarball).await;
                assert_eq!(integrity, format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(&bytes))), "{}", tarball.text());
                self.looks += 1;
            }
            if let Some(latest) = document["dist-tags"]["latest"].as_str() {
                assert!(found.iter().any(|version| version == latest), "{} points at {latest}, which is not listed", key.text());
            }
        }
        found
    }

    async fn document(&self, key: &StorageKey) -> Option<Value> {
        match self.storage.get(key).await {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{} is not whole: {error}", key.text()))),
            Err(StorageError::Missing(_)) => None,
            Err(error) => panic!("{}: {error}", key.text()),
        }
    }

    async fn present(&self, key: &StorageKey) -> Bytes {
        self.storage.get(key).await.unwrap_or_else(|error| panic!("{} is listed, but: {error}", key.text()))
    }

    fn unchanged(&mut self, what: String, digest: &str) {
        let first = self.seen.entry(what.clone()).or_insert_with(|| digest.to_owned());
        assert_eq!(first, digest, "{what} is not what it was");
    }
}

fn keys(map: &Value) -> Vec<String> {
    map.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}
