//! What the registry remembers of itself in the private store, a page at a time.

use serde::de::DeserializeOwned;
use slipway_common::shutdown::aside;
use slipway_common::storage::{Storage, StorageError, StorageKey, Store};

/// Records that are listed at once: as many as S3 lists.
const PAGE: usize = 1_000;

/// The records of a directory, in the order of their keys.
pub(crate) struct Records {
    directory: String,
    after: Option<String>,
}

impl Records {
    /// All of a directory, from its beginning.
    pub(crate) fn of(directory: impl Into<String>) -> Self {
        Self { directory: directory.into(), after: None }
    }

    /// The keys of the next ones, or the names of what is no record. Nothing at the end.
    pub(crate) async fn next(&mut self, storage: &Storage) -> Result<Option<Vec<Result<StorageKey, String>>>, StorageError> {
        let listed = storage.page(Store::Private, &self.directory, self.after.as_deref(), PAGE).await?;
        let Some(last) = listed.last() else { return Ok(None) };
        self.after = Some(last.key.clone());
        Ok(Some(listed.into_iter().map(|object| StorageKey::parse(Store::Private, &object.key).ok_or(object.key)).collect()))
    }
}

/// A record that was listed, or why it cannot be read.
pub(crate) async fn read<T: DeserializeOwned + Send + 'static>(
    storage: &Storage,
    listed: Result<StorageKey, String>,
) -> Result<Result<T, String>, StorageError> {
    let key = match listed {
        Ok(key) => key,
        Err(name) => return Ok(Err(format!("{name}: it is no record"))),
    };
    let bytes = storage.get(&key).await?;
    let read = aside(move || serde_json::from_slice(&bytes)).await;
    Ok(read.map_err(|error| format!("{}: it cannot be read: {error}", key.text())))
}
