//! Looking for files, by paths that are almost right too, and remembering which of them mattered.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use slipway_common::ids::PackagePath;

use super::super::files::Files;

/// The files of a package, with an index by folded case that is made when it is first needed.
///
/// Every file that was asked for and is there is noted: a package of these files alone is read in the same way.
pub(super) struct FileIndex<'a> {
    files: &'a Files,
    folded: OnceCell<BTreeMap<String, PackagePath>>,
    noted: RefCell<BTreeSet<PackagePath>>,
}

impl<'a> FileIndex<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files, folded: OnceCell::new(), noted: RefCell::default() }
    }

    /// The file at `path`, with exactly this case.
    pub(super) fn find(&self, path: &str) -> Option<PackagePath> {
        let path = PackagePath::try_from(path).ok()?;
        self.bytes(&path).map(|_| path)
    }

    /// The same, without a note: for whoever looks at files that may not matter to anybody.
    pub(super) fn peek(&self, path: &str) -> Option<PackagePath> {
        let path = PackagePath::try_from(path).ok()?;
        self.files.contains(path.as_str()).then_some(path)
    }

    /// Whether there is a file at `path`, with exactly this case.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, path: &PackagePath) -> Option<&'a Bytes> {
        let bytes = self.files.get(path.as_str())?;
        let mut noted = self.noted.borrow_mut();
        if !noted.contains(path) {
            noted.insert(path.clone());
        }
        Some(bytes)
    }

    /// The paths of all files. To look at them notes none.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'a PackagePath> {
        self.files.iter().map(|(path, _)| path)
    }

    /// The files that were asked for.
    pub(super) fn into_noted(self) -> BTreeSet<PackagePath> {
        self.noted.into_inner()
    }

    /// The file whose path differs from `path` in case alone.
    pub(super) fn similar(&self, path: &str) -> Option<&PackagePath> {
        let folded = self.folded.get_or_init(|| self.files.iter().map(|(path, _)| (path.folded(), path.clone())).collect());
        folded.get(&path.to_ascii_lowercase()).filter(|found| found.as_str() != path)
    }

    /// The text of a file, without a byte order mark; `None` if there is no such file or it is not UTF-8.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        let text = std::str::from_utf8(self.bytes(&PackagePath::try_from(path).ok()?)?).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

/// `relative` from the directory `base` (with slashes at both ends), as a path from the package's root; `None` when it leads
/// out of the package or is not relative at all.
pub(super) fn join(base: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains('\\') {
        return None;
    }
    let mut segments: Vec<&str> = base.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            segment => segments.push(segment),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins() {
        assert_eq!(join("/", "./a/b").unwrap(), "/a/b");
        assert_eq!(join("/dist/esm/", "../../src/a.ts").unwrap(), "/src/a.ts");
        assert_eq!(join("/dist/", "../..").as_deref(), None);
        assert_eq!(join("/", "/etc").as_deref(), None);
        assert_eq!(join("/a/", "..").unwrap(), "/");
    }
}
