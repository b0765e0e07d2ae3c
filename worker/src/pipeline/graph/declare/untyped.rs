//! Which names of a package have a type that nobody knows: those whose declaration holds a placeholder, those that have the type of
//! such a name, by `typeof`, in the same module or in one that imports it, and other names that such a one is exported under.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::swc::ast::{
    Decl, DefaultDecl, ExportSpecifier, Expr, Id, Ident, ImportSpecifier, ModuleDecl, ModuleExportName, ModuleItem, Program, Stmt,
    TsEntityName, TsTypeQuery, TsTypeQueryExpr,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::swc::utils::find_pat_ids;
use deno_graph::{JsModule, Module, ModuleGraph, ModuleSpecifier};
use slipway_common::ids::PackagePath;

use super::names::declared;
use super::{PLACEHOLDER, SUPERCLASS, TWIN, dts};
use crate::pipeline::graph::path_of;

/// Modules that are asked what they export while names are followed through `export … from`. The largest package we know, rxjs, asks
/// a few hundred; one that was made to ask every module for every name loses the names that are left, and nothing else.
const MAX_STEPS: usize = 100_000;

/// A name as its module knows it, by the number of the module.
type Node<'a> = (usize, &'a str);

/// The names of each module as it exports them; what is not exported, by its own name: it is public through what is.
pub(super) fn of(modules: &ModuleGraph) -> BTreeMap<PackagePath, BTreeSet<String>> {
    let scripts = modules.modules().filter_map(Module::js);
    let scopes: Vec<Scope<'_>> = scripts.filter_map(|module| Some(Scope::of(module, &dts(module)?.program))).collect();
    let mut unknown: BTreeSet<Node<'_>> = BTreeSet::new();
    for (number, scope) in scopes.iter().enumerate() {
        unknown.extend(scope.declared.iter().filter(|(_, holds)| holds.placeholder).map(|(name, _)| (number, name.as_str())));
    }
    if !unknown.is_empty() {
        follow(modules, &scopes, &mut unknown);
    }
    let mut untyped: BTreeMap<PackagePath, BTreeSet<String>> = BTreeMap::new();
    for (number, name) in unknown {
        let scope = &scopes[number];
        if let Some(path) = path_of(&scope.module.specifier) {
            untyped.entry(path).or_default().extend(scope.exported_as(name));
        }
    }
    untyped
}

/// Adds every name that has the type of one that is there.
fn follow<'a>(modules: &ModuleGraph, scopes: &'a [Scope<'a>], unknown: &mut BTreeSet<Node<'a>>) {
    let numbers = scopes.iter().enumerate().map(|(number, scope)| (&scope.module.specifier, number)).collect();
    let mut search = Search { modules, scopes, numbers, steps: MAX_STEPS };
    let mut standing: BTreeMap<Node<'a>, Vec<Node<'a>>> = BTreeMap::new();
    for (number, scope) in scopes.iter().enumerate() {
        for (name, holds) in &scope.declared {
            for (first, second) in &holds.queries {
                if let Some(found) = search.local(number, first, second.as_deref()) {
                    standing.entry(found).or_default().push((number, name));
                }
            }
        }
        for (name, from, there) in scope.renamed() {
            if let Some(found) = search.export(number, from, there) {
                standing.entry(found).or_default().push((number, name));
            }
        }
    }
    let mut next: Vec<Node<'a>> = unknown.iter().copied().collect();
    while let Some(known) = next.pop() {
        let names = standing.get(&known).into_iter().flatten();
        next.extend(names.filter(|name| unknown.insert(**name)));
    }
}

/// What a name of another module is.
enum Imported {
    Name(String),
    Everything,
}

/// What a module declares, imports and exports.
struct Scope<'a> {
    module: &'a JsModule,
    declared: BTreeMap<String, Holds>,
    imports: BTreeMap<String, (String, Imported)>,
    /// The names that others know a name by, and the other way round.
    exported: BTreeMap<String, Vec<String>>,
    known_as: BTreeMap<String, String>,
    /// What is exported from other modules: name, specifier and name there.
    passed: BTreeMap<String, (String, Imported)>,
    /// Modules of which everything is exported.
    stars: Vec<String>,
}

impl<'a> Scope<'a> {
    fn of(module: &'a JsModule, program: &Program) -> Self {
        let mut scope = Self {
            module,
            declared: BTreeMap::new(),
            imports: BTreeMap::new(),
            exported: BTreeMap::new(),
            known_as: BTreeMap::new(),
            passed: BTreeMap::new(),
            stars: Vec::new(),
        };
        let Program::Module(program) = program else { return scope };
        for item in &program.body {
            match item {
                ModuleItem::Stmt(Stmt::Decl(declaration)) => {
                    scope.declare(declaration);
                }
                ModuleItem::ModuleDecl(declaration) => scope.read(declaration),
                ModuleItem::Stmt(_) => {}
            }
        }
        scope
    }

    fn read(&mut self, declaration: &ModuleDecl) {
        match declaration {
            ModuleDecl::ExportDecl(export) => {
                for name in self.declare(&export.decl) {
                    self.export(&name, &name);
                }
            }
            ModuleDecl::ExportDefaultDecl(export) => {
                let name = match &export.decl {
                    DefaultDecl::Class(class) => class.ident.as_ref(),
                    DefaultDecl::Fn(function) => function.ident.as_ref(),
                    DefaultDecl::TsInterfaceDecl(interface) => Some(&interface.id),
                };
                let name = name.map_or_else(|| "default".to_owned(), |name| name.sym.to_string());
                self.export(&name, "default");
                self.declared.entry(name).or_default().add(Holds::of(&export.decl));
            }
            ModuleDecl::ExportDefaultExpr(export) => match &*export.expr {
                Expr::Ident(name) => self.export(&name.sym, "default"),
                other => self.declared.entry("default".to_owned()).or_default().add(Holds::of(other)),
            },
            ModuleDecl::Import(import) => {
                let from = import.src.value.to_string_lossy();
                for specifier in &import.specifiers {
                    let (local, imported) = match specifier {
                        ImportSpecifier::Named(named) => {
                            let imported = named.imported.as_ref().map_or_else(|| named.local.sym.to_string(), text);
                            (&named.local, Imported::Name(imported))
                        }
                        ImportSpecifier::Default(default) => (&default.local, Imported::Name("default".to_owned())),
                        ImportSpecifier::Namespace(all) => (&all.local, Imported::Everything),
                    };
                    self.imports.insert(local.sym.to_string(), (from.to_string(), imported));
                }
            }
            ModuleDecl::ExportNamed(export) => {
                let from = export.src.as_ref().map(|from| from.value.to_string_lossy());
                for specifier in &export.specifiers {
                    match (specifier, &from) {
                        (ExportSpecifier::Named(named), Some(from)) => {
                            let name = named.exported.as_ref().map_or_else(|| text(&named.orig), text);
                            self.passed.insert(name, (from.to_string(), Imported::Name(text(&named.orig))));
                        }
                        (ExportSpecifier::Named(named), None) => {
                            let name = named.exported.as_ref().map_or_else(|| text(&named.orig), text);
                            self.export(&named.orig.atom(), name.strip_prefix(TWIN).unwrap_or(&name));
                        }
                        (ExportSpecifier::Namespace(all), Some(from)) => {
                            self.passed.insert(text(&all.name), (from.to_string(), Imported::Everything));
                        }
                        _ => {}
                    }
                }
            }
            ModuleDecl::ExportAll(export) => self.stars.push(export.src.value.to_string_lossy().to_string()),
            _ => {}
        }
    }

    fn export(&mut self, name: &str, known_as: &str) {
        self.exported.entry(name.to_owned()).or_default().push(known_as.to_owned());
        self.known_as.insert(known_as.to_owned(), name.to_owned());
    }

    /// Takes down what is declared, and returns the names.
    fn declare(&mut self, declaration: &Decl) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut one = |name: String, holds: Holds| {
            self.declared.entry(name.clone()).or_default().add(holds);
            names.insert(name);
        };
        if let Decl::Var(variables) = declaration {
            for variable in &variables.decls {
                for (name, _) in find_pat_ids::<_, Id>(&variable.name) {
                    one(name.to_string(), Holds::of(variable));
                }
            }
        } else {
            for name in declared(declaration) {
                one(name, Holds::of(declaration));
            }
        }
        names
    }

    /// What is exported from other modules under a name that it does not have there: name, specifier and name there.
    fn renamed(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let imported = self.known_as.iter().filter_map(|(name, local)| Some((name, self.imports.get(local)?)));
        self.passed.iter().chain(imported).filter_map(|(name, (from, imported))| match imported {
            Imported::Name(there) if there != name => Some((name.as_str(), from.as_str(), there.as_str())),
            _ => None,
        })
    }

    fn exported_as(&self, name: &str) -> Vec<String> {
        self.exported.get(name).cloned().unwrap_or_else(|| vec![name.to_owned()])
    }
}

fn text(name: &ModuleExportName) -> String {
    name.atom().to_string()
}

/// Finds the declarations that names lead to.
struct Search<'a, 'g> {
    modules: &'g ModuleGraph,
    scopes: &'a [Scope<'a>],
    numbers: BTreeMap<&'a ModuleSpecifier, usize>,
    steps: usize,
}

impl<'a> Search<'a, '_> {
    /// What `typeof first.second` means in a module.
    fn local(&mut self, number: usize, first: &str, second: Option<&str>) -> Option<Node<'a>> {
        let scope = &self.scopes[number];
        if let Some((name, _)) = scope.declared.get_key_value(first) {
            return Some((number, name));
        }
        match scope.imports.get(first)? {
            (from, Imported::Name(name)) => self.export(number, from, name),
            (from, Imported::Everything) => self.export(number, from, second?),
        }
    }

    /// What a module that is imported as `from` exports as `name`.
    fn export(&mut self, number: usize, from: &str, name: &str) -> Option<Node<'a>> {
        let mut seen = BTreeSet::new();
        let mut next = vec![(self.module(number, from)?, name.to_owned())];
        while let Some((number, name)) = next.pop() {
            self.steps = self.steps.checked_sub(1)?;
            if !seen.insert((number, name.clone())) {
                continue;
            }
            let scope = &self.scopes[number];
            let local = scope.known_as.get(&name).unwrap_or(&name);
            if let Some((local, _)) = scope.declared.get_key_value(local) {
                return Some((number, local));
            }
            let named = scope.passed.get(&name).or_else(|| scope.imports.get(local));
            if let Some((from, Imported::Name(there))) = named {
                next.extend(self.module(number, from).map(|module| (module, there.clone())));
            } else if named.is_none() {
                next.extend(scope.stars.iter().filter_map(|from| Some((self.module(number, from)?, name.clone()))));
            }
        }
        None
    }

    fn module(&self, number: usize, from: &str) -> Option<usize> {
        let specifier = self.modules.resolve_dependency(from, &self.scopes[number].module.specifier, true)?;
        self.numbers.get(specifier).copied()
    }
}

/// What a declaration holds.
#[derive(Default)]
struct Holds {
    placeholder: bool,
    /// Names whose types it asks for, with the part of them that it means.
    queries: BTreeSet<(String, Option<String>)>,
}

impl Holds {
    fn of(node: &impl VisitWith<Self>) -> Self {
        let mut holds = Self::default();
        node.visit_with(&mut holds);
        holds
    }

    fn add(&mut self, other: Self) {
        self.placeholder |= other.placeholder;
        self.queries.extend(other.queries);
    }
}

impl Visit for Holds {
    fn visit_ident(&mut self, node: &Ident) {
        self.placeholder |= node.sym == *PLACEHOLDER || node.sym == *SUPERCLASS;
    }

    fn visit_ts_type_query(&mut self, node: &TsTypeQuery) {
        node.visit_children_with(self);
        if let TsTypeQueryExpr::TsEntityName(name) = &node.expr_name {
            let (mut name, mut second) = (name, None);
            while let TsEntityName::TsQualifiedName(qualified) = name {
                second = Some(qualified.right.sym.to_string());
                name = &qualified.left;
            }
            if let TsEntityName::Ident(first) = name {
                self.queries.insert((first.sym.to_string(), second));
            }
        }
    }
}
