//! Which exported names are types alone.
//!
//! A transpiler sees one file. `export { Shape } from "./shape.ts"` must go when `Shape` is an interface, and must stay when it
//! is a class, and only `shape.ts` knows. TypeScript resolves this over the whole program, so authors who use it need not write
//! `export type`; this room does the same over the modules of the package. A name that leads out of the package is left alone.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use deno_ast::ProgramRef;
use deno_ast::swc::ast::{
    Decl, DefaultDecl, ExportSpecifier, ImportSpecifier, ModuleDecl, ModuleItem, Program, Stmt, TsModuleDecl, TsNamespaceBody,
};
use deno_ast::swc::utils::find_pat_ids;

use super::emit::parse;
use super::layout::local_path;
use super::specifiers::{Referrer, Resolver};

/// Most steps from module to module for all names of a package. The largest barrels we know take some ten thousand; a package
/// of nothing but `export *` could ask for a step per name and module. What is not settled by then is taken for a value, which
/// is what it is in plain JavaScript.
const MOST_STEPS: usize = 2_000_000;

/// The names of every module.
#[derive(Debug)]
pub(super) struct Values {
    modules: BTreeMap<String, Names>,
    steps_left: Cell<usize>,
}

/// The names of one module, as far as they matter here.
#[derive(Debug, Default)]
struct Names {
    /// Declared here, as something that runs.
    values: BTreeSet<String>,
    /// Declared here, as a type.
    types: BTreeSet<String>,
    /// Imported, by the local name.
    imports: BTreeMap<String, Origin>,
    /// Exported, by the name others see.
    exports: BTreeMap<String, Origin>,
    /// `export * from`.
    stars: Vec<Option<String>>,
}

/// Where a name comes from.
#[derive(Debug, Clone)]
enum Origin {
    /// Something that runs, or may be.
    Value,
    /// Certainly a type.
    Type,
    /// Whatever this name is in the same module.
    Local(String),
    /// Whatever this name is in that module.
    Module(String, String),
}

impl Values {
    /// Reads the names of all modules of the graph.
    pub(super) fn of(resolver: &Resolver<'_>) -> Self {
        let mut values = Self { modules: BTreeMap::new(), steps_left: Cell::new(MOST_STEPS) };
        for module in resolver.emit.graph.modules().filter_map(|module| module.js()) {
            let Some(path) = local_path(&module.specifier) else { continue };
            let Ok(parsed) = parse(&resolver.emit, module) else { continue };
            let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: &path };
            let target = |specifier: &str| resolver.local_target(referrer, specifier);
            let mut names = Names::default();
            // A declaration file has nothing that runs, whatever it declares.
            let is_code = resolver.layout.home_of(&path).is_some_and(|home| home.code.is_some());
            if let ProgramRef::Module(program) = parsed.program_ref() {
                program.body.iter().for_each(|item| names.item(item, &target));
            }
            if !is_code {
                names.exports.values_mut().for_each(|origin| *origin = Origin::Type);
                names.types.append(&mut names.values);
            }
            values.modules.insert(path, names);
        }
        values
    }

    /// Takes the exports out of a module that lead to types alone.
    pub(super) fn prune(&self, path: &str, target: &dyn Fn(&str) -> Option<String>, program: &mut Program) {
        let Program::Module(module) = program else { return };
        module.body.retain_mut(|item| {
            let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = item else { return true };
            let from = export.src.as_ref().map(|src| target(&src.value.to_string_lossy()));
            let before = export.specifiers.len();
            export.specifiers.retain(|specifier| {
                let ExportSpecifier::Named(named) = specifier else { return true };
                let name = named.orig.atom().to_string();
                !match &from {
                    None => self.is_type(path, Origin::Local(name)),
                    Some(Some(from)) => self.is_type(from, Origin::Module(from.clone(), name)),
                    Some(None) => false,
                }
            });
            before == 0 || !export.specifiers.is_empty()
        });
    }

    /// Whether an origin, seen from a module, is certainly a type.
    fn is_type(&self, path: &str, origin: Origin) -> bool {
        let mut seen = BTreeSet::new();
        let mut pending = vec![(path.to_owned(), origin)];
        let mut found = false;
        while let Some((path, origin)) = pending.pop() {
            let Some(steps_left) = self.steps_left.get().checked_sub(1) else { return false };
            self.steps_left.set(steps_left);
            match origin {
                Origin::Value => return false,
                Origin::Type => found = true,
                Origin::Local(name) => match self.modules.get(&path).map(|names| names.local(&name)) {
                    Some(origin) => pending.push((path, origin)),
                    None => return false,
                },
                Origin::Module(path, name) => {
                    let Some(names) = self.modules.get(&path) else { return false };
                    if !seen.insert((path.clone(), name.clone())) {
                        continue;
                    }
                    match names.exports.get(&name) {
                        Some(origin) => pending.push((path, origin.clone())),
                        None if name == "default" => {}
                        None => {
                            for star in &names.stars {
                                let Some(star) = star else { return false };
                                pending.push((star.clone(), Origin::Module(star.clone(), name.clone())));
                            }
                        }
                    }
                }
            }
        }
        found
    }
}

impl Names {
    fn local(&self, name: &str) -> Origin {
        if self.values.contains(name) {
            Origin::Value
        } else if self.types.contains(name) {
            Origin::Type
        } else {
            self.imports.get(name).cloned().unwrap_or(Origin::Value)
        }
    }

    fn item(&mut self, item: &ModuleItem, target: &dyn Fn(&str) -> Option<String>) {
        match item {
            ModuleItem::Stmt(Stmt::Decl(declaration)) => _ = self.declare(declaration),
            ModuleItem::Stmt(_) => {}
            ModuleItem::ModuleDecl(declaration) => self.module_declaration(declaration, target),
        }
    }

    fn module_declaration(&mut self, declaration: &ModuleDecl, target: &dyn Fn(&str) -> Option<String>) {
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
            ModuleDecl::ExportDefaultExpr(_) => _ = self.exports.insert("default".to_owned(), Origin::Value),
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
