//! The `package.json` of the npm package.
//!
//! It takes the place of the author's own, whose declared fields are carried over where they mean something to a client. What
//! runs on the machines of others (`scripts`) or speaks of the author's workshop (`devDependencies`) is not among them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use slipway_common::ids::ExportTarget;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::Emit;
use super::specifiers::Resolver;
use super::tree::Tree;

/// Where it is.
pub(super) const PATH: &str = "/package.json";

/// The programs of the package: the command and the file Node runs, in the order of the commands.
pub(super) fn bins(resolver: &Resolver<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let mut bins = BTreeMap::new();
    for (command, declared) in &resolver.emit.manifest.npm.bins {
        match program(resolver, declared.as_str()) {
            Ok(path) => _ = bins.insert(command.clone(), path),
            Err(why) => {
                let message = format!("the command '{command}' is left out: {why}");
                findings.push(Finding::warning(FindingCode::ExportSkipped, message).at(Place::file(declared.as_str())));
            }
        }
    }
    bins
}

/// The file Node runs for a program that the author names by its source.
fn program(resolver: &Resolver<'_>, path: &str) -> Result<String, &'static str> {
    match resolver.layout.home_of(path) {
        Some(home) => home.code.clone().ok_or("the file holds declarations alone"),
        None if [".js", ".mjs", ".cjs"].iter().any(|extension| path.ends_with(extension)) => Ok(path.to_owned()),
        None => Err("the file is not a program that Node can run"),
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
    let declared = |key: &str| emit.manifest.npm.fields.get(key).cloned();

    set("name", Some(emit.package.npm_name().into()));
    set("version", Some(emit.version.to_string().into()));
    set("description", emit.manifest.description.clone().map(Value::from));
    set("keywords", declared("keywords"));
    set("license", emit.manifest.license.clone().map(Value::from));
    set("homepage", declared("homepage").or_else(|| Some(format!("{}{}", emit.public_url, emit.package).into())));
    set("repository", declared("repository"));
    set("bugs", declared("bugs"));
    set("author", declared("author"));
    set("type", Some("module".into()));
    set("exports", Some(exports(resolver, tree)));
    let bins: Map<_, _> = bins.iter().map(|(name, path)| (name.clone(), dotted(path))).collect();
    set("bin", (!bins.is_empty()).then_some(bins.into()));
    set("sideEffects", declared("sideEffects").map(|files| side_effects(resolver, files)));
    set("engines", declared("engines"));

    let peers = declared("peerDependencies");
    let optional = declared("optionalDependencies");
    let is_declared = |name: &str| [&peers, &optional].into_iter().flatten().any(|declared| declared.get(name).is_some());
    // What is asked of the one who installs is not installed a second time.
    let dependencies: Map<_, _> =
        dependencies(resolver).into_iter().filter(|(name, _)| !is_declared(name)).map(|(name, range)| (name, range.into())).collect();
    set("dependencies", Some(dependencies.into()));
    set("optionalDependencies", optional);
    set("peerDependencies", peers);
    set("peerDependenciesMeta", declared("peerDependenciesMeta"));
    set("slipway", Some(ours(emit)));
    manifest
}

/// What only this registry says: the edition of the emit, and the names whose types are not known, by module, and
/// the compiler that found some out.
fn ours(emit: &Emit<'_>) -> Value {
    let untyped = &emit.declarations.untyped;
    let mut ours = json!({ "revision": super::EMIT_REVISION });
    if !untyped.is_empty() {
        ours["untyped"] = untyped.iter().map(|(path, names)| (format!(".{path}"), json!(names))).collect::<Map<_, _>>().into();
    }
    if let Some(compiler) = emit.declarations.compiler() {
        ours["compiler"] = compiler.into();
    }
    ours
}

/// The bytes of the file.
pub(super) fn to_bytes(manifest: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(manifest).expect("maps with text keys always serialise");
    bytes.push(b'\n');
    bytes
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
    let declared = resolver.emit.manifest.npm.fields.get("dependencies").and_then(Value::as_object);
    for (name, range) in declared.into_iter().flatten() {
        if let Some(range) = range.as_str() {
            dependencies.entry(name.clone()).or_insert_with(|| range.to_owned());
        }
    }
    dependencies
}

/// The files with side effects, under the names that bundlers see.
fn side_effects(resolver: &Resolver<'_>, mut files: Value) -> Value {
    for file in files.as_array_mut().into_iter().flatten() {
        if let Some(pattern) = file.as_str().and_then(pattern_of_code) {
            *file = pattern.into();
            continue;
        }
        let path = file.as_str().map(|text| format!("/{}", text.trim_start_matches("./").trim_start_matches('/')));
        if let Some(code) = path.and_then(|path| resolver.layout.home_of(&path)?.code.as_deref()) {
            *file = dotted(code);
        }
    }
    files
}

/// A pattern of sources as the pattern of what is made of them: `**/*.js` for `**/*.{ts,tsx}`.
fn pattern_of_code(pattern: &str) -> Option<String> {
    let code = |extension: &str| match extension {
        "ts" | "tsx" | "jsx" => Some("js".to_owned()),
        "mts" => Some("mjs".to_owned()),
        _ => None,
    };
    if !pattern.contains(['*', '{', '?', '[']) {
        return None;
    }
    let (stem, extensions) = pattern.rsplit_once('.')?;
    let Some(several) = extensions.strip_prefix('{').and_then(|several| several.strip_suffix('}')) else {
        return Some(format!("{stem}.{}", code(extensions)?));
    };
    let mut all: Vec<String> = several.split(',').map(|extension| code(extension).unwrap_or_else(|| extension.to_owned())).collect();
    all.sort();
    all.dedup();
    Some(if let [one] = &all[..] { format!("{stem}.{one}") } else { format!("{stem}.{{{}}}", all.join(",")) })
}

fn dotted(path: &str) -> Value {
    format!(".{path}").into()
}
