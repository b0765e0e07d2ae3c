//! Writes down in the private store what a database would have to be told if it were made anew.
//!
//! Users, scopes and whom a package trusts in CI have a job of their own. A package and its versions are written down by the announcement, before the public
//! documents: what they list can be restored. The same rules hold as for those: one writer at a time, and a later state is left alone.
//! A new version adds a record of its own, so that it costs the same whatever the number of the others.

use bytes::Bytes;
use serde::Serialize;
use slipway_common::config::Attestation;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{
    self, ChangedVersion, HeldRecord, PackageRecord, PublishersRecord, ScopeRecord, Shown, UserRecord, VersionRecord,
};
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::model::job::{Claim, Subject};
use slipway_common::model::package::Package;
use slipway_common::model::quarantine::HeldVersion;
use slipway_common::model::version::ListedVersion;
use slipway_common::storage::{Storage, StorageError, StorageKey};

use super::announce::Snapshot;
use super::{ring, settle};
use crate::attestation::Attested;
use crate::error::JobError;
use crate::workshop::Workshop;

/// A record to be written, or taken away when its row is gone.
#[derive(Debug)]
pub(crate) struct Entry {
    key: StorageKey,
    /// The bytes and the state that they show; none when there is one state only.
    content: Option<(Bytes, Option<Shown>)>,
    /// What its readers may read of it; no bytes when they may read nothing.
    public: Option<(StorageKey, Option<Bytes>)>,
}

impl Entry {
    fn of<T: Serialize>(key: StorageKey, found: Option<&T>, shown: impl Fn(&T) -> Shown) -> Self {
        Self { key, content: found.map(|found| (record::to_bytes(found).into(), Some(shown(found)))), public: None }
    }
}

/// Reads what is to be written down.
pub(crate) async fn start(tx: &mut WriteTx, subject: &Subject, settings: &Attestation) -> Result<Entry, JobError> {
    Ok(match subject {
        Subject::User(id) => {
            let shown = |of: &UserRecord| Shown { created_at: of.created_at, generation: of.generation };
            Entry::of(StorageKey::UserRecord(*id), tx.user_record(*id).await?.as_ref(), shown)
        }
        Subject::Scope(name) => {
            let shown = |of: &ScopeRecord| Shown { created_at: of.created_at, generation: of.generation };
            Entry::of(StorageKey::ScopeRecord(name.clone()), tx.scope_record(name).await?.as_ref(), shown)
        }
        Subject::Publishers(package) => {
            let shown = |of: &PublishersRecord| Shown { created_at: of.created_at, generation: of.generation };
            Entry::of(StorageKey::PublishersRecord(package.clone()), tx.publishers_record(package).await?.as_ref(), shown)
        }
        Subject::Provenance(package, version) => {
            let attested = Attested::of(tx, package, version).await?;
            let visibility = tx.package(package).await?.map(|package| package.visibility).unwrap_or_default();
            let is_held = tx.quarantine(package, version).await?.is_some();
            Entry {
                key: StorageKey::ProvenanceRecord { package: package.clone(), version: version.clone() },
                content: attested.provenance.as_ref().map(|found| (record::to_bytes(found).into(), None)),
                public: attested.document(visibility, settings).map(|(key, bytes)| (key, (!is_held).then(|| bytes.into()))),
            }
        }
    })
}

/// Writes it down.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, entry: Entry) -> Result<(), JobError> {
    let context = &workshop.context;
    match entry.content {
        Some((bytes, Some(shown))) => replace(context, &entry.key, bytes, shown).await?,
        Some((bytes, None)) => context.storage.put(&entry.key, bytes).await?,
        None => context.storage.delete(&entry.key).await?,
    }
    if let Some((key, bytes)) = entry.public {
        match bytes {
            Some(bytes) => {
                let seen = context.storage.look(&key).await?;
                context.storage.replace(&key, bytes, seen.tag).await?;
            }
            None => context.storage.delete(&key).await?,
        }
        if let Err(error) = workshop.cdn.purge(&[key]).await {
            tracing::warn!(%error, "the edge was not told of an attestation");
        }
    }
    let mut tx = context.db.write("record.settle").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(context, twin).await;
    Ok(())
}

/// Writes what is attested of a version, unless something is: whoever finds a document came late, and what others sign comes later still.
pub(crate) async fn write_first(storage: &Storage, document: Option<(StorageKey, Vec<u8>)>) -> Result<(), StorageError> {
    let Some((key, bytes)) = document else { return Ok(()) };
    let digest = Sha256::of(&bytes);
    match storage.put_once(&key, bytes.into(), &digest).await {
        Err(StorageError::Defect(_)) => Ok(()),
        outcome => outcome,
    }
}

async fn replace(context: &Context, key: &StorageKey, bytes: Bytes, shown: Shown) -> Result<(), AnyFault> {
    let seen = context.storage.look(key).await?;
    let stored = seen.bytes.as_deref().and_then(Shown::of);
    if stored.is_some_and(|stored| stored.is_newer_than(&shown)) {
        tracing::info!(key = key.text(), generation = shown.generation, "a newer record is in place");
        return Ok(());
    }
    Ok(context.storage.replace(key, bytes, seen.tag).await.map(drop)?)
}

/// Writes down a package and those of its versions that its public documents do not show yet. `fresh` is what the caller knows of a
/// version that it has just stored; of the others the rows are asked.
pub(crate) async fn write_package(context: &Context, snapshot: &Snapshot, fresh: Option<VersionRecord>) -> Result<(), AnyFault> {
    let package = &snapshot.package;
    let mut new = snapshot.versions.iter().filter(|listed| listed.stored_generation > package.announced).map(|listed| &listed.version);
    let versions = match (new.next(), new.next(), fresh) {
        (None, _, _) => Vec::new(),
        (Some(version), None, Some(fresh)) if fresh.version == *version => vec![fresh],
        _ => context.db.read().await?.version_records(&package.name, package.announced).await?,
    };
    let writes = versions.iter().map(|record| write_version(context, &package.name, record));
    futures::try_join!(futures::future::try_join_all(writes), write_own(context, of_package(package, &snapshot.versions, &snapshot.held)))?;
    Ok(())
}

/// Writes the record of a version. It says what can never change, so it does not matter who else does, or did.
pub(crate) async fn write_version(context: &Context, package: &PackageName, record: &VersionRecord) -> Result<(), AnyFault> {
    let key = StorageKey::VersionRecord { package: package.clone(), version: record.version.clone() };
    Ok(context.storage.put(&key, record::to_bytes(record).into()).await?)
}

/// Writes what a package is apart from its versions, when that is not what is written.
async fn write_own(context: &Context, record: PackageRecord) -> Result<(), AnyFault> {
    let key = StorageKey::PackageRecord(record.package.clone());
    let seen = context.storage.look(&key).await?;
    let stored = seen.bytes.as_deref().and_then(|bytes| serde_json::from_slice::<PackageRecord>(bytes).ok());
    if let Some(stored) = stored {
        let own = Shown { created_at: record.created_at, generation: record.generation };
        if (Shown { created_at: stored.created_at, generation: stored.generation }).is_newer_than(&own) {
            tracing::info!(key = key.text(), generation = own.generation, "a newer record is in place");
            return Ok(());
        }
        if stored.says_the_same(&record) {
            return Ok(());
        }
    }
    context.storage.replace(&key, record::to_bytes(&record).into(), seen.tag).await?;
    Ok(())
}

/// The record of a package with these versions, some of which staff keeps from everybody.
pub(crate) fn of_package(package: &Package, listed: &[ListedVersion], held: &[HeldVersion]) -> PackageRecord {
    let listed = listed.iter().map(|listed| (&listed.version, listed.is_yanked, listed.created_at, listed.updated_at));
    let kept = held.iter().map(|held| (&held.version, held.is_yanked, held.created_at, held.updated_at));
    let changed = listed.chain(kept).filter(|(_, is_yanked, created_at, updated_at)| *is_yanked || updated_at != created_at);
    let changed = changed.map(|(version, is_yanked, _, updated_at)| ChangedVersion { version: version.clone(), is_yanked, updated_at });
    let mut changed: Vec<_> = changed.collect();
    changed.sort_by(|a, b| b.version.cmp(&a.version));
    let held = held.iter().map(|held| HeldRecord { version: held.version.clone(), reason: held.reason.clone(), since: held.since });
    PackageRecord {
        package: package.name.clone(),
        description: package.description.clone(),
        repository: package.repository.clone(),
        is_archived: package.is_archived,
        readme_source: package.readme_source,
        runtime_compat: package.runtime_compat,
        tags: package.tags.clone(),
        visibility: package.visibility,
        changed,
        held: held.collect(),
        created_at: package.created_at,
        updated_at: package.updated_at,
        generation: package.generation,
    }
}
