//! How much work the documentation of a package would be.
//!
//! A namespace that is exported (`export * as a from "./a.ts"`) is documented again wherever it appears. Two such lines in
//! each of thirty files that follow each other ask for a thousand million copies, so the walk is counted before it is made.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::ModuleItemRef;
use deno_ast::swc::ast::{ExportSpecifier, Expr, ImportSpecifier, ModuleDecl, ModuleExportName, Str};
use deno_graph::{Module, ModuleSpecifier};

use crate::pipeline::graph::Graph;

/// Bytes of source that are documented, counted again for each copy. `zod`, whose nine exports hold one another's namespaces,
/// takes a third of it.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// What looking into a module costs at least, so that many small ones count too.
const MIN_BYTES: usize = 1024;
/// Namespaces within namespaces. Nobody reads further down, and each level is a level of somebody's stack.
const MAX_DEPTH: usize = 32;

/// Makes sure that the documentation is worth beginning.
pub(super) fn check(graph: &Graph, entries: &[ModuleSpecifier]) -> Result<(), String> {
    let mut walk = Walk { graph, outlines: BTreeMap::new(), left: MAX_BYTES };
    entries.iter().try_for_each(|entry| walk.visit(entry, &mut Vec::new()))
}

/// What a module hands on from others.
#[derive(Default)]
struct Outline {
    bytes: usize,
    /// `export * from`.
    all: Vec<ModuleSpecifier>,
    /// `export { a } from`, or the same in two steps.
    some: Vec<ModuleSpecifier>,
    /// `export * as a from`, or the same in two steps.
    namespaces: Vec<ModuleSpecifier>,
}

struct Walk<'a> {
    graph: &'a Graph,
    outlines: BTreeMap<ModuleSpecifier, Outline>,
    left: usize,
}

impl Walk<'_> {
    fn visit(&mut self, module: &ModuleSpecifier, within: &mut Vec<ModuleSpecifier>) -> Result<(), String> {
        if within.contains(module) {
            return Ok(());
        }
        if within.len() >= MAX_DEPTH {
            return Err(format!("namespaces are exported within one another, more than {MAX_DEPTH} deep"));
        }
        let namespaces = self.handed_on(module)?;
        within.push(module.clone());
        for namespace in &namespaces {
            self.visit(namespace, within)?;
        }
        within.pop();
        Ok(())
    }

    /// Pays for a module and all whose exports become its own, and returns the namespaces among them.
    fn handed_on(&mut self, module: &ModuleSpecifier) -> Result<Vec<ModuleSpecifier>, String> {
        let mut namespaces = Vec::new();
        let mut seen = BTreeSet::from([module.clone()]);
        let mut waiting = vec![(module.clone(), true)];
        while let Some((module, whole)) = waiting.pop() {
            let graph = self.graph;
            let outline = self.outlines.entry(module).or_insert_with_key(|module| outline(graph, module));
            let price = if whole { outline.bytes.max(MIN_BYTES) } else { MIN_BYTES };
            self.left = self.left.checked_sub(price).ok_or("its namespaces are exported within one another too many times")?;
            namespaces.extend(outline.namespaces.iter().cloned());
            let next = outline.all.iter().map(|next| (next, whole)).chain(outline.some.iter().map(|next| (next, false)));
            for (next, whole) in next {
                if seen.insert(next.clone()) {
                    waiting.push((next.clone(), whole));
                }
            }
        }
        Ok(namespaces)
    }
}

fn outline(graph: &Graph, specifier: &ModuleSpecifier) -> Outline {
    let mut outline = Outline::default();
    let (Some(module), Some(source)) = (graph.modules.get(specifier), graph.parsed(specifier)) else { return outline };
    outline.bytes = source.text().len();
    let mut exported = BTreeSet::new();
    let mut imported = Vec::new();
    for item in source.program_ref().body() {
        let ModuleItemRef::ModuleDecl(declaration) = item else { continue };
        match declaration {
            ModuleDecl::ExportAll(export) => outline.all.extend(target(graph, module, &export.src)),
            ModuleDecl::ExportNamed(export) => match &export.src {
                Some(src) => {
                    let target = target(graph, module, src);
                    for specifier in &export.specifiers {
                        match specifier {
                            ExportSpecifier::Namespace(_) => outline.namespaces.extend(target.clone()),
                            ExportSpecifier::Default(_) | ExportSpecifier::Named(_) => outline.some.extend(target.clone()),
                        }
                    }
                }
                None => exported.extend(export.specifiers.iter().filter_map(local_name)),
            },
            ModuleDecl::ExportDefaultExpr(export) => {
                if let Expr::Ident(name) = &*export.expr {
                    exported.insert(name.sym.clone());
                }
            }
            ModuleDecl::Import(import) => imported.push(import),
            _ => {}
        }
    }
    for import in imported {
        let Some(target) = target(graph, module, &import.src) else { continue };
        for specifier in import.specifiers.iter().filter(|specifier| exported.contains(&specifier.local().sym)) {
            match specifier {
                ImportSpecifier::Namespace(_) => outline.namespaces.push(target.clone()),
                ImportSpecifier::Default(_) | ImportSpecifier::Named(_) => outline.some.push(target.clone()),
            }
        }
    }
    outline
}

fn local_name(specifier: &ExportSpecifier) -> Option<deno_ast::swc::atoms::Atom> {
    match specifier {
        ExportSpecifier::Named(named) => match &named.orig {
            ModuleExportName::Ident(name) => Some(name.sym.clone()),
            ModuleExportName::Str(_) => None,
        },
        ExportSpecifier::Namespace(_) | ExportSpecifier::Default(_) => None,
    }
}

/// The module that a specifier leads to, its types if they are elsewhere.
fn target(graph: &Graph, from: &Module, src: &Str) -> Option<ModuleSpecifier> {
    let text = src.value.as_str()?;
    graph.modules.resolve_dependency_from_module(text, from, true).cloned()
}
