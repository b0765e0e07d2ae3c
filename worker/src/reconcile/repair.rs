//! Makes again what follows from the rest: objects whose very bytes come out, and rows that the records remember.

use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{PackageRecord, VersionRecord};
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::model::artefact::Artefact;
use slipway_common::model::package::Package;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;
use slipway_common::shutdown::aside;
use slipway_common::storage::{StorageError, StorageKey};
use url::Url;

use super::Problem;
use super::versions::Needed;
use crate::jobs::publish::judge_again;
use crate::jobs::record::write_version;
use crate::rebuild::derive;
use crate::workshop::Workshop;

/// Writes what lies in the quarantine too, or can be made again from the upload.
pub(super) async fn objects(
    workshop: &Workshop,
    row: &PackageVersion,
    publish: Option<&Publish>,
    found: &mut [(Needed, Problem)],
) -> Result<(), AnyFault> {
    from_quarantine(workshop, found).await?;
    if let Some(publish) = publish
        && found.iter().any(|(_, problem)| !problem.is_repaired)
    {
        from_upload(workshop, row, publish, found).await?;
    }
    let repaired: Vec<StorageKey> = found.iter().filter(|(_, problem)| problem.is_repaired).map(|(needed, _)| needed.key.clone()).collect();
    if !repaired.is_empty()
        && let Err(error) = workshop.cdn.purge(&repaired).await
    {
        tracing::warn!(%error, "the edge was not told of the objects that were made again");
    }
    Ok(())
}

/// Of a version that was in quarantine once, the copies stay there.
async fn from_quarantine(workshop: &Workshop, found: &mut [(Needed, Problem)]) -> Result<(), AnyFault> {
    let storage = &workshop.context.storage;
    for (needed, problem) in found.iter_mut().filter(|(needed, _)| needed.kind.is_some()) {
        let (kept, sound) = (needed.key.quarantined(), Some((needed.size, needed.digest)));
        if kept != needed.key && storage.digest(&kept).await? == sound {
            storage.put(&needed.key, storage.get(&kept).await?).await?;
            problem.is_repaired = storage.digest(&needed.key).await? == sound;
        }
    }
    Ok(())
}

/// What comes out otherwise than it was published stays as it is: the build, or what else was published, is another by now.
async fn from_upload(
    workshop: &Workshop,
    row: &PackageVersion,
    publish: &Publish,
    found: &mut [(Needed, Problem)],
) -> Result<(), AnyFault> {
    let storage = &workshop.context.storage;
    let upload = match storage.get(&StorageKey::Upload(publish.upload_id)).await {
        Ok(upload) => upload,
        Err(StorageError::Missing(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let bytes = upload.clone();
    if aside(move || Sha256::of(&bytes)).await != publish.upload {
        return Ok(());
    }
    let Some(artefacts) = judge_again(workshop, publish, upload, called(workshop, row)).await? else { return Ok(()) };
    for (needed, problem) in found.iter_mut().filter(|(_, problem)| !problem.is_repaired) {
        let is_it = |artefact: &&Artefact| Some(&artefact.kind) == needed.kind.as_ref() && artefact.digest == needed.digest;
        let Some(artefact) = artefacts.iter().find(is_it) else { continue };
        storage.put(&needed.key, artefact.bytes.clone()).await?;
        problem.is_repaired = storage.digest(&needed.key).await? == Some((needed.size, needed.digest));
    }
    Ok(())
}

/// What the registry was called when a version was published: npm was told where its page is, unless its author had one.
pub(super) fn called(workshop: &Workshop, row: &PackageVersion) -> Url {
    let page = row.content.npm_manifest["homepage"].as_str().and_then(|page| page.strip_suffix(&row.package.to_string()));
    page.and_then(|url| Url::parse(url).ok()).unwrap_or_else(|| workshop.context.config.public_url.clone())
}

/// Writes the records of versions again that are missing or damaged: the announcement writes only those of new ones.
pub(super) async fn version_records(workshop: &Workshop, name: &PackageName, problems: &[Problem]) -> Result<(), AnyFault> {
    let is_bad = |record: &VersionRecord| {
        let key = StorageKey::VersionRecord { package: name.clone(), version: record.version.clone() }.text();
        problems.iter().any(|problem| problem.key == key)
    };
    let directory = StorageKey::version_records(name);
    if problems.iter().any(|problem| problem.key.starts_with(&directory)) {
        let records = workshop.context.db.read().await?.version_records(name, -1).await?;
        for record in records.iter().filter(|record| is_bad(record)) {
            write_version(&workshop.context, name, record).await?;
        }
    }
    Ok(())
}

/// Makes the rows of versions again that the records remember and the database does not.
pub(super) async fn restore_versions(workshop: &Workshop, name: &PackageName) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let record = context.storage.look(&StorageKey::PackageRecord(name.clone())).await?.bytes;
    let record = record.and_then(|bytes| serde_json::from_slice::<PackageRecord>(&bytes).ok());
    let Some(Package { visibility, .. }) = context.db.read().await?.package(name).await? else { return Ok(()) };
    let (changed, held) = record.map(|record| (record.changed, record.held)).unwrap_or_default();
    let unread = |why| tracing::warn!(package = %name, why, "a record is of no use");
    for remembered in derive::remembered(&context.storage, name, unread).await? {
        if context.db.read().await?.version(name, &remembered.version).await?.is_some() {
            continue;
        }
        match derive::version(&context.storage, (name, visibility), &remembered, (&changed, &held)).await? {
            Ok(version) => {
                let mut tx = context.db.write("reconcile.restore").await?;
                if tx.restore_version(&version, &remembered).await? {
                    derive::hold(context, &mut tx, &version, &held).await?;
                }
                tx.commit().await?;
            }
            Err(why) => tracing::warn!(package = %name, version = %remembered.version, why, "the row cannot be made again"),
        }
    }
    Ok(())
}
