//! Packages with their documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{self, PackageRecord};
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::job::Job;
use slipway_common::model::package::Package;
use slipway_common::shutdown::aside;
use slipway_common::storage::StorageKey;

use super::{Code, Page, Problem, Repair, have_done, repair};
use crate::jobs::announce::{self, Snapshot};
use crate::jobs::record::of_package;
use crate::records::Records;
use crate::workshop::Workshop;

/// Packages that are compared before the cursor is handed back. Each is held whole, one at a time.
const PAGE: i64 = 20;

pub(super) async fn page(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after = after.and_then(|after| PackageName::try_from(after).ok());
    let found = workshop.context.db.read().await?.packages_after(after.as_ref(), PAGE).await?;
    let mut page = Page { next: found.last().map(ToString::to_string), seen: found.len() as u64, ..Page::default() };
    for package in found {
        page.problems.extend(compare(workshop, &package, repair).await?);
    }
    Ok(page)
}

pub(super) async fn compare(workshop: &Workshop, name: &PackageName, wanted: Repair) -> Result<Vec<Problem>, AnyFault> {
    let mut problems = look(workshop, name).await?;
    if problems.is_empty() || wanted == Repair::Nothing {
        return Ok(problems);
    }
    if wanted == Repair::Everything && problems.iter().any(|problem| problem.code == Code::VersionWithoutRow) {
        repair::restore_versions(workshop, name).await?;
    }
    repair::version_records(workshop, name, &problems).await?;
    // An announcement shows what has a row, and would forget the rest.
    let before = look(workshop, name).await?;
    if !before.is_empty() && before.iter().all(|problem| problem.code != Code::VersionWithoutRow) {
        have_done(workshop, &Job::Announce { package: name.clone() }).await?;
    }
    let left = look(workshop, name).await?;
    for problem in &mut problems {
        problem.is_repaired = !left.iter().any(|left| (left.code, &left.key) == (problem.code, &problem.key));
    }
    let is_new = |left: &Problem| !problems.iter().any(|known| (known.code, &known.key) == (left.code, &left.key));
    let new: Vec<_> = left.iter().filter(|left| is_new(left)).cloned().collect();
    problems.extend(new);
    Ok(problems)
}

/// What the rows say of a package.
struct Said {
    package: Package,
    /// Every version that has a row and could be listed, or could be if staff did not keep it from everybody.
    rows: BTreeSet<Version>,
    /// What readers are shown, and what is remembered of each version.
    documents: Vec<(StorageKey, Vec<u8>)>,
    /// What is remembered of the package.
    record: PackageRecord,
}

/// What is wrong with the documents of a package. Nothing while somebody is about to write them.
async fn look(workshop: &Workshop, name: &PackageName) -> Result<Vec<Problem>, AnyFault> {
    let Some(said) = ask(workshop, name).await? else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    if said.package.announced < said.package.generation {
        problems.push(Problem::new(Code::NotAnnounced, name.to_string(), "it was changed, and nobody is about to announce it"));
    }
    let mut unknown = BTreeSet::new();
    let record = StorageKey::PackageRecord(name.clone());
    let is_record = |stored: &Bytes| serde_json::from_slice(stored).is_ok_and(|stored: PackageRecord| stored.says_the_same(&said.record));
    problems.extend(wrong(&record, workshop.context.storage.look(&record).await?.bytes.map(|stored| is_record(&stored))));
    for (key, expected) in &said.documents {
        let stored = workshop.context.storage.look(key).await?.bytes;
        problems.extend(wrong(key, stored.as_ref().map(|stored| stored == expected)));
        if matches!(key.bare(), StorageKey::PackageMeta(_) | StorageKey::Packument(_) | StorageKey::PackumentAbbreviated(_)) {
            let listed = aside(move || stored.map(|stored| listed(&stored)).unwrap_or_default()).await;
            unknown.extend(listed.into_iter().filter(|version| !said.rows.contains(version)).map(|version| (version, key.text())));
        }
    }
    for (version, key) in remembered(workshop, name).await? {
        if !said.rows.contains(&version) {
            unknown.insert((version, key));
        }
    }
    let mut last = None;
    for (version, key) in unknown {
        if last.as_ref() != Some(&version) {
            problems.push(Problem::new(Code::VersionWithoutRow, format!("{name}@{version}"), format!("`{key}` lists it")));
        }
        last = Some(version);
    }
    if problems.is_empty() {
        return Ok(problems);
    }
    // What was changed meanwhile is somebody else's work, and the next round looks at it.
    let again = ask(workshop, name).await?;
    let is_same = again.is_some_and(|again| (again.documents, again.rows, again.record) == (said.documents, said.rows, said.record));
    Ok(if is_same { problems } else { Vec::new() })
}

/// What is wrong with a document that is there or not, and is what it should be or not.
fn wrong(key: &StorageKey, stored: Option<bool>) -> Option<Problem> {
    match stored {
        Some(true) => None,
        Some(false) => Some(Problem::new(Code::DocumentStale, key.text(), "it shows something else than the rows")),
        None => Some(Problem::new(Code::DocumentMissing, key.text(), "there is no such object")),
    }
}

/// The versions of a package that have a record, with its key.
async fn remembered(workshop: &Workshop, name: &PackageName) -> Result<Vec<(Version, String)>, AnyFault> {
    let (mut found, mut listed) = (Vec::new(), Records::of(StorageKey::version_records(name)));
    while let Some(page) = listed.next(&workshop.context.storage).await? {
        found.extend(page.into_iter().flatten().filter_map(|key| match &key {
            StorageKey::VersionRecord { version, .. } => Some((version.clone(), key.text())),
            _ => None,
        }));
    }
    Ok(found)
}

async fn ask(workshop: &Workshop, name: &PackageName) -> Result<Option<Said>, AnyFault> {
    let mut tx = workshop.context.db.read().await?;
    if tx.is_under_way(&Job::Announce { package: name.clone() }).await? {
        return Ok(None);
    }
    let Some(package) = tx.package(name).await? else { return Ok(None) };
    let (versions, held) = tx.listed_and_held(name).await?;
    let records = tx.version_records(name, -1).await?;
    drop(tx);
    let config = Arc::clone(&workshop.context.config);
    let said = move || {
        let rows = versions.iter().map(|listed| &listed.version).chain(held.iter().map(|held| &held.version)).cloned().collect();
        let record = of_package(&package, &versions, &held);
        let key = |version: &Version| StorageKey::VersionRecord { package: package.name.clone(), version: version.clone() };
        let mut documents: Vec<_> = records.iter().map(|record| (key(&record.version), record::to_bytes(record))).collect();
        let snapshot = Snapshot { package, versions, held };
        // A package that never had a version has no public documents. One that has lost its rows has some all the same, and they are
        // read for the versions that they list.
        if !snapshot.versions.is_empty() {
            documents.extend(announce::documents(&snapshot, &config));
        }
        Said { package: snapshot.package, rows, documents, record }
    };
    Ok(Some(aside(said).await))
}

/// The versions that a document lists, as far as it can be read.
fn listed(bytes: &Bytes) -> Vec<Version> {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let versions = document["versions"].as_object().into_iter().flat_map(|versions| versions.keys());
    versions.filter_map(|text| Version::try_from(text.as_str()).ok()).collect()
}
