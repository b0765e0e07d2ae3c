//! The `package.json` of the npm package.
//!
//! It takes the place of the author's own, whose declared fields are carried over where they mean something to a client. What
//! runs on the machines of others (`scripts`) or speaks of the author's workshop (`devDependencies`) is not among them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use slipway_common::ids::{ExportTarget, PackagePath};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::specifiers::Resolver;
use super::tree::Tree;

/// Where it is.
pub(super) const PATH: &str = "/package.json";

/// The programs of the package: the command and the file Node runs, in the order of the commands.
pub(super) fn bins(resolver: &Resolver<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let declared = match field(resolver, "bin") {
        // npm's short form: the command has the name of the package.
        Some(Value::String(path)) => vec![(resolver.emit.package.name().to_owned(), path.clone())],
        Some(Value::Object(bins)) => bins.iter().filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned()))).collect(),
        _ => Vec::new(),
    };
    let mut bins = BTreeMap::new();
    for (name, declared) in declared {
        let command = name.rsplit('/').next().unwrap_or(&name).to_owned();
        match program(resolver, &declared) {
            Ok(path) => _ = bins.insert(command, path),
            Err(why) => findings.push(
                Finding::warning(FindingCode::ExportSkipped, format!("the command '{command}' is left out: {why}")).at(Place::file(PATH)),
            ),
        }
    }
    bins
}

/// The file Node runs for a program that the author names by its source.
fn program(resolver: &Resolver<'_>, declared: &str) -> Result<String, String> {
    let path = format!("/{}", declared.trim_start_matches("./").trim_start_matches('/'));
    let is_there = PackagePath::try_from(path.as_str()).is_ok() && resolver.emit.files.contains(&path);
    if !is_there {
        return Err(format!("`{declared}` is not in the package; is it excluded from publishing?"));
    }
    match resolver.layout.home_of(&path) {
        Some(home) => home.code.clone().ok_or_else(|| format!("`{declared}` holds declarations alone")),
        None if [".js", ".mjs", ".cjs"].iter().any(|extension| path.ends_with(extension)) => Ok(path),
        None => Err(format!("`{declared}` is not reached by any export, so it is not compiled; add it to the exports")),
    }
}

/// Makes the document. The order of its keys is fixed.
pub(super) fn manifest(resolver: &Resolver<'_>, tree: &Tree, bins: &BTreeMap<String, String>) -> Map<String, Value> {
    let emit = &resolver.emit;
    let mut manifest = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            manifest.insert(key.to_owned(), value);
        }
    };
    let declared = |key: &str, is_sound: fn(&Value) -> bool| field(resolver, key).filter(|value| is_sound(value)).cloned();

    set("name", Some(emit.package.npm_name().into()));
    set("version", Some(emit.version.to_string().into()));
    set("description", emit.manifest.description.clone().map(Value::from).or_else(|| declared("description", Value::is_string)));
    set("keywords", declared("keywords", is_list_of_texts));
    set("license", emit.manifest.license.clone().map(Value::from));
    set("homepage", declared("homepage", Value::is_string).or_else(|| Some(format!("{}{}", emit.public_url, emit.package).into())));
    set("repository", declared("repository", is_text_or_texts));
    set("bugs", declared("bugs", is_text_or_texts));
    set("author", declared("author", is_text_or_texts));
    set("type", Some("module".into()));
    set("exports", Some(exports(resolver, tree)));
    let bins: Map<_, _> = bins.iter().map(|(name, path)| (name.clone(), dotted(path))).collect();
    set("bin", (!bins.is_empty()).then_some(bins.into()));
    set("sideEffects", declared("sideEffects", |value| value.is_boolean() || is_list_of_texts(value)));
    set("engines", declared("engines", is_texts_by_name));

    let peers = declared("peerDependencies", is_texts_by_name);
    let optional = declared("optionalDependencies", is_texts_by_name);
    let is_declared = |name: &str| [&peers, &optional].into_iter().flatten().any(|declared| declared.get(name).is_some());
    // What is asked of the one who installs is not installed a second time.
    let dependencies: Map<_, _> =
        dependencies(resolver).into_iter().filter(|(name, _)| !is_declared(name)).map(|(name, range)| (name, range.into())).collect();
    set("dependencies", Some(dependencies.into()));
    set("optionalDependencies", optional);
    set("peerDependencies", peers);
    set("peerDependenciesMeta", declared("peerDependenciesMeta", Value::is_object).map(|meta| optional_peers(&meta)));
    set("slipway", Some(json!({ "revision": super::EMIT_REVISION })));
    manifest
}

/// The bytes of the file.
pub(super) fn to_bytes(manifest: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(manifest).expect("maps with text keys always serialise");
    bytes.push(b'\n');
    bytes
}

fn field<'a>(resolver: &Resolver<'a>, key: &str) -> Option<&'a Value> {
    resolver.emit.manifest.package_json.as_ref()?.get(key)
}

/// The exports in the author's order, types first: TypeScript takes the first condition that it knows.
fn exports(resolver: &Resolver<'_>, tree: &Tree) -> Value {
    let exports = &resolver.emit.manifest.exports.0;
    exports.iter().map(|(key, target)| (key.to_string(), export(resolver, tree, target))).collect::<Map<_, _>>().into()
}

fn export(resolver: &Resolver<'_>, tree: &Tree, target: &ExportTarget) -> Value {
    // A target may be written `././mod.ts`.
    let path = super::specifiers::file_url(target.rooted()).and_then(|url| super::layout::local_path(&url));
    let path = path.as_deref().unwrap_or(target.rooted());
    let code = match resolver.layout.home_of(path) {
        Some(home) => home.code.as_deref(),
        None => resolver.emit.files.contains(path).then_some(path),
    };
    let types = resolver.declaration(path).filter(|types| Some(*types) != code);
    // What could not be compiled is not there.
    let conditions = [("types", types), ("default", code)].into_iter().filter_map(|(name, path)| Some((name, path?)));
    conditions.filter(|(_, path)| tree.contains(path)).map(|(name, path)| (name.to_owned(), dotted(path))).collect::<Map<_, _>>().into()
}

/// What the modules need; and when the package is described by a `package.json`, also what that says they need, because code
/// can ask for packages in ways that no analysis sees.
fn dependencies(resolver: &Resolver<'_>) -> BTreeMap<String, String> {
    let mut dependencies = resolver.names.dependencies();
    let is_described = resolver.emit.manifest.config.as_str() == PATH;
    let declared = field(resolver, "dependencies").and_then(Value::as_object).filter(|_| is_described);
    for (name, range) in declared.into_iter().flatten() {
        // Workspaces, files and repositories mean nothing to those who install from a registry.
        if let Some(range) = range.as_str().filter(|range| !range.contains([':', '/'])) {
            dependencies.entry(name.clone()).or_insert_with(|| range.to_owned());
        }
    }
    dependencies
}

fn optional_peers(meta: &Value) -> Value {
    let peers = meta.as_object().into_iter().flatten();
    let optional = peers.filter(|(_, meta)| meta.get("optional") == Some(&Value::Bool(true)));
    optional.map(|(name, _)| (name.clone(), json!({ "optional": true }))).collect::<Map<_, _>>().into()
}

fn dotted(path: &str) -> Value {
    format!(".{path}").into()
}

fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

fn is_texts_by_name(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().all(Value::is_string))
}

fn is_text_or_texts(value: &Value) -> bool {
    value.is_string() || is_texts_by_name(value)
}
