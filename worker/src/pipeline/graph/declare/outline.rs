//! A module told by the names of its exports alone, for one of which nothing else can be told: JavaScript without types, and
//! sources that fast check does not come to terms with. Every name is a placeholder, for a value and for a type.

use std::collections::BTreeSet;
use std::fmt::Write;

use deno_ast::swc::ast::Id;
use deno_ast::swc::ast::{
    Class, Decl, DefaultDecl, ExportDecl, ExportSpecifier, Expr, ModuleDecl, ModuleExportName, ModuleItem, NamedExport, TsTypeParamDecl,
};
use deno_ast::swc::utils::find_pat_ids;
use deno_ast::{ParsedSource, ProgramRef, SourceRangedForSpanned};

use super::PLACEHOLDER;

/// The module as TypeScript.
pub(super) fn of(parsed: &ParsedSource) -> String {
    let ProgramRef::Module(module) = parsed.program_ref() else { return "export {};\n".to_owned() };
    let mut outline = Outline { parsed, text: String::new(), names: 0, said: BTreeSet::new() };
    for item in &module.body {
        if let ModuleItem::ModuleDecl(declaration) = item {
            outline.declaration(declaration);
        }
    }
    outline.text.push_str("export {};\n");
    outline.text
}

struct Outline<'a> {
    parsed: &'a ParsedSource,
    text: String,
    names: usize,
    /// Values and types that were declared: a function has overloads, an interface is written in parts.
    said: BTreeSet<(bool, String)>,
}

impl Outline<'_> {
    fn declaration(&mut self, declaration: &ModuleDecl) {
        match declaration {
            ModuleDecl::ExportDecl(export) => self.exported(export),
            ModuleDecl::ExportNamed(export) if export.src.is_none() => self.named(export),
            ModuleDecl::ExportNamed(_) | ModuleDecl::ExportAll(_) => {
                let statement = declaration.text_fast(self.parsed.text_info_lazy()).to_owned();
                self.line(&statement);
            }
            ModuleDecl::ExportDefaultDecl(export) => {
                let parameters = match &export.decl {
                    DefaultDecl::Class(class) => class_parameters(&class.class),
                    DefaultDecl::TsInterfaceDecl(interface) => parameters(interface.type_params.as_deref()),
                    DefaultDecl::Fn(_) => String::new(),
                };
                self.default(&parameters);
            }
            ModuleDecl::ExportDefaultExpr(export) => {
                let parameters = match &*export.expr {
                    Expr::Class(class) => class_parameters(&class.class),
                    _ => String::new(),
                };
                self.default(&parameters);
            }
            ModuleDecl::TsImportEquals(import) if import.is_export => self.both(&import.id.sym, ""),
            ModuleDecl::Import(_)
            | ModuleDecl::TsImportEquals(_)
            | ModuleDecl::TsExportAssignment(_)
            | ModuleDecl::TsNamespaceExport(_) => {}
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end_matches(';'));
        self.text.push_str(";\n");
    }

    fn exported(&mut self, export: &ExportDecl) {
        match &export.decl {
            Decl::Class(class) => self.both(&class.ident.sym, &class_parameters(&class.class)),
            Decl::TsEnum(declaration) => self.both(&declaration.id.sym, ""),
            Decl::Fn(function) => self.value(&function.ident.sym),
            Decl::Var(variables) => {
                for (name, _) in find_pat_ids::<_, Id>(&variables.decls) {
                    self.value(&name);
                }
            }
            Decl::TsInterface(interface) => self.alias(&interface.id.sym, &parameters(interface.type_params.as_deref())),
            Decl::TsTypeAlias(alias) => self.alias(&alias.id.sym, &parameters(alias.type_params.as_deref())),
            Decl::TsModule(module) => {
                if let Some(name) = module.id.as_ident() {
                    self.value(&name.sym);
                }
            }
            Decl::Using(_) => {}
        }
    }

    fn both(&mut self, name: &str, parameters: &str) {
        self.value(name);
        self.alias(name, parameters);
    }

    fn value(&mut self, name: &str) {
        if self.said.insert((true, name.to_owned())) {
            self.line(&format!("export declare const {name}: {PLACEHOLDER}"));
        }
    }

    fn alias(&mut self, name: &str, parameters: &str) {
        if self.said.insert((false, name.to_owned())) {
            self.line(&format!("export type {name}{parameters} = {PLACEHOLDER}"));
        }
    }

    fn default(&mut self, parameters: &str) {
        self.line(&format!("declare const _default: {PLACEHOLDER}"));
        self.line(&format!("type _default{parameters} = {PLACEHOLDER}"));
        self.line("export default _default");
    }

    fn named(&mut self, export: &NamedExport) {
        for specifier in &export.specifiers {
            let ExportSpecifier::Named(named) = specifier else { continue };
            let name = named.exported.as_ref().unwrap_or(&named.orig);
            self.names += 1;
            let local = format!("_export{}", self.names);
            self.line(&format!("declare const {local}: {PLACEHOLDER}"));
            self.line(&format!("type {local} = {PLACEHOLDER}"));
            let name = match name {
                ModuleExportName::Ident(name) => name.sym.to_string(),
                ModuleExportName::Str(name) => serde_json::Value::from(name.value.to_string_lossy().into_owned()).to_string(),
            };
            self.line(&format!("export {{ {local} as {name} }}"));
        }
    }
}

fn class_parameters(class: &Class) -> String {
    parameters(class.type_params.as_deref())
}

/// As many type parameters, none of which means anything.
fn parameters(declared: Option<&TsTypeParamDecl>) -> String {
    let Some(declared) = declared.filter(|declared| !declared.params.is_empty()) else { return String::new() };
    let mut text = "<".to_owned();
    for index in 0..declared.params.len() {
        let _ = write!(text, "{}_{index} = {PLACEHOLDER}", if index > 0 { ", " } else { "" });
    }
    text + ">"
}
