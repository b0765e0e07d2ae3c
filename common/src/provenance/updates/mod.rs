//! A root of trust that is kept up to date from a TUF repository (The Update Framework), by the rules of that framework: `sigstore-tuf`
//! follows its chain of roots, holds each file against the thresholds of signatures, versions and dates that the one before names, and
//! notices a repository that turns back or stands still. What is ours is when it is asked, how, and what becomes of what it says.
//!
//! It is asked when a bundle is to be verified and nobody has asked for a while, so a registry that is shown no provenance asks nobody.
//! Nothing of it can end a process or refuse a bundle: what was believed before goes on being believed, and that is told.

mod mirror;
mod shelf;

use std::time::Duration;

use chrono::TimeDelta;
use sigstore_tuf::{Error, Repository, StoreRepository, Updater, UpdaterConfig};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::door::chain;
use super::root::RootError;
use crate::clock::Instant;
use crate::config;
use crate::storage::{Storage, StorageError, StorageKey};
use mirror::Mirror;
use shelf::{Kept, Shelf};

/// The beginning of the public-good repository, as its clients carry it: the sixteenth `root.json`. All later ones follow from it, however
/// many there are.
const PUBLIC_GOOD: &[u8] = include_bytes!("../public_good.tuf.json");
/// What is wanted of a repository.
const TARGET: &str = "trusted_root.json";
/// After how long it is asked again. A root is announced weeks before it is used; a repository signs every few days that it stands still.
const EVERY: TimeDelta = TimeDelta::hours(6);
/// The same after it gave nothing.
const AGAIN: TimeDelta = TimeDelta::minutes(5);
/// How long all of it may take: somebody waits. Five small files and, at times, a new root.
const PATIENCE: Duration = Duration::from_secs(15);
/// Largest lists in a repository, in bytes. Those of the public-good one have seven kilobytes.
const MAX_LIST: u64 = 512 * 1024;
/// Largest root of trust, in bytes. The public-good one has seven kilobytes.
const MAX_ROOT: u64 = 1024 * 1024;

/// A repository that keeps the root of trust up to date.
pub(super) struct Updates {
    /// Where it is, as people read it.
    pub(super) url: String,
    mirror: Mirror,
    /// The root with which its chain begins.
    first: Vec<u8>,
    storage: Storage,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// When to ask again.
    due: Option<Instant>,
    /// What was handed out last.
    told: Option<String>,
}

/// A root of trust as a repository has it.
pub(super) struct Found {
    /// The root, in JSON.
    pub(super) json: String,
    kept: Kept,
}

impl Updates {
    /// Reads with what the chain begins. Nobody is asked.
    pub(super) fn open(settings: &config::Updates, storage: &Storage) -> Result<Self, RootError> {
        let first = match &settings.root {
            None => PUBLIC_GOOD.to_vec(),
            Some(file) => std::fs::read(file)
                .map_err(|error| RootError::new(format!("`sigstore.tuf_root`: cannot read `{}`: {error}", file.display())))?,
        };
        let mirror = Mirror::new(&settings.url).map_err(|error| RootError::new(format!("`sigstore.tuf_url`: {}", chain(&error))))?;
        let unusable = |error| RootError::new(format!("`sigstore.tuf_root` is no `root.json` of a TUF repository: {}", chain(&error)));
        sigstore_tuf::TrustedMetadataSet::from_root(&first).map_err(unusable)?;
        Ok(Self { url: settings.url.to_string(), mirror, first, storage: storage.clone(), progress: Mutex::default() })
    }

    /// The root of trust, if it is time to look and it is another one than it was. Whoever comes meanwhile waits, so that nothing is
    /// judged by an older root while a newer one is on its way.
    pub(super) async fn news(&self, now: Instant) -> Option<String> {
        let mut progress = self.progress.lock().await;
        if progress.due.is_some_and(|due| now < due) {
            return None;
        }
        let kept = self.kept().await;
        let found = match kept.seen_at {
            // Another process has asked a moment ago, or this one before it was started anew.
            Some(seen_at) if seen_at <= now && now < seen_at + EVERY => self.again(&kept, seen_at).await,
            _ => Err(Error::NotRefreshed),
        };
        let found = match found {
            Ok(found) => Ok(found),
            Err(_) => self.look(&kept, now).await,
        };
        let found = match found {
            Ok(found) => {
                progress.due = found.kept.seen_at.map(|seen_at| seen_at + EVERY);
                if found.kept.seen_at != kept.seen_at {
                    self.keep(&found.kept).await;
                }
                found
            }
            Err(error) => {
                progress.due = Some(now + AGAIN);
                let since = kept.seen_at.map(|seen_at| seen_at.to_rfc3339());
                tracing::warn!(
                    repository = self.url,
                    error = chain(&error),
                    since,
                    "the root of trust is not kept up to date, what was known goes on being believed"
                );
                // A process that was just started may know of an older one than was there before.
                if progress.told.is_some() {
                    return None;
                }
                self.again(&kept, kept.seen_at?).await.ok()?
            }
        };
        if progress.told.as_ref() == Some(&found.json) {
            return None;
        }
        progress.told = Some(found.json.clone());
        Some(found.json)
    }

    /// Asks now and keeps nothing, for who wants to know how things are.
    pub(super) async fn examine(&self, now: Instant) -> Result<String, String> {
        let kept = self.kept().await;
        self.look(&kept, now).await.map(|found| found.json).map_err(|error| {
            let believed = match kept.seen_at {
                Some(seen_at) => format!("what it said on {} goes on being believed", seen_at.format("%Y-%m-%d %H:%M UTC")),
                None => "it never was, and the root that the registry began with is believed".to_owned(),
            };
            format!(
                "the root is not kept up to date from {}: {}; {believed}: see whether `sigstore.tuf_url` can be reached from here, or leave it \
                 away",
                self.url,
                chain(&error)
            )
        })
    }

    /// Asks the repository.
    async fn look(&self, kept: &Kept, now: Instant) -> Result<Found, Error> {
        let found = timeout(PATIENCE, self.follow(self.mirror.clone(), kept.shelf(), now)).await;
        found.unwrap_or_else(|_| Err(Error::transport(format!("it takes longer than {} seconds", PATIENCE.as_secs()))))
    }

    /// Verifies again what was kept, as of the moment when it held.
    async fn again(&self, kept: &Kept, seen_at: Instant) -> Result<Found, Error> {
        let shelf = kept.shelf();
        self.follow(StoreRepository::new(shelf.clone()), shelf, seen_at).await
    }

    async fn follow(&self, repository: impl Repository + 'static, shelf: Shelf, at: Instant) -> Result<Found, Error> {
        let moment = jiff::Timestamp::from_second(at.timestamp()).map_err(|error| Error::Malformed(error.to_string()))?;
        let mut updater = Updater::new(repository, &self.first)?.with_config(bounds()).with_store(shelf.clone());
        updater.refresh(moment).await?;
        let target = updater.get_target(TARGET, moment).await?;
        let json = String::from_utf8(target).map_err(|_| Error::Malformed(format!("`{TARGET}` is no text")))?;
        Ok(Found { json, kept: Kept::new(&self.url, at, &shelf) })
    }

    /// What is kept. A store that does not answer keeps nobody from asking the repository.
    async fn kept(&self) -> Kept {
        match self.storage.get(&StorageKey::SigstoreRoot).await {
            Ok(bytes) => Kept::read(&bytes, &self.url),
            Err(StorageError::Missing(_)) => Kept::default(),
            Err(error) => {
                tracing::warn!(error = chain(&error), "what was known of the root of trust cannot be read");
                Kept::default()
            }
        }
    }

    async fn keep(&self, kept: &Kept) {
        if let Err(error) = self.storage.put(&StorageKey::SigstoreRoot, kept.write().into()).await {
            tracing::warn!(error = chain(&error), "the root of trust cannot be kept, the next start asks for it again");
        }
    }
}

fn bounds() -> UpdaterConfig {
    let mut bounds = UpdaterConfig::default();
    bounds.snapshot_max_length = MAX_LIST;
    bounds.targets_max_length = MAX_LIST;
    bounds.target_max_length = MAX_ROOT;
    bounds
}

#[cfg(test)]
mod tests {
    use sigstore_tuf::TrustedMetadataSet;

    use super::*;

    #[test]
    fn the_public_good_repository_begins_with_a_root_that_its_keys_have_signed() {
        let first = TrustedMetadataSet::from_root(PUBLIC_GOOD).unwrap();
        assert_eq!((first.root().version, first.root().roles["root"].threshold), (16, 3));
        assert!(first.root().consistent_snapshot);
    }
}
