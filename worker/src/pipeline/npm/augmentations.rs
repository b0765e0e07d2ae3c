//! Types that a module declares outside itself, which fast check leaves out: `declare global` and `declare module "…"`.
//!
//! They are declarations already and are put back as they are, as long as they speak of nothing that is private to the module:
//! what nobody can import is not in its declarations.

use std::collections::BTreeSet;

use deno_ast::ParsedSource;
use deno_ast::ProgramRef;
use deno_ast::swc::ast::{
    Decl, Id, Ident, ImportDecl, ImportSpecifier, ModuleDecl, ModuleItem, Program, Stmt, TsModuleDecl, TsModuleName, TsNamespaceBody,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::swc::utils::find_pat_ids;

/// Puts back the imports that are there for what their modules declare outside themselves.
pub(super) fn keep_imports(parsed: &ParsedSource, program: &mut Program, augments: &dyn Fn(&str) -> bool) {
    let (ProgramRef::Module(source), Program::Module(declarations)) = (parsed.program_ref(), program) else { return };
    let imports = source.body.iter().filter(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => import.specifiers.is_empty() && augments(&import.src.value.to_string_lossy()),
        _ => false,
    });
    let imports: Vec<ModuleItem> = imports.cloned().collect();
    declarations.body.splice(0..0, imports);
}

/// Puts them back.
pub(super) fn keep(parsed: &ParsedSource, program: &mut Program) {
    let (ProgramRef::Module(source), Program::Module(declarations)) = (parsed.program_ref(), program) else { return };
    let augmentations: Vec<&TsModuleDecl> = source.body.iter().filter_map(augmentation).collect();
    if augmentations.is_empty() {
        return;
    }
    let mut there = names(&declarations.body);
    let known = names(&source.body);
    for augmentation in augmentations {
        let mut needed = Needed::default();
        augmentation.body.visit_with(&mut needed);
        // What it adds to has the name of what it adds to.
        if let Some(TsNamespaceBody::TsModuleBlock(block)) = &augmentation.body {
            let own = names(&block.body);
            needed.0.retain(|name| !own.contains(name));
        }
        let missing: Vec<&String> = needed.0.iter().filter(|name| known.contains(*name) && !there.contains(*name)).collect();
        let imports: Vec<ModuleItem> = missing.iter().filter_map(|name| import_of(&source.body, name)).collect();
        if imports.len() < missing.len() {
            continue;
        }
        there.extend(missing.into_iter().cloned().collect::<Vec<_>>());
        declarations.body.splice(0..0, imports);
        let kept = TsModuleDecl { declare: true, ..augmentation.clone() };
        declarations.body.push(ModuleItem::Stmt(Stmt::Decl(Decl::TsModule(Box::new(kept)))));
    }
}

fn augmentation(item: &ModuleItem) -> Option<&TsModuleDecl> {
    let ModuleItem::Stmt(Stmt::Decl(Decl::TsModule(module))) = item else { return None };
    (module.global || matches!(module.id, TsModuleName::Str(_))).then_some(module)
}

/// The import of one name from another package. The declarations of a module of this package may lack it.
fn import_of(items: &[ModuleItem], name: &str) -> Option<ModuleItem> {
    items.iter().find_map(|item| {
        let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item else { return None };
        let is_elsewhere = !import.src.value.to_string_lossy().starts_with(['.', '/']);
        let specifier = import.specifiers.iter().find(|specifier| specifier.local().sym == *name).filter(|_| is_elsewhere)?;
        let import = ImportDecl { specifiers: vec![specifier.clone()], ..import.clone() };
        Some(ModuleItem::ModuleDecl(ModuleDecl::Import(import)))
    })
}

/// What is declared and imported at the top of a module.
fn names(items: &[ModuleItem]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in items {
        match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => declared(declaration, &mut names),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared(&export.decl, &mut names),
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => {
                names.extend(import.specifiers.iter().map(ImportSpecifier::local).map(|local| local.sym.to_string()));
            }
            _ => {}
        }
    }
    names
}

fn declared(declaration: &Decl, names: &mut BTreeSet<String>) {
    let name = match declaration {
        Decl::Class(class) => &class.ident,
        Decl::Fn(function) => &function.ident,
        Decl::Var(variables) => {
            names.extend(find_pat_ids::<_, Id>(&variables.decls).into_iter().map(|(name, _)| name.to_string()));
            return;
        }
        Decl::TsInterface(interface) => &interface.id,
        Decl::TsTypeAlias(alias) => &alias.id,
        Decl::TsEnum(declaration) => &declaration.id,
        Decl::TsModule(module) => match &module.id {
            TsModuleName::Ident(name) => name,
            TsModuleName::Str(_) => return,
        },
        Decl::Using(_) => return,
    };
    names.insert(name.sym.to_string());
}

/// Every name in a piece of a module. What it declares itself is among them, and does no harm.
#[derive(Default)]
struct Needed(BTreeSet<String>);

impl Visit for Needed {
    fn visit_ident(&mut self, node: &Ident) {
        self.0.insert(node.sym.to_string());
    }
}
