//! What the source has at each name, and the walk over the declarations that brings the two together.

use std::collections::BTreeMap;

use deno_ast::swc::ast::{
    Class, ClassMember, Decl, DefaultDecl, ExportDefaultExpr, Expr, ModuleDecl, ModuleItem, Pat, PropName, Stmt, TsModuleBlock,
    TsModuleDecl, TsModuleName, TsNamespaceBody, VarDecl,
};
use deno_ast::{ParsedSource, ProgramRef};

use super::{DEFAULT, literals, privates, typed, variable};

/// Values and classes of a source, by the namespaces around them and their name.
#[derive(Default)]
pub(super) struct Places<'a> {
    values: BTreeMap<String, &'a Expr>,
    classes: BTreeMap<String, &'a Class>,
}

/// The name of what has none.
const DEFAULT_NAME: &str = "default";

impl<'a> Places<'a> {
    pub(super) fn of(source: &'a ParsedSource) -> Self {
        let mut places = Self::default();
        if let ProgramRef::Module(module) = source.program_ref() {
            places.items(&module.body, "");
        }
        places
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.classes.is_empty()
    }

    fn items(&mut self, items: &'a [ModuleItem], scope: &str) {
        for item in items {
            match item {
                ModuleItem::Stmt(Stmt::Decl(declaration)) => self.declaration(declaration, scope),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => self.declaration(&export.decl, scope),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                    if let DefaultDecl::Class(class) = &export.decl {
                        let name = class.ident.as_ref().map_or(DEFAULT_NAME, |name| name.sym.as_str());
                        self.class(format!("{scope}{name}"), &class.class);
                    }
                }
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(ExportDefaultExpr { expr, .. })) => {
                    self.value(format!("{scope}{DEFAULT_NAME}"), expr);
                }
                _ => {}
            }
        }
    }

    fn declaration(&mut self, declaration: &'a Decl, scope: &str) {
        match declaration {
            Decl::Class(class) => self.class(format!("{scope}{}", class.ident.sym), &class.class),
            Decl::Var(variables) => {
                for variable in &variables.decls {
                    if let (Pat::Ident(name), Some(value)) = (&variable.name, &variable.init)
                        && name.type_ann.is_none()
                    {
                        self.value(format!("{scope}{}", name.id.sym), value);
                    }
                }
            }
            Decl::TsModule(module) => {
                if let Some((name, block)) = block(module) {
                    self.items(&block.body, &format!("{scope}{name}."));
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, name: String, value: &'a Expr) {
        if literals::concerns(value) {
            self.values.insert(name, value);
        }
    }

    fn class(&mut self, name: String, class: &'a Class) {
        let has_values = || properties(class).any(|(_, _, value)| literals::concerns(value));
        if privates::has(class) || has_values() {
            self.classes.insert(name, class);
        }
    }
}

/// The block of a namespace whose name has no dots.
fn block(module: &TsModuleDecl) -> Option<(&str, &TsModuleBlock)> {
    match (&module.id, &module.body) {
        (TsModuleName::Ident(name), Some(TsNamespaceBody::TsModuleBlock(block))) => Some((name.sym.as_str(), block)),
        _ => None,
    }
}

/// Properties without a type of their own: whether they are static, their name, and their value.
fn properties(class: &Class) -> impl Iterator<Item = (bool, &str, &Expr)> {
    class.body.iter().filter_map(|member| match member {
        ClassMember::ClassProp(property) if property.type_ann.is_none() => {
            let PropName::Ident(name) = &property.key else { return None };
            Some((property.is_static, name.sym.as_str(), property.value.as_deref()?))
        }
        _ => None,
    })
}

/// Brings the declarations and the source together.
pub(super) fn visit(items: &mut [ModuleItem], places: &Places<'_>) {
    items_in(items, places, "");
}

fn items_in(items: &mut [ModuleItem], places: &Places<'_>, scope: &str) {
    for item in items {
        match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => declared(declaration, places, scope),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared(&mut export.decl, places, scope),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                if let DefaultDecl::Class(class) = &mut export.decl {
                    let name = class.ident.as_ref().map_or(DEFAULT_NAME, |name| name.sym.as_str());
                    let source = places.classes.get(&format!("{scope}{name}")).or_else(|| places.classes.get(DEFAULT_NAME));
                    if let Some(source) = source {
                        class_from(source, &mut class.class);
                    }
                }
            }
            _ => {}
        }
    }
}

fn declared(declaration: &mut Decl, places: &Places<'_>, scope: &str) {
    match declaration {
        Decl::Class(class) => {
            if let Some(source) = places.classes.get(&format!("{scope}{}", class.ident.sym)) {
                class_from(source, &mut class.class);
            }
        }
        Decl::Var(variables) => variables_from(variables, places, scope),
        Decl::TsModule(module) => {
            if let TsModuleName::Ident(name) = &module.id {
                let scope = format!("{scope}{}.", name.sym);
                if let Some(TsNamespaceBody::TsModuleBlock(block)) = &mut module.body {
                    items_in(&mut block.body, places, &scope);
                }
            }
        }
        _ => {}
    }
}

fn variables_from(variables: &mut VarDecl, places: &Places<'_>, scope: &str) {
    let mut declarators = std::mem::take(&mut variables.decls);
    for declarator in &mut declarators {
        let Pat::Ident(name) = &declarator.name else { continue };
        let name = name.id.sym.to_string();
        let known = places.values.get(&format!("{scope}{name}"));
        let known = known.or_else(|| places.values.get(DEFAULT_NAME).filter(|_| scope.is_empty() && name.starts_with(DEFAULT)));
        if let Some(value) = known {
            variable(variables, &name, value, declarator);
        }
    }
    variables.decls = declarators;
}

fn class_from(source: &Class, class: &mut Class) {
    let annotations = class.body.iter_mut().filter_map(|member| match member {
        ClassMember::ClassProp(property) => {
            let PropName::Ident(name) = &property.key else { return None };
            Some(((property.is_static, name.sym.to_string()), (property.readonly, property.type_ann.as_mut()?)))
        }
        _ => None,
    });
    let mut annotations: BTreeMap<(bool, String), _> = annotations.collect();
    for (is_static, name, value) in properties(source) {
        if let Some((is_read_only, annotation)) = annotations.get_mut(&(is_static, name.to_owned())) {
            typed(value, annotation, *is_read_only);
        }
    }
    if privates::has(source) && !privates::has(class) {
        class.body.insert(0, privates::member());
    }
}
