//! What lies in the stores, with its rows. Listed first and asked about afterwards: a row comes before its objects, so whatever was
//! listed has one by then.

use std::collections::BTreeSet;

use slipway_common::context::Context;
use slipway_common::db::ReadTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::version::PackageVersion;
use slipway_common::storage::{StorageKey, Store};

use super::{Code, Page, Problem};

/// Objects that are listed before the cursor is handed back. A directory of files is gone through whole for each of these.
const PAGE: usize = 5_000;

/// The directory of the records.
const RECORDS: &str = "registry";

pub(super) async fn public(context: &Context, after: Option<&str>) -> Result<Page, AnyFault> {
    let listed = context.storage.page(Store::Public, "", after, PAGE).await?;
    let mut page = Page { next: listed.last().map(|object| object.key.clone()), seen: listed.len() as u64, ..Page::default() };
    let mut tx = context.db.read().await?;
    let mut rows = Rows::default();
    for object in &listed {
        let problem = match StorageKey::parse(Store::Public, &object.key) {
            Some(key) => rows.look(&mut tx, &key).await?,
            None => Some(Problem::new(Code::ObjectWithoutRow, &object.key, "no object of the registry is called this")),
        };
        page.problems.extend(problem);
    }
    Ok(page)
}

pub(super) async fn records(context: &Context, after: Option<&str>) -> Result<Page, AnyFault> {
    let listed = context.storage.page(Store::Private, RECORDS, after, PAGE).await?;
    let mut page = Page { next: listed.last().map(|object| object.key.clone()), seen: listed.len() as u64, ..Page::default() };
    let mut tx = context.db.read().await?;
    for object in &listed {
        let (has_row, job) = match StorageKey::parse(Store::Private, &object.key) {
            Some(StorageKey::UserRecord(user)) => (tx.user(user).await?.is_some(), Some(Job::Record { subject: Subject::User(user) })),
            Some(StorageKey::ScopeRecord(scope)) => {
                (tx.scope(&scope).await?.is_some(), Some(Job::Record { subject: Subject::Scope(scope) }))
            }
            Some(StorageKey::PackageRecord(package)) => (tx.package(&package).await?.is_some(), Some(Job::Announce { package })),
            Some(StorageKey::PublishersRecord(package)) => {
                (tx.package(&package).await?.is_some(), Some(Job::Record { subject: Subject::Publishers(package) }))
            }
            Some(StorageKey::ProvenanceRecord { package, version }) => (tx.provenance(&package, &version).await?.is_some(), None),
            Some(StorageKey::VersionRecord { package, version }) => (tx.version(&package, &version).await?.is_some(), None),
            Some(StorageKey::Catalogue) => (true, None),
            _ => (false, None),
        };
        // What was deleted a moment ago is about to be forgotten.
        let is_going = match job {
            Some(job) if !has_row => tx.is_under_way(&job).await?,
            _ => false,
        };
        if !has_row && !is_going {
            page.problems.push(Problem::new(Code::ObjectWithoutRow, &object.key, "nothing of this name is in the database"));
        }
    }
    Ok(page)
}

/// A version of a package.
type At = (PackageName, Version);

/// The rows that were asked for last: keys come in order, so those of a version follow each other.
#[derive(Default)]
struct Rows {
    version: Option<(At, Option<BTreeSet<ArtefactKind>>)>,
    /// The version without a row that was told of last: one line stands for all of its objects.
    told: Option<At>,
}

impl Rows {
    async fn look(&mut self, tx: &mut ReadTx, key: &StorageKey) -> Result<Option<Problem>, AnyFault> {
        let (package, version, kind) = match key.clone() {
            StorageKey::Module { package, version, path } => (package, version, ArtefactKind::Module(path)),
            StorageKey::VersionMeta { package, version } => (package, version, ArtefactKind::VersionMeta),
            StorageKey::NpmTarball { package, version } => (package, version, ArtefactKind::NpmTarball),
            StorageKey::Docs { package, version, revision, name } => (package, version, ArtefactKind::Docs { revision, name }),
            StorageKey::PackageMeta(package) | StorageKey::Packument(package) | StorageKey::PackumentAbbreviated(package) => {
                let is_known = tx.package(&package).await?.is_some();
                let problem = || Problem::new(Code::ObjectWithoutRow, key.text(), "its package is not in the database");
                return Ok((!is_known).then(problem));
            }
            StorageKey::NpmAttestations { package, version } => {
                let is_known = tx.version(&package, &version).await?.is_some();
                let problem = || Problem::new(Code::ObjectWithoutRow, key.text(), "its version is not in the database");
                return Ok((!is_known).then(problem));
            }
            _ => return Ok(None),
        };
        let at = (package, version);
        if self.version.as_ref().is_none_or(|(known, _)| *known != at) {
            let row = tx.version(&at.0, &at.1).await?;
            self.version = Some((at.clone(), row.map(|row: PackageVersion| kinds(&row))));
        }
        match self.version.as_ref().and_then(|(_, kinds)| kinds.as_ref()) {
            Some(kinds) if kinds.contains(&kind) => Ok(None),
            Some(_) => Ok(Some(Problem::new(Code::ObjectWithoutRow, key.text(), "its version has no such object"))),
            None if self.told.as_ref() == Some(&at) => Ok(None),
            None => {
                let problem =
                    Problem::new(Code::ObjectWithoutRow, key.text(), "its version is not in the database, nor is what lies beside it");
                self.told = Some(at);
                Ok(Some(problem))
            }
        }
    }
}

fn kinds(row: &PackageVersion) -> BTreeSet<ArtefactKind> {
    row.content.artefacts.iter().map(|artefact| artefact.kind.clone()).collect()
}
