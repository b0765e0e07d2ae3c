//! What the row of a version was, from its record and what is stored of it.
//!
//! The record pins the manifest by its digest, and a manifest that is another one is not believed.

use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{ChangedVersion, VersionRecord};
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::package::Visibility;
use slipway_common::model::version::{ArtefactRecord, PackageVersion, VersionContent};
use slipway_common::storage::{Storage, StorageError, StorageKey};

use crate::records::{self, Records};

/// What is remembered of every version of a package, highest first. What cannot be read is handed to `unread`, with the reason.
pub(crate) async fn remembered(
    storage: &Storage,
    package: &PackageName,
    mut unread: impl FnMut(String),
) -> Result<Vec<VersionRecord>, AnyFault> {
    let (mut found, mut listed) = (Vec::new(), Records::of(StorageKey::version_records(package)));
    while let Some(page) = listed.next(storage).await? {
        for listed in page {
            match records::read::<VersionRecord>(storage, listed).await? {
                Ok(record) => found.push(record),
                Err(why) => unread(why),
            }
        }
    }
    found.sort_by(|a, b| b.version.cmp(&a.version));
    Ok(found)
}

/// The row of a version, or why it cannot be made.
pub(crate) async fn version(
    storage: &Storage,
    (package, visibility): (&PackageName, Visibility),
    remembered: &VersionRecord,
    changed: &[ChangedVersion],
) -> Result<Result<PackageVersion, String>, AnyFault> {
    let key = StorageKey::VersionMeta { package: package.clone(), version: remembered.version.clone() }.seen_by(visibility);
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
            attestation: remembered.attestation.clone(),
        },
        stored_generation: Some(remembered.stored_generation),
        created_at: remembered.created_at,
        updated_at: changed.map_or(remembered.created_at, |changed| changed.updated_at),
    })
}
