//! Versions: what was published and never changes again.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::Instant;
use crate::ids::{ExportKey, Exports, PackageName, PackagePath, Sha256, TaskId, UserId, Version};
use crate::model::artefact::ArtefactKind;
use crate::model::package::Visibility;

/// A version whose bytes are fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageVersion {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// Whether it was withdrawn from resolution.
    pub is_yanked: bool,
    /// The publish that made it.
    pub task_id: TaskId,
    /// Who published it, if a person did.
    pub user_id: Option<UserId>,
    /// What is fixed about it.
    pub content: VersionContent,
    /// The generation of the package from which all its bytes are in place; `None` until they are.
    pub stored_generation: Option<i64>,
    /// When it was published.
    pub created_at: Instant,
    /// When it was last changed (yanked, or not).
    pub updated_at: Instant,
}

/// What a publish fixes about a version, apart from its name.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionContent {
    /// Entry points.
    pub exports: Exports,
    /// SPDX expression.
    pub license: Option<String>,
    /// The readme file.
    pub readme: Option<PackagePath>,
    /// Whether it depends on npm packages.
    pub uses_npm: bool,
    /// Whether it declares types outside itself.
    pub augmentations: bool,
    /// Digest of `<version>_meta.json`.
    pub meta: Sha256,
    /// What the npm documents say of it, `dist` left out where it needs the registry's address.
    pub npm_manifest: Value,
    /// The revision of the emit that made the npm tarball.
    pub npm_revision: i64,
    /// Every derived file.
    pub artefacts: Vec<ArtefactRecord>,
    /// The statement by which the registry vouches for the npm tarball: a standard bundle without a log entry. Nothing for a version
    /// that was published before there were any.
    pub attestation: Option<Value>,
    /// The same statement as a transparency log has it: a whole bundle, signed with the same key or by whom an authority certified.
    /// Nothing until it is there.
    pub logged: Option<Value>,
}

impl VersionContent {
    /// The exports whose types npm clients see as `any` for want of better, by module. The npm manifest says it, which is frozen with
    /// the version, and so a database that is made anew knows it too.
    #[must_use]
    pub fn untyped(&self) -> BTreeMap<String, Vec<String>> {
        let said = self.npm_manifest.pointer("/slipway/untyped");
        said.and_then(|said| serde_json::from_value(said.clone()).ok()).unwrap_or_default()
    }

    /// The compiler that made declarations of this version, with its version, if one did.
    #[must_use]
    pub fn compiler(&self) -> Option<&str> {
        self.npm_manifest.pointer("/slipway/compiler").and_then(Value::as_str)
    }
}

/// Whether npm verifies what a log has of a statement.
///
/// Of a second Rekor npm 11.19 does not: the entry has the digest of what was signed, and npm compares it with that of the payload.
#[must_use]
pub fn is_verified_by_npm(logged: &Value) -> bool {
    logged.pointer("/verificationMaterial/tlogEntries/0/kindVersion/kind").is_some_and(|kind| kind == "dsse")
}

/// A derived file as the database remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtefactRecord {
    /// What it is.
    pub kind: ArtefactKind,
    /// Its digest.
    pub digest: Sha256,
    /// Its length in bytes.
    pub size: u64,
}

/// The members of an npm manifest, each as it was written: documents of many versions are put together without reading them.
pub type NpmManifest = IndexMap<String, Box<RawValue>>;

/// What the public documents of a package say of one version.
#[derive(Debug, Clone)]
pub struct ListedVersion {
    /// The version.
    pub version: Version,
    /// Whether it was withdrawn from resolution.
    pub is_yanked: bool,
    /// When it was published.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// The generation of the package from which all its bytes are in place.
    pub stored_generation: i64,
    /// Whether a transparency log has what the registry attests of it, and has it so that npm verifies it.
    pub is_logged_for_npm: bool,
    /// See [`VersionContent::npm_manifest`].
    pub npm_manifest: NpmManifest,
}

/// A version as dependents see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvableVersion {
    /// The version.
    pub version: Version,
    /// Whether it was withdrawn from resolution.
    pub is_yanked: bool,
    /// The keys of its exports.
    pub exports: Vec<ExportKey>,
}

/// A package as dependents see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvablePackage {
    /// Who may read it.
    pub visibility: Visibility,
    /// Its versions, lowest first.
    pub versions: Vec<ResolvableVersion>,
}
