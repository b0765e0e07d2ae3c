//! What fast check cannot follow in one spelling and can in another.
//!
//! A name for a namespace (`import Inner = Outer.Inner`) is followed to the namespace and forgets the rest of the way, so types are
//! written with the whole way. And of a value and a type that are exported under one name only the type is kept, so the value
//! gets a name of its own, which is taken away when declarations are written.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::swc::ast::{
    Decl, ExportSpecifier, Ident, Module, ModuleDecl, ModuleExportName, ModuleItem, TsEntityName, TsImportEqualsDecl, TsModuleBlock,
    TsModuleRef, TsQualifiedName, TsTypeParam,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::{ParsedSource, ProgramRef, SourceRangedForSpanned, StartSourcePos};

use super::TWIN;
use super::edits::TextEdit;

/// Most names for namespaces that stand for one another. More are a circle.
const MAX_STEPS: usize = 8;

/// The edits that spell a module otherwise.
pub(super) fn edits(parsed: &ParsedSource) -> Vec<TextEdit> {
    let ProgramRef::Module(module) = parsed.program_ref() else { return Vec::new() };
    let base = parsed.text_info_lazy().range().start;
    let mut edits = twins(module, parsed.text(), base);
    let ways = ways(module);
    if !ways.is_empty() {
        let mut inner = Inner::default();
        module.visit_with(&mut inner);
        let mut search = Search { ways: &ways, inner: &inner, is_inside: false, source: parsed.text(), base, edits: Vec::new() };
        module.visit_with(&mut search);
        edits.append(&mut search.edits);
    }
    edits
}

fn twins(module: &Module, source: &str, base: StartSourcePos) -> Vec<TextEdit> {
    let types: BTreeSet<&str> = module.body.iter().filter_map(exported_type).collect();
    if types.is_empty() {
        return Vec::new();
    }
    let exports = module.body.iter().filter_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.src.is_none() && !export.type_only => Some(&export.specifiers),
        _ => None,
    });
    let names = exports.flatten().filter_map(|specifier| match specifier {
        ExportSpecifier::Named(named) if !named.is_type_only => match &named.exported {
            Some(ModuleExportName::Ident(name)) if types.contains(name.sym.as_str()) => Some(name),
            _ => None,
        },
        _ => None,
    });
    names.map(|name| TextEdit::replace(source, name.range().as_byte_range(base), &format!("{TWIN}{}", name.sym))).collect()
}

fn exported_type(item: &ModuleItem) -> Option<&str> {
    let ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) = item else { return None };
    match &export.decl {
        Decl::TsInterface(interface) => Some(interface.id.sym.as_str()),
        Decl::TsTypeAlias(alias) => Some(alias.id.sym.as_str()),
        _ => None,
    }
}

/// The names for namespaces at the top of a module, each with the whole way.
fn ways(module: &Module) -> BTreeMap<String, String> {
    let imports = module.body.iter().filter_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) => Some(&**import),
        _ => None,
    });
    let ways: BTreeMap<String, Vec<String>> = imports.filter_map(|import| Some((import.id.sym.to_string(), way(import)?))).collect();
    let whole = ways.iter().map(|(name, way)| {
        let mut way = way.clone();
        for _ in 0..MAX_STEPS {
            let Some(before) = ways.get(&way[0]) else { break };
            way.splice(0..1, before.iter().cloned());
        }
        (name.clone(), way.join("."))
    });
    whole.collect()
}

fn way(import: &TsImportEqualsDecl) -> Option<Vec<String>> {
    let TsModuleRef::TsEntityName(name) = &import.module_ref else { return None };
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        match rest {
            TsEntityName::Ident(name) => {
                parts.push(name.sym.to_string());
                parts.reverse();
                return Some(parts);
            }
            TsEntityName::TsQualifiedName(qualified) => {
                parts.push(qualified.right.sym.to_string());
                rest = &qualified.left;
            }
        }
    }
}

/// Where a name may mean something else.
#[derive(Default)]
struct Inner {
    /// What is declared inside of namespaces.
    declared: BTreeSet<String>,
    /// What is the parameter of a type somewhere.
    parameters: BTreeSet<String>,
    depth: usize,
}

impl Visit for Inner {
    fn visit_ts_module_block(&mut self, node: &TsModuleBlock) {
        self.depth += 1;
        node.visit_children_with(self);
        self.depth -= 1;
    }

    fn visit_decl(&mut self, node: &Decl) {
        if self.depth > 0 {
            let name = match node {
                Decl::Class(class) => Some(&class.ident),
                Decl::TsInterface(interface) => Some(&interface.id),
                Decl::TsTypeAlias(alias) => Some(&alias.id),
                Decl::TsEnum(declaration) => Some(&declaration.id),
                Decl::TsModule(module) => module.id.as_ident(),
                Decl::Fn(_) | Decl::Var(_) | Decl::Using(_) => None,
            };
            self.declared.extend(name.map(|name| name.sym.to_string()));
        }
        node.visit_children_with(self);
    }

    fn visit_ts_import_equals_decl(&mut self, node: &TsImportEqualsDecl) {
        if self.depth > 0 {
            self.declared.insert(node.id.sym.to_string());
        }
    }

    fn visit_ts_type_param(&mut self, node: &TsTypeParam) {
        self.parameters.insert(node.name.sym.to_string());
        node.visit_children_with(self);
    }
}

struct Search<'a> {
    ways: &'a BTreeMap<String, String>,
    inner: &'a Inner,
    /// Whether there is a namespace around the place that is looked at.
    is_inside: bool,
    source: &'a str,
    base: StartSourcePos,
    edits: Vec<TextEdit>,
}

impl Search<'_> {
    fn name(&mut self, name: &Ident) {
        let is_other =
            self.inner.parameters.contains(name.sym.as_str()) || (self.is_inside && self.inner.declared.contains(name.sym.as_str()));
        if let Some(way) = self.ways.get(name.sym.as_str()).filter(|_| !is_other) {
            self.edits.push(TextEdit::replace(self.source, name.range().as_byte_range(self.base), way));
        }
    }
}

impl Visit for Search<'_> {
    fn visit_ts_module_block(&mut self, node: &TsModuleBlock) {
        let before = std::mem::replace(&mut self.is_inside, true);
        node.visit_children_with(self);
        self.is_inside = before;
    }

    fn visit_ts_qualified_name(&mut self, node: &TsQualifiedName) {
        match &node.left {
            TsEntityName::Ident(name) => self.name(name),
            TsEntityName::TsQualifiedName(_) => node.left.visit_with(self),
        }
    }

    /// These say the way themselves.
    fn visit_ts_import_equals_decl(&mut self, _: &TsImportEqualsDecl) {}
}
