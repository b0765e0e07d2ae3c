//! An edge for tests, which only takes notes.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Cdn, CdnError};

/// Remembers what it was asked to forget.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Vec<Vec<String>>>);

impl Recording {
    /// The keys of every purge since this was last asked, in order.
    pub fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Cdn for Recording {
    async fn purge(&self, keys: &[String]) -> Result<(), CdnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(keys.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn remembers_each_purge_once() {
        let cdn = Recording::default();
        cdn.purge(&["a".into(), "b".into()]).await.unwrap();
        cdn.purge(&["c".into()]).await.unwrap();
        assert_eq!(cdn.take(), [vec!["a".to_owned(), "b".into()], vec!["c".into()]]);
        assert!(cdn.take().is_empty());
    }
}
