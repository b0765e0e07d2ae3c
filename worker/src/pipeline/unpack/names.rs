//! The names of entries: from what an archive holds to package paths, and which of them cannot stand side by side.
//!
//! Package paths are ASCII, so two that differ in Unicode normal form alone cannot both be valid, nor can one of them; what
//! is left of the ways in which a file system may see two names as one is case.

use std::collections::BTreeMap;

use slipway_common::ids::{PackagePath, PathProblem};
use slipway_common::model::finding::{Finding, FindingCode, Place};

/// How much of a hostile path is shown. More than a valid path has, less than a terminal.
const SHOWN_CHARACTERS: usize = 160;

/// A text from an archive as messages show it: cut short, and with control characters made visible.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS).flat_map(visible).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> Box<dyn Iterator<Item = char>> {
    if c.is_control() { Box::new(c.escape_default()) } else { Box::new(std::iter::once(c)) }
}

/// The name of an entry, with a leading slash and without `./` in front.
pub(super) struct EntryName {
    text: String,
    absolute: bool,
}

impl EntryName {
    /// Reads the name as it is in the archive. Bytes that are not UTF-8 become characters that no path may hold.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut rest = text.as_ref();
        while let Some(after) = rest.strip_prefix("./") {
            rest = after.trim_start_matches('/');
        }
        Self { text: format!("/{rest}"), absolute: text.starts_with('/') }
    }

    /// Whether it ends as a directory does, or is the root.
    pub(super) fn is_directory(&self) -> bool {
        self.text.ends_with('/') || self.text == "/."
    }

    /// The name as messages show it.
    pub(super) fn shown(&self) -> String {
        shown(&self.text)
    }

    /// The package path it stands for.
    pub(super) fn path(&self) -> Result<PackagePath, Finding> {
        let invalid = |why: String| Finding::error(FindingCode::InvalidPath, format!("invalid path '{}': {why}", self.shown()));
        if self.absolute {
            return Err(invalid("it starts at the root of a file system; paths are relative to the package".to_owned()));
        }
        let path = PackagePath::try_from(self.text.as_str()).map_err(|problem| match problem {
            PathProblem::DotSegment if self.text.split('/').any(|segment| segment == "..") => {
                invalid("it leads out of its directory with `..`".to_owned())
            }
            problem => invalid(problem.to_string()),
        })?;
        // Wherever it is and however it is written: a file system that folds case would make a repository of it.
        let mut directories = path.directory().split('/');
        if directories.any(|segment| segment.eq_ignore_ascii_case(".git")) {
            let message = format!("'{path}' is part of a git repository and must not be published");
            return Err(Finding::error(FindingCode::InvalidGitPath, message));
        }
        Ok(path)
    }
}

/// The paths that are taken, by what a file system that folds case would call them.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, PackagePath>);

impl Names {
    /// Takes a path, unless another one is too like it.
    pub(super) fn claim(&mut self, path: &PackagePath) -> Option<Finding> {
        let Some(other) = self.0.get(&path.folded()) else {
            self.0.insert(path.folded(), path.clone());
            return None;
        };
        let message = if other == path {
            format!("'{path}' is in the upload twice")
        } else {
            format!("'{path}' and '{other}' differ in case alone and are one file on Windows and macOS")
        };
        Some(Finding::error(FindingCode::CaseInsensitiveDuplicatePath, message).at(Place::file(path.as_str())).hint("rename one of them"))
    }

    /// Every file that another file would need to be a directory.
    pub(super) fn files_that_are_directories(&self) -> impl Iterator<Item = Finding> {
        let clash = |(folded, path): (&String, &PackagePath)| {
            let mut parents = folded.match_indices('/').skip(1).map(|(at, _)| &folded[..at]);
            let file = parents.find_map(|parent| self.0.get(parent))?;
            let message = format!("'{file}' is a file and also the directory of '{path}'");
            Some(
                Finding::error(FindingCode::PathIsFileAndDirectory, message)
                    .at(Place::file(path.as_str()))
                    .hint("rename one of them; files cannot be stored like that"),
            )
        };
        // Collected because the findings must not borrow from the names that made them.
        self.0.iter().filter_map(clash).collect::<Vec<_>>().into_iter()
    }
}
