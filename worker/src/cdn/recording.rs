//! An edge for tests, which only takes notes.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use slipway_common::storage::StorageKey;

use super::{Cdn, CdnError, surrogates};

/// Remembers what it was asked to forget.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Vec<Vec<String>>>);

impl Recording {
    /// The surrogate keys of every purge since this was last asked, in order.
    pub fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Cdn for Recording {
    async fn purge(&self, changed: &[StorageKey]) -> Result<(), CdnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(surrogates(changed).into_iter().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn remembers_each_purge_once() {
        let cdn = Recording::default();
        let package = |name: &str| StorageKey::PackageMeta(name.try_into().unwrap());
        cdn.purge(&[package("@ss/aa"), package("@ss/bb"), package("@ss/aa")]).await.unwrap();
        cdn.purge(&[package("@ss/cc")]).await.unwrap();
        assert_eq!(cdn.take(), [vec!["package:@ss/aa".to_owned(), "package:@ss/bb".into()], vec!["package:@ss/cc".into()]]);
        assert!(cdn.take().is_empty());
    }
}
