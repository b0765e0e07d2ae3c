//! Constructs that a package may not hold, because they reach outside it or mean nothing in an ES module.
//!
//! Every module of the graph is looked at, top-level statements only, and every hit is reported. What changes types outside
//! the package (`declare global`, `declare module "…"`, `/// <reference lib="…" />`) is allowed when the config asks for it;
//! then it is noted.
//!
//! What is deliberately not here: what a module imports. That is `dependencies`.

#[cfg(test)]
mod tests;

use deno_ast::swc::ast::{
    Decl, ExportAll, ImportDecl, ModuleDecl, NamedExport, ObjectLit, Stmt, Str, TsModuleDecl, TsModuleName, TsModuleRef,
};
use deno_ast::swc::common::comments::{Comment, CommentKind};
use deno_ast::{MediaType, ModuleItemRef, ParsedSource, SourcePos, SourceRange, SourceRangedForSpanned};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::graph::{Graph, path_of, place_at};

/// Applies the rules to every module. Returns whether any of them declares types outside the package and may do so.
pub fn check(graph: &Graph, augmentations: bool, findings: &mut Findings) -> bool {
    let mut augments = false;
    for module in graph.modules.modules().filter_map(|module| module.js()) {
        let Some(source) = graph.parsed(&module.specifier) else { continue };
        let mut inspection = Inspection { source: &source, augmentations, augments: false, findings };
        inspection.module();
        augments |= inspection.augments;
    }
    augments
}

/// One module under inspection.
struct Inspection<'a> {
    source: &'a ParsedSource,
    augmentations: bool,
    augments: bool,
    findings: &'a mut Findings,
}

impl Inspection<'_> {
    fn module(&mut self) {
        if matches!(self.source.media_type(), MediaType::Cjs | MediaType::Cts) {
            let path = path_of(self.source.specifier()).map_or_else(|| self.source.specifier().to_string(), |path| path.to_string());
            let message = "CommonJS modules are not allowed, neither '.cjs' nor '.cts'";
            let hint = "write an ES module, '.js', '.mjs', '.ts' or '.mts', with import and export";
            self.findings.push(Finding::error(FindingCode::CommonJs, message).at(Place::file(path)).hint(hint));
        }
        for comment in self.source.get_leading_comments().into_iter().flatten() {
            self.comment(comment);
        }
        for item in self.source.program_ref().body() {
            match item {
                ModuleItemRef::ModuleDecl(declaration) => self.declaration(declaration),
                ModuleItemRef::Stmt(Stmt::Decl(Decl::TsModule(module))) => self.ambient(module),
                ModuleItemRef::Stmt(_) => {}
            }
        }
    }

    fn declaration(&mut self, declaration: &ModuleDecl) {
        match declaration {
            ModuleDecl::TsNamespaceExport(export) => {
                let message = format!("'export as namespace {}' declares a global, which is not allowed", export.id.sym);
                self.report(FindingCode::GlobalTypeAugmentation, message, export.start(), "remove it: whoever needs a global can make one");
            }
            ModuleDecl::TsExportAssignment(export) => {
                let message = "'export =' is a CommonJS export, which is not allowed";
                self.report(FindingCode::GlobalTypeAugmentation, message, export.start(), "write 'export default' or named exports");
            }
            ModuleDecl::TsImportEquals(import) => {
                if matches!(import.module_ref, TsModuleRef::TsExternalModuleRef(_)) {
                    let message = format!("'import {} = require(…)' is a CommonJS import, which is not allowed", import.id.sym);
                    self.report(FindingCode::CommonJs, message, import.start(), "write 'import … from \"…\"'");
                }
            }
            ModuleDecl::Import(ImportDecl { src, with: Some(with), .. })
            | ModuleDecl::ExportAll(ExportAll { src, with: Some(with), .. })
            | ModuleDecl::ExportNamed(NamedExport { src: Some(src), with: Some(with), .. }) => self.attributes(src, with),
            ModuleDecl::ExportDecl(export) => {
                if let Decl::TsModule(module) = &export.decl {
                    self.ambient(module);
                }
            }
            _ => {}
        }
    }

    /// `assert { … }` and `with { … }` are one node to the parser; the word between the specifier and the braces tells.
    fn attributes(&mut self, src: &Str, with: &ObjectLit) {
        let between = SourceRange::new(src.end(), with.start());
        let text = self.source.text_info_lazy().range_text(&between);
        let Some(offset) = keyword_offset(text).filter(|offset| text[*offset..].starts_with("assert")) else { return };
        let message = "import assertions are not allowed, use import attributes instead";
        self.report(FindingCode::BannedImportAssertion, message, src.end() + offset, "replace the word 'assert' by 'with'");
    }

    fn ambient(&mut self, module: &TsModuleDecl) {
        let what = match &module.id {
            _ if module.global => "'declare global' changes types outside the package".to_owned(),
            TsModuleName::Str(name) => {
                format!("'declare module \"{}\"' changes types outside the package", shorten(&name.value.to_string_lossy()))
            }
            TsModuleName::Ident(_) => return,
        };
        self.outside(FindingCode::GlobalTypeAugmentation, what, module.start());
    }

    fn comment(&mut self, comment: &Comment) {
        if comment.kind != CommentKind::Line {
            return;
        }
        let Some(directive) = comment.text.strip_prefix('/').map(str::trim_start).and_then(|text| text.strip_prefix("<reference")) else {
            return;
        };
        let attributes: Vec<_> = attributes_of(directive).collect();
        let named = |name: &str| attributes.iter().any(|(key, _)| *key == name);
        if attributes.contains(&("no-default-lib", "true")) {
            let message = "'/// <reference no-default-lib=\"true\" />' takes the default types from everybody who imports the package";
            self.report(FindingCode::BannedTripleSlashDirectives, message, comment.start(), "remove the directive");
        } else if named("lib") {
            let what = "'/// <reference lib=\"…\" />' adds types for everybody who imports the package".to_owned();
            self.outside(FindingCode::BannedTripleSlashDirectives, what, comment.start());
        }
    }

    /// Something that changes types outside the package, which the config may allow.
    fn outside(&mut self, code: FindingCode, what: String, at: SourcePos) {
        if self.augmentations {
            self.augments = true;
            let place = self.place(at);
            self.findings.push(Finding::note(FindingCode::Augmentations, what).at(place));
        } else {
            let hint = "remove it, or allow it with \"augmentations\": true in the config file, which is shown with the package";
            self.report(code, format!("{what}, which is not allowed"), at, hint);
        }
    }

    fn report(&mut self, code: FindingCode, message: impl Into<String>, at: SourcePos, hint: &str) {
        let place = self.place(at);
        self.findings.push(Finding::error(code, message).at(place).hint(hint));
    }

    fn place(&self, at: SourcePos) -> Place {
        place_at(self.source.specifier(), at, self.source.text_info_lazy())
    }
}

/// Where the first word starts that is not inside a comment.
fn keyword_offset(text: &str) -> Option<usize> {
    let mut offset = 0;
    loop {
        let rest = text.get(offset..)?;
        let trimmed = rest.trim_start();
        offset += rest.len() - trimmed.len();
        offset += match trimmed {
            "" => return None,
            comment if comment.starts_with("//") => comment.find(['\n', '\r', '\u{2028}', '\u{2029}'])?,
            comment if comment.starts_with("/*") => comment.find("*/")? + 2,
            _ => return Some(offset),
        };
    }
}

/// The attributes of a directive, `name="value"` with either quote.
fn attributes_of(mut text: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let (name, rest) = text.split_once('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = rest[1..].split_once(quote)?;
        text = after;
        Some((name.trim(), value))
    })
}

/// A name that fits into a message.
fn shorten(name: &str) -> String {
    name.chars().take(100).collect()
}
