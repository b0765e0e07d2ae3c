//! `index.json`: each export with its symbols, a line about each.

use deno_doc::js_doc::JsDoc;
use deno_doc::{Document, ParseOutput, Symbol};
use serde::Serialize;

use super::Entry;

/// Bytes of the index that are filled. A page that lists a package is made of it, and forty thousand lines are no page.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Characters of a symbol's first sentence.
const SUMMARY_CHARACTERS: usize = 200;

/// The whole file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    exports: Vec<IndexedExport>,
    /// Present and true when symbols were left out because there are too many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexedExport {
    name: String,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    symbols: Vec<IndexedSymbol>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexedSymbol {
    name: String,
    kinds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// Builds the index, and says whether something had to be left out.
pub(super) fn document(entries: &[Entry], output: &ParseOutput) -> (String, bool) {
    let mut left = MAX_BYTES;
    let mut truncated = false;
    let exports = entries.iter().map(|entry| {
        let document = output.get(&entry.specifier);
        let mut symbols = Vec::new();
        for symbol in document.into_iter().flat_map(|document| &document.symbols) {
            let indexed = indexed(symbol);
            match left.checked_sub(weight(&indexed)) {
                Some(rest) => left = rest,
                None => truncated = true,
            }
            if truncated {
                break;
            }
            symbols.push(indexed);
        }
        let summary = document.and_then(|document: &Document| summary(&document.module_doc));
        IndexedExport { name: entry.key.to_string(), file: entry.path.to_string(), summary, symbols }
    });
    let index = Index { exports: exports.collect(), truncated };
    (serde_json::to_string(&index).expect("an index has text keys"), truncated)
}

fn indexed(symbol: &Symbol) -> IndexedSymbol {
    let mut kinds = Vec::new();
    for declaration in &symbol.declarations {
        let kind = serde_json::to_value(declaration.def.to_kind()).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
    }
    IndexedSymbol {
        name: symbol.name.to_string(),
        kinds,
        summary: symbol.declarations.iter().find_map(|declaration| summary(&declaration.js_doc)),
        line: symbol.declarations.first().map(|declaration| declaration.location.line + 1),
    }
}

/// The first paragraph, on one line.
fn summary(doc: &JsDoc) -> Option<String> {
    let text = doc.doc.as_deref()?.trim();
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(SUMMARY_CHARACTERS).collect();
    let cut = shown.len() < line.len();
    (!line.is_empty()).then(|| if cut { shown + "…" } else { shown })
}

/// About how many bytes a symbol takes.
fn weight(symbol: &IndexedSymbol) -> usize {
    const FRAME: usize = 64;
    FRAME + symbol.name.len() + symbol.summary.as_ref().map_or(0, String::len)
}
