//! The package as a compiler reads it that is to find out what the source does not say.
//!
//! Only modules of the graph are there, each at its own place. Their specifiers lead to sources and hand-written declarations,
//! never to declarations that were made: those may hold placeholders, and a type that is derived from one would be `any` without
//! a word. JavaScript is not there, for the same reason.

use bytes::Bytes;
use deno_ast::MediaType;
use deno_graph::ast::ParserModuleAnalyzer;
use deno_graph::{JsModule, Module};
use serde_json::{Map, Value, json};

use super::edits::{self, Edit};
use super::emit::parse;
use super::layout::{Layout, local_path};
use super::names::Names;
use super::specifiers::{Outcome, Purpose, Referrer, Resolver, Target, file_url, names_declarations};
use super::tree::Tree;
use super::{Emit, jsx, package_json};
use crate::pipeline::inference::{Imports, Unsaid};

/// What there is to find out, if there is anything.
pub(in crate::pipeline) fn unsaid(emit: Emit<'_>) -> Option<Unsaid> {
    let untyped = emit.declarations.untyped.keys();
    let wanted =
        untyped.filter(|path| file_url(path.as_str()).and_then(|url| emit.graph.get(&url)).and_then(Module::js).is_some_and(is_source));
    let mut unsaid = Unsaid { wanted: wanted.cloned().collect(), ..Unsaid::default() };
    if unsaid.wanted.is_empty() {
        return None;
    }
    let layout = Layout::plan(&emit, &mut Tree::new(emit.files));
    let names = Names::new(emit.package, emit.dependencies);
    let resolver = Resolver { emit, layout: &layout, names: &names };
    for module in emit.graph.modules() {
        let Some(path) = local_path(module.specifier()).filter(|path| emit.files.contains(path)) else { continue };
        match module {
            Module::Js(module) => script(&resolver, module, &path, &mut unsaid),
            Module::Json(_) => unsaid.files.extend(emit.files.get(&path).map(|bytes| (path, bytes.clone()))),
            _ => {}
        }
    }
    unsaid.options = options(&resolver);
    unsaid.dependencies = names.dependencies();
    unsaid.files.insert(package_json::PATH.to_owned(), described(&emit));
    Some(unsaid)
}

/// The text of a module as the compiler is given it, and the edits that made it.
pub(super) fn laid_out(resolver: &Resolver<'_>, module: &JsModule, place: &str) -> Option<(String, Vec<Edit>)> {
    let parsed = parse(&resolver.emit, module).ok()?;
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let edits = edits::among_sources(resolver, referrer, &parsed, &ParserModuleAnalyzer::module_info(&parsed));
    Some((edits::apply(parsed.text(), &edits), edits))
}

fn script(resolver: &Resolver<'_>, module: &JsModule, path: &str, unsaid: &mut Unsaid) {
    let is_declaration = module.media_type.is_declaration();
    if !is_declaration && !is_source(module) {
        return;
    }
    let home = resolver.layout.home_of(path).and_then(|home| home.declaration.as_deref());
    let place = home.filter(|_| is_declaration).unwrap_or(path);
    let Some((text, _)) = laid_out(resolver, module, place) else { return };
    unsaid.files.insert(place.to_owned(), Bytes::from(text));
    let mut imports = Imports::default();
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    for specifier in module.dependencies.keys() {
        match resolver.target(referrer, specifier, Purpose::Check) {
            Some(Target::Local { path, .. }) => {
                let home = resolver.layout.home_of(&path).and_then(|home| home.declaration.clone());
                imports.local.insert(home.filter(|_| names_declarations(&path)).unwrap_or(path));
            }
            Some(Target::Runtime(text)) => {
                unsaid.uses_node |= text.starts_with("node:");
                imports.is_foreign = true;
            }
            Some(Target::Package { .. }) | None => imports.is_foreign = true,
        }
    }
    // A transform brings an import that nobody wrote.
    imports.is_foreign |= module.media_type == MediaType::Tsx;
    unsaid.imports.insert(place.to_owned(), imports);
}

fn is_source(module: &JsModule) -> bool {
    matches!(module.media_type, MediaType::TypeScript | MediaType::Mts | MediaType::Tsx)
}

fn options(resolver: &Resolver<'_>) -> Map<String, Value> {
    let resolution = &resolver.emit.manifest.resolution;
    let mut options = Map::new();
    if resolution.experimental_decorators {
        options.insert("experimentalDecorators".to_owned(), true.into());
    }
    match jsx::transform(&resolution.jsx) {
        deno_ast::JsxRuntime::Automatic(automatic) => {
            options.insert("jsx".to_owned(), "react-jsx".into());
            let source = automatic.import_source.map(|source| in_node_modules(resolver, source));
            options.extend(source.map(|source| ("jsxImportSource".to_owned(), source.into())));
        }
        deno_ast::JsxRuntime::Classic(classic) => {
            options.insert("jsx".to_owned(), "react".into());
            options.insert("jsxFactory".to_owned(), classic.factory.into());
        }
        deno_ast::JsxRuntime::Precompile(_) => {}
    }
    options
}

fn in_node_modules(resolver: &Resolver<'_>, source: String) -> String {
    let Some(root) = file_url("/") else { return source };
    let referrer = Referrer { url: &root, module: None, emitted: "/" };
    match resolver.rewrite(referrer, &source, Purpose::Code) {
        Outcome::Write(text) => text,
        Outcome::Keep | Outcome::TypesOnly => source,
    }
}

fn described(emit: &Emit<'_>) -> Bytes {
    json!({ "name": emit.package.npm_name(), "version": emit.version.to_string(), "type": "module" }).to_string().into()
}
