//! The edge in front of the registry, as far as it has to be told something: which documents have changed.
//!
//! A purge makes a change visible at once instead of when the short lifetime of a mutable document ends. It is never needed
//! for correctness. What is purged are surrogate keys, which `StorageKey` knows; this room does not know where things are.

mod none;
mod recording;

use async_trait::async_trait;
use thiserror::Error;

pub use none::None;
pub use recording::Recording;

/// An edge that keeps copies.
#[async_trait]
pub trait Cdn: Send + Sync {
    /// Asks the edge to forget every copy that bears one of these keys. Asking twice does no harm.
    async fn purge(&self, keys: &[String]) -> Result<(), CdnError>;
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
