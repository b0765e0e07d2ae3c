//! Where a version came from, as a signature says that others can check.
//!
//! A bundle carries a statement about a version's manifest, the signature over it, the certificate of the job that signed, and the entry
//! of a public log. `verify` is pure given the root of trust and the time; `log` is the door to the log, for clients that send an index in
//! place of an entry; `enter` has the log take in what the registry attests itself; `identity` compares the certificate with the job that published; `witness` stands in for the log where none is
//! required. What is cheap is looked at before the log is asked.
//!
//! What was verified is kept as a standard bundle, whatever the client sent, so that everybody can verify it again.

mod bundle;
mod enter;
mod identity;
mod log;
mod root;
#[cfg(test)]
mod tests;
mod verify;
mod witness;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use sigstore_verify::types::TransparencyLogEntry;
use url::Url;

use crate::clock::Instant;
use crate::config::Config;
use crate::db::{DbResult, ReadTx};
use crate::ids::{IdSource, PackageName, Sha256, Version};
use crate::model::ci::{CiIdentity, Demands};
use crate::model::provenance::{Failure, Provenance};
use crate::model::version::PackageVersion;
use crate::shutdown::aside;
use bundle::Sent;
use root::Root;

pub use bundle::can_be_read;
pub use enter::Own;
pub use identity::certified_job;
pub use log::can_entry_be_read;
pub use root::RootError;

/// The version that a bundle is to be about.
#[derive(Debug, Clone)]
pub struct About {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// The digest of its manifest.
    pub meta: Sha256,
    /// When it was published.
    pub published_at: Instant,
}

impl From<&PackageVersion> for About {
    fn from(row: &PackageVersion) -> Self {
        Self { package: row.package.clone(), version: row.version.clone(), meta: row.content.meta, published_at: row.created_at }
    }
}

/// Whose signature is expected.
#[derive(Debug, Clone)]
pub enum Expected {
    /// That of the job which published.
    Job(Box<CiIdentity>),
    /// That of any job which the package trusts: a person published.
    Trusted(Vec<Demands>),
}

impl Expected {
    /// Whose signature a version is to have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(tx: &mut ReadTx, row: &PackageVersion) -> DbResult<Self> {
        Ok(match tx.ci_identity(row.task_id).await? {
            Some(job) => Self::Job(Box::new(job)),
            None => Self::Trusted(tx.publishers_of(&row.package).await?.into_iter().map(|publisher| publisher.demands).collect()),
        })
    }
}

/// Why there is no provenance.
#[derive(Debug)]
pub enum Obstacle {
    /// The bundle does not hold.
    Failure(Failure),
    /// The transparency log does not answer; everything that can be told without it holds.
    LogAway(String),
}

impl From<log::NoEntry> for Obstacle {
    fn from(none: log::NoEntry) -> Self {
        match none {
            log::NoEntry::Refused(failure) => Self::Failure(failure),
            log::NoEntry::Away(error) => Self::LogAway(error),
        }
    }
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Who waits for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A client, for whom the log is asked more than once.
    OfClient,
    /// A job, which is tried again anyway.
    OfJob,
}

/// Verifies bundles against a root of trust.
pub struct Notary {
    root: Arc<Root>,
    rekor_url: Url,
}

/// The root is a page of keys.
impl fmt::Debug for Notary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notary({})", self.rekor_url)
    }
}

impl Notary {
    /// A notary who trusts whom the configuration names.
    ///
    /// # Errors
    /// When the root of trust cannot be used.
    pub fn open(config: &Config, ids: &IdSource) -> Result<Self, RootError> {
        Ok(Self { root: Arc::new(Root::load(config, ids)?), rekor_url: config.sigstore.rekor_url.clone() })
    }

    /// Says what is trusted, for people, or why nothing could be verified at this time.
    ///
    /// # Errors
    /// When everything in the root of trust is over.
    pub fn examine(&self, now: Instant) -> Result<String, RootError> {
        self.root.examine(now)
    }

    /// Verifies a bundle as it was sent, or says which step it does not get past.
    ///
    /// # Errors
    /// When it does not hold, or the log that is needed does not answer.
    pub async fn verify(
        &self,
        sent: &Value,
        about: About,
        expected: &Expected,
        now: Instant,
        patience: Patience,
    ) -> Result<Provenance, Obstacle> {
        let sent = bundle::read(sent)?;
        let claim = verify::claim(&sent, &about, expected)?;
        let (bundle, is_deno) = match sent {
            Sent::Standard(bundle) => (*bundle, false),
            Sent::Deno(partial) => (partial.complete(self.entry(partial.log_index, patience).await?), true),
        };
        let root = Arc::clone(&self.root);
        Ok(aside(move || verify::all(&root, &bundle, is_deno, about, claim, now)).await?)
    }

    /// The entry of the log at an index.
    async fn entry(&self, index: u64, patience: Patience) -> Result<TransparencyLogEntry, Obstacle> {
        Ok(log::fetch(&self.rekor_url, index, patience).await?)
    }
}
