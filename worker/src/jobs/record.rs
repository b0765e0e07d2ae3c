//! Writes down in the private store what a database would have to be told if it were made anew.
//!
//! Users and scopes have a job of their own. A package's record is written by its announcement, before the public documents: what
//! they list can be restored. The same rules hold as for those: one writer at a time, and a later state is left alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{self, PackageRecord, Shown, VersionRecord};
use slipway_common::ids::Version;
use slipway_common::model::job::{Claim, Subject};
use slipway_common::model::package::Package;
use slipway_common::model::version::ListedVersion;
use slipway_common::shutdown::aside;
use slipway_common::storage::StorageKey;

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// A record to be written, or taken away when its row is gone.
#[derive(Debug)]
pub(crate) struct Entry {
    key: StorageKey,
    /// The bytes and the state that they show.
    content: Option<(Bytes, Shown)>,
}

/// Reads what is to be written down.
pub(crate) async fn start(tx: &mut WriteTx, subject: &Subject) -> Result<Entry, JobError> {
    Ok(match subject {
        Subject::User(id) => {
            let found = tx.user_record(*id).await?;
            let content =
                found.map(|user| (record::to_bytes(&user).into(), Shown { created_at: user.created_at, generation: user.generation }));
            Entry { key: StorageKey::UserRecord(*id), content }
        }
        Subject::Scope(name) => {
            let found = tx.scope_record(name).await?;
            let content =
                found.map(|scope| (record::to_bytes(&scope).into(), Shown { created_at: scope.created_at, generation: scope.generation }));
            Entry { key: StorageKey::ScopeRecord(name.clone()), content }
        }
    })
}

/// Writes it down.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, entry: Entry) -> Result<(), JobError> {
    let context = &workshop.context;
    match entry.content {
        Some((bytes, shown)) => replace(context, &entry.key, bytes, shown).await?,
        None => context.storage.delete(&entry.key).await?,
    }
    let mut tx = context.db.write("record.settle").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(context, twin).await;
    Ok(())
}

async fn replace(context: &Context, key: &StorageKey, bytes: Bytes, shown: Shown) -> Result<(), AnyFault> {
    let seen = context.storage.look(key).await?;
    let stored = seen.bytes.as_deref().and_then(Shown::of);
    if stored.is_some_and(|stored| stored.is_newer_than(&shown)) {
        tracing::info!(key = key.text(), generation = shown.generation, "a newer record is in place");
        return Ok(());
    }
    Ok(context.storage.replace(key, bytes, seen).await?)
}

/// Writes the record of a package. `fresh` is what is known of a version that was stored a moment ago; what was written of the others
/// before is still true, but for what can be changed of a version. What is in neither is read from the rows: what was stored since the
/// last record, or everything when there is none that can be read.
pub(crate) async fn write_package(
    context: &Context,
    package: &Package,
    listed: &[ListedVersion],
    fresh: Option<VersionRecord>,
) -> Result<(), AnyFault> {
    let key = StorageKey::PackageRecord(package.name.clone());
    let seen = context.storage.look(&key).await?;
    let own = Shown { created_at: package.created_at, generation: package.generation };
    let stored = seen.bytes.clone();
    let stored = match stored {
        Some(bytes) => aside(move || serde_json::from_slice::<PackageRecord>(&bytes).ok()).await,
        None => None,
    };
    let shown = stored.as_ref().map(|stored| Shown { created_at: stored.created_at, generation: stored.generation });
    if shown.is_some_and(|shown| shown.is_newer_than(&own)) {
        tracing::info!(key = key.text(), generation = own.generation, "a newer record is in place");
        return Ok(());
    }
    let known = stored.filter(|stored| stored.created_at == package.created_at).map(|stored| stored.versions).unwrap_or_default();
    let mut written: BTreeMap<Version, VersionRecord> =
        known.into_iter().chain(fresh).map(|record| (record.version.clone(), record)).collect();
    for after in [shown.map_or(-1, |shown| shown.generation), -1] {
        if listed.iter().all(|listed| written.get(&listed.version).is_some_and(|record| record.created_at == listed.created_at)) {
            break;
        }
        let read = context.db.read().await?.version_records(&package.name, after).await?;
        written.extend(read.into_iter().map(|record| (record.version.clone(), record)));
    }
    let versions = current(listed, written);
    let record = of_package(package, versions);
    let bytes = aside(move || record::to_bytes(&record)).await;
    Ok(context.storage.replace(&key, bytes.into(), seen).await?)
}

/// What is written of every listed version, as it is now.
fn current(listed: &[ListedVersion], mut written: BTreeMap<Version, VersionRecord>) -> Vec<VersionRecord> {
    let now = |listed: &ListedVersion| {
        let record = written.remove(&listed.version)?;
        Some(VersionRecord { is_yanked: listed.is_yanked, updated_at: listed.updated_at, ..record })
    };
    listed.iter().filter_map(now).collect()
}

/// The record of a package with these versions.
pub(crate) fn of_package(package: &Package, versions: Vec<VersionRecord>) -> PackageRecord {
    PackageRecord {
        package: package.name.clone(),
        description: package.description.clone(),
        repository: package.repository.clone(),
        is_archived: package.is_archived,
        readme_source: package.readme_source,
        runtime_compat: package.runtime_compat,
        tags: package.tags.clone(),
        versions,
        created_at: package.created_at,
        updated_at: package.updated_at,
        generation: package.generation,
    }
}
