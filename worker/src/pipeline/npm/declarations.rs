//! The declarations: what fast check made of each TypeScript module. Those that are written by hand are modules of the graph like
//! any other, and are edited in place with the code.
//!
//! A package whose types fast check could not all read has no declarations made here, which the graph told its author. Nothing is `any` that the source did not say, except where a finding names the place.

use deno_ast::swc::ast::{ModuleDecl, ModuleItem, NamedExport, Program, Stmt};
use deno_ast::swc::common::DUMMY_SP;
use deno_ast::swc::ecma_visit::VisitMutWith;
use deno_ast::{ParsedSource, SourceMap, SourceRanged};
use deno_graph::JsModule;
use deno_graph::fast_check::{FastCheckDiagnosticRange, FastCheckDtsModule};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::emit::{Emitted, NotCompiled, ShippedSource, Sources, parse, print, write};
use super::layout::local_path;
use super::maps;
use super::references::Reference;
use super::specifiers::{Purpose, Referrer, Resolver};
use super::tree::Tree;
use super::walk::Rewrite;

/// Puts all declarations into the tree.
pub(super) fn modules(resolver: &Resolver<'_>, sources: &Sources, tree: &mut Tree, findings: &mut Findings) {
    for module in resolver.emit.graph.modules().filter_map(|module| module.js()) {
        let Some(path) = local_path(&module.specifier) else { continue };
        let Some(place) = resolver.layout.home_of(&path).and_then(|home| home.declaration.as_deref()) else { continue };
        let Some(dts) = module.fast_check_module().and_then(|module| module.dts.as_ref()) else { continue };
        if module.media_type.is_declaration() || !module.media_type.is_typed() {
            continue;
        }
        let Some(source) = sources.get(&path) else { continue };
        let emitted = parse(&resolver.emit, module).and_then(|parsed| {
            let emitted = declaration(resolver, (module, &parsed), dts, place)?;
            let emitted = maps::with_lines_before(emitted, &references(resolver, module, source, place));
            // The source ships with its specifiers edited, and the map is for the source as it ships.
            Ok(maps::after_edits(emitted, parsed.text(), &source.edits))
        });
        match emitted {
            Ok(emitted) => write(tree, place, emitted),
            Err(why) => findings.push(why.finding(&path, "the declarations of this module are missing from npm")),
        }
        for guess in &dts.diagnostics {
            let message = format!("a part of the public types is left out or `any`: {guess}");
            findings.push(
                Finding::warning(FindingCode::SlowTypes, message).at(place_of(&path, Some(guess.range()))).hint("write the type out"),
            );
        }
    }
}

fn declaration(
    resolver: &Resolver<'_>,
    (module, parsed): (&JsModule, &ParsedSource),
    dts: &FastCheckDtsModule,
    place: &str,
) -> Result<Emitted, NotCompiled> {
    let mut program = dts.program.clone();
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let mut judge = |specifier: &str| resolver.rewrite(referrer, specifier, Purpose::Types);
    program.visit_mut_with(&mut Rewrite { judge: &mut judge });
    close_module(&mut program);
    let source_map = SourceMap::single(module.specifier.clone(), parsed.text().to_string());
    print(&program, &dts.comments.as_single_threaded(), &source_map, place)
}

/// The references of the source. Fast check keeps no comments that are not documentation.
fn references(resolver: &Resolver<'_>, module: &JsModule, source: &ShippedSource, place: &str) -> Vec<String> {
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let references = source.references.iter().map(|reference| Reference::rewritten(resolver, referrer, reference));
    references.filter_map(|reference| reference.comment()).collect()
}

/// Makes a module of a declaration file: no first line for a shell, and `export {}` where TypeScript would otherwise take the file for a script, or everything in it for exported.
fn close_module(program: &mut Program) {
    let Program::Module(module) = program else { return };
    module.shebang = None;
    let closes = |item: &ModuleItem| {
        matches!(
            item,
            ModuleItem::ModuleDecl(
                ModuleDecl::ExportNamed(_)
                    | ModuleDecl::ExportAll(_)
                    | ModuleDecl::ExportDefaultExpr(_)
                    | ModuleDecl::TsExportAssignment(_)
            )
        )
    };
    let is_hidden = |item: &ModuleItem| matches!(item, ModuleItem::Stmt(Stmt::Decl(_)));
    let is_module = module.body.iter().any(|item| matches!(item, ModuleItem::ModuleDecl(_)));
    if (is_module && !module.body.iter().any(is_hidden)) || module.body.iter().any(closes) {
        return;
    }
    module.body.push(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(NamedExport {
        span: DUMMY_SP,
        specifiers: Vec::new(),
        src: None,
        type_only: false,
        with: None,
    })));
}

fn place_of(path: &str, range: Option<&FastCheckDiagnosticRange>) -> Place {
    match range {
        Some(range) => {
            let at = range.text_info.line_and_column_index(range.range.start());
            let count = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
            Place::at(path, count(at.line_index), count(at.column_index))
        }
        None => Place::file(path),
    }
}
