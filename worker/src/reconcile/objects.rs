//! What lies in the stores, with its rows. Listed first and asked about afterwards: a row comes before its objects, so whatever was
//! listed has one by then.

use std::collections::BTreeSet;

use slipway_common::context::Context;
use slipway_common::db::ReadTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::package::Visibility;
use slipway_common::model::version::PackageVersion;
use slipway_common::storage::{Listed, StorageKey, Store};

use super::{Code, Page, Problem};

/// Objects that are listed before the cursor is handed back. A directory of files is gone through whole for each of these.
const PAGE: usize = 5_000;

/// The directory of the records.
const RECORDS: &str = "registry";

pub(super) async fn public(context: &Context, after: Option<&str>) -> Result<Page, AnyFault> {
    compare(context, Store::Public, after).await
}

/// What is kept of private packages comes before the records and the uploads in the order of keys.
pub(super) async fn hidden(context: &Context, after: Option<&str>) -> Result<Page, AnyFault> {
    compare(context, Store::Private, after).await
}

async fn compare(context: &Context, store: Store, after: Option<&str>) -> Result<Page, AnyFault> {
    let mut listed = context.storage.page(store, "", after, PAGE).await?;
    let is_last = |object: &Listed| store == Store::Private && object.key.as_str() >= RECORDS;
    let end = listed.iter().position(is_last);
    listed.truncate(end.unwrap_or(listed.len()));
    let next = if end.is_some() { None } else { listed.last().map(|object| object.key.clone()) };
    let mut page = Page { next, seen: listed.len() as u64, ..Page::default() };
    let mut tx = context.db.read().await?;
    let mut rows = Rows::default();
    for object in &listed {
        let problem = match StorageKey::parse(store, &object.key) {
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
            Some(StorageKey::Catalogue | StorageKey::SigstoreRoot) => (true, None),
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

/// What there has to be of a version.
struct Row {
    kinds: BTreeSet<ArtefactKind>,
    /// Whether staff keeps it from everybody, and nobody is moving its objects.
    is_held: bool,
}

/// The rows that were asked for last: keys come in order, so those of a version follow each other.
#[derive(Default)]
struct Rows {
    version: Option<(At, Option<Row>)>,
    /// Who may read the package that was asked for last.
    package: Option<(PackageName, Option<Visibility>)>,
    /// The package that was told of last, because an object of it is in the wrong store: one line stands for all of them.
    misplaced: Option<PackageName>,
    /// The version without a row that was told of last: one line stands for all of its objects.
    told: Option<At>,
}

impl Rows {
    /// Whether the object is in the wrong store, and what there is to be told of it. A package that is being opened has its objects in both,
    /// and one that was opened until the copies are taken away.
    async fn misplaced(&mut self, tx: &mut ReadTx, key: &StorageKey) -> Result<Option<Option<Problem>>, AnyFault> {
        let Some(package) = key.package() else { return Ok(None) };
        if self.package.as_ref().is_none_or(|(known, _)| known != package) {
            let visibility = tx.package(package).await?.map(|package| package.visibility);
            self.package = Some((package.clone(), visibility));
        }
        let visibility = self.package.as_ref().and_then(|(_, visibility)| *visibility);
        let (code, what) = match (key.store(), visibility) {
            (Store::Public, Some(Visibility::Private)) => (Code::ObjectExposed, "its package is private, and everybody can read it"),
            (Store::Private, Some(Visibility::Public)) if !tx.is_under_way(&Job::Open { package: package.clone() }).await? => {
                (Code::ObjectWithoutRow, "its package is public")
            }
            _ => return Ok(None),
        };
        let is_told = self.misplaced.replace(package.clone()).as_ref() == Some(package);
        Ok(Some((!is_told).then(|| Problem::new(code, key.text(), what))))
    }

    async fn look(&mut self, tx: &mut ReadTx, key: &StorageKey) -> Result<Option<Problem>, AnyFault> {
        let is_quarantined = matches!(key, StorageKey::Quarantined(_));
        if !is_quarantined && let Some(problem) = self.misplaced(tx, key).await? {
            return Ok(problem);
        }
        let (package, version, kind) = match key.bare().clone() {
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
            let row = match tx.version(&at.0, &at.1).await? {
                Some(row) => Some(self::row(tx, &row).await?),
                None => None,
            };
            self.version = Some((at.clone(), row));
        }
        match self.version.as_ref().and_then(|(_, row)| row.as_ref()) {
            // One line stands for all of its objects.
            Some(row) if row.is_held && !is_quarantined => {
                let is_told = self.told.replace(at.clone()) == Some(at);
                Ok((!is_told).then(|| Problem::new(Code::ObjectExposed, key.text(), "its version is in quarantine, and can be read")))
            }
            Some(row) if row.kinds.contains(&kind) => Ok(None),
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

async fn row(tx: &mut ReadTx, row: &PackageVersion) -> Result<Row, AnyFault> {
    let (package, version) = (row.package.clone(), row.version.clone());
    let is_kept = row.stored_generation.is_none() && tx.quarantine(&package, &version).await?.is_some();
    let is_held = is_kept && !tx.is_under_way(&Job::Quarantine { package, version }).await?;
    Ok(Row { kinds: row.content.artefacts.iter().map(|artefact| artefact.kind.clone()).collect(), is_held })
}
