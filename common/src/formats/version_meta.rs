//! `<version>_meta.json`: what Deno reads before it loads a module, and what lockfiles and provenance pin by digest.
//!
//! Its bytes are a contract for ever, so every map is ordered and the text is compact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{Exports, PackagePath};

/// The manifest of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionMeta {
    /// Every file of the version, by path.
    pub manifest: BTreeMap<PackagePath, ManifestEntry>,
    /// What each module imports, in the shape of `deno_graph`'s `ModuleInfo`, by path. A module that is not here is parsed
    /// by the client, which is slower and right; one that is here wrongly breaks it.
    #[serde(rename = "moduleGraph2", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub module_graph: BTreeMap<String, Value>,
    /// The exports exactly as the author wrote them, in their order.
    pub exports: Exports,
    /// Present and true when the package declares types outside itself and said so in its config.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub augmentations: bool,
}

/// One file in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Length in bytes.
    pub size: u64,
    /// `sha256-` and lower-case hexadecimal.
    pub checksum: String,
}

impl VersionMeta {
    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys always serialise")
    }
}
