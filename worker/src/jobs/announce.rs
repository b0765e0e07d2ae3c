//! Writes the documents of a package, the public ones and the records: the one writer they have at a time.
//!
//! What is written was read in the transaction that claimed the job, so it shows every change that enqueued it. A document that
//! shows a later generation than ours is left alone: then we are the late one. A package that has no version yet has none.

use std::sync::Arc;

use slipway_common::config::Config;
use slipway_common::db::WriteTx;
use slipway_common::formats::package_meta::{PackageMeta, VersionEntry};
use slipway_common::formats::packument::Packument;
use slipway_common::formats::record::VersionRecord;
use slipway_common::ids::PackageName;
use slipway_common::model::job::Claim;
use slipway_common::model::package::Package;
use slipway_common::model::quarantine::HeldVersion;
use slipway_common::model::version::ListedVersion;
use slipway_common::shutdown::aside;
use slipway_common::steps::{self, Step};
use slipway_common::storage::StorageKey;

use super::{record, ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// A package at one generation.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) package: Package,
    pub(crate) versions: Vec<ListedVersion>,
    /// What would be listed beside them, if staff did not keep it from everybody.
    pub(crate) held: Vec<HeldVersion>,
}

/// What there is to announce.
#[derive(Debug)]
pub(crate) enum News {
    /// A package, with what is to be remembered of the version that was stored a moment ago, by whoever stored it.
    Package(Box<Snapshot>, Option<Box<VersionRecord>>),
    /// A package that was deleted.
    Gone(PackageName),
}

/// Reads what is to be written. `fresh` is what the caller knows of a version that it has just stored.
pub(crate) async fn start(tx: &mut WriteTx, name: &PackageName, fresh: Option<VersionRecord>) -> Result<News, JobError> {
    let Some(package) = tx.package(name).await? else { return Ok(News::Gone(name.clone())) };
    let (versions, held) = tx.listed_and_held(name).await?;
    Ok(News::Package(Box::new(Snapshot { package, versions, held }), fresh.map(Box::new)))
}

/// Announces a package.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, news: News) -> Result<(), JobError> {
    match news {
        News::Package(snapshot, fresh) => announce(workshop, claim, *snapshot, fresh).await,
        News::Gone(package) => forget(workshop, claim, &package).await,
    }
}

/// Takes away what is remembered of a package that was deleted. It had no version, so it has no public documents.
async fn forget(workshop: &Workshop, claim: &Claim, package: &PackageName) -> Result<(), JobError> {
    workshop.context.storage.delete(&StorageKey::PackageRecord(package.clone())).await?;
    let mut tx = workshop.context.db.write("announce.forget").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(&workshop.context, twin).await;
    Ok(())
}

#[tracing::instrument(level = "debug", name = "package.announce", skip_all, fields(package = %snapshot.package.name))]
async fn announce(workshop: &Workshop, claim: &Claim, snapshot: Snapshot, fresh: Option<Box<VersionRecord>>) -> Result<(), JobError> {
    let context = &workshop.context;
    let (package, generation) = (snapshot.package.name.clone(), snapshot.package.generation);
    let meta = StorageKey::PackageMeta(package.clone()).seen_by(snapshot.package.visibility);
    // First, so that whatever readers are shown can be restored.
    record::write_package(context, &snapshot, fresh.map(|fresh| *fresh)).await?;
    if !snapshot.versions.is_empty() || is_shown(workshop, &meta).await? {
        let config = Arc::clone(&context.config);
        let is_about_versions = !snapshot.versions.is_empty();
        let documents = aside(move || documents(&snapshot, &config)).await;
        let changed: Vec<StorageKey> = documents.iter().map(|(key, _)| key.clone()).collect();
        let writes = documents.into_iter().map(|(key, bytes)| workshop.documents.replace(&context.storage, key, bytes.into(), generation));
        futures::future::try_join_all(writes).await?;
        if is_about_versions {
            steps::reached(Step::DocumentsWritten);
        }
        if let Err(error) = workshop.cdn.purge(&changed).await {
            // The short lifetime of the documents bounds what this costs.
            tracing::warn!(%package, %error, "the edge was not told");
        }
    }

    let mut tx = context.db.write("announce.settle").await?;
    tx.mark_announced(&package, generation).await?;
    let finished = tx.finish_publishes(&package, generation).await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    if !finished.is_empty() {
        steps::reached(Step::Settled);
    }
    for task in finished {
        tracing::info!(%task, %package, generation, "published");
        context.tell(task).await;
    }
    ring(context, twin).await;
    Ok(())
}

/// The documents of a package for its readers, with the keys under which they are found.
pub(crate) fn documents(snapshot: &Snapshot, config: &Config) -> [(StorageKey, Vec<u8>); 3] {
    let Snapshot { package, versions, .. } = snapshot;
    let generation = package.generation;
    let entry = |listed: &ListedVersion| (listed.version.clone(), VersionEntry { yanked: listed.is_yanked, created_at: listed.created_at });
    let meta = PackageMeta::new(&package.name, generation, versions.iter().map(entry).collect());
    let packument = Packument::new(package, generation, versions, &config.npm_url, config.attestation.is_shown_to_npm);
    let key = |key: StorageKey| key.seen_by(package.visibility);
    [
        (key(StorageKey::PackageMeta(package.name.clone())), meta.to_bytes()),
        (key(StorageKey::Packument(package.name.clone())), packument.to_bytes()),
        (key(StorageKey::PackumentAbbreviated(package.name.clone())), packument.to_abbreviated_bytes()),
    ]
}

/// Whether a package without versions has documents all the same, which then say that it has none. One that never had a version
/// has no documents: a resolver that finds them takes it for a package that can be had, and a package of the same name that is
/// made later begins to count its generations anew.
async fn is_shown(workshop: &Workshop, meta: &StorageKey) -> Result<bool, JobError> {
    Ok(workshop.context.storage.look(meta).await?.bytes.is_some())
}
