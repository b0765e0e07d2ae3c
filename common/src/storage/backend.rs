//! From a URL to a store: local files, S3, Google Cloud Storage, Azure, memory.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::{StorageError, cloud};

/// A store with the prefix under which a registry lives in it.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same store for whoever changes something, where that has to wait for its turn.
    pub(super) writes: Arc<dyn ObjectStore>,
    pub(super) root: Path,
    /// Whether objects keep their content type and cache policy. Plain files do not.
    pub(super) keeps_attributes: bool,
    /// Whether an object can be replaced on condition that nobody else did. Plain files belong to one process.
    pub(super) replaces_conditionally: bool,
    /// Whether a list comes in the order of its keys. A directory has none.
    pub(super) lists_in_order: bool,
    /// Where the objects are files.
    pub(super) directory: Option<PathBuf>,
}

impl Backend {
    /// Opens the store a URL names.
    pub(super) fn open(text: &str) -> Result<Self, StorageError> {
        let (scheme, rest) = text.split_once(':').ok_or_else(|| unknown(text))?;
        match scheme {
            "memory" => {
                let store = Arc::new(InMemory::new());
                Ok(Self::of_objects(store.clone(), store, Path::default()))
            }
            "file" => Self::open_files(FilePath::new(rest.strip_prefix("//").unwrap_or(rest))),
            "s3" | "gs" | "az" => cloud::open(scheme, text),
            _ => Err(unknown(text)),
        }
    }

    fn open_files(directory: &FilePath) -> Result<Self, StorageError> {
        let fail = |source| StorageError::Directory { path: directory.display().to_string(), source };
        std::fs::create_dir_all(directory).map_err(fail)?;
        let store = LocalFileSystem::new_with_prefix(directory)
            .map_err(StorageError::Backend)?
            // What was acknowledged survives a power cut.
            .with_fsync(true);
        let store = Arc::new(store);
        Ok(Self {
            writes: store.clone(),
            store,
            root: Path::default(),
            keeps_attributes: false,
            replaces_conditionally: false,
            lists_in_order: false,
            directory: Some(directory.to_owned()),
        })
    }

    /// A store of which the objects are more than files.
    pub(super) fn of_objects(store: Arc<dyn ObjectStore>, writes: Arc<dyn ObjectStore>, root: Path) -> Self {
        Self { store, writes, root, keeps_attributes: true, replaces_conditionally: true, lists_in_order: true, directory: None }
    }
}

fn unknown(text: &str) -> StorageError {
    StorageError::Url(format!("`{text}` names no object store; use `file:DIR`, `s3://BUCKET/PREFIX`, `gs://…`, `az://…` or `memory:`"))
}
