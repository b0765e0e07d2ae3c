//! `meta.json`: which versions of a package there are.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{PackageName, ScopeName, Version};

/// The list of versions that Deno resolves against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageMeta {
    /// The scope, without `@`.
    pub scope: ScopeName,
    /// The package, without its scope.
    pub name: String,
    /// The highest stable version that is not yanked, or null.
    pub latest: Option<Version>,
    /// Every version, highest first.
    pub versions: IndexMap<Version, VersionEntry>,
    /// Which state of the package this document shows. It only grows, so an older copy can be told from a newer one.
    pub generation: i64,
}

/// One version in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionEntry {
    /// True when withdrawn; absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
    /// When it was published. Clients hold back versions younger than a day by this.
    pub created_at: Instant,
}

impl PackageMeta {
    /// The list for a package. `versions` may come in any order.
    #[must_use]
    pub fn new(package: &PackageName, generation: i64, mut versions: Vec<(Version, VersionEntry)>) -> Self {
        versions.sort_by(|(a, _), (b, _)| b.cmp(a));
        let latest = versions.iter().find(|(version, entry)| !entry.yanked && version.is_stable()).map(|(version, _)| version.clone());
        Self {
            scope: package.scope().clone(),
            name: package.name().to_owned(),
            latest,
            versions: versions.into_iter().collect(),
            generation,
        }
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys always serialise")
    }
}
