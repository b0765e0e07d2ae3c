//! Makes every specifier exact: `./foo` becomes `./foo.ts`, `chalk` becomes `npm:chalk@^5`.
//!
//! What is published is loaded by clients that look for nothing: a specifier is the file's path to the letter or an address
//! with a version. Authors write what their tools find for them, so this room finds it the same way, from the files of the
//! package and its own settings alone, and edits the text. Nothing else in a file moves by a byte, and a file whose
//! specifiers are exact is the same bytes afterwards, because clients hold what is stored against what they sent. The one
//! exception is the word `type` before exports that need it, in packages that no such client sends (`marks`).
//!
//! Every source file is rewritten. What keeps one from working is collected by file: only the module graph knows which
//! files anybody can load, so the caller reports the findings of those and drops the rest.
//!
//! Not here: whether an exact specifier is welcome (the rules), whether it leads anywhere (the graph and the registry), and
//! reading the settings (`manifest`).

mod collect;
mod jsx;
mod marks;
mod resolve;
mod revise;
mod site;
mod source;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use bytes::Bytes;
use deno_ast::{ParsedSource, TextChange, apply_text_changes};
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, MAX_FINDINGS};

use super::Upload;
use super::files::Files;
use super::manifest::Manifest;
use marks::Marks;
use resolve::Resolver;
use revise::{Revision, revise};
use source::Source;

/// Most errors, and most warnings, that are held of all files together. Files that exports lead to come first, and of theirs
/// no more than [`MAX_FINDINGS`] are reported; ten times as many leave room for a graph that sees it differently.
const MAX_HELD: usize = 10 * MAX_FINDINGS;

/// A package whose specifiers are exact, as far as they could be made so.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// All files. What did not change shares its bytes with the upload.
    pub files: Files,
    /// The files that changed.
    pub changed: BTreeSet<PackagePath>,
    /// What could not be resolved, by file, each with its place. It matters where the module graph reaches the file.
    pub unresolved: BTreeMap<PackagePath, Vec<Finding>>,
    /// What was resolved in a way the author should know, or cannot be resolved and need not be, by file.
    pub warnings: BTreeMap<PackagePath, Vec<Finding>>,
    /// Syntax trees of files that did not change and that exports lead to, as `file:///<path>`, for the module graph.
    pub parsed: BTreeMap<PackagePath, ParsedSource>,
}

/// Rewrites all files but those in `skip`, which are not safe to parse.
#[must_use]
pub fn rewrite(files: &Files, manifest: &Manifest, package: &PackageName, version: &Version, skip: &BTreeSet<PackagePath>) -> Rewritten {
    let is_unsafe = |path: &PackagePath, _: &[u8]| skip.contains(path);
    let mut pass = Pass::new(files, manifest, Resolver::new(files, manifest, package, version), &is_unsafe);
    // Trees are many times as large as their text, so only those are kept that somebody will ask for again: files are
    // looked through from the exports on, and the others after them.
    pass.follow(entry_points(manifest));
    pass.rest();
    pass.rewritten()
}

/// The specifiers in the documentation comments of a JavaScript file, also those within the arguments of another, with the bytes
/// where each is.
#[must_use]
pub fn documented(parsed: &ParsedSource) -> Vec<(Range<usize>, String)> {
    collect::documented(parsed).into_iter().map(|site| (site.range, site.text)).collect()
}

/// The files of the exports, and the programs.
pub fn entry_points(manifest: &Manifest) -> impl Iterator<Item = PackagePath> {
    let exports = manifest.exports.0.values().filter_map(|target| PackagePath::try_from(target.rooted()).ok());
    exports.chain(manifest.npm.bins.values().cloned())
}

/// A way through the files, from some of them to all that they name.
pub struct Pass<'a> {
    files: &'a Files,
    manifest: &'a Manifest,
    resolver: Resolver<'a>,
    is_unsafe: &'a dyn Fn(&PackagePath, &[u8]) -> bool,
    seen: BTreeSet<PackagePath>,
    marks: Marks,
    rewritten: Rewritten,
}

impl<'a> Pass<'a> {
    /// A pass that has seen nothing. Files for which `is_unsafe` holds are not parsed.
    fn new(files: &'a Files, manifest: &'a Manifest, resolver: Resolver<'a>, is_unsafe: &'a dyn Fn(&PackagePath, &[u8]) -> bool) -> Self {
        let rewritten = Rewritten { files: files.clone(), ..Rewritten::default() };
        let marks = Marks::new(&manifest.config);
        Self { files, manifest, resolver, is_unsafe, seen: BTreeSet::new(), marks, rewritten }
    }

    /// A pass over the files of an upload.
    pub fn over(upload: &'a Upload, files: &'a Files, manifest: &'a Manifest, is_unsafe: &'a dyn Fn(&PackagePath, &[u8]) -> bool) -> Self {
        Self::new(files, manifest, Resolver::new(files, manifest, &upload.package, &upload.version), is_unsafe)
    }

    /// Rewrites these files, those that they name or are paired with, and so on. Files that are not there are passed over.
    pub fn follow(&mut self, from: impl IntoIterator<Item = PackagePath>) {
        let mut queue: VecDeque<_> = from.into_iter().collect();
        while let Some(path) = queue.pop_front() {
            if !self.files.contains(path.as_str()) || self.seen.contains(&path) {
                continue;
            }
            let names = self.visit(&path, true);
            queue.extend(names.iter().filter_map(|name| PackagePath::try_from(name.as_str()).ok()));
            queue.extend(self.manifest.declarations.get(&path).cloned());
            self.seen.insert(path);
        }
    }

    /// The files that were followed so far, of whatever kind.
    #[must_use]
    pub fn seen(&self) -> &BTreeSet<PackagePath> {
        &self.seen
    }

    /// Rewrites the files that nobody named.
    fn rest(&mut self) {
        let files = self.files;
        for (path, _) in files.iter() {
            if !self.seen.contains(path) {
                self.visit(path, false);
            }
        }
    }

    /// What has become of the package so far, with the changes that are known only once all files were seen.
    #[must_use]
    pub fn rewritten(&self) -> Rewritten {
        let mut rewritten = self.rewritten.clone();
        let text = |path: &PackagePath| self.files.get(path.as_str()).map_or("", |bytes| source::text(bytes).unwrap_or_default());
        for (path, changes) in self.marks.edits(text) {
            rewritten.change(path, changes);
        }
        rewritten
    }

    fn visit(&mut self, path: &PackagePath, is_reached: bool) -> Vec<String> {
        let Some(bytes) = self.files.get(path.as_str()).filter(|bytes| !(self.is_unsafe)(path, bytes)) else { return Vec::new() };
        let Some(source) = Source::read(path, bytes) else { return Vec::new() };
        let mut revision = revise(path, &source, &self.resolver, &self.manifest.resolution.jsx);
        self.marks.read(path, &source, &mut revision);
        self.rewritten.take(path, source, revision, is_reached)
    }
}

impl Rewritten {
    /// Stores what became of a file, and hands back the files it names.
    fn take(&mut self, path: &PackagePath, source: Source, revision: Revision, is_reached: bool) -> Vec<String> {
        let Revision { changes, names, errors, warnings, .. } = revision;
        hold(&mut self.unresolved, path, errors);
        hold(&mut self.warnings, path, warnings);
        if is_reached && changes.is_empty() {
            self.parsed.insert(path.clone(), source.parsed);
        }
        self.change(path, changes);
        names
    }

    /// Makes the edits of a file, if there are any.
    fn change(&mut self, path: &PackagePath, changes: Vec<TextChange>) {
        let Some(bytes) = self.files.get(path.as_str()).filter(|_| !changes.is_empty()) else { return };
        let Some(text) = source::text(bytes) else { return };
        let changed = apply_text_changes(text, changes);
        let mark = if text.len() < bytes.len() { "\u{feff}" } else { "" };
        self.files.insert(path.clone(), Bytes::from(format!("{mark}{changed}")));
        self.changed.insert(path.clone());
        self.parsed.remove(path);
    }
}

fn hold(held: &mut BTreeMap<PackagePath, Vec<Finding>>, path: &PackagePath, findings: Vec<Finding>) {
    if !findings.is_empty() && held.values().map(Vec::len).sum::<usize>() < MAX_HELD {
        held.insert(path.clone(), findings);
    }
}
