//! What the row of a version was, from its record and what is stored of it.
//!
//! Nothing is believed that its digest does not confirm: the record pins the manifest.

use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{ChangedVersion, VersionRecord};
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::version::{ArtefactRecord, PackageVersion, VersionContent};
use slipway_common::shutdown::aside;
use slipway_common::storage::{Storage, StorageError, StorageKey, Store};

/// Records that are listed at once.
const PAGE: usize = 1_000;

/// What is remembered of every version of a package, highest first. What cannot be read is handed to `unread`, with the reason.
pub(crate) async fn remembered(
    storage: &Storage,
    package: &PackageName,
    mut unread: impl FnMut(String),
) -> Result<Vec<VersionRecord>, AnyFault> {
    let directory = StorageKey::version_records(package);
    let (mut records, mut after): (Vec<VersionRecord>, Option<String>) = (Vec::new(), None);
    loop {
        let listed = storage.page(Store::Private, &directory, after.as_deref(), PAGE).await?;
        let Some(last) = listed.last() else { break };
        after = Some(last.key.clone());
        for object in listed {
            let Some(key) = StorageKey::parse(Store::Private, &object.key) else {
                unread(format!("{}: it is no record", object.key));
                continue;
            };
            let bytes = storage.get(&key).await?;
            match aside(move || serde_json::from_slice(&bytes)).await {
                Ok(record) => records.push(record),
                Err(error) => unread(format!("{}: it cannot be read: {error}", object.key)),
            }
        }
    }
    records.sort_by(|a, b| b.version.cmp(&a.version));
    Ok(records)
}

/// The row of a version, or why it cannot be made.
pub(crate) async fn version(
    storage: &Storage,
    package: &PackageName,
    remembered: &VersionRecord,
    changed: &[ChangedVersion],
) -> Result<Result<PackageVersion, String>, AnyFault> {
    let key = StorageKey::VersionMeta { package: package.clone(), version: remembered.version.clone() };
    let bytes = match storage.get(&key).await {
        Ok(bytes) => bytes,
        Err(StorageError::Missing(_)) => return Ok(Err(format!("`{}` is not there", key.text()))),
        Err(error) => return Err(error.into()),
    };
    Ok(of(package, remembered, &bytes, changed).map_err(|why| format!("{why} (`{}`)", key.text())))
}

fn of(package: &PackageName, remembered: &VersionRecord, meta: &[u8], changed: &[ChangedVersion]) -> Result<PackageVersion, String> {
    let digest = Sha256::of(meta);
    if remembered.meta() != Some(digest) {
        return Err("the manifest is not the one that was published".to_owned());
    }
    let meta: VersionMeta = serde_json::from_slice(meta).map_err(|error| format!("the manifest cannot be read: {error}"))?;
    let changed = changed.iter().find(|changed| changed.version == remembered.version);
    let mut artefacts = remembered.artefacts.clone();
    for (path, entry) in meta.manifest {
        let digest = entry.checksum.strip_prefix("sha256-").and_then(|hex| Sha256::from_hex(hex).ok());
        let digest = digest.ok_or("the manifest has a digest that is none")?;
        artefacts.push(ArtefactRecord { kind: ArtefactKind::Module(path), digest, size: entry.size });
    }
    artefacts.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(PackageVersion {
        package: package.clone(),
        version: remembered.version.clone(),
        is_yanked: changed.is_some_and(|changed| changed.is_yanked),
        task_id: remembered.task_id,
        user_id: remembered.user_id,
        content: VersionContent {
            exports: meta.exports,
            license: remembered.license.clone(),
            readme: remembered.readme.clone(),
            uses_npm: remembered.uses_npm,
            augmentations: meta.augmentations,
            meta: digest,
            npm_manifest: remembered.npm_manifest.clone(),
            npm_revision: remembered.npm_revision,
            artefacts,
        },
        stored_generation: Some(remembered.stored_generation),
        created_at: remembered.created_at,
        updated_at: changed.map_or(remembered.created_at, |changed| changed.updated_at),
    })
}
