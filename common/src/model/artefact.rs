//! A file derived from an upload, as the pipeline names it. Where it is stored is `storage`'s knowledge.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ids::{PackagePath, Sha256};

/// What a derived file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ArtefactKind {
    /// A file of the package, as Deno loads it.
    Module(PackagePath),
    /// `<version>_meta.json`: manifest, module graph, exports.
    VersionMeta,
    /// The npm tarball. Made once and never again.
    NpmTarball,
    /// A file of the documentation, at a revision of its format: `index.json`, and `symbols.json` of a large package.
    Docs {
        /// The revision of the documentation's format.
        revision: u32,
        /// The file name under that revision.
        name: String,
    },
}

/// A derived file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// What it is.
    pub kind: ArtefactKind,
    /// The digest of `bytes`, fixed in the database before the first byte is stored.
    pub digest: Sha256,
    /// The file itself.
    pub bytes: Bytes,
}

impl Artefact {
    /// An artefact of these bytes.
    #[must_use]
    pub fn new(kind: ArtefactKind, bytes: Bytes) -> Self {
        Self { kind, digest: Sha256::of(&bytes), bytes }
    }
}
