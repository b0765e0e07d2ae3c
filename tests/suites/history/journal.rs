//! What happened, in the order in which it ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The journal of a history.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    lines: Mutex<Vec<String>>,
    begun: AtomicUsize,
}

impl Journal {
    /// One more act begins. Returns its number.
    pub(crate) fn begin(&self) -> usize {
        self.begun.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes something down.
    pub(crate) fn note(&self, line: impl Into<String>) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}
