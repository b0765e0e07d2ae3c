//! The declarations: what fast check made of each TypeScript module. Those that are written by hand are modules of the graph like
//! any other, and are edited in place with the code.
//!
//! Where a source does not say a type there is a placeholder, which is written out here; the graph told its author.

use deno_ast::SourceMap;
use deno_ast::swc::ast::{ModuleDecl, ModuleItem, NamedExport, Program, Stmt};
use deno_ast::swc::common::DUMMY_SP;
use deno_ast::swc::common::comments::{Comment, CommentKind, SingleThreadedComments};
use deno_ast::swc::ecma_visit::VisitMutWith;
use deno_graph::JsModule;
use deno_graph::fast_check::FastCheckDtsModule;
use slipway_common::model::finding::Findings;

use super::edits::Edit;
use super::emit::{Emitted, NotCompiled, ShippedSource, Sources, parse, print, write};
use super::layout::local_path;
use super::references::Reference;
use super::specifiers::{Purpose, Referrer, Resolver, names_declarations};
use super::tree::Tree;
use super::walk::Rewrite;
use super::{augmentations, faithful, inferred, maps, placeholders};
use crate::pipeline::graph::{Declaration, Origin};

/// Puts all declarations into the tree.
pub(super) fn modules(resolver: &Resolver<'_>, sources: &Sources, tree: &mut Tree, findings: &mut Findings) {
    let emit = &resolver.emit;
    for module in emit.graph.modules().filter_map(|module| module.js()) {
        let Some(path) = local_path(&module.specifier) else { continue };
        let Some(place) = resolver.layout.home_of(&path).and_then(|home| home.declaration.as_deref()) else { continue };
        let Some(declaration) = emit.declarations.of(emit.graph, &module.specifier) else { continue };
        let source = sources.get(&path);
        let emitted = emitted(resolver, module, declaration, source, (&path, place));
        match emitted {
            // There is nothing in the source that it could lead to.
            Ok(emitted) if matches!(declaration.origin, Origin::Outlined(_)) => tree.replace(place, emitted.text),
            Ok(emitted) => write(tree, place, emitted),
            Err(why) => findings.push(why.finding(&path, "the declarations of this module are missing from npm")),
        }
    }
}

fn emitted(
    resolver: &Resolver<'_>,
    module: &JsModule,
    declaration: Declaration<'_>,
    source: Option<&ShippedSource>,
    (path, place): (&str, &str),
) -> Result<Emitted, NotCompiled> {
    let written = &module.source.text;
    let mut emitted = match declaration.origin {
        Origin::Inferred(module_of) => inferred::written(resolver, module, module_of, (path, place))?,
        Origin::Written => printed(resolver, module, declaration.dts, (written, place))?,
        Origin::Outlined(outline) => printed(resolver, module, declaration.dts, (outline, place))?,
        Origin::Revised(revision) => {
            let revised = revision.text();
            let back: Vec<Edit> = revision.back().into_iter().map(|(range, text)| Edit { range, text }).collect();
            maps::after_edits(printed(resolver, module, declaration.dts, (&revised, place))?, &revised, &back)
        }
    };
    if let Some(source) = source {
        emitted = maps::with_lines_before(emitted, &references(resolver, module, source, place));
        // The source ships with its specifiers edited, and the map is for the source as it ships.
        emitted = maps::after_edits(emitted, written, &source.edits);
    }
    Ok(emitted)
}

fn printed(
    resolver: &Resolver<'_>,
    module: &JsModule,
    dts: &FastCheckDtsModule,
    (text, place): (&str, &str),
) -> Result<Emitted, NotCompiled> {
    let mut program = dts.program.clone();
    let parsed = parse(&resolver.emit, module)?;
    if declares_outside(&module.source.text) {
        augmentations::keep(&parsed, &mut program);
    }
    augmentations::keep_imports(&parsed, &mut program, &|specifier| augments(resolver, module, specifier));
    faithful::restore(&parsed, &mut program);
    faithful::without_dynamic_members(&mut program, &|specifier| imported(resolver, module, specifier));
    let comments = dts.comments.as_single_threaded();
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let mut judge = |specifier: &str| resolver.rewrite(referrer, specifier, Purpose::Types);
    program.visit_mut_with(&mut Rewrite { judge: &mut judge });
    if module.source.text.contains("@ts-") {
        directives(&comments);
    }
    placeholders::write(&mut program, &comments);
    close_module(&mut program);
    let source_map = SourceMap::single(module.specifier.clone(), text.to_owned());
    print(&program, &comments, &source_map, place)
}

/// Gives what an author tells the compiler a line of its own: it is about the line below. What was expected of the source may be no
/// mistake in the declarations.
fn directives(comments: &SingleThreadedComments) {
    let (mut leading, mut trailing) = comments.borrow_all_mut();
    for comment in leading.values_mut().chain(trailing.values_mut()).flatten() {
        let text = comment.text.trim_start_matches('*').trim();
        if let Some(why) = ["@ts-ignore", "@ts-expect-error"].iter().find_map(|directive| text.strip_prefix(directive))
            && !why.contains('\n')
        {
            *comment = Comment { kind: CommentKind::Line, span: comment.span, text: format!(" @ts-ignore{why}").into() };
        }
    }
}

/// The references of the source, but for those to sources: they would bring code under the compiler of whoever installs it. Fast check keeps no comments that are not documentation.
fn references(resolver: &Resolver<'_>, module: &JsModule, source: &ShippedSource, place: &str) -> Vec<String> {
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let libraries = if resolver.emit.manifest.augmentations { libraries(&module.source.text) } else { Vec::new() };
    let references = source.references.iter().map(|reference| Reference::rewritten(resolver, referrer, reference));
    let is_declared = |reference: &Reference| reference.attribute != "path" || names_declarations(&reference.value);
    libraries.into_iter().chain(references.filter(is_declared).filter_map(|reference| reference.comment())).collect()
}

/// The references to libraries of TypeScript at the top of a source, as they are written.
fn libraries(text: &str) -> Vec<String> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let comments = lines.take_while(|line| line.is_empty() || line.starts_with("//"));
    comments.filter(|line| line.starts_with("///") && line.contains("<reference lib=")).map(str::to_owned).collect()
}

/// Whether a specifier leads to a module of this package that adds to the types of others.
fn augments(resolver: &Resolver<'_>, module: &JsModule, specifier: &str) -> bool {
    let target = module.dependencies.get(specifier).and_then(|dependency| dependency.get_code());
    let target = target.and_then(|target| resolver.emit.graph.get(target)).and_then(deno_graph::Module::js);
    target.is_some_and(|target| declares_outside(&target.source.text))
}

/// The declarations of a module of this package that a specifier leads to.
fn imported<'a>(resolver: &Resolver<'a>, module: &JsModule, specifier: &str) -> Option<&'a Program> {
    let target = module.dependencies.get(specifier).and_then(|dependency| dependency.get_code())?;
    let target = resolver.emit.graph.resolve(target);
    Some(&resolver.emit.declarations.of(resolver.emit.graph, target)?.dts.program)
}

/// Whether it is worth looking.
fn declares_outside(text: &str) -> bool {
    text.contains("declare global") || text.contains("declare module")
}

/// Makes a module of a declaration file: no first line for a shell, and `export {}` where TypeScript would otherwise take the file for a script, or everything in it for exported.
pub(super) fn close_module(program: &mut Program) {
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
