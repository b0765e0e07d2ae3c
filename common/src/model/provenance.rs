//! Where a version came from, as a signature says that everybody can check.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{PackageName, Version};
use crate::model::ci::CiIdentity;

/// A signed statement about where a version came from, after it was verified. A version has one, which never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// What kind of statement it is.
    pub predicate_type: String,
    /// The CI job that signed, as its certificate says.
    pub job: CiIdentity,
    /// The number of the entry in the transparency log.
    pub log_index: Option<String>,
    /// When the log took it in.
    pub logged_at: Option<Instant>,
    /// A standard Sigstore bundle, whatever the client sent.
    pub bundle: Value,
    /// When it was verified.
    pub created_at: Instant,
}
