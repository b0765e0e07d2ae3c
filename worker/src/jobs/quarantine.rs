//! Takes the objects of a version into the quarantine, out of the reach of readers, or puts them back.
//!
//! Each run looks at what staff wants by now, so it can be killed anywhere. On the way in, an object leaves its place when its copy lies in
//! the quarantine and the documents of the package list the version no more. On the way out it is compared with the digest of the commit,
//! so a version has the same bytes afterwards. The copies in the quarantine are never deleted: whoever comes late with a deletion, because
//! their process stood still, cannot take the only one.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Sha256, Version};
use slipway_common::jobs;
use slipway_common::model::job::{Claim, Job, Subject};
use slipway_common::model::package::{Package, Visibility};
use slipway_common::model::quarantine::{Custody, Quarantine};
use slipway_common::model::version::{ArtefactRecord, PackageVersion};
use slipway_common::shutdown::aside;
use slipway_common::steps::{self, Step};
use slipway_common::storage::{StorageError, StorageKey};

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// Objects that are copied or deleted at once. Each copy is held whole while it is on its way, and before each such handful of deletions
/// the job is made sure of.
const OBJECTS_AT_ONCE: usize = 8;

/// Objects of which the edge is told at once: an edge that knows no surrogate keys is sent one request for each.
const PURGES_AT_ONCE: usize = 100;

/// A version that is kept from everybody, with its package.
#[derive(Debug)]
pub(crate) struct Ward {
    package: Package,
    row: PackageVersion,
    quarantine: Quarantine,
}

/// Reads what is wanted. Nothing when the version is kept no more.
pub(crate) async fn start(tx: &mut WriteTx, package: &PackageName, version: &Version) -> Result<Option<Ward>, JobError> {
    let Some(quarantine) = tx.quarantine(package, version).await? else { return Ok(None) };
    let (Some(package), Some(row)) = (tx.package(package).await?, tx.version(package, version).await?) else { return Ok(None) };
    Ok(Some(Ward { package, row, quarantine }))
}

/// Does it.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, ward: Ward) -> Result<(), JobError> {
    let Ward { package, row, quarantine } = ward;
    if package.visibility == Visibility::Opening {
        return Err(JobError::Retry(AnyFault::later(format!(
            "{} is being made public: where its objects are is known afterwards",
            package.name
        ))));
    }
    let objects: Vec<Object> = row.content.artefacts.iter().map(|artefact| Object::of(&row, package.visibility, artefact)).collect();
    match quarantine.custody {
        Custody::Held => take_in(workshop, claim, &package, &quarantine, &objects).await,
        Custody::Releasing => let_go(workshop, claim, &quarantine, &objects).await,
    }
}

/// An object of a version, in both places.
struct Object {
    usual: StorageKey,
    kept: StorageKey,
    digest: Sha256,
}

impl Object {
    fn of(row: &PackageVersion, visibility: Visibility, artefact: &ArtefactRecord) -> Self {
        let key = StorageKey::of_artefact(&row.package, &row.version, &artefact.kind);
        Self { kept: key.quarantined(), usual: key.seen_by(visibility), digest: artefact.digest }
    }

    /// Its bytes in one of the places, if they are there and what was published.
    async fn sound(&self, context: &Context, key: &StorageKey) -> Result<Option<Bytes>, AnyFault> {
        let bytes = match context.storage.get(key).await {
            Ok(bytes) => bytes,
            Err(StorageError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let copied = bytes.clone();
        if aside(move || Sha256::of(&copied)).await == self.digest {
            return Ok(Some(bytes));
        }
        tracing::error!(key = key.text(), "this is not what was published");
        Ok(None)
    }

    /// What is damaged or gone is lost already: that is no reason to go on showing the rest.
    async fn keep(&self, context: &Context) -> Result<(), AnyFault> {
        if let Some(bytes) = self.sound(context, &self.usual).await? {
            context.storage.put_once(&self.kept, bytes, &self.digest).await?;
            steps::reached(Step::SomeKept);
        }
        Ok(())
    }

    async fn return_it(&self, context: &Context) -> Result<(), AnyFault> {
        match self.sound(context, &self.kept).await? {
            Some(bytes) => context.storage.put_once(&self.usual, bytes, &self.digest).await?,
            // It may never have come here.
            None if self.sound(context, &self.usual).await?.is_some() => {}
            None => return Err(AnyFault::never(format!("`{}` in the quarantine is not what was published", self.kept.text()))),
        }
        steps::reached(Step::SomeReturned);
        Ok(())
    }
}

async fn take_in(
    workshop: &Workshop,
    claim: &Claim,
    package: &Package,
    quarantine: &Quarantine,
    objects: &[Object],
) -> Result<(), JobError> {
    let context = &workshop.context;
    let copies: Vec<_> = objects.iter().map(|object| object.keep(context)).collect();
    stream::iter(copies).buffer_unordered(OBJECTS_AT_ONCE).try_collect::<()>().await?;
    // The announcement was asked for together with this job, and is likely to be through by now.
    let announced = context.db.read().await?.package(&package.name).await?.map(|package| package.announced);
    if announced.is_none_or(|announced| announced < quarantine.generation) {
        // A reader who is told of it has to find it.
        return Err(JobError::Retry(AnyFault::later(format!("{} is listed still", package.name))));
    }
    for objects in objects.chunks(OBJECTS_AT_ONCE) {
        make_sure(context, claim).await?;
        let deletions: Vec<_> = objects.iter().map(|object| context.storage.delete(&object.usual)).collect();
        futures::future::try_join_all(deletions).await?;
        steps::reached(Step::SomeWithdrawn);
    }
    for objects in objects.chunks(PURGES_AT_ONCE) {
        let keys: Vec<StorageKey> = objects.iter().map(|object| object.usual.clone()).collect();
        // Nothing else bounds how long an edge keeps what never changes.
        workshop.cdn.purge(&keys).await.map_err(|error| JobError::Retry(AnyFault::later(format!("the edge was not told: {error}"))))?;
    }
    let mut tx = context.db.write("quarantine.kept").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    tracing::info!(package = %quarantine.package, version = %quarantine.version, "the objects of a version are in the quarantine");
    ring(context, twin).await;
    Ok(())
}

/// Ends whoever has lost the job meanwhile.
async fn make_sure(context: &Context, claim: &Claim) -> Result<(), JobError> {
    let mut tx = context.db.write("quarantine.heartbeat").await?;
    let is_ours = jobs::heartbeat(&mut tx, claim).await?;
    tx.commit().await?;
    if is_ours { Ok(()) } else { Err(JobError::Zombie) }
}

async fn let_go(workshop: &Workshop, claim: &Claim, quarantine: &Quarantine, objects: &[Object]) -> Result<(), JobError> {
    let context = &workshop.context;
    let (package, version) = (&quarantine.package, &quarantine.version);
    let returns: Vec<_> = objects.iter().map(|object| object.return_it(context)).collect();
    stream::iter(returns).buffer_unordered(OBJECTS_AT_ONCE).try_collect::<()>().await?;

    let mut tx = context.db.write("quarantine.release").await?;
    let Some(generation) = tx.bump_generation(package).await? else {
        return Err(JobError::Abandon(AnyFault::never(format!("{package} has no row although it has versions"))));
    };
    let is_released = tx.end_release(package, version, generation).await?;
    let twin = settle(&mut tx, claim).await?;
    let mut enqueued = Vec::new();
    if is_released {
        let attested = Job::Record { subject: Subject::Provenance(package.clone(), version.clone()) };
        for job in &[Job::Announce { package: package.clone() }, attested] {
            enqueued.push((jobs::enqueue(&mut tx, &context.ids, job).await?, job.lane()));
        }
    }
    tx.commit().await?;
    if is_released {
        steps::reached(Step::Released);
        tracing::info!(%package, %version, "a version is out of the quarantine");
    }
    for next in enqueued.into_iter().chain(twin) {
        ring(context, Some(next)).await;
    }
    Ok(())
}
