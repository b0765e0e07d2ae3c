//! Files that were never finished. A local file is written beside its place, under its name with `#` and a number, and then
//! moved; a process that dies meanwhile leaves it there, and no listing shows it.
//!
//! The tree is walked in order, so that a walk can stop after so many files and another one go on from there.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::inventory::{Cleared, Lowest};

/// Deletes the unfinished files of a tree that were last touched before `before`, looking at `limit` files from behind `after` on.
/// Blocks.
pub(super) fn clear(root: &Path, before: SystemTime, after: Option<&str>, limit: usize) -> io::Result<Cleared> {
    let mut walk = Walk { before, left: limit, deleted: 0 };
    let stopped = walk.directory(root, after.map(Path::new))?;
    Ok(Cleared { deleted: walk.deleted, next: stopped.map(|path| path.to_string_lossy().into_owned()) })
}

struct Walk {
    before: SystemTime,
    left: usize,
    deleted: u64,
}

impl Walk {
    /// Walks a directory, and returns where it stopped if it did not come to the end.
    fn directory(&mut self, directory: &Path, after: Option<&Path>) -> io::Result<Option<PathBuf>> {
        let mut steps = after.unwrap_or(Path::new("")).components();
        let mut first = steps.next().map(|step| step.as_os_str().to_owned());
        let mut inside = Some(steps.as_path().to_owned()).filter(|inside| !inside.as_os_str().is_empty());
        // Directories may turn out to be empty, so a batch of names can come to its end before the walk may stop.
        loop {
            let names = self.names(directory, first.as_deref(), inside.is_some())?;
            let Some((last, _)) = names.last() else { return Ok(None) };
            let last = last.clone();
            for (name, is_directory) in names {
                let after = inside.take().filter(|_| first.as_ref() == Some(&name));
                if let Some(stopped) = self.entry(directory, &name, is_directory, after.as_deref())? {
                    return Ok(Some(stopped));
                }
            }
            first = Some(last);
        }
    }

    /// Looks at an entry of a directory, and returns where the walk stopped if it did.
    fn entry(&mut self, directory: &Path, name: &OsStr, is_directory: bool, after: Option<&Path>) -> io::Result<Option<PathBuf>> {
        let path = directory.join(name);
        if is_directory {
            return Ok(self.directory(&path, after)?.map(|stopped| Path::new(name).join(stopped)));
        }
        if is_unfinished(name) && was_touched_before(&path, self.before)? {
            fs::remove_file(&path).or_else(unless_gone)?;
            self.deleted += 1;
        }
        self.left -= 1;
        Ok((self.left == 0).then(|| name.into()))
    }

    /// As many names of a directory as can be looked at, in order, with whether they are directories themselves: those behind
    /// `first`, and `first` itself when the walk has to go on inside.
    fn names(&self, directory: &Path, first: Option<&OsStr>, with_first: bool) -> io::Result<Vec<(OsString, bool)>> {
        let mut names = Lowest::new(self.left);
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => return unless_gone(error).map(|()| Vec::new()),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if first.is_none_or(|first| *name > *first || (with_first && *name == *first)) {
                names.add((name, entry.file_type()?.is_dir()));
            }
        }
        Ok(names.sorted())
    }
}

/// A directory goes when its last file does, and a file may be finished, at any moment.
fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Whether a name is that of a file that is being written. The number sign is in no name of ours.
fn is_unfinished(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn was_touched_before(path: &Path, before: SystemTime) -> io::Result<bool> {
    match fs::symlink_metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(modified) => Ok(modified < before),
        Err(error) => unless_gone(error).map(|()| false),
    }
}
