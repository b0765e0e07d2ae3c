//! The files of the npm tarball while they are made.
//!
//! Invariant: no two entries are one file on a file system that folds case, and none is the directory of another. The upload
//! keeps that rule, and [`Tree::claim`] keeps it for what is added.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::pipeline::files::Files;

/// A file of the tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its bytes.
    pub(super) bytes: Bytes,
    /// Whether it is a program that `bin` names.
    pub(super) executable: bool,
}

/// All files of the tarball by their path with a leading slash. An emitted path may be longer than a package path.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
    /// Files and directories, case folded: what a new path must not be.
    taken: BTreeSet<String>,
    /// Files alone, case folded: what a new path must not be below.
    files: BTreeSet<String>,
}

impl Tree {
    /// The tree of an upload, byte for byte.
    pub(super) fn new(files: &Files) -> Self {
        let mut tree = Self { entries: BTreeMap::new(), taken: BTreeSet::new(), files: BTreeSet::new() };
        for (path, bytes) in files.iter() {
            tree.take(path.as_str());
            tree.entries.insert(path.as_str().to_owned(), Entry { bytes: bytes.clone(), executable: false });
        }
        // Ours replaces the author's, and is there when the author has none.
        tree.take(super::package_json::PATH);
        tree
    }

    /// Reserves the first of `candidates` that is free, together with the source map beside it.
    pub(super) fn claim(&mut self, mut candidates: impl Iterator<Item = String>) -> Option<String> {
        let path = candidates.find(|path| self.is_free(path) && self.is_free(&format!("{path}.map")))?;
        self.take(&path);
        self.take(&format!("{path}.map"));
        Some(path)
    }

    /// Whether neither a file nor a directory is there, and no file where a directory is needed.
    pub(super) fn is_free(&self, path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        !self.taken.contains(&path) && directories(&path).all(|directory| !self.files.contains(directory))
    }

    fn take(&mut self, path: &str) {
        let path = path.to_ascii_lowercase();
        for directory in directories(&path) {
            self.taken.insert(directory.to_owned());
        }
        self.taken.insert(path.clone());
        self.files.insert(path);
    }

    /// Puts a file in place: one that was claimed, or an edited copy of one that was there.
    pub(super) fn replace(&mut self, path: &str, bytes: impl Into<Bytes>) {
        self.entries.insert(path.to_owned(), Entry { bytes: bytes.into(), executable: false });
    }

    /// Marks a file as a program.
    pub(super) fn make_executable(&mut self, path: &str) {
        if let Some(entry) = self.entries.get_mut(path) {
            entry.executable = true;
        }
    }

    /// Whether the file is there, and not only its place.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// All files, by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bytes of all files together.
    pub(super) fn size(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes.len() as u64).sum()
    }
}

/// Every directory above a path, without trailing slash: `/a` and `/a/b` for `/a/b/c`.
fn directories(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).filter(|directory| !directory.is_empty())
}

#[cfg(test)]
mod tests {
    use slipway_common::ids::PackagePath;

    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        Tree::new(&paths.iter().map(|path| (PackagePath::try_from(*path).unwrap(), Bytes::new())).collect())
    }

    #[test]
    fn claims_only_what_is_free() {
        let mut tree = tree(&["/a.ts", "/B.js", "/c.js/x.ts", "/d.js.map", "/e"]);
        let mut claim = |path: &str| tree.claim([path.to_owned(), "/other.js".to_owned()].into_iter());
        assert_eq!(claim("/a.js").as_deref(), Some("/a.js"));
        assert_eq!(claim("/b.js").as_deref(), Some("/other.js"), "case folds");
        for path in ["/c.js", "/d.js", "/e/f.js", "/A.js", "/package.json", "/package.json/a.js"] {
            assert_eq!(claim(path), None, "{path}");
        }
    }
}
