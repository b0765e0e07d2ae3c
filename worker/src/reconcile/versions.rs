//! Versions with their objects.

use futures::{StreamExt, TryStreamExt, stream};
use slipway_common::fault::AnyFault;
use slipway_common::formats::npm_keys::NpmKeys;
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{PackageName, Sha256, Version};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::job::Job;
use slipway_common::model::package::Package;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::{ArtefactRecord, PackageVersion};
use slipway_common::storage::StorageKey;

use super::{Code, Page, Problem, Repair, attestations, repair, signatures};
use crate::workshop::Workshop;

/// Versions that are compared before the cursor is handed back. One may have ten thousand objects.
const PAGE: i64 = 4;

/// Objects that are read at once. Each holds one piece of its bytes.
const READS_AT_ONCE: usize = 16;

pub(super) async fn page(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after = after.and_then(read_back);
    let found = workshop.context.db.read().await?.versions_after(after.as_ref(), PAGE).await?;
    let mut page = Page { next: found.last().map(|(package, version)| format!("{package}@{version}")), ..Page::default() };
    let keys = if found.is_empty() { None } else { signatures::keys(workshop, after.is_none(), repair, &mut page).await? };
    for (package, version) in found {
        let of_version = compare(workshop, (&package, &version), keys.as_ref(), repair).await?;
        page.seen += of_version.seen;
        page.bytes += of_version.bytes;
        page.problems.extend(of_version.problems);
    }
    Ok(page)
}

/// `@s/p@V`.
fn read_back(text: &str) -> Option<(PackageName, Version)> {
    let (package, version) = text.split_at_checked(text.rfind('@')?)?;
    Some((PackageName::try_from(package).ok()?, Version::try_from(&version[1..]).ok()?))
}

/// An object that a version needs.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub(super) key: StorageKey,
    /// What it is; nothing is the upload.
    pub(super) kind: Option<ArtefactKind>,
    pub(super) digest: Sha256,
    pub(super) size: u64,
}

async fn compare(
    workshop: &Workshop,
    (package, version): (&PackageName, &Version),
    keys: Option<&NpmKeys>,
    wanted: Repair,
) -> Result<Page, AnyFault> {
    let mut tx = workshop.context.db.read().await?;
    let Some(row) = tx.version(package, version).await? else { return Ok(Page::default()) };
    let Some(Package { visibility, .. }) = tx.package(package).await? else { return Ok(Page::default()) };
    let publish = tx.publish(row.task_id).await?;
    let is_being_stored = tx.is_under_way(&Job::Store { task: row.task_id, plan: 0 }).await?;
    let is_held = tx.quarantine(package, version).await?.is_some();
    let is_moving = tx.is_under_way(&Job::Quarantine { package: package.clone(), version: version.clone() }).await?;
    drop(tx);
    if is_held && is_moving {
        return Ok(Page { seen: 1, ..Page::default() });
    }
    if row.stored_generation.is_none() && !is_held {
        let what = "it was committed, and nobody is about to store it";
        let problem = Problem::new(Code::NotStored, format!("{package}@{version}"), what);
        return Ok(Page { seen: 1, problems: if is_being_stored { Vec::new() } else { vec![problem] }, ..Page::default() });
    }
    let place = |key: StorageKey| if is_held { key.quarantined() } else { key.seen_by(visibility) };
    let needed = needed(&row, place, publish.as_ref());
    let (seen, bytes) = (needed.len() as u64, needed.iter().map(|needed| needed.size).sum());
    let looks = stream::iter(needed.into_iter().map(|needed| look(workshop, needed))).buffered(READS_AT_ONCE);
    let mut found: Vec<(Needed, Problem)> = looks.try_filter_map(async |found| Ok(found)).try_collect().await?;
    if wanted == Repair::Everything && !found.is_empty() {
        repair::objects(workshop, &row, publish.as_ref(), &mut found).await?;
    }
    let is_meta_sound = !found.iter().any(|(needed, problem)| needed.kind == Some(ArtefactKind::VersionMeta) && !problem.is_repaired);
    let mut problems: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
    if is_meta_sound {
        let manifest = place(StorageKey::VersionMeta { package: row.package.clone(), version: row.version.clone() });
        problems.extend(disagreement(workshop, &row, &manifest).await?);
    }
    problems.extend(keys.and_then(|keys| signatures::look(keys, &row, publish.as_ref())));
    if !is_held {
        problems.extend(attestations::compare(workshop, &row, (publish.as_ref(), visibility), keys, wanted).await?);
    }
    Ok(Page { seen, bytes, problems, next: None })
}

fn needed(row: &PackageVersion, place: impl Fn(StorageKey) -> StorageKey, publish: Option<&Publish>) -> Vec<Needed> {
    let artefact = |artefact: &ArtefactRecord| Needed {
        key: place(StorageKey::of_artefact(&row.package, &row.version, &artefact.kind)),
        kind: Some(artefact.kind.clone()),
        digest: artefact.digest,
        size: artefact.size,
    };
    let upload = |publish: &Publish| Needed {
        key: StorageKey::Upload(publish.upload_id),
        kind: None,
        digest: publish.upload,
        size: publish.upload_bytes,
    };
    row.content.artefacts.iter().map(artefact).chain(publish.map(upload)).collect()
}

/// What is wrong with an object.
async fn look(workshop: &Workshop, needed: Needed) -> Result<Option<(Needed, Problem)>, AnyFault> {
    let problem = match workshop.context.storage.digest(&needed.key).await? {
        Some(found) if found == (needed.size, needed.digest) => return Ok(None),
        Some((size, digest)) => {
            let what = format!("it has {size} bytes with the digest {digest}, and should have {} with {}", needed.size, needed.digest);
            Problem::new(Code::ObjectDamaged, needed.key.text(), what)
        }
        None => Problem::new(Code::ObjectMissing, needed.key.text(), "there is no such object"),
    };
    Ok(Some((needed, problem)))
}

/// Whether the manifest, which is as it was published, lists the files that the row does.
async fn disagreement(workshop: &Workshop, row: &PackageVersion, key: &StorageKey) -> Result<Option<Problem>, AnyFault> {
    let bytes = workshop.context.storage.get(key).await?;
    let problem = |what: &str| Some(Problem::new(Code::ManifestDisagrees, key.text(), what));
    if Sha256::of(&bytes) != row.content.meta {
        return Ok(problem("its digest is not the one that the version has"));
    }
    let Ok(meta) = serde_json::from_slice::<VersionMeta>(&bytes) else { return Ok(problem("it cannot be read")) };
    let files = row.content.artefacts.iter().filter_map(|artefact| match &artefact.kind {
        ArtefactKind::Module(path) => Some((path, artefact.size, artefact.digest.checksum())),
        _ => None,
    });
    let listed = meta.manifest.iter().map(|(path, entry)| (path, entry.size, entry.checksum.clone()));
    Ok(if files.eq(listed) { None } else { problem("it lists other files than the row") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back() {
        let (package, version) = read_back("@acme/maths@1.0.0-rc.1+b").unwrap();
        assert_eq!((package.to_string(), version.to_string()), ("@acme/maths".to_owned(), "1.0.0-rc.1+b".to_owned()));
        for bad in ["", "@acme/maths", "@acme/maths@x", "@"] {
            assert!(read_back(bad).is_none(), "{bad}");
        }
    }
}
