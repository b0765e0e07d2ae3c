//! What can go wrong with an object.

use crate::fault::{Fault, Retry, seam_fault};

/// What can go wrong with an object.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such object.
    #[error("object `{0}` does not exist")]
    Missing(String),
    /// An object that is written once exists with other bytes. Somebody broke the promise; nothing may paper over it.
    #[error("object `{0}` exists with other bytes than this version has")]
    Defect(String),
    /// Somebody replaced the object since it was looked at.
    #[error("object `{0}` was replaced meanwhile")]
    Replaced(String),
    /// The URL names no store that this build knows.
    #[error("{0}")]
    Url(String),
    /// The store cannot do it, now or ever.
    #[error("object store")]
    Backend(#[source] object_store::Error),
    /// The file system refused.
    #[error("object store directory `{path}`")]
    Directory {
        /// The directory.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Fault for StorageError {
    fn retry(&self) -> Retry {
        match self {
            Self::Missing(_) | Self::Replaced(_) | Self::Backend(_) | Self::Directory { .. } => Retry::Later,
            Self::Defect(_) | Self::Url(_) => Retry::Never,
        }
    }
}

seam_fault!(StorageError, "object store");
