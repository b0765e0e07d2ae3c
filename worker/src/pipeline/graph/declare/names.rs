//! Which declarations of a module hold a placeholder.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::swc::ast::{Decl, DefaultDecl, ExportSpecifier, Expr, Id, Ident, ModuleDecl, ModuleItem, Program, Stmt};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::swc::utils::find_pat_ids;
use deno_ast::{ParsedSource, ProgramRef, SourceRangedForSpanned, StartSourcePos};

use super::{PLACEHOLDER, SUPERCLASS, TWIN};

/// Their names, as the module exports them.
pub(super) fn untyped(program: &Program) -> BTreeSet<String> {
    let Program::Module(module) = program else { return BTreeSet::new() };
    let mut exported: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut untyped = BTreeSet::new();
    for item in &module.body {
        let names = match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => declared(declaration),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared(&export.decl),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                let name = match &export.decl {
                    DefaultDecl::Class(class) => class.ident.as_ref(),
                    DefaultDecl::Fn(function) => function.ident.as_ref(),
                    DefaultDecl::TsInterfaceDecl(interface) => Some(&interface.id),
                };
                exported.extend(name.map(|name| (name.sym.to_string(), vec!["default".to_owned()])));
                vec!["default".to_owned()]
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
                if let Expr::Ident(name) = &*export.expr {
                    exported.entry(name.sym.to_string()).or_default().push("default".to_owned());
                }
                vec!["default".to_owned()]
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.src.is_none() => {
                for specifier in &export.specifiers {
                    if let ExportSpecifier::Named(named) = specifier {
                        let name = named.exported.as_ref().unwrap_or(&named.orig).atom();
                        let name = name.strip_prefix(TWIN).unwrap_or(&name).to_owned();
                        exported.entry(named.orig.atom().to_string()).or_default().push(name);
                    }
                }
                continue;
            }
            _ => continue,
        };
        if holds_placeholder(item) {
            untyped.extend(names);
        }
    }
    untyped.iter().flat_map(|name| exported.get(name).cloned().unwrap_or_else(|| vec![name.clone()])).collect()
}

/// The declaration of a module that a place is in, by the name it is exported under, if it is exported.
pub(super) fn exported_at(parsed: &ParsedSource, place: usize) -> Option<String> {
    let ProgramRef::Module(module) = parsed.program_ref() else { return None };
    let start = parsed.text_info_lazy().range().start;
    let item = module.body.iter().find(|item| item.range().as_byte_range(start).contains(&place))?;
    let name = match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_)) => return Some("default".to_owned()),
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => return named_at(&export.decl, place, start),
        ModuleItem::Stmt(Stmt::Decl(declaration)) => named_at(declaration, place, start)?,
        _ => return None,
    };
    let exported = module.body.iter().find_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.src.is_none() => {
            export.specifiers.iter().find_map(|specifier| match specifier {
                ExportSpecifier::Named(named) if *named.orig.atom() == *name => {
                    Some(named.exported.as_ref().unwrap_or(&named.orig).atom().to_string())
                }
                _ => None,
            })
        }
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
            matches!(&*export.expr, Expr::Ident(ident) if ident.sym == *name).then(|| "default".to_owned())
        }
        _ => None,
    });
    // What is not exported itself is told by its own name: it is public through what is.
    exported.or(Some(name))
}

/// The name of a declaration; of several variables the one that the place is in.
fn named_at(declaration: &Decl, place: usize, start: StartSourcePos) -> Option<String> {
    match declaration {
        Decl::Var(variables) => {
            let variable = variables.decls.iter().find(|variable| variable.range().as_byte_range(start).contains(&place))?;
            let names: Vec<String> = find_pat_ids::<_, Id>(&variable.name).into_iter().map(|(name, _)| name.to_string()).collect();
            (!names.is_empty()).then(|| names.join("', '"))
        }
        Decl::Using(_) => None,
        // `declare global` declares nothing by that name.
        Decl::TsModule(module) if module.global => None,
        other => declared(other).into_iter().next(),
    }
}

/// What a declaration declares; of variables those that hold a placeholder.
fn declared(declaration: &Decl) -> Vec<String> {
    match declaration {
        Decl::Class(class) => vec![class.ident.sym.to_string()],
        Decl::Fn(function) => vec![function.ident.sym.to_string()],
        Decl::Var(variables) => {
            let untyped = variables.decls.iter().filter(|variable| holds_placeholder(*variable));
            untyped.flat_map(find_pat_ids::<_, Id>).map(|(name, _)| name.to_string()).collect()
        }
        Decl::Using(_) => Vec::new(),
        Decl::TsInterface(interface) => vec![interface.id.sym.to_string()],
        Decl::TsTypeAlias(alias) => vec![alias.id.sym.to_string()],
        Decl::TsEnum(declaration) => vec![declaration.id.sym.to_string()],
        Decl::TsModule(module) => module.id.as_ident().map(|name| name.sym.to_string()).into_iter().collect(),
    }
}

/// Looks for a placeholder.
struct Search(bool);

impl Visit for Search {
    fn visit_ident(&mut self, node: &Ident) {
        self.0 |= node.sym == *PLACEHOLDER || node.sym == *SUPERCLASS;
    }
}

fn holds_placeholder(node: &impl VisitWith<Search>) -> bool {
    let mut search = Search(false);
    node.visit_with(&mut search);
    search.0
}
