//! The files below a directory, as package paths.
//!
//! The text of a file is read when the pipeline will look at it. Of anything else it is enough to know that it is there, until it is
//! packed: a directory may hold far more than the package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use ignore::{DirEntry, WalkBuilder};
use slipway_common::ids::PackagePath;

use super::{Files, choice};

/// Most files that are listed. The largest package we know of has some thousand; this many are a mistake in the directory's name, or
/// the output of tools that should be told apart from the package.
const MAX_FILES: usize = 200_000;
/// Largest file whose text is examined, in bytes. Registries take no such file by default, and if ours does it will look itself.
const MAX_EXAMINED_FILE: u64 = 32 * 1024 * 1024;
/// Text that is examined of all files together, in bytes. It is held in memory.
const MAX_EXAMINED: u64 = 1024 * 1024 * 1024;
/// Files whose text says something to the pipeline, by the end of their name.
const EXAMINED: [&str; 12] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".jsonc", ".map", ".wasm"];
/// How the names of licences end, if there is a dot in them.
const TEXTS: [&str; 2] = [".txt", ".md"];
/// The same for files that may be the text of a licence. Those that the pipeline recognises are shorter.
const MAX_EXAMINED_TEXT: u64 = 256 * 1024;
/// How many remarks of one kind are made. The rest is counted.
const SHOWN: usize = 5;
/// What tells the data of a registry in one process from other directories. It holds the admin's token.
const REGISTRY_DATA: [&str; 2] = ["registry.db", "admin.token"];

/// A file on the disk.
#[derive(Debug, Clone)]
struct Found {
    path: PathBuf,
    size: u64,
}

/// What lies below a directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    files: BTreeMap<PackagePath, Found>,
    /// Paths of symbolic links.
    links: Vec<String>,
    /// Paths that no package can have, each with the reason.
    unusable: Vec<(String, String)>,
}

impl Directory {
    /// Lists a directory.
    pub(super) fn list(root: &Path) -> anyhow::Result<Self> {
        let root = root.canonicalize().with_context(|| format!("cannot open `{}`", root.display()))?;
        let mut directory = Self::default();
        let mut walk = WalkBuilder::new(&root);
        walk.standard_filters(false).follow_links(false).filter_entry(is_welcome).sort_by_file_name(Ord::cmp);
        for entry in walk.build() {
            let entry = entry.with_context(|| format!("cannot list `{}`", root.display()))?;
            directory.add(&root, &entry)?;
            if directory.files.len() + directory.unusable.len() + directory.links.len() > MAX_FILES {
                bail!("`{}` holds more than {MAX_FILES} files; is it the directory of the package?", root.display());
            }
        }
        Ok(directory)
    }

    fn add(&mut self, root: &Path, entry: &DirEntry) -> anyhow::Result<()> {
        let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { return Ok(()) };
        let relative = entry.path().strip_prefix(root).expect("the walk stays below its root");
        let shown = format!("/{}", relative.display());
        if kind.is_symlink() {
            self.links.push(shown);
            return Ok(());
        }
        if !kind.is_file() {
            return Ok(());
        }
        let path = relative.to_str().ok_or_else(|| "its name is not UTF-8".to_owned());
        match path.and_then(|text| PackagePath::try_from(format!("/{text}").as_str()).map_err(|problem| problem.to_string())) {
            Ok(path) => {
                let size = entry.metadata().with_context(|| format!("cannot look at `{}`", entry.path().display()))?.len();
                self.files.insert(path, Found { path: entry.path().to_owned(), size });
            }
            Err(problem) => self.unusable.push((shown, problem)),
        }
        Ok(())
    }

    /// Forgets files, and says which.
    pub(super) fn take_away(&mut self, is_taken: impl Fn(&PackagePath) -> bool) -> BTreeSet<PackagePath> {
        let taken: BTreeSet<_> = self.files.keys().filter(|path| is_taken(path)).cloned().collect();
        self.files.retain(|path, _| !taken.contains(path));
        taken
    }

    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PackagePath> {
        self.files.keys()
    }

    /// The files as the pipeline takes them.
    pub(super) fn examined(&self) -> anyhow::Result<Files> {
        let mut left = MAX_EXAMINED;
        let mut files = Files::default();
        for (path, found) in &self.files {
            let mut bytes = Bytes::new();
            if found.size <= examined_up_to(path) {
                bytes = read(&found.path)?;
                left = left.checked_sub(bytes.len() as u64).with_context(|| {
                    format!("the directory holds more than {} of source; is it the directory of the package?", super::human(MAX_EXAMINED))
                })?;
            }
            files.insert(path.clone(), bytes);
        }
        Ok(files)
    }

    /// The size of a file when it was listed.
    pub(super) fn size(&self, path: &PackagePath) -> u64 {
        self.files.get(path).map_or(0, |found| found.size)
    }

    /// The bytes of a file.
    pub(super) fn read(&self, path: &PackagePath) -> anyhow::Result<Bytes> {
        let found = self.files.get(path).with_context(|| format!("`{path}` is not there any more"))?;
        read(&found.path)
    }

    /// What was left out although it would belong to the package, by its path with a leading slash.
    pub(super) fn remarks(&self, belongs: impl Fn(&str) -> bool) -> Vec<String> {
        let links = self.links.iter().map(|path| format!("{path} is a symbolic link and is left out; put a copy of the file in its place"));
        let unusable = self.unusable.iter().filter(|(path, _)| belongs(path));
        let unusable = unusable.map(|(path, problem)| format!("{path} is left out: {problem}"));
        shortened(links.collect()).into_iter().chain(shortened(unusable.collect())).collect()
    }
}

/// The first few of a list, and how many more there are.
fn shortened(mut remarks: Vec<String>) -> Vec<String> {
    let more = remarks.len().saturating_sub(SHOWN);
    remarks.truncate(SHOWN);
    if more > 0 {
        remarks.push(format!("the same goes for {more} more"));
    }
    remarks
}

fn read(path: &Path) -> anyhow::Result<Bytes> {
    std::fs::read(path).map(Bytes::from).with_context(|| format!("cannot read `{}`", path.display()))
}

fn is_welcome(entry: &DirEntry) -> bool {
    // The directory that was asked for may have any name.
    if entry.depth() == 0 {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return !choice::is_never_entered(&name) && !REGISTRY_DATA.iter().all(|file| entry.path().join(file).exists());
    }
    !choice::is_never_packed(&name)
}

/// How long a file may be whose text the pipeline is shown. Of most kinds it looks at none.
fn examined_up_to(path: &PackagePath) -> u64 {
    let name = path.file_name();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&EXAMINED) {
        MAX_EXAMINED_FILE
    } else if ends(&TEXTS) || !name.contains('.') {
        MAX_EXAMINED_TEXT
    } else {
        0
    }
}
