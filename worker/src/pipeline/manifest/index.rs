//! Looking for files by paths that are almost right.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use slipway_common::ids::PackagePath;

use super::super::files::Files;

/// The files of a package, with an index by folded case that is made when it is first needed.
pub(super) struct FileIndex<'a> {
    pub(super) files: &'a Files,
    folded: OnceCell<BTreeMap<String, PackagePath>>,
}

impl<'a> FileIndex<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files, folded: OnceCell::new() }
    }

    /// The file at `path`, with exactly this case.
    pub(super) fn find(&self, path: &str) -> Option<PackagePath> {
        let path = PackagePath::try_from(path).ok()?;
        self.files.contains(path.as_str()).then_some(path)
    }

    /// The file whose path differs from `path` in case alone.
    pub(super) fn similar(&self, path: &str) -> Option<&PackagePath> {
        let folded = self.folded.get_or_init(|| self.files.iter().map(|(path, _)| (path.folded(), path.clone())).collect());
        folded.get(&path.to_ascii_lowercase()).filter(|found| found.as_str() != path)
    }

    /// The text of a file, without a byte order mark; `None` if there is no such file or it is not UTF-8.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        let text = std::str::from_utf8(self.files.get(path)?).ok()?;
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
