//! The files of a package, in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use slipway_common::ids::PackagePath;

/// Every file of an upload by its path. Sorted, so that whatever is derived by walking it is the same every time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PackagePath, Bytes>);

impl Files {
    /// The bytes of a file, by a path with a leading slash. Any text may be asked for.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Bytes> {
        // A path that does not parse cannot be in the map.
        self.0.get(&PackagePath::try_from(path).ok()?)
    }

    /// Whether there is a file at this path, with exactly this case.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Puts a file in place, and returns the one that was there.
    pub fn insert(&mut self, path: PackagePath, bytes: Bytes) -> Option<Bytes> {
        self.0.insert(path, bytes)
    }

    /// All files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&PackagePath, &Bytes)> {
        self.0.iter()
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(PackagePath, Bytes)> for Files {
    fn from_iter<T: IntoIterator<Item = (PackagePath, Bytes)>>(files: T) -> Self {
        Self(files.into_iter().collect())
    }
}
