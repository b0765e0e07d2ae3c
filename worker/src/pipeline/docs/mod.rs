//! Documentation: what each export offers, as `deno_doc` reads it from the sources.
//!
//! Two files are stored with the version. `index.json` is small: each export with its symbols, a line about each. What a
//! page about a symbol needs is in `symbols.json`. Pages are made of them elsewhere. Documentation is a courtesy: whatever
//! goes wrong in here is a warning, and the package publishes without.

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
use slipway_common::ids::{ExportKey, PackagePath};
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::graph::{Graph, shorten, specifier_of};
use super::manifest::Manifest;

/// The revision of the two files. It is part of their keys, so that a new shape never replaces an old one.
pub const DOCS_REVISION: u32 = 1;

/// An export and the file that it names.
pub(crate) struct Entry {
    key: ExportKey,
    path: PackagePath,
    specifier: ModuleSpecifier,
}

/// Documents a package. Empty, with a warning, when that is not possible.
pub fn build(graph: &Graph, manifest: &Manifest, findings: &mut Findings) -> Vec<Artefact> {
    let entries = entries(graph, manifest);
    match parse(graph, &entries) {
        Ok(output) => {
            let (symbols, left_out) = symbols::document(&entries, &output);
            let (index, shortened) = index::document(&entries, &output);
            if left_out || shortened {
                findings.push(warning("the documentation is not complete, because it would be too large"));
            }
            vec![artefact("index.json", index), artefact("symbols.json", symbols)]
        }
        Err(reason) => {
            findings.push(warning(&format!("the package has no documentation: {}", shorten(&reason))));
            Vec::new()
        }
    }
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
        let parser = DocParser::new(&graph.modules, &graph.sources, &specifiers, options).map_err(|error| error.to_string())?;
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
