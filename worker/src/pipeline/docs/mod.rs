//! Documentation: what each export offers, as `deno_doc` reads it from the sources.
//!
//! `index.json` is small: each export with its symbols, a line about each. What a page about a symbol needs is stored beside it as
//! `symbols.json`, or, of most packages, inside it as the member `symbols`: a file more is a write more for each publish, and two
//! small files are read no faster than one. Pages are made of them elsewhere. Documentation is a courtesy: whatever goes wrong in
//! here is a warning, and the package publishes without. It is asked for when the plan of a package is out of harm's way, so that
//! not even the death of the process costs more than these files.

mod effort;
mod index;
mod repetition;
mod symbols;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use deno_doc::{DocParser, DocParserOptions, ParseOutput};
use deno_graph::ModuleSpecifier;
use serde::{Deserialize, Serialize};
use slipway_common::ids::{ExportKey, PackagePath};
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::graph::{Graph, shorten, specifier_of};
use super::manifest::Manifest;

/// The revision of the files. It is part of their keys, so that a new shape never replaces an old one.
pub const DOCS_REVISION: u32 = 1;

/// Bytes of symbols that are kept inside the index. A page about a package reads all of it to show a line for each symbol; 64 KiB,
/// compressed to a tenth, are no delay, and nine packages in ten have less.
const SYMBOLS_INSIDE: usize = 64 * 1024;

/// An export and the file that it names.
pub(crate) struct Entry {
    key: ExportKey,
    path: PackagePath,
    specifier: ModuleSpecifier,
}

/// A package whose plan is made and whose documentation is not. It holds what that takes, and nothing else.
pub struct Undocumented {
    graph: Graph,
    entries: Vec<Entry>,
}

/// What there is to read about a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Documentation {
    /// One file or two, or none.
    pub artefacts: Vec<Artefact>,
    /// Why one of them is missing or incomplete.
    pub findings: Findings,
}

impl Undocumented {
    pub(super) fn new(graph: Graph, manifest: &Manifest) -> Self {
        let entries = entries(&graph, manifest);
        Self { graph, entries }
    }

    /// Documents the package. Without files, and with a warning, when that is not possible.
    #[must_use]
    pub fn document(self) -> Documentation {
        build(&self.graph, &self.entries).unwrap_or_else(|reason| Documentation::missing(&reason))
    }
}

impl Documentation {
    /// No documentation, for this reason.
    #[must_use]
    pub fn missing(reason: &str) -> Self {
        let finding = warning(&format!("the package has no documentation: {}", shorten(reason)));
        Self { artefacts: Vec::new(), findings: finding.into() }
    }
}

fn build(graph: &Graph, entries: &[Entry]) -> Result<Documentation, String> {
    let output = parse(graph, entries)?;
    let (symbols, left_out) = symbols::document(entries, &output);
    let (index, shortened) = index::document(entries, &output);
    let mut findings = Findings::default();
    if left_out || shortened {
        findings.push(warning("the documentation is not complete, because it would be too large"));
    }
    Ok(Documentation { artefacts: files(index, symbols), findings })
}

/// The index with the symbols inside, or both.
fn files(mut index: String, symbols: String) -> Vec<Artefact> {
    if symbols.len() > SYMBOLS_INSIDE {
        return vec![artefact("index.json", index), artefact("symbols.json", symbols)];
    }
    let end = index.rfind('}').expect("the index is an object");
    index.replace_range(end.., &format!(",\"symbols\":{symbols}}}"));
    vec![artefact("index.json", index)]
}

fn entries(graph: &Graph, manifest: &Manifest) -> Vec<Entry> {
    let exports = manifest.exports.0.iter().filter_map(|(key, target)| {
        let path = PackagePath::try_from(target.rooted()).ok()?;
        let specifier = specifier_of(&path);
        graph.modules.get(&specifier)?;
        Some(Entry { key: key.clone(), path, specifier })
    });
    exports.collect()
}

fn parse(graph: &Graph, entries: &[Entry]) -> Result<ParseOutput, String> {
    let mut specifiers: Vec<_> = entries.iter().map(|entry| entry.specifier.clone()).collect();
    specifiers.sort();
    specifiers.dedup();
    repetition::check(graph)?;
    effort::check(graph, &specifiers)?;
    // `deno_doc` holds the odd declaration to be impossible, and packages hold odd declarations.
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let options = DocParserOptions { diagnostics: false, private: false };
        let parser = DocParser::new(&graph.modules, &*graph.sources, &specifiers, options).map_err(|error| error.to_string())?;
        parser.parse().map_err(|error| error.to_string())
    }));
    attempt.unwrap_or_else(|_| Err("a declaration in it is not understood".to_owned()))
}

fn warning(message: &str) -> Finding {
    Finding::warning(FindingCode::DocError, message)
}

fn artefact(name: &str, text: String) -> Artefact {
    Artefact::new(ArtefactKind::Docs { revision: DOCS_REVISION, name: name.to_owned() }, Bytes::from(text))
}
