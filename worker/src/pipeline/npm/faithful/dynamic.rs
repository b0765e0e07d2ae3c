//! Members whose names nobody knows before the program runs: `[key]()`, where `key` is no literal and no unique symbol.
//!
//! TypeScript leaves them out of declarations. Kept there, a name that is `any` stands for all names, and whatever is asked of an
//! object of the class is `any` in silence.

use std::collections::BTreeSet;

use deno_ast::swc::ast::{
    ClassMember, Decl, Expr, ImportSpecifier, Module, ModuleDecl, ModuleExportName, ModuleItem, Pat, Program, PropName, Stmt, TsType,
    TsTypeElement, TsTypeOperatorOp, VarDecl,
};
use deno_ast::swc::ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith};

/// Takes them out. `imported` gives the declarations of a module of the package.
pub(in crate::pipeline::npm) fn without_dynamic_members<'a>(program: &mut Program, imported: &dyn Fn(&str) -> Option<&'a Program>) {
    let Program::Module(module) = program else { return };
    let mut keys = Keys::default();
    module.visit_with(&mut keys);
    keys.0.retain(|name| is_dynamic(module, name, imported));
    if !keys.0.is_empty() {
        module.visit_mut_with(&mut Without(&keys.0));
    }
}

/// Whether a name of a module is a variable that may hold anything.
fn is_dynamic<'a>(module: &Module, name: &str, imported: &dyn Fn(&str) -> Option<&'a Program>) -> bool {
    if let Some(node) = type_of(module, name) {
        return holds_anything(node);
    }
    let from = module.body.iter().find_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => import.specifiers.iter().find_map(|specifier| match specifier {
            ImportSpecifier::Named(named) if named.local.sym == *name => {
                let there = match &named.imported {
                    Some(ModuleExportName::Ident(there)) => there.sym.as_str(),
                    Some(ModuleExportName::Str(_)) => return None,
                    None => name,
                };
                Some((import.src.value.to_string_lossy(), there))
            }
            _ => None,
        }),
        _ => None,
    });
    from.is_some_and(|(specifier, there)| match imported(&specifier) {
        Some(Program::Module(module)) => type_of(module, there).is_some_and(holds_anything),
        _ => false,
    })
}

/// The type of a variable at the top of a module.
fn type_of<'m>(module: &'m Module, name: &str) -> Option<&'m TsType> {
    let variables = |item: &'m ModuleItem| -> Option<&'m VarDecl> {
        match item {
            ModuleItem::Stmt(Stmt::Decl(Decl::Var(variables))) => Some(variables),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => export.decl.as_var().map(|variables| &**variables),
            _ => None,
        }
    };
    module.body.iter().filter_map(variables).flat_map(|variables| &variables.decls).find_map(|variable| match &variable.name {
        Pat::Ident(binding) if binding.id.sym == *name => binding.type_ann.as_ref().map(|annotation| &*annotation.type_ann),
        _ => None,
    })
}

/// Whether a type is not that of one name. A placeholder is the name of a type until it is written out.
fn holds_anything(node: &TsType) -> bool {
    match node {
        TsType::TsKeywordType(_) | TsType::TsUnionOrIntersectionType(_) => true,
        TsType::TsTypeRef(reference) => reference.type_name.as_ident().is_some_and(|name| name.sym == *crate::pipeline::graph::PLACEHOLDER),
        TsType::TsTypeOperator(operator) => operator.op != TsTypeOperatorOp::Unique,
        _ => false,
    }
}

/// The names that are used for members.
#[derive(Default)]
struct Keys(BTreeSet<String>);

impl Visit for Keys {
    fn visit_class_member(&mut self, node: &ClassMember) {
        self.0.extend(key_of_member(node));
        node.visit_children_with(self);
    }

    fn visit_ts_type_element(&mut self, node: &TsTypeElement) {
        self.0.extend(key_of_element(node));
        node.visit_children_with(self);
    }
}

fn key_of_member(member: &ClassMember) -> Option<String> {
    let key = match member {
        ClassMember::Method(method) => &method.key,
        ClassMember::ClassProp(property) => &property.key,
        _ => return None,
    };
    match key {
        PropName::Computed(computed) => computed.expr.as_ident().map(|name| name.sym.to_string()),
        _ => None,
    }
}

fn key_of_element(element: &TsTypeElement) -> Option<String> {
    let (key, is_computed): (&Expr, bool) = match element {
        TsTypeElement::TsPropertySignature(property) => (&property.key, property.computed),
        TsTypeElement::TsMethodSignature(method) => (&method.key, method.computed),
        _ => return None,
    };
    key.as_ident().filter(|_| is_computed).map(|name| name.sym.to_string())
}

struct Without<'a>(&'a BTreeSet<String>);

impl VisitMut for Without<'_> {
    fn visit_mut_class_members(&mut self, members: &mut Vec<ClassMember>) {
        members.retain(|member| key_of_member(member).is_none_or(|name| !self.0.contains(&name)));
        members.visit_mut_children_with(self);
    }

    fn visit_mut_ts_type_elements(&mut self, elements: &mut Vec<TsTypeElement>) {
        elements.retain(|element| key_of_element(element).is_none_or(|name| !self.0.contains(&name)));
        elements.visit_mut_children_with(self);
    }
}
