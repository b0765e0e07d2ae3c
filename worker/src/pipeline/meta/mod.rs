//! `<version>_meta.json`: every file with its checksum, what each module imports, and the exports as written.
//!
//! Clients load modules side by side because the imports stand here, and pin the digest of these very bytes. An entry that
//! is wrong breaks them, one that is missing only makes them slower: so modules are listed only when they were parsed.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use deno_graph::analysis::ModuleInfo;
use deno_graph::ast::ParserModuleAnalyzer;
use serde_json::Value;
use slipway_common::formats::version_meta::{ManifestEntry, VersionMeta};
use slipway_common::ids::Sha256;

use super::files::Files;
use super::graph::Graph;
use super::manifest::Manifest;

/// Describes a version. The same package gives the same bytes.
#[must_use]
pub fn build(files: &Files, manifest: &Manifest, graph: &Graph, augmentations: bool) -> VersionMeta {
    let entries = files.iter().map(|(path, bytes)| {
        let size = u64::try_from(bytes.len()).expect("a length in memory fits into 64 bits");
        (path.clone(), ManifestEntry { size, checksum: Sha256::of(bytes).checksum() })
    });
    let modules = graph.scripts().filter_map(|(path, module)| {
        let source = graph.parsed(&module.specifier)?;
        Some((path.to_string(), canonical(&ParserModuleAnalyzer::module_info(&source))))
    });
    VersionMeta {
        manifest: entries.collect(),
        module_graph: modules.collect::<BTreeMap<_, _>>(),
        exports: manifest.exports.clone(),
        augmentations,
    }
}

/// The description of a module as JSON. `deno_graph` keeps import attributes in a map without order.
fn canonical(module: &ModuleInfo) -> Value {
    let mut value = serde_json::to_value(module).expect("a module description has text keys");
    let dependencies = value.get_mut("dependencies").and_then(Value::as_array_mut);
    for dependency in dependencies.into_iter().flatten() {
        let attributes = dependency.pointer_mut("/importAttributes/known").and_then(Value::as_object_mut);
        if let Some(attributes) = attributes {
            attributes.sort_keys();
        }
    }
    value
}
