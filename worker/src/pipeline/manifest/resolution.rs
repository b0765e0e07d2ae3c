//! The settings by which specifiers that are not exact are resolved, gathered from every file that may hold them.
//!
//! A deno config beside the config named in the request counts too, as does `package.json`: that is what Deno reads when
//! it runs the same directory. Whatever is broken here is a warning, since exact specifiers need none of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Severity};

use super::index::{FileIndex, join};
use super::json::{Dialect, Document};
use super::{ImportMapSource, Resolution, compiler_options};

/// Names of deno configs, the one that Deno prefers first.
const DENO_CONFIGS: &[&str] = &["deno.json", "deno.jsonc"];
/// Where `package.json` names what a package needs, a later one over an earlier one as npm has it.
const DEPENDENCY_FIELDS: &[&str] = &["peerDependencies", "dependencies", "optionalDependencies"];

/// Gathers the settings. `config` is the file named in the request, `package` the `package.json` beside it.
pub(super) fn read(config: &Document, package: Option<&Map<String, Value>>, index: &FileIndex<'_>, findings: &mut Findings) -> Resolution {
    let directory = config.path.directory();
    let beside = beside(config, index, findings);
    let mut configs: Vec<&Document> = beside.iter().collect();
    if config.path.file_name() != "package.json" {
        configs.insert(0, config);
    }
    let options = compiler_options::read(&configs, directory, index, findings);
    Resolution {
        import_map: configs.iter().find_map(|config| import_map(config, index, findings)),
        dependencies: package.map(dependencies).unwrap_or_default(),
        package_imports: package.and_then(|package| package.get("imports")?.as_object().cloned()),
        paths: options.paths(),
        experimental_decorators: options.experimental_decorators.unwrap_or(false),
        jsx: options.jsx,
    }
}

/// The deno config beside the config, if that is another file.
fn beside(config: &Document, index: &FileIndex<'_>, findings: &mut Findings) -> Option<Document> {
    let directory = config.path.directory();
    let path = DENO_CONFIGS.iter().find_map(|name| index.find(&format!("{directory}{name}")))?;
    if path == config.path {
        return None;
    }
    read_optional(&path, index, Dialect::Jsonc, "its settings are not used", findings)
}

/// Reads a file that is not essential: what is wrong with it is a warning.
pub(super) fn read_optional(
    path: &PackagePath,
    index: &FileIndex<'_>,
    dialect: Dialect,
    consequence: &str,
    findings: &mut Findings,
) -> Option<Document> {
    match Document::read(path, index.bytes(path)?, dialect) {
        Ok(document) => Some(document),
        Err(mut finding) => {
            finding.severity = Severity::Warning;
            findings.push(finding.hint(consequence));
            None
        }
    }
}

/// The import map of a config: its own, or the file it names.
fn import_map(config: &Document, index: &FileIndex<'_>, findings: &mut Findings) -> Option<ImportMapSource> {
    if let Some(json) = imports_and_scopes(&config.object) {
        return Some(ImportMapSource { base: config.path.clone(), json });
    }
    let named = config.object.get("importMap")?;
    let path = named.as_str().and_then(|text| index.find(&join(config.path.directory(), text)?));
    let Some(path) = path else {
        let shown = super::exports::cut(&named.to_string());
        let message = format!("the import map {shown} of '{}' is not a file of the package and is not used", config.path);
        findings.push(Finding::warning(FindingCode::InvalidConfigFile, message).at(config.place("importMap")));
        return None;
    };
    let map = read_optional(&path, index, Dialect::Jsonc, "the import map is not used", findings)?;
    Some(ImportMapSource { json: imports_and_scopes(&map.object)?, base: path })
}

fn imports_and_scopes(object: &Map<String, Value>) -> Option<Value> {
    let part = |key: &str| object.get(key).filter(|value| value.is_object()).cloned();
    match (part("imports"), part("scopes")) {
        (None, None) => None,
        (imports, scopes) => Some(json!({ "imports": imports.unwrap_or(json!({})), "scopes": scopes.unwrap_or(json!({})) })),
    }
}

fn dependencies(package: &Map<String, Value>) -> BTreeMap<String, String> {
    let fields = DEPENDENCY_FIELDS.iter().filter_map(|field| package.get(*field)?.as_object());
    fields.flatten().filter_map(|(name, range)| Some((name.clone(), range.as_str()?.to_owned()))).collect()
}
