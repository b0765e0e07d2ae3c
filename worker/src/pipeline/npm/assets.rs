//! Declarations of what is no script: WebAssembly has the types that its exports say, and a style sheet is one.
//!
//! JSON needs none: TypeScript reads it by itself. TypeScript would look for the declarations of `a.css` in `a.d.css.ts`, and only
//! where a project asks for it. So they are `_dist/a.css.d.ts`, declarations of a module that would be called `a.css.js`, and other
//! declarations name them so.

use deno_ast::SourceMap;
use deno_ast::swc::ast::{Decl, ModuleDecl, ModuleItem, Program, Stmt};
use deno_graph::ast::ParseOptions;
use deno_graph::{MediaType, Module, WasmModule};

use super::Emit;
use super::declarations::close_module;
use super::emit::print;
use super::layout::{Layout, local_path};
use super::specifiers::Resolver;
use super::tree::Tree;

/// What an import of CSS with `type: "css"` gives, where the types of a browser are there.
const STYLE_SHEET: &str = "declare const sheet: typeof globalThis extends { CSSStyleSheet: { prototype: infer Sheet } } ? Sheet : unknown;\n\
    export default sheet;\n";

/// The files among exports and imports that are no scripts and have types all the same.
pub(super) fn paths(emit: &Emit<'_>) -> Vec<String> {
    let exported = emit.manifest.exports.0.values().map(|target| target.rooted().to_owned());
    let dependencies = emit.graph.modules().filter_map(Module::js).flat_map(|module| module.dependencies.values());
    let imported = dependencies.flat_map(|dependency| [dependency.get_code(), dependency.get_type()]).flatten().filter_map(local_path);
    let mut paths: Vec<String> = exported.chain(imported).filter(|path| is_style_sheet(path) && emit.files.contains(path)).collect();
    paths.extend(emit.graph.modules().filter_map(wasm).filter_map(|module| local_path(&module.specifier)));
    paths.sort();
    paths.dedup();
    paths
}

fn is_style_sheet(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "css")
}

fn wasm(module: &Module) -> Option<&WasmModule> {
    match module {
        Module::Wasm(module) => Some(module),
        _ => None,
    }
}

/// Puts their declarations into the tree.
pub(super) fn declare(resolver: &Resolver<'_>, layout: &Layout, tree: &mut Tree) {
    for (path, declaration) in layout.assets() {
        if is_style_sheet(path) {
            tree.replace(declaration, STYLE_SHEET);
        }
    }
    for module in resolver.emit.graph.modules().filter_map(wasm) {
        let Some(path) = local_path(&module.specifier) else { continue };
        let Some(declaration) = layout.home_of(&path).and_then(|home| home.declaration.as_deref()) else { continue };
        if let Some(text) = exports_of(&resolver.emit, module, declaration) {
            tree.replace(declaration, text);
        }
    }
}

/// The exports of a module. What it imports is between it and whoever runs it.
fn exports_of(emit: &Emit<'_>, module: &WasmModule, place: &str) -> Option<String> {
    let options = ParseOptions {
        specifier: &module.specifier,
        source: module.source_dts.clone(),
        media_type: MediaType::Dmts,
        scope_analysis: false,
    };
    let parsed = emit.parser.parse_program(options).ok()?;
    let mut program = parsed.program_ref().to_owned();
    let Program::Module(body) = &mut program else { return None };
    body.body.retain(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => is_value(&export.decl),
        ModuleItem::Stmt(Stmt::Decl(declaration)) => is_value(declaration),
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => export.src.is_none(),
        _ => false,
    });
    close_module(&mut program);
    let source_map = SourceMap::single(module.specifier.clone(), module.source_dts.to_string());
    print(&program, &parsed.comments().as_single_threaded(), &source_map, place).ok().map(|emitted| emitted.text)
}

fn is_value(declaration: &Decl) -> bool {
    matches!(declaration, Decl::Fn(_) | Decl::Var(_))
}
