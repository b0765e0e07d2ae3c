//! `symbols.json`: everything about every symbol, in the shape of `deno_doc`, with paths in place of `file:` URLs.

use std::collections::BTreeMap;

use deno_doc::{Document, ParseOutput};
use deno_graph::ModuleSpecifier;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Entry;
use crate::pipeline::graph::path_of;

/// Bytes of the file that are filled. `zod` once made 41 MB of it, which no page could be made of; the registries that serve
/// documentation answer with at most 32.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Levels of one symbol's JSON. Readers give up at 128, and a document that one of them cannot read is lost whole.
const MAX_DEPTH: usize = 100;

/// The whole file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Symbols {
    /// Which file each export names, in the order of the config.
    exports: Map<String, Value>,
    /// What each of those files offers.
    documents: BTreeMap<String, Value>,
    /// Present and true when symbols were left out because they are too large.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// Builds the file, and says whether something had to be left out.
pub(super) fn document(entries: &[Entry], output: &ParseOutput) -> (Symbols, bool) {
    let mut budget = Budget { left: MAX_BYTES, exceeded: false };
    let mut documents = BTreeMap::new();
    for entry in entries {
        let path = entry.path.to_string();
        if let Some(document) = output.get(&entry.specifier).filter(|_| !documents.contains_key(&path)) {
            documents.insert(path, budget.document(document));
        }
    }
    let exports = entries.iter().map(|entry| (entry.key.to_string(), Value::String(entry.path.to_string()))).collect();
    (Symbols { exports, documents, truncated: budget.exceeded }, budget.exceeded)
}

struct Budget {
    left: usize,
    exceeded: bool,
}

impl Budget {
    fn document(&mut self, document: &Document) -> Value {
        let mut value = Map::new();
        if !document.module_doc.is_empty() {
            value.extend(self.part(&document.module_doc).map(|doc| ("moduleDoc".to_owned(), doc)));
        }
        let imports: Vec<_> = document.imports.iter().filter_map(|import| self.part(import)).collect();
        if !imports.is_empty() {
            value.insert("imports".to_owned(), Value::Array(imports));
        }
        let symbols = document.symbols.iter().filter_map(|symbol| self.part(symbol)).collect();
        value.insert("symbols".to_owned(), Value::Array(symbols));
        Value::Object(value)
    }

    /// A part of the document, if it still fits.
    fn part(&mut self, part: &impl Serialize) -> Option<Value> {
        let mut value = serde_json::to_value(part).expect("documentation has text keys");
        let depth = name_files(&mut value);
        let bytes = serde_json::to_string(&value).expect("JSON is JSON").len();
        if depth > MAX_DEPTH || bytes > self.left {
            self.exceeded = true;
            return None;
        }
        self.left -= bytes;
        Some(value)
    }
}

/// Writes paths for the URLs of files, and returns how many levels there are.
fn name_files(value: &mut Value) -> usize {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(name)) = members.get_mut("filename")
                && let Some(path) = ModuleSpecifier::parse(name).ok().and_then(|specifier| path_of(&specifier))
            {
                *name = path.to_string();
            }
            1 + members.values_mut().map(name_files).max().unwrap_or(0)
        }
        Value::Array(items) => 1 + items.iter_mut().map(name_files).max().unwrap_or(0),
        _ => 0,
    }
}
