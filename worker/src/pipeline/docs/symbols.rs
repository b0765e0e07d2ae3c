//! The symbols: everything about every symbol, in the shape of `deno_doc`, with paths in place of `file:` URLs.
//!
//! ```text
//! { "exports": { ".": "/mod.ts" }, "documents": { "/mod.ts": { "moduleDoc"?, "imports"?, "symbols": […] } }, "truncated"?: true }
//! ```
//!
//! The text is put together from parts that are serialised once: it is the largest thing that is derived from most packages,
//! and a tree of it in memory would be ten times as large.

use std::collections::BTreeMap;
use std::fmt::Write;

use deno_doc::{Document, ParseOutput};
use deno_graph::ModuleSpecifier;
use serde::Serialize;

use super::Entry;
use crate::pipeline::graph::path_of;

/// Bytes of the file that are filled. `zod` once made 41 MB of it, which no page could be made of; the registries that serve
/// documentation answer with at most 32.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Levels of one symbol's JSON. Readers give up at 128, and a document that one of them cannot read is lost whole.
const MAX_DEPTH: usize = 100;

/// Builds the file, and says whether something had to be left out.
pub(super) fn document(entries: &[Entry], output: &ParseOutput) -> (String, bool) {
    let mut budget = Budget { left: MAX_BYTES, exceeded: false };
    let mut documents = BTreeMap::new();
    for entry in entries {
        let path = entry.path.as_str();
        if let Some(document) = output.get(&entry.specifier).filter(|_| !documents.contains_key(path)) {
            documents.insert(path, budget.document(document));
        }
    }
    let exports = entries.iter().map(|entry| (entry.key.as_str(), json(entry.path.as_str())));
    let mut text = format!("{{\"exports\":{},\"documents\":{}", object(exports), object(documents));
    if budget.exceeded {
        text.push_str(",\"truncated\":true");
    }
    text.push('}');
    (text, budget.exceeded)
}

struct Budget {
    left: usize,
    exceeded: bool,
}

impl Budget {
    fn document(&mut self, document: &Document) -> String {
        let mut members = Vec::new();
        if !document.module_doc.is_empty() {
            members.extend(self.part(&document.module_doc).map(|doc| ("moduleDoc", doc)));
        }
        let imports: Vec<_> = document.imports.iter().filter_map(|import| self.part(import)).collect();
        if !imports.is_empty() {
            members.push(("imports", array(&imports)));
        }
        let symbols: Vec<_> = document.symbols.iter().filter_map(|symbol| self.part(symbol)).collect();
        members.push(("symbols", array(&symbols)));
        object(members)
    }

    /// A part of the document, if it still fits.
    fn part(&mut self, part: &impl Serialize) -> Option<String> {
        let text = name_files(&json(part));
        if text.len() > self.left || depth(&text) > MAX_DEPTH {
            self.exceeded = true;
            return None;
        }
        self.left -= text.len();
        Some(text)
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("documentation has text keys")
}

fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = String::from("{");
    for (key, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        write!(text, "{}:{value}", json(key)).expect("a string takes everything");
    }
    text.push('}');
    text
}

/// Writes paths for the URLs of files. Quotes inside of JSON texts are escaped, so what looks like the key is one.
fn name_files(text: &str) -> String {
    const KEY: &str = "\"filename\":\"";
    let mut parts = text.split(KEY);
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        named.push_str(KEY);
        let (name, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
        let path = ModuleSpecifier::parse(name).ok().and_then(|specifier| path_of(&specifier));
        named.push_str(path.as_ref().map_or(name, |path| path.as_str()));
        named.push_str(rest);
    }
    named
}

/// How many objects and arrays are within one another.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
