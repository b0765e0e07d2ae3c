//! Replaces the documents of packages, and knows which ones it wrote last.
//!
//! A document that shows a later generation than ours is left alone: then we are the late one. To find out, it has to be read, and
//! the documents of a package grow with its versions. Whoever wrote one last knows what it shows, and the store says when that is no
//! longer so: a tag that does not fit any more sends us back to reading. Where a store has no such conditions nothing is remembered.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use serde::Deserialize;
use slipway_common::storage::{Storage, StorageError, StorageKey, Tag};

/// Documents that are remembered, at about 200 bytes each: those of the three thousand packages that were announced last by this
/// process. A busy registry has fewer that matter at a time; when there are more, all are forgotten, which costs each one look.
const MOST: usize = 10_000;

/// The documents that this process wrote last.
#[derive(Debug, Default)]
pub struct Documents {
    written: Mutex<HashMap<StorageKey, Written>>,
}

#[derive(Debug, Clone)]
struct Written {
    generation: i64,
    tag: Tag,
}

/// The generation a document shows: `generation`, or `_rev` in npm's full document.
#[derive(Deserialize)]
struct Shown {
    generation: Option<i64>,
    #[serde(rename = "_rev")]
    revision: Option<String>,
}

impl Documents {
    /// Replaces a document by one that shows `generation`, unless it shows a later one.
    ///
    /// # Errors
    /// When the store fails, or somebody else replaced it in the same moment.
    pub(super) async fn replace(&self, storage: &Storage, key: StorageKey, bytes: Bytes, generation: i64) -> Result<(), StorageError> {
        if let Some(known) = self.known(&key) {
            if known.generation > generation {
                tracing::info!(key = key.text(), generation, "a newer document is in place");
                return Ok(());
            }
            match storage.replace(&key, bytes.clone(), Some(known.tag)).await {
                Ok(tag) => {
                    self.remember(key, generation, tag);
                    return Ok(());
                }
                // Somebody else wrote it since, or took it away.
                Err(StorageError::Replaced(_) | StorageError::Missing(_)) => self.remember(key.clone(), generation, None),
                Err(error) => return Err(error),
            }
        }
        let seen = storage.look(&key).await?;
        let shown = seen.bytes.as_deref().and_then(|bytes| serde_json::from_slice::<Shown>(bytes).ok());
        let shown = shown.and_then(|shown| shown.generation.or_else(|| shown.revision?.parse().ok()));
        if shown.is_some_and(|shown| shown > generation) {
            tracing::info!(key = key.text(), generation, "a newer document is in place");
            return Ok(());
        }
        let tag = storage.replace(&key, bytes, seen.tag).await?;
        self.remember(key, generation, tag);
        Ok(())
    }

    fn known(&self, key: &StorageKey) -> Option<Written> {
        self.written.lock().expect("no holder panics").get(key).cloned()
    }

    fn remember(&self, key: StorageKey, generation: i64, tag: Option<Tag>) {
        let mut written = self.written.lock().expect("no holder panics");
        let Some(tag) = tag else {
            written.remove(&key);
            return;
        };
        if written.len() >= MOST {
            written.clear();
        }
        written.insert(key, Written { generation, tag });
    }
}

#[cfg(test)]
mod tests {
    use slipway_common::ids::PackageName;

    use super::*;

    fn key() -> StorageKey {
        StorageKey::PackageMeta(PackageName::try_from("@acme/maths").unwrap())
    }

    fn document(generation: i64) -> Bytes {
        format!("{{\"generation\":{generation}}}").into()
    }

    #[tokio::test]
    async fn two_writers_never_take_a_later_document_back() {
        let storage = Storage::open("memory:", "memory:").unwrap();
        let (one, other) = (Documents::default(), Documents::default());
        one.replace(&storage, key(), document(1), 1).await.unwrap();
        one.replace(&storage, key(), document(2), 2).await.unwrap();
        other.replace(&storage, key(), document(4), 4).await.unwrap();
        one.replace(&storage, key(), document(3), 3).await.unwrap();
        assert_eq!(storage.get(&key()).await.unwrap(), document(4), "the first one's memory is out of date");
        one.replace(&storage, key(), document(5), 5).await.unwrap();
        other.replace(&storage, key(), document(4), 4).await.unwrap();
        assert_eq!(storage.get(&key()).await.unwrap(), document(5));
        one.replace(&storage, key(), document(4), 4).await.unwrap();
        assert_eq!(storage.get(&key()).await.unwrap(), document(5), "what it wrote itself it need not read");
    }

    #[tokio::test]
    async fn a_document_that_was_lost_is_written_again() {
        let storage = Storage::open("memory:", "memory:").unwrap();
        let documents = Documents::default();
        documents.replace(&storage, key(), document(1), 1).await.unwrap();
        storage.delete(&key()).await.unwrap();
        documents.replace(&storage, key(), document(2), 2).await.unwrap();
        assert_eq!(storage.get(&key()).await.unwrap(), document(2));
    }
}
