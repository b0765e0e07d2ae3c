//! The edge in front of the registry, as far as it has to be told something: which documents have changed.
//!
//! A purge makes a change visible at once instead of when the short lifetime of a mutable document ends. It is never needed
//! for correctness, so it is tried for a few seconds and then left to that lifetime. An edge is told the names of objects: by the
//! surrogate key that their answers bear, or by their addresses.

mod http;
mod none;
mod recording;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use slipway_common::config::{Config, Edge};
use slipway_common::storage::StorageKey;
use thiserror::Error;

pub use http::Http;
pub use none::None;
pub use recording::Recording;

/// An edge that keeps copies.
#[async_trait]
pub trait Cdn: Send + Sync {
    /// Asks the edge to forget every copy of these objects; it may forget more. Asking twice does no harm.
    async fn purge(&self, changed: &[StorageKey]) -> Result<(), CdnError>;
}

/// The edge that a configuration names.
///
/// # Errors
/// When its credential cannot be sent.
pub fn open(config: &Config) -> Result<Arc<dyn Cdn>, CdnError> {
    Ok(match config.edge {
        Edge::None => Arc::new(None),
        _ => Arc::new(Http::new(config)?),
    })
}

/// The surrogate keys of objects, each once.
fn surrogates(changed: &[StorageKey]) -> BTreeSet<String> {
    changed.iter().filter_map(StorageKey::surrogate).collect()
}

/// Why an edge was not told.
#[derive(Debug, Error)]
pub enum CdnError {
    /// It did not answer, or said to come back later.
    #[error("the edge cannot be reached: {0}")]
    Unavailable(String),
    /// It does not know us, or does not want this.
    #[error("the edge refuses the purge: {0}")]
    Refused(String),
}
