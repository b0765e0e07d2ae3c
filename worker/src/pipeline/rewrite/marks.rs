//! Marks exports that are types: `export { Shape } from "./shape.ts"` becomes `export { type Shape } from "./shape.ts"`.
//!
//! Deno transpiles what is stored file by file, and keeps such an export when it cannot see that it is an interface; loading the
//! module then fails. Deno's own checker asks authors for the word, other tools do not, so packages that were made for those
//! lack it. Whether a name is a type is known when all files were read, so the edits of a file with such exports wait here.
//!
//! What is exact stays as it is: the word is put in where the config is a `package.json`, which Deno's client never publishes
//! with, and else only into files that are rewritten anyway.

use std::collections::BTreeMap;

use deno_ast::{SourceRange, StartSourcePos, TextChange};
use slipway_common::ids::PackagePath;

use super::super::values::{Unmarked, UnmarkedPlace, Values, unmarked};
use super::revise::Revision;
use super::source::Source;

/// The names of all files, and the edits that wait for them.
#[derive(Debug)]
pub(super) struct Marks {
    always: bool,
    values: Values,
    waiting: BTreeMap<PackagePath, Waiting>,
}

/// A file with exports that may have to be marked.
#[derive(Debug)]
struct Waiting {
    unmarked: Vec<Unmarked>,
    changes: Vec<TextChange>,
}

impl Marks {
    /// For a package whose config is this file.
    pub(super) fn new(config: &PackagePath) -> Self {
        Self { always: config.file_name() == "package.json", values: Values::default(), waiting: BTreeMap::new() }
    }

    /// Reads the names of a file. Keeps its edits, and leaves the revision without, if there may be more of them.
    pub(super) fn read(&mut self, path: &PackagePath, source: &Source, revision: &mut Revision) {
        let program = source.parsed.program_ref();
        let target = |specifier: &str| revision.targets.get(specifier).cloned();
        self.values.read(path.as_str(), program, source.is_declaration(), &target);
        let may_be_marked = source.parsed.media_type().is_typed() && !source.is_declaration();
        if !may_be_marked || (!self.always && revision.changes.is_empty()) {
            return;
        }
        let unmarked = unmarked(program, &target);
        if !unmarked.is_empty() {
            let changes = std::mem::take(&mut revision.changes);
            self.waiting.insert(path.clone(), Waiting { unmarked, changes });
        }
    }

    /// The edits of every file that was kept back. `text_of` gives its text without byte order mark.
    pub(super) fn edits<'a>(&self, text_of: impl Fn(&PackagePath) -> &'a str) -> impl Iterator<Item = (&PackagePath, Vec<TextChange>)> {
        self.waiting.iter().map(move |(path, Waiting { unmarked, changes })| {
            let types = unmarked.iter().filter(|export| self.values.is_type(path.as_str(), export));
            let marks = types.flat_map(|export| mark(export.place, text_of(path)));
            (path, changes.iter().cloned().chain(marks).collect())
        })
    }
}

fn mark(place: UnmarkedPlace, text: &str) -> Vec<TextChange> {
    let bytes = |range: SourceRange| range.as_byte_range(StartSourcePos::START_SOURCE_POS);
    match place {
        UnmarkedPlace::Specifier(range) => vec![TextChange::new(bytes(range).start, bytes(range).start, "type ".to_owned())],
        UnmarkedPlace::Default(whole, name) => {
            let (start, name) = (bytes(whole).start, bytes(name));
            let words = text.get(start..name.start).unwrap_or_default();
            if !words.split_whitespace().eq(["export", "default"]) {
                // A comment in between has no place in what it would become.
                return Vec::new();
            }
            vec![
                TextChange::new(start, name.start, "export { type ".to_owned()),
                TextChange::new(name.end, name.end, " as default }".to_owned()),
            ]
        }
    }
}
