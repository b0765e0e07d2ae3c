//! The entry points of a plain `package.json`, a file that was never written with this registry in mind.
//!
//! `exports` counts if it is there, conditions, wildcards and all; else `source`, `module`, `main` and `types` name the one
//! entry point; else `bin` does. A package that has all of these is entered as Node would enter it, and `bin` is left to
//! the npm side.
//!
//! Where a target was built from TypeScript that is in the package, the TypeScript is published, and a note says so
//! ([`mod@choose`]): first a target that is TypeScript itself, then what the built file's map names, then what its name
//! suggests. Keys stay as they are written, `./sha2.js` included, since users of the package write them.
//!
//! Whatever means nothing here is left out with a warning, never refused: styles, data, `CommonJS`, withdrawn keys. The
//! package's own `package.json` is left out without one, as nearly every package names it.

mod choose;
mod conditions;
mod kind;
mod maps;
mod names;
mod patterns;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackagePath};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::exports::{self, MAX_EXPORTS, cut};
use super::index::FileIndex;
use super::json::Document;
use choose::{Choice, choose};
use conditions::{Leaf, MAX_TARGETS, Targets};
use maps::Maps;
use patterns::{Expansion, MAX_PATTERNS, Pattern};

/// How many entry points a summary names. The rest is counted; a finding is read by a person.
const SHOWN_IN_SUMMARY: usize = 5;

/// The entry points of a package.
#[derive(Debug, Default)]
pub(super) struct EntryPoints {
    /// What can be imported.
    pub(super) exports: Exports,
    /// Declarations of JavaScript among them.
    pub(super) declarations: BTreeMap<PackagePath, PackagePath>,
}

/// All JavaScript of the package that has declarations beside it. Who loads the one needs the other, so neither is noted here.
pub(super) fn siblings(index: &FileIndex<'_>) -> BTreeMap<PackagePath, PackagePath> {
    index.paths().filter_map(|script| Some((script.clone(), index.glance(&choose::beside(script)?)?))).collect()
}

/// The TypeScript a built file was likely made from, by its name.
pub(super) fn source_of(built: &PackagePath, index: &FileIndex<'_>) -> Option<PackagePath> {
    names::source_of(built, index)
}

/// Reads the entry points.
pub(super) fn read(document: &Document, index: &FileIndex<'_>, findings: &mut Findings) -> EntryPoints {
    let mut reading = Reading {
        document,
        index,
        maps: Maps::new(index),
        found: EntryPoints::default(),
        expanded: 0,
        chosen: Vec::new(),
        skipped: Vec::new(),
        findings,
    };
    match document.object.get("exports") {
        Some(exports) => reading.exports(exports),
        None => reading.fields(),
    }
    reading.finish()
}

struct Reading<'a> {
    document: &'a Document,
    index: &'a FileIndex<'a>,
    maps: Maps<'a>,
    found: EntryPoints,
    /// How many keys wildcards stood for, whatever became of them.
    expanded: usize,
    /// What the summaries will say.
    chosen: Vec<String>,
    skipped: Vec<String>,
    findings: &'a mut Findings,
}

impl Reading<'_> {
    /// The `exports` field.
    fn exports(&mut self, value: &Value) {
        let Value::Object(map) = value else { return self.root(value) };
        let subpaths = map.keys().filter(|key| key.starts_with('.')).count();
        if subpaths == 0 {
            return self.root(value);
        }
        if subpaths < map.len() {
            let place = self.document.place("exports");
            let why = "it must not mix paths, which start with '.', and conditions, which do not";
            return self.findings.push(exports::invalid(self.document, why, place));
        }
        let exact: BTreeSet<&str> = map.keys().map(String::as_str).filter(|key| Pattern::read(key).is_none()).collect();
        let patterns: Vec<Pattern<'_>> = map.keys().filter_map(|key| Pattern::read(key)).collect();
        if patterns.len() > MAX_PATTERNS {
            let place = self.document.place("exports");
            let why = format!("there must be no more than {MAX_PATTERNS} keys with wildcards");
            return self.findings.push(exports::invalid(self.document, why, place));
        }
        let expansion = Expansion { index: self.index, patterns: &patterns, exact: &exact };
        for (key, value) in map {
            if key == "./package.json" {
                continue;
            }
            match Pattern::read(key) {
                Some(pattern) => self.pattern(key, value, &pattern, &expansion),
                None => self.subpath(key, value),
            }
            if self.found.exports.0.len().max(self.expanded) > MAX_EXPORTS {
                return self.findings.push(exports::too_many(self.document));
            }
        }
    }

    /// `exports` that hold the root alone.
    fn root(&mut self, value: &Value) {
        match value {
            // Conditions that lead nowhere leave no entry point, which is said at the end.
            Value::Object(_) | Value::Array(_) if Targets::of(value) == Targets::default() => {}
            Value::String(_) | Value::Object(_) | Value::Array(_) => self.subpath(".", value),
            other => {
                let why = format!("must be a string or an object, not {}", cut(&other.to_string()));
                self.findings.push(exports::invalid(self.document, why, self.document.place("exports")));
            }
        }
    }

    /// One key without a wildcard.
    fn subpath(&mut self, key: &str, value: &Value) {
        let targets = Targets::of(value);
        if let Some(finding) = self.malformed(key, &targets) {
            return self.findings.push(finding);
        }
        if targets.leaves.is_empty() {
            return self.skip(key, "names no file");
        }
        match ExportKey::try_from(key) {
            Ok(key) => self.take(key, &targets.leaves, None),
            // Node allows names that specifiers of this registry do not.
            Err(problem) => self.skip(key, &problem.to_string()),
        }
    }

    /// One key with a wildcard.
    fn pattern(&mut self, key: &str, value: &Value, pattern: &Pattern<'_>, expansion: &Expansion<'_>) {
        let targets = Targets::of(value);
        if let Some(finding) = self.malformed(key, &targets) {
            return self.findings.push(finding);
        }
        let withdrawn = targets.leaves.is_empty();
        let offered = expansion.expand(pattern, &targets.leaves, MAX_EXPORTS + 1);
        if offered.is_empty() && !withdrawn {
            self.skip(key, "matches no module of the package");
        }
        self.expanded += offered.len();
        if self.expanded > MAX_EXPORTS {
            return;
        }
        for (key, star) in offered {
            self.take(key, &targets.leaves, Some(&star));
        }
    }

    /// A target that no reader of `package.json` would accept.
    fn malformed(&self, key: &str, targets: &Targets<'_>) -> Option<Finding> {
        let place = self.document.export_place(key);
        let shown = cut(key);
        if let Some(value) = targets.malformed {
            let why = format!("export '{shown}' must be a path, conditions or null, invalid value: '{}'", cut(&value.to_string()));
            return Some(exports::invalid(self.document, why, place));
        }
        if targets.leaves.len() > MAX_TARGETS {
            let why = format!("export '{shown}' must not have more than {MAX_TARGETS} targets");
            return Some(exports::invalid(self.document, why, place));
        }
        let target = targets.leaves.iter().find(|leaf| !leaf.target.starts_with("./"))?.target;
        let why = format!("the path '{}' for export '{shown}' must start with './'", cut(target));
        Some(exports::invalid(self.document, why, place))
    }

    /// Chooses a file for a key.
    fn take(&mut self, key: ExportKey, leaves: &[Leaf<'_>], star: Option<&str>) {
        match choose(leaves, star, self.index, &self.maps) {
            Choice::Entry { path, declarations, instead_of } => {
                if let Some(built) = instead_of {
                    self.chosen.push(format!("'{key}' from '.{path}' instead of '.{built}'"));
                }
                if let Some(declarations) = declarations {
                    self.found.declarations.insert(path.clone(), declarations);
                }
                let target = ExportTarget::try_from(format!(".{path}").as_str()).expect("a module has an extension");
                self.found.exports.0.insert(key, target);
            }
            Choice::Unusable(why) => self.skip(key.as_str(), why),
            Choice::Missing => self.missing(&key, leaves),
        }
    }

    /// No target of a key is in the package: the finding names the one that runs.
    fn missing(&mut self, key: &ExportKey, leaves: &[Leaf<'_>]) {
        let Some(leaf) = leaves.iter().min_by_key(|leaf| (leaf.types, leaf.source, leaf.distance)) else { return };
        let subject = format!("export '{key}'");
        let place = self.document.export_place(key.as_str());
        let finding = match exports::target(self.document, &subject, leaf.target, place) {
            Ok(target) => exports::missing(self.document, key, &target, self.index),
            Err(finding) => Some(finding),
        };
        self.findings.extend(finding);
    }

    fn skip(&mut self, key: &str, why: &str) {
        self.skipped.push(format!("'{}' {why}", cut(key)));
    }

    /// A package without `exports`: one entry point, named by whichever field names one.
    fn fields(&mut self) {
        let named = self.named_targets();
        let leaves: Vec<Leaf<'_>> = named
            .iter()
            .map(|(field, target)| {
                let distance = if *field == "main" { 2 } else { 1 };
                Leaf { target, types: matches!(*field, "types" | "typings"), source: *field == "source", distance }
            })
            .collect();
        if leaves.is_empty() {
            self.bins();
        } else {
            self.take(ExportKey::root(), &leaves, None);
        }
    }

    /// The fields that name the entry point, each with the file it means, and where none does the names that are tried.
    fn named_targets(&self) -> Vec<(&'static str, String)> {
        let mut named = Vec::new();
        for field in ["source", "module", "main", "types", "typings"] {
            if let Some(text) = self.document.object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()) {
                named.push((field, self.probe(text)));
            }
        }
        if named.is_empty() {
            let usual = ["/index.js", "/index.ts", "/mod.ts", "/src/index.ts", "/src/mod.ts", "/index.d.ts"];
            named.extend(usual.iter().find(|path| self.index.contains(path)).map(|path| ("main", format!(".{path}"))));
        }
        named
    }

    /// The file a path of these fields means: they may leave out `./`, the extension, and `index`.
    fn probe(&self, text: &str) -> String {
        let rooted = super::index::join("/", text.trim_start_matches('/')).unwrap_or_else(|| text.to_owned());
        let endings = ["", ".js", ".mjs", ".cjs", ".ts", ".d.ts", "/index.js", "/index.mjs", "/index.ts", "/index.d.ts"];
        let base = rooted.trim_end_matches('/');
        let found = endings.iter().map(|ending| format!("{base}{ending}")).find(|path| self.index.contains(path));
        format!(".{}", found.unwrap_or(rooted))
    }

    /// A package of commands alone: each is an entry point, and the one that is named as the package is is the root.
    fn bins(&mut self) {
        let name = self.document.object.get("name").and_then(Value::as_str).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        let bins: Vec<(&str, &str)> = match self.document.object.get("bin") {
            Some(Value::String(path)) => vec![(name, path)],
            Some(Value::Object(bins)) => bins.iter().filter_map(|(name, path)| Some((name.as_str(), path.as_str()?))).collect(),
            _ => Vec::new(),
        };
        let only = bins.len() == 1;
        for (bin, path) in bins.into_iter().take(MAX_EXPORTS) {
            let key = if only || bin == name { ".".to_owned() } else { format!("./{bin}") };
            let target = self.probe(path);
            match ExportKey::try_from(key.as_str()) {
                Ok(key) => self.take(key, &[Leaf::plain(&target)], None),
                Err(problem) => self.skip(&key, &problem.to_string()),
            }
        }
    }

    fn finish(self) -> EntryPoints {
        let place = self.document.place("exports");
        let summary = |list: &[String]| {
            let shown = list.iter().take(SHOWN_IN_SUMMARY).map(String::as_str).collect::<Vec<_>>().join(", ");
            if list.len() > SHOWN_IN_SUMMARY { format!("{shown}, and {} more", list.len() - SHOWN_IN_SUMMARY) } else { shown }
        };
        if !self.chosen.is_empty() {
            let message = format!("entry points are taken from the TypeScript they were built from: {}", summary(&self.chosen));
            let note = Finding::note(FindingCode::SourceChosen, message).at(place.clone());
            self.findings.push(note.hint("to publish the built files, name them in a jsr.json, or leave the sources out"));
        }
        let is_empty = self.found.exports.0.is_empty();
        if is_empty && !self.skipped.is_empty() && !self.is_invalid() {
            // What was left out is why nothing is left.
            let why = format!("there must be at least one entry that can be published, and {}", summary(&self.skipped));
            return self.refuse(&why, place);
        }
        if !self.skipped.is_empty() {
            let message = format!("entries of 'exports' are left out: {}", summary(&self.skipped));
            self.findings.push(Finding::warning(FindingCode::ExportSkipped, message).at(place));
        }
        if is_empty && !self.is_invalid() {
            self.findings.push(exports::none(self.document));
        }
        self.found
    }

    fn refuse(self, why: &str, place: Place) -> EntryPoints {
        let finding = exports::invalid(self.document, why, place);
        self.findings.push(finding.hint("name a module of JavaScript or TypeScript (`import` and `export`), or build one from it"));
        self.found
    }

    fn is_invalid(&self) -> bool {
        self.findings.iter().any(|found| found.code == FindingCode::ConfigFileExportsInvalid)
    }
}
