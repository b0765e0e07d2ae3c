//! Makes a private package public: copies its objects, has it announced to everybody, and takes the private copies away.
//!
//! Each run looks at how far the package is, so it can be killed anywhere. Nothing is published while a package is opening, and the
//! package is not opened before what was under way is over: what is copied is all there is. Documents are not copied, since the
//! announcement writes them; what is attested of a version is written with the copies, and once more where a job signed it. The
//! private copies go when everybody can read the documents, so whoever could read the package before can do so all the while.

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::job::{Claim, Job, Subject};
use slipway_common::model::package::{Package, Visibility};
use slipway_common::model::version::{ArtefactRecord, ListedVersion, PackageVersion};
use slipway_common::shutdown::aside;
use slipway_common::steps::{self, Step};
use slipway_common::storage::{StorageKey, Store};

use super::record::write_first;
use super::{ring, settle};
use crate::attestation::Attested;
use crate::error::JobError;
use crate::workshop::Workshop;

/// How long the private copies stay when the package is public: by then it is announced, and whoever had begun to read one is through.
const KEPT: TimeDelta = TimeDelta::minutes(1);

/// Objects that are copied at once. Each is held whole while it is on its way.
const COPIES_AT_ONCE: usize = 8;

/// Private copies that are listed before they are deleted: as many as S3 lists.
const PAGE: usize = 1_000;

/// Reads how far the package is. Nothing when it is private: it was never to be opened, or could not be.
pub(crate) async fn start(tx: &mut WriteTx, package: &PackageName) -> Result<Option<Package>, JobError> {
    Ok(tx.package(package).await?.filter(|package| package.visibility != Visibility::Private))
}

/// Goes on with it.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, package: Package) -> Result<(), JobError> {
    if package.visibility.is_public() { clear(workshop, claim, &package).await } else { open(workshop, claim, &package.name).await }
}

async fn open(workshop: &Workshop, claim: &Claim, package: &PackageName) -> Result<(), JobError> {
    let context = &workshop.context;
    let mut tx = context.db.read().await?;
    if tx.unfinished_publishes(package).await? > 0 {
        return Err(JobError::Retry(AnyFault::later(format!("{package} is opened when what is being published of it is over"))));
    }
    let mut versions = Vec::new();
    for listed in tx.listed_versions(package).await? {
        versions.extend(tx.version(package, &listed.version).await?);
    }
    drop(tx);
    for version in &versions {
        copy(context, version).await?;
        steps::reached(Step::SomeCopied);
    }

    let mut tx = context.db.write("package.open").await?;
    // Before anything is read: it locks the row.
    tx.bump_generation(package).await?;
    let needed = tx.private_dependencies(package).await?.into_iter().next();
    let to = if needed.is_some() { Visibility::Private } else { Visibility::Public };
    if !tx.set_visibility(package, Visibility::Opening, to).await? {
        return Err(JobError::Zombie);
    }
    let twin = settle(&mut tx, claim).await?;
    let mut work = vec![Job::Announce { package: package.clone() }];
    if needed.is_none() {
        let attested = tx.attested_versions(package).await?;
        work.extend(attested.into_iter().map(|version| Job::Record { subject: Subject::Provenance(package.clone(), version) }));
        tx.audit(context.ids.next(), &Doer::registry(), &Deed::of_package(Act::PackageOpen, package)).await?;
        jobs::enqueue_for_later(&mut tx, &context.ids, &claim.job, KEPT).await?;
    }
    let mut enqueued = Vec::with_capacity(work.len());
    for job in &work {
        enqueued.push((jobs::enqueue(&mut tx, &context.ids, job).await?, job.lane()));
    }
    tx.commit().await?;
    steps::reached(Step::Opened);
    if let Some(needed) = needed {
        tracing::warn!(%package, %needed, "the package stays private: it depends on one that is");
    } else {
        tracing::info!(%package, "the package is public");
    }
    for next in enqueued.into_iter().chain(twin) {
        ring(context, Some(next)).await;
    }
    Ok(())
}

/// Copies what is stored of a version. The digests are those of the commit: nothing else becomes public.
async fn copy(context: &Context, version: &PackageVersion) -> Result<(), AnyFault> {
    let copy_one = |artefact: &ArtefactRecord| {
        let key = StorageKey::of_artefact(&version.package, &version.version, &artefact.kind);
        let digest = artefact.digest;
        async move {
            let bytes = context.storage.get(&key.clone().seen_by(Visibility::Private)).await?;
            let copied = bytes.clone();
            if aside(move || Sha256::of(&copied)).await != digest {
                return Err(AnyFault::never(format!("`{}` in the private store is not what was published", key.text())));
            }
            Ok(context.storage.put_once(&key, bytes, &digest).await?)
        }
    };
    let copies: Vec<_> = version.content.artefacts.iter().map(copy_one).collect();
    stream::iter(copies).buffer_unordered(COPIES_AT_ONCE).try_collect::<()>().await?;
    let attested = Attested::of(&mut context.db.read().await?, &version.package, &version.version).await?;
    Ok(write_first(&context.storage, attested.document(Visibility::Public, &context.config.attestation)).await?)
}

/// Deletes the private copies of a package that everybody can read.
async fn clear(workshop: &Workshop, claim: &Claim, package: &Package) -> Result<(), JobError> {
    let context = &workshop.context;
    if package.announced < package.generation {
        return Err(JobError::Retry(AnyFault::later(format!("{} is public, and not announced yet", package.name))));
    }
    for directory in StorageKey::directories(&package.name) {
        clear_directory(context, &directory).await?;
    }
    let listed = context.db.read().await?.listed_versions(&package.name).await?;
    for ListedVersion { version, .. } in listed {
        let key = StorageKey::NpmAttestations { package: package.name.clone(), version };
        context.storage.delete(&key.seen_by(Visibility::Private)).await?;
    }
    let mut tx = context.db.write("package.opened").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(context, twin).await;
    Ok(())
}

async fn clear_directory(context: &Context, directory: &str) -> Result<(), AnyFault> {
    let mut after: Option<String> = None;
    loop {
        let listed = context.storage.page(Store::Private, directory, after.as_deref(), PAGE).await?;
        let Some(last) = listed.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for object in listed {
            if let Some(key) = StorageKey::parse(Store::Private, &object.key) {
                context.storage.delete(&key).await?;
            }
        }
    }
}
