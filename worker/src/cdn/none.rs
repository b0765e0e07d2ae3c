//! No edge at all: the registry serves its objects itself.

use async_trait::async_trait;
use slipway_common::storage::StorageKey;

use super::{Cdn, CdnError};

/// An edge that is not there, and so keeps no copies.
#[derive(Debug, Clone, Copy, Default)]
pub struct None;

#[async_trait]
impl Cdn for None {
    async fn purge(&self, _changed: &[StorageKey]) -> Result<(), CdnError> {
        Ok(())
    }
}
