//! Compares what the database says with what is stored, and puts right what follows from the rest.
//!
//! Nine rounds, each a page at a time, so that memory stays the same whatever the size of the registry and a round can go on where
//! another process left it: users with their records, scopes with theirs, packages with their documents and whom they trust in CI,
//! versions with their objects and where they came from, and the objects of each of the two stores, and the records, with their rows.
//!
//! No bytes of a version are ever changed: an object is made again only when the very digest comes out that was recorded when it was
//! published. Nothing is deleted: what has no row may be all that is left of it. And a package that lists a version without a row is
//! not announced anew, since that would forget the version.

mod attestations;
mod objects;
mod packages;
mod people;
mod problem;
mod repair;
mod signatures;
mod versions;

use serde_json::Value;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::ids::PackageName;
use slipway_common::jobs;
use slipway_common::model::job::Job;
use slipway_common::model::package::Visibility;
use slipway_common::storage::StorageKey;
use url::Url;

use crate::runner;
use crate::workshop::Workshop;

pub use problem::{Code, Problem};

/// How much is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Nothing: only look.
    Nothing,
    /// Documents and records, which follow from the rows.
    Documents,
    /// Also objects of versions that come out the same, and rows that the records remember.
    Everything,
}

/// A round through one kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Users and their records.
    Users,
    /// Scopes and their records.
    Scopes,
    /// Packages and their documents.
    Packages,
    /// Whom packages trust in CI, and the records of it.
    Publishers,
    /// Versions and their objects.
    Versions,
    /// Where versions came from, with the records of it and what is attested to everybody.
    Provenances,
    /// What lies in the public store.
    PublicObjects,
    /// What lies in the private store of private packages.
    HiddenObjects,
    /// What the private store remembers of the registry. Uploads are left out: housekeeping knows those.
    Records,
}

impl Round {
    /// All rounds. Rows come before objects: a row that is made again is not missed by the objects.
    pub const ALL: [Self; 9] = [
        Self::Users,
        Self::Scopes,
        Self::Packages,
        Self::Publishers,
        Self::Versions,
        Self::Provenances,
        Self::PublicObjects,
        Self::HiddenObjects,
        Self::Records,
    ];

    /// What the round is called in the rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "compare users",
            Self::Scopes => "compare scopes",
            Self::Packages => "compare packages",
            Self::Publishers => "compare publishers",
            Self::Versions => "compare versions",
            Self::Provenances => "compare provenances",
            Self::PublicObjects => "compare public objects",
            Self::HiddenObjects => "compare hidden objects",
            Self::Records => "compare records",
        }
    }
}

/// What a page came to.
#[derive(Debug, Default)]
pub struct Page {
    /// Behind what the next page begins; nothing at the end of the round.
    pub next: Option<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// How many things were looked at.
    pub seen: u64,
    /// What was read of their bytes.
    pub bytes: u64,
}

/// Compares one page of a round.
///
/// # Errors
/// When a door fails.
pub async fn page(workshop: &Workshop, round: Round, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    match round {
        Round::Users => people::users(workshop, after, repair).await,
        Round::Scopes => people::scopes(workshop, after, repair).await,
        Round::Packages => packages::page(workshop, after, repair).await,
        Round::Publishers => people::publishers(workshop, after, repair).await,
        Round::Versions => versions::page(workshop, after, repair).await,
        Round::Provenances => people::provenances(workshop, after, repair).await,
        Round::PublicObjects => objects::public(&workshop.context, after).await,
        Round::HiddenObjects => objects::hidden(&workshop.context, after).await,
        Round::Records => objects::records(&workshop.context, after).await,
    }
}

/// Has the documents of a package written again if they show something else than they should. What that cannot mend is told.
pub(crate) async fn mend(workshop: &Workshop, package: &PackageName) -> Result<(), AnyFault> {
    for problem in packages::compare(workshop, package, Repair::Documents).await? {
        if !problem.is_repaired {
            tracing::error!(code = problem.code.as_str(), key = problem.key, "the registry is not as it should be: {problem}");
        }
    }
    Ok(())
}

/// Where npm clients were told that tarballs are, by the first npm document that tells. For a process that was not told itself: a
/// registry that was started with `--listen` alone has its address from there.
///
/// # Errors
/// When a door fails.
pub async fn stated_npm_url(context: &Context) -> Result<Option<Url>, AnyFault> {
    let mut after: Option<PackageName> = None;
    loop {
        let found = context.db.read().await?.packages_after(after.as_ref(), PACKAGES_AT_ONCE).await?;
        for package in &found {
            let key = StorageKey::Packument(package.clone());
            let mut said = context.storage.look(&key).await?.bytes;
            if said.is_none() {
                said = context.storage.look(&key.seen_by(Visibility::Private)).await?.bytes;
            }
            let said = said.and_then(|said| serde_json::from_slice::<Value>(&said).ok()).unwrap_or_default();
            let mut versions = said["versions"].as_object().into_iter().flat_map(|versions| versions.values());
            let tarball = versions.find_map(|version| version["dist"]["tarball"].as_str());
            let url = tarball.and_then(|tarball| tarball.split_once(&format!("{}/-/", package.npm_name()))).map(|(url, _)| url);
            if let Some(url) = url.and_then(|url| Url::parse(url).ok()) {
                return Ok(Some(url));
            }
        }
        let Some(last) = found.last() else { return Ok(None) };
        after = Some(last.clone());
    }
}

/// Packages that are asked for at once.
const PACKAGES_AT_ONCE: i64 = 100;

/// Has a job done here and now.
async fn have_done(workshop: &Workshop, job: &Job) -> Result<(), AnyFault> {
    let context: &Context = &workshop.context;
    let mut tx = context.db.write("reconcile.repair").await?;
    let id = jobs::enqueue(&mut tx, &context.ids, job).await?;
    tx.commit().await?;
    // Whoever works on a job of the same key rings this one when it is done; then it is theirs.
    Box::pin(runner::answer(workshop, id)).await;
    Ok(())
}
