//! Where fast check tells a type otherwise than TypeScript's own emit, and the source says enough to tell it right.
//!
//! Five things: `#private`, without which one class is taken for another; the types of literals, which fast check takes for
//! constant all the way down; the parameters of a class without a name; a value that is exported under the name of a type,
//! which it forgets; and members whose names nobody knows before the program runs, which it keeps. Whatever is not found
//! in the source by its name stays as fast check has it.

mod dynamic;
mod literals;
mod places;
mod privates;

use deno_ast::ParsedSource;
use deno_ast::swc::ast::{
    BindingIdent, DefaultDecl, ExportNamedSpecifier, ExportSpecifier, Expr, Ident, ModuleDecl, ModuleExportName, ModuleItem, Pat, Program,
    TsTypeAnn, VarDecl, VarDeclarator,
};
use deno_ast::swc::common::DUMMY_SP;

pub(super) use dynamic::without_dynamic_members;
use places::Places;

use crate::pipeline::graph::TWIN;

/// How fast check calls the variable of a default export.
const DEFAULT: &str = "_dts_";
/// How the class of a default export is called that has no name: the printer writes the parameters of a class behind its name.
const NAMELESS: &str = "_default";

/// Tells the declarations of a module as TypeScript does. `source` is what the author wrote.
pub(super) fn restore(source: &ParsedSource, program: &mut Program) {
    let Program::Module(module) = program else { return };
    name_default_class(&mut module.body);
    name_twins(&mut module.body);
    let places = Places::of(source);
    if places.is_empty() {
        return;
    }
    places::visit(&mut module.body, &places);
}

fn name_default_class(items: &mut [ModuleItem]) {
    for item in items {
        if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = item
            && let DefaultDecl::Class(class) = &mut export.decl
            && class.ident.is_none()
            && class.class.type_params.is_some()
        {
            class.ident = Some(Ident::new_no_ctxt(NAMELESS.into(), DUMMY_SP));
        }
    }
}

/// Gives values the names back that types have as well.
fn name_twins(items: &mut [ModuleItem]) {
    for item in items {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = item else { continue };
        for specifier in &mut export.specifiers {
            if let ExportSpecifier::Named(ExportNamedSpecifier { exported: Some(ModuleExportName::Ident(name)), .. }) = specifier
                && let Some(real) = name.sym.strip_prefix(TWIN)
            {
                name.sym = real.into();
            }
        }
    }
}

/// Gives a variable the type that its value has.
fn variable(declaration: &VarDecl, name: &str, value: &Expr, declarator: &mut VarDeclarator) {
    let Pat::Ident(BindingIdent { id, type_ann: Some(annotation) }) = &mut declarator.name else { return };
    if id.sym == *name {
        typed(value, annotation, declaration.kind == deno_ast::swc::ast::VarDeclKind::Const);
    }
}

fn typed(value: &Expr, annotation: &mut TsTypeAnn, is_const: bool) {
    if is_const {
        literals::narrow(value, &mut annotation.type_ann);
    }
    literals::widen(value, &mut annotation.type_ann);
}
