//! What is kept of a TUF repository: one object of the private store, for every process and for the next start.
//!
//! Whoever reads it back verifies all of it again from the first root on. It is where a repository that turns back is noticed, and what is
//! believed while it is away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sigstore_tuf::{MetadataStore, Result};

use crate::clock::Instant;

/// The object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    /// Which repository it is of.
    pub(super) repository: String,
    /// When all of it held.
    pub(super) seen_at: Option<Instant>,
    /// The files by their names, in Base64: their signatures are over bytes.
    files: BTreeMap<String, String>,
}

impl Kept {
    /// What is kept of a repository from now on.
    pub(super) fn new(repository: &str, seen_at: Instant, shelf: &Shelf) -> Self {
        let files = shelf.files().iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect();
        Self { repository: repository.to_owned(), seen_at: Some(seen_at), files }
    }

    /// Reads the object back. What is of another repository, or cannot be read, is nothing.
    pub(super) fn read(bytes: &[u8], repository: &str) -> Self {
        serde_json::from_slice(bytes).ok().filter(|kept: &Self| kept.repository == repository).unwrap_or_default()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts under texts are JSON")
    }

    /// The files, for who works with them.
    pub(super) fn shelf(&self) -> Shelf {
        let decoded = self.files.iter().filter_map(|(name, text)| Some((name.clone(), STANDARD.decode(text).ok()?)));
        Shelf(Arc::new(Mutex::new(decoded.collect())))
    }
}

/// Files that are being worked with. Not before all of them hold they are [kept](Kept).
#[derive(Debug, Clone)]
pub(super) struct Shelf(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Shelf {
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl MetadataStore for Shelf {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        // `7.snapshot.json` comes again as `snapshot.json`; kept under each number there would be one more every few days.
        if !name.ends_with(".snapshot.json") {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes.to_vec());
        }
        Ok(())
    }
}
