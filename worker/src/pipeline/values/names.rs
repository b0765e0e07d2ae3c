//! The names of one module: what it declares, imports and exports, as far as that says what is a type.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::ProgramRef;
use deno_ast::swc::ast::{
    Decl, DefaultDecl, ExportSpecifier, Expr, ImportSpecifier, ModuleDecl, ModuleItem, Stmt, TsModuleDecl, TsNamespaceBody,
};
use deno_ast::swc::utils::find_pat_ids;

use super::Follow;

/// The names of one module, as far as they matter here.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Declared here, as something that runs.
    values: BTreeSet<String>,
    /// Declared here, as a type.
    types: BTreeSet<String>,
    /// Imported, by the local name.
    imports: BTreeMap<String, Origin>,
    /// Exported, by the name others see.
    pub(super) exports: BTreeMap<String, Origin>,
    /// `export * from`.
    pub(super) stars: Vec<Option<String>>,
}

/// Where a name comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Something that runs, or may be.
    Value,
    /// Certainly a type.
    Type,
    /// Whatever this name is in the same module.
    Local(String),
    /// Whatever this name is in that module.
    Module(String, String),
}

impl Names {
    /// Reads a module. One of declarations has nothing that runs, whatever it declares.
    pub(super) fn of(program: ProgramRef<'_>, is_declaration: bool, target: Follow<'_>) -> Self {
        let mut names = Self::default();
        if let ProgramRef::Module(program) = program {
            program.body.iter().for_each(|item| names.item(item, target));
        }
        if is_declaration {
            names.exports.values_mut().for_each(|origin| *origin = Origin::Type);
            names.types.append(&mut names.values);
        }
        names
    }

    /// What a name is in the module itself.
    pub(super) fn local(&self, name: &str) -> Origin {
        if self.values.contains(name) {
            Origin::Value
        } else if self.types.contains(name) {
            Origin::Type
        } else {
            self.imports.get(name).cloned().unwrap_or(Origin::Value)
        }
    }

    fn item(&mut self, item: &ModuleItem, target: Follow<'_>) {
        match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => _ = self.declare(declaration),
            ModuleItem::Stmt(_) => {}
            ModuleItem::ModuleDecl(declaration) => self.module_declaration(declaration, target),
        }
    }

    fn module_declaration(&mut self, declaration: &ModuleDecl, target: Follow<'_>) {
        match declaration {
            ModuleDecl::Import(import) => {
                let from = target(&import.src.value.to_string_lossy());
                for specifier in &import.specifiers {
                    let (local, imported, is_type) = match specifier {
                        ImportSpecifier::Named(named) => {
                            let imported =
                                named.imported.as_ref().map_or_else(|| named.local.sym.to_string(), |name| name.atom().to_string());
                            (&named.local, Some(imported), named.is_type_only)
                        }
                        ImportSpecifier::Default(default) => (&default.local, Some("default".to_owned()), false),
                        ImportSpecifier::Namespace(namespace) => (&namespace.local, None, false),
                    };
                    let origin = origin(import.type_only || is_type, from.as_deref(), imported);
                    self.imports.insert(local.sym.to_string(), origin);
                }
            }
            ModuleDecl::ExportDecl(export) => {
                for name in self.declare(&export.decl) {
                    self.exports.insert(name.clone(), Origin::Local(name));
                }
            }
            ModuleDecl::ExportNamed(export) => {
                let from = export.src.as_ref().map(|src| target(&src.value.to_string_lossy()));
                for specifier in &export.specifiers {
                    let ExportSpecifier::Named(named) = specifier else { continue };
                    let name = named.orig.atom().to_string();
                    let exported = named.exported.as_ref().map_or_else(|| name.clone(), |name| name.atom().to_string());
                    let origin = match &from {
                        _ if export.type_only || named.is_type_only => Origin::Type,
                        None => Origin::Local(name),
                        Some(from) => origin(false, from.as_deref(), Some(name)),
                    };
                    self.exports.insert(exported, origin);
                }
            }
            ModuleDecl::ExportDefaultDecl(export) => {
                let is_type = matches!(export.decl, DefaultDecl::TsInterfaceDecl(_));
                self.exports.insert("default".to_owned(), if is_type { Origin::Type } else { Origin::Value });
            }
            ModuleDecl::ExportDefaultExpr(export) => {
                let origin = match &*export.expr {
                    Expr::Ident(name) => Origin::Local(name.sym.to_string()),
                    _ => Origin::Value,
                };
                self.exports.insert("default".to_owned(), origin);
            }
            ModuleDecl::TsImportEquals(import) if import.is_export => {
                self.exports.insert(import.id.sym.to_string(), Origin::Value);
            }
            ModuleDecl::ExportAll(export) if !export.type_only => self.stars.push(target(&export.src.value.to_string_lossy())),
            _ => {}
        }
    }

    /// Notes what a declaration declares, and returns the names.
    fn declare(&mut self, declaration: &Decl) -> Vec<String> {
        let (names, is_type) = match declaration {
            Decl::TsInterface(interface) => (vec![interface.id.sym.to_string()], true),
            Decl::TsTypeAlias(alias) => (vec![alias.id.sym.to_string()], true),
            Decl::TsEnum(enumeration) => (vec![enumeration.id.sym.to_string()], false),
            Decl::TsModule(namespace) => match namespace.id.as_ident() {
                Some(name) => (vec![name.sym.to_string()], !runs(namespace)),
                None => return Vec::new(),
            },
            Decl::Class(class) => (vec![class.ident.sym.to_string()], false),
            Decl::Fn(function) => (vec![function.ident.sym.to_string()], false),
            Decl::Var(variables) => (binding_names(find_pat_ids(&variables.decls)), false),
            Decl::Using(variables) => (binding_names(find_pat_ids(&variables.decls)), false),
        };
        let set = if is_type { &mut self.types } else { &mut self.values };
        set.extend(names.iter().cloned());
        names
    }
}

fn binding_names(ids: Vec<deno_ast::swc::ast::Id>) -> Vec<String> {
    ids.into_iter().map(|(name, _)| name.to_string()).collect()
}

fn origin(is_type: bool, from: Option<&str>, name: Option<String>) -> Origin {
    match (is_type, from, name) {
        (true, ..) => Origin::Type,
        (false, Some(from), Some(name)) => Origin::Module(from.to_owned(), name),
        _ => Origin::Value,
    }
}

/// Whether a namespace holds anything that runs. One of types alone leaves nothing behind.
fn runs(namespace: &TsModuleDecl) -> bool {
    let mut body = namespace.body.as_ref();
    while let Some(TsNamespaceBody::TsNamespaceDecl(inner)) = body {
        body = Some(&inner.body);
    }
    let Some(TsNamespaceBody::TsModuleBlock(block)) = body else { return false };
    block.body.iter().any(|item| {
        let declaration = match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => declaration,
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => &export.decl,
            _ => return true,
        };
        match declaration {
            Decl::TsInterface(_) | Decl::TsTypeAlias(_) => false,
            Decl::TsModule(inner) => runs(inner),
            _ => true,
        }
    })
}
