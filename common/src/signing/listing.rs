//! The list of keys as an object of the public store: who starts with a key sees to it that it is listed.

use super::SigningKey;
use crate::clock::Instant;
use crate::fault::{AnyFault, Retry};
use crate::formats::npm_keys::NpmKeys;
use crate::storage::{Seen, Storage, StorageError, StorageKey};

/// How often the list is looked at again because somebody else wrote it meanwhile. Processes that start together have the same key,
/// so the second of them finds nothing left to say.
const TRIES: usize = 8;

/// Lists a key as the one in use, and all others as replaced.
///
/// # Errors
/// When the store fails, or the list cannot be read: it is not written over, since it is all that is left of the keys of before.
pub async fn announce(storage: &Storage, key: &SigningKey, now: Instant) -> Result<(), AnyFault> {
    for _ in 0..TRIES {
        let (seen, listed) = look(storage).await?;
        let listed = listed.unwrap_or_default();
        let next = listed.with(key.public(), now);
        if next == listed {
            return Ok(());
        }
        match storage.replace(&StorageKey::NpmKeys, next.to_bytes().into(), seen.tag).await {
            Ok(_) => {
                tracing::info!(key = key.id(), keys = next.keys.len(), "the signing key is listed");
                return Ok(());
            }
            Err(StorageError::Replaced(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(AnyFault::later("others are writing the list of signing keys"))
}

/// The list, if there is one.
///
/// # Errors
/// When the store fails, or the list cannot be read.
pub async fn listed(storage: &Storage) -> Result<Option<NpmKeys>, AnyFault> {
    Ok(look(storage).await?.1)
}

async fn look(storage: &Storage) -> Result<(Seen, Option<NpmKeys>), AnyFault> {
    let seen = storage.look(&StorageKey::NpmKeys).await?;
    let listed = seen.bytes.as_deref().map(serde_json::from_slice).transpose();
    let unreadable = "the list of signing keys (`-/npm/v1/keys`) cannot be read; restore it from a backup of the bucket";
    let listed = listed.map_err(|error| AnyFault::because(unreadable, Retry::Never, error))?;
    Ok((seen, listed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IdSource;

    #[tokio::test]
    async fn starting_together_and_again_lists_a_key_once() {
        let storage = Storage::open("memory:", "memory:").unwrap();
        let ids = IdSource::counting();
        let (old, new) = (SigningKey::generate(&ids), SigningKey::generate(&ids));
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let starts = (0..6).map(|_| announce(&storage, &old, at("2025-01-01T00:00:00Z")));
        assert!(futures::future::join_all(starts).await.into_iter().all(|outcome| outcome.is_ok()));
        let first = storage.get(&StorageKey::NpmKeys).await.unwrap();
        announce(&storage, &old, at("2025-01-02T00:00:00Z")).await.unwrap();
        assert_eq!(storage.get(&StorageKey::NpmKeys).await.unwrap(), first);

        announce(&storage, &new, at("2025-03-01T00:00:00Z")).await.unwrap();
        announce(&storage, &new, at("2025-03-09T00:00:00Z")).await.unwrap();
        let keys = listed(&storage).await.unwrap().unwrap().keys;
        let shown: Vec<_> = keys.iter().map(|key| (key.id().to_owned(), key.expires())).collect();
        assert_eq!(shown, [(new.id(), None), (old.id(), Some(at("2025-03-01T01:00:00Z")))]);
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_read_is_not_written_over() {
        let storage = Storage::open("memory:", "memory:").unwrap();
        storage.put(&StorageKey::NpmKeys, "{\"keys\":[{".into()).await.unwrap();
        let key = SigningKey::generate(&IdSource::counting());
        let fault = announce(&storage, &key, Instant::UNIX_EPOCH).await.unwrap_err();
        assert!(fault.chain().contains("restore it"), "{}", fault.chain());
        assert_eq!(storage.get(&StorageKey::NpmKeys).await.unwrap(), "{\"keys\":[{");
    }
}
