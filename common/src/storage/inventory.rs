//! What is there, a bounded part at a time, for who tidies up.

use std::collections::BinaryHeap;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use sha2::{Digest, Sha256 as Hasher};

use super::{Storage, StorageError, StorageKey, Store, explain, unfinished, within};
use crate::clock::Instant;
use crate::ids::Sha256;
use crate::shutdown::aside;

/// An object as its store lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The key as text.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, by the clock of the store.
    pub last_modified: Instant,
}

/// What became of unfinished files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// How many were deleted.
    pub deleted: u64,
    /// Behind what the next round goes on; nothing when this one came to the end.
    pub next: Option<String>,
}

impl Storage {
    /// The first `limit` objects of a directory whose keys are greater than `after`, in the order of their keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(&self, store: Store, directory: &str, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, StorageError> {
        let backend = self.backend(store);
        let prefix = within(&backend.root, &Path::from(directory));
        let skipped = if backend.root.as_ref().is_empty() { 0 } else { backend.root.as_ref().len() + 1 };
        let mut found = match after {
            Some(after) => {
                let after = Path::parse(after).map_err(object_store::Error::from).map_err(StorageError::Backend)?;
                backend.store.list_with_offset(Some(&prefix), &within(&backend.root, &after))
            }
            None => backend.store.list(Some(&prefix)),
        };
        let mut page = Lowest::new(limit);
        while let Some(ObjectMeta { location, size, last_modified, .. }) = found.try_next().await.map_err(StorageError::Backend)? {
            page.add(Listed { key: location.as_ref()[skipped..].to_owned(), size, last_modified });
            if backend.lists_in_order && page.is_full() {
                break;
            }
        }
        Ok(page.sorted())
    }

    /// The length and the digest of an object, read a piece at a time. Nothing when there is no such object.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn digest(&self, key: &StorageKey) -> Result<Option<(u64, Sha256)>, StorageError> {
        let (backend, path) = self.place(key);
        let found = match backend.store.get(&path).await.map_err(|error| explain(key, error)) {
            Ok(found) => found,
            Err(StorageError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut size, mut hasher) = (0, Hasher::new());
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| explain(key, error))? {
            size += piece.len() as u64;
            hasher.update(&piece);
        }
        Ok(Some((size, Sha256::from_hasher(hasher))))
    }

    /// Deletes what a crash left of files that were being written, if it was last touched before `before`. Looks at `limit` files,
    /// from behind `after` on. Stores that are no files have none of these.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn clear_unfinished(
        &self,
        store: Store,
        before: Instant,
        after: Option<String>,
        limit: usize,
    ) -> Result<Cleared, StorageError> {
        let Some(directory) = self.backend(store).directory.clone() else { return Ok(Cleared { deleted: 0, next: None }) };
        let path = directory.display().to_string();
        aside(move || unfinished::clear(&directory, before.into(), after.as_deref(), limit))
            .await
            .map_err(|source| StorageError::Directory { path, source })
    }
}

/// The lowest few of many that come in any order. Holds no more than that few.
pub(super) struct Lowest<T> {
    limit: usize,
    heap: BinaryHeap<T>,
}

impl<T: Ord> Lowest<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    pub(super) fn add(&mut self, item: T) {
        self.heap.push(item);
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.heap.len() >= self.limit
    }

    pub(super) fn sorted(self) -> Vec<T> {
        self.heap.into_sorted_vec()
    }
}
