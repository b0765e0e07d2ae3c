//! Where a version came from, as a signature says that others can check.
//!
//! A bundle carries a statement about a version's manifest, the signature over it, the certificate of the job that signed, and the entry
//! of a public log. `verify` is pure given the root of trust and the time; `log` is the door to the log, for clients that send an index in
//! place of an entry; `identity` compares the certificate with the job that published; `witness` stands in for the log where none is
//! required; `updates` keeps the root of trust up to date. `enter` has a log take in what the registry attests itself, or a client signs,
//! and `certificate` has keys certified for that. What is cheap is looked at before the log is asked.
//!
//! What was verified is kept as a standard bundle, whatever the client sent, so that everybody can verify it again.

mod bundle;
mod certificate;
mod door;
mod enter;
mod identity;
mod log;
mod root;
#[cfg(test)]
mod tests;
mod updates;
mod verify;
mod witness;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

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
use crate::storage::Storage;
use bundle::Sent;
use root::Root;
use updates::Updates;

pub use bundle::can_be_read;
pub use certificate::introduce;
pub use enter::{Own, sign};
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
    /// Somebody who is needed does not answer, or not with what he is asked for; who, says the text. Later he may. Everything that can be
    /// told without him holds.
    Away(String),
}

impl From<log::NoEntry> for Obstacle {
    fn from(none: log::NoEntry) -> Self {
        match none {
            log::NoEntry::Refused(failure) => Self::Failure(failure),
            log::NoEntry::Away(error) => Self::Away(format!("the transparency log does not answer: {error}")),
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
    /// What is believed now.
    root: RwLock<Arc<Root>>,
    updates: Option<Updates>,
    rekor_url: Url,
    is_log_required: bool,
    ids: IdSource,
}

/// The root is a page of keys.
impl fmt::Debug for Notary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notary({})", self.rekor_url)
    }
}

impl Notary {
    /// A notary who trusts whom the configuration names. Nobody is asked yet.
    ///
    /// # Errors
    /// When the root of trust cannot be used.
    pub fn open(config: &Config, ids: &IdSource, storage: &Storage) -> Result<Self, RootError> {
        let sigstore = &config.sigstore;
        Ok(Self {
            root: RwLock::new(Arc::new(Root::load(config, ids)?)),
            updates: sigstore.updates.as_ref().map(|settings| Updates::open(settings, storage)).transpose()?,
            rekor_url: sigstore.rekor_url.clone(),
            is_log_required: sigstore.is_log_required,
            ids: ids.clone(),
        })
    }

    /// Says what is trusted, for people, or why nothing could be verified at this time. Where the root is kept up to date, it is asked how it
    /// is now, and nothing is kept of it.
    ///
    /// # Errors
    /// When everything in the root of trust is over, or it is not kept up to date.
    pub async fn examine(&self, now: Instant) -> Result<String, RootError> {
        match &self.updates {
            None => self.root.read().unwrap_or_else(PoisonError::into_inner).examine(now),
            Some(updates) => self.newer(updates, &updates.examine(now).await.map_err(RootError::new)?)?.examine(now),
        }
    }

    /// What is believed at this time.
    async fn root(&self, now: Instant) -> Arc<Root> {
        if let Some(updates) = &self.updates
            && let Some(json) = updates.news(now).await
        {
            match self.newer(updates, &json) {
                Ok(root) => {
                    tracing::info!(repository = updates.url, "the root of trust is another one now");
                    *self.root.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(root);
                }
                Err(error) => tracing::error!(repository = updates.url, %error, "the root of trust that is offered cannot be used"),
            }
        }
        Arc::clone(&self.root.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn newer(&self, updates: &Updates, json: &str) -> Result<Root, RootError> {
        Root::read(format!("the root of {}", updates.url), json, self.is_log_required, &self.ids)
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
        let root = self.root(now).await;
        Ok(aside(move || verify::all(&root, &bundle, is_deno, about, claim, now)).await?)
    }

    /// The entry of the log at an index.
    async fn entry(&self, index: u64, patience: Patience) -> Result<TransparencyLogEntry, Obstacle> {
        Ok(log::fetch(&self.rekor_url, index, patience).await?)
    }
}
