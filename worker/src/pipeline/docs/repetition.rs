//! Shapes whose documentation costs the square of their size.
//!
//! Declarations of one name are put together pair by pair, and what `export *` hands on is looked up through every way that leads
//! to it. Real packages have a few dozen of the one and some hundreds of the other; a package of a few kilobytes can have
//! thousands, and would hold an analysis for minutes.

use std::collections::BTreeMap;

use deno_ast::ModuleItemRef;
use deno_ast::swc::ast::{Decl, Id, ModuleDecl, ModuleItem, Stmt, TsModuleDecl, TsModuleName, TsNamespaceBody};

use crate::pipeline::graph::Graph;

/// Declarations of one name in one place: overloads of a function, parts of an interface or namespace. `rxjs`, which is known for
/// them, has two dozen of `pipe`; three hundred take a fraction of a second.
const MAX_SAME_NAME: usize = 300;
/// `export * from` in the whole package. The largest package of barrels that we know of has half as many.
const MAX_HANDED_ON: usize = 1_500;
/// Namespaces within namespaces that are looked into; deeper ones are refused by the counter of nesting.
const MAX_DEPTH: usize = 32;

/// Makes sure that no name is declared, and nothing is handed on, too often.
pub(super) fn check(graph: &Graph) -> Result<(), String> {
    let mut handed_on = 0;
    for module in graph.modules.modules().filter_map(|module| module.js()) {
        let Some(source) = graph.parsed(&module.specifier) else { continue };
        let mut names = Names::default();
        for item in source.program_ref().body() {
            match item {
                ModuleItemRef::ModuleDecl(ModuleDecl::ExportAll(_)) => handed_on += 1,
                ModuleItemRef::ModuleDecl(ModuleDecl::ExportDecl(export)) => names.read(&export.decl, 0)?,
                ModuleItemRef::Stmt(Stmt::Decl(declaration)) => names.read(declaration, 0)?,
                _ => {}
            }
        }
    }
    if handed_on > MAX_HANDED_ON {
        return Err(format!("the package has {handed_on} times `export * from`, more than {MAX_HANDED_ON}"));
    }
    Ok(())
}

/// How often each name of a place is declared.
#[derive(Default)]
struct Names(BTreeMap<Id, usize>);

impl Names {
    fn read(&mut self, declaration: &Decl, depth: usize) -> Result<(), String> {
        match declaration {
            Decl::Fn(function) => self.count(function.ident.to_id()),
            Decl::TsInterface(interface) => self.count(interface.id.to_id()),
            Decl::TsModule(module) => {
                if let TsModuleName::Ident(name) = &module.id {
                    self.count(name.to_id())?;
                }
                within(module, depth)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, name: Id) -> Result<(), String> {
        let text = name.0.clone();
        let times = self.0.entry(name).or_default();
        *times += 1;
        if *times > MAX_SAME_NAME { Err(format!("`{text}` is declared more than {MAX_SAME_NAME} times")) } else { Ok(()) }
    }
}

fn within(module: &TsModuleDecl, depth: usize) -> Result<(), String> {
    let Some(TsNamespaceBody::TsModuleBlock(block)) = &module.body else { return Ok(()) };
    if depth >= MAX_DEPTH {
        return Ok(());
    }
    let mut names = Names::default();
    for item in &block.body {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => names.read(&export.decl, depth + 1)?,
            ModuleItem::Stmt(Stmt::Decl(declaration)) => names.read(declaration, depth + 1)?,
            _ => {}
        }
    }
    Ok(())
}
