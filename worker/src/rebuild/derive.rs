//! What the row of a version was, from its record and what is stored of it.
//!
//! The record pins the manifest by its digest, and a manifest that is another one is not believed.

use serde_json::Value;
use slipway_common::context::Context;
use slipway_common::db::{DbResult, WriteTx};
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{ChangedVersion, HeldRecord, VersionRecord};
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::jobs;
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::job::Job;
use slipway_common::model::package::Visibility;
use slipway_common::model::version::{ArtefactRecord, PackageVersion, VersionContent};
use slipway_common::storage::{Storage, StorageError, StorageKey};

use crate::attestation;
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
    (changed, held): (&[ChangedVersion], &[HeldRecord]),
) -> Result<Result<PackageVersion, String>, AnyFault> {
    let usual = StorageKey::VersionMeta { package: package.clone(), version: remembered.version.clone() }.seen_by(visibility);
    let kept = usual.quarantined();
    let is_held = held.iter().any(|held| held.version == remembered.version);
    // What staff keeps from everybody may be on its way. What lies nowhere else is kept, whether that is remembered or not.
    for (key, is_kept) in if is_held { [(&kept, true), (&usual, true)] } else { [(&usual, false), (&kept, true)] } {
        let bytes = match storage.get(key).await {
            Ok(bytes) => bytes,
            Err(StorageError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut version = match of(package, remembered, &bytes, changed) {
            Ok(version) => version,
            Err(why) => return Ok(Err(format!("{why} (`{}`)", key.text()))),
        };
        version.stored_generation = (!is_kept).then_some(remembered.stored_generation);
        version.content.logged = logged(storage, &version, visibility).await?;
        return Ok(Ok(version));
    }
    Ok(Err(format!("`{}` is not there", usual.text())))
}

/// What is attested of a version as a log has it, which readers find in the place of what was signed at first. One that is lost is entered
/// again.
async fn logged(storage: &Storage, version: &PackageVersion, visibility: Visibility) -> Result<Option<Value>, AnyFault> {
    let Some(own) = &version.content.attestation else { return Ok(None) };
    let key = StorageKey::NpmAttestations { package: version.package.clone(), version: version.version.clone() };
    let document = storage.look(&key.seen_by(visibility)).await?.bytes;
    let document: Value = document.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let mut bundles = document["attestations"].as_array().into_iter().flatten().map(|attestation| &attestation["bundle"]);
    let says_the_same = |bundle: &&Value| attestation::payload(bundle) == attestation::payload(own);
    Ok(bundles.find(|bundle| says_the_same(bundle) && bundle.pointer("/verificationMaterial/tlogEntries/0").is_some()).cloned())
}

/// Holds a version whose row was made again, if it was held, and has its objects moved: whoever held it may not have come so far.
pub(crate) async fn hold(context: &Context, tx: &mut WriteTx, row: &PackageVersion, remembered: &[HeldRecord]) -> DbResult<()> {
    let Some(held) = held(row, remembered) else { return Ok(()) };
    tx.restore_quarantine(&row.package, &held).await?;
    let job = Job::Quarantine { package: row.package.clone(), version: row.version.clone() };
    jobs::enqueue(tx, &context.ids, &job).await?;
    Ok(())
}

/// Why a version that was made again is kept from everybody, if it is.
fn held(row: &PackageVersion, remembered: &[HeldRecord]) -> Option<HeldRecord> {
    let known = remembered.iter().find(|held| held.version == row.version).cloned();
    let unknown = || HeldRecord { version: row.version.clone(), reason: UNKNOWN_REASON.to_owned(), since: row.updated_at };
    row.stored_generation.is_none().then(|| known.unwrap_or_else(unknown))
}

/// What is said of a version that lies in the quarantine when no record says why.
pub(crate) const UNKNOWN_REASON: &str = "it was held when the database was lost, and nothing is remembered of why";

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
            logged: None,
        },
        stored_generation: Some(remembered.stored_generation),
        created_at: remembered.created_at,
        updated_at: changed.map_or(remembered.created_at, |changed| changed.updated_at),
    })
}
