//! Finds every specifier in a syntax tree and its comments, with its place in bytes.
//!
//! `deno_graph` finds the same ones, but hands out lines and columns; turning those into bytes and back costs a walk along
//! the line each time, which on a file of one long line is quadratic. The comments are read with `deno_graph`'s own
//! patterns, and a test holds this room to finding everything that the module graph will.

mod comments;
mod jsdoc;

use std::ops::Range;

use deno_ast::swc::ast::{
    BinExpr, BinaryOp, CallExpr, Callee, ExportAll, Expr, ExprOrSpread, ImportDecl, JSXElement, JSXFragment, Lit, MemberExpr, MemberProp,
    MetaPropKind, NamedExport, Str, Tpl, TsImportEqualsDecl, TsImportType, TsModuleDecl, TsModuleName, TsModuleRef,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::{ParsedSource, SourcePos, SourceRanged, SourceRangedForSpanned, StartSourcePos};

pub(super) use comments::{has_jsx_pragma, starts_with_shebang};

use super::site::{Notation, Role, Site};

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Every specifier, by its place, none inside another.
    pub(super) sites: Vec<Site>,
    /// Where dynamic imports are whose target no one can tell before they run, in bytes.
    pub(super) unanalyzable: Vec<usize>,
    /// Whether there is an element or fragment of JSX.
    pub(super) has_jsx: bool,
}

/// Every specifier in documentation comments.
pub(super) fn documented(parsed: &ParsedSource) -> Vec<Site> {
    let mut sites = Vec::new();
    jsdoc::collect(parsed, &mut sites);
    sites
}

/// Everything in `parsed`.
pub(super) fn collect(parsed: &ParsedSource) -> Collected {
    let mut collector = Collector { parsed, found: Collected::default() };
    parsed.program_ref().visit_with(&mut collector);
    let mut found = collector.found;
    comments::collect(parsed, &mut found.sites);
    jsdoc::collect(parsed, &mut found.sites);
    // One comment can lead two nodes, and then it was seen twice.
    found.sites.sort_by_key(|site| (site.range.start, site.range.end));
    let mut end = 0;
    found.sites.retain(|site| {
        let is_apart = site.range.start >= end;
        end = end.max(site.range.end);
        is_apart
    });
    found.unanalyzable.sort_unstable();
    found
}

struct Collector<'a> {
    parsed: &'a ParsedSource,
    found: Collected,
}

impl Collector<'_> {
    fn bytes(node: &impl SourceRanged) -> Range<usize> {
        node.range().as_byte_range(StartSourcePos::START_SOURCE_POS)
    }

    fn push(&mut self, range: Range<usize>, text: &str, notation: Notation, role: Role) {
        self.found.sites.push(Site { range, text: text.to_owned(), notation, role });
    }

    /// A string literal. One with half a surrogate pair names nothing that exists, so it is left alone.
    fn literal(&mut self, literal: &Str, role: Role) {
        let range = Self::bytes(&literal.range());
        if let (Some(text), Some(quote @ ('"' | '\''))) = (literal.value.as_str(), self.parsed.text()[range.clone()].chars().next()) {
            self.push(range.start + 1..range.end - 1, text, Notation::Literal(quote), role);
        }
    }

    /// A statement that loads a module, and the pragma in the comment before it.
    fn statement(&mut self, start: SourcePos, source: &Str, is_type: bool) {
        self.pragma(start);
        self.literal(source, if is_type { Role::TypeImport } else { Role::Import });
    }

    fn pragma(&mut self, start: SourcePos) {
        if let Some(site) = comments::types_pragma(self.parsed, start) {
            self.found.sites.push(site);
        }
    }

    /// The argument of a dynamic import or of `import.meta.resolve`. False when it says nothing in advance.
    fn argument(&mut self, argument: &ExprOrSpread, role: Role) -> bool {
        if argument.spread.is_some() {
            return false;
        }
        match &*argument.expr {
            Expr::Lit(Lit::Str(literal)) => self.literal(literal, role),
            Expr::Tpl(template) => return self.template(template, role),
            Expr::Bin(sum) if role == Role::DynamicImport => return self.sum(sum),
            _ => return false,
        }
        true
    }

    fn template(&mut self, template: &Tpl, role: Role) -> bool {
        let Some(first) = template.quasis.first() else { return false };
        let range = Self::bytes(&first.range());
        let raw = &self.parsed.text()[range.clone()];
        if template.exprs.is_empty() {
            if let Some(text) = first.cooked.as_ref().and_then(|cooked| cooked.as_str()) {
                let text = text.to_owned();
                self.push(range, &text, Notation::Template, role);
            }
            return true;
        }
        let raw = raw.to_owned();
        role == Role::DynamicImport && self.prefix(range.start, &raw, Notation::Template)
    }

    /// `"./dir/" + name`: what matters is the literal at the very left.
    fn sum(&mut self, sum: &BinExpr) -> bool {
        let mut left = sum;
        loop {
            if left.op != BinaryOp::Add {
                return false;
            }
            match &*left.left {
                Expr::Bin(further) => left = further,
                Expr::Lit(Lit::Str(literal)) => {
                    let range = Self::bytes(&literal.range());
                    let raw = self.parsed.text()[range.start + 1..range.end - 1].to_owned();
                    let quote = if self.parsed.text()[range.clone()].starts_with('"') { '"' } else { '\'' };
                    return self.prefix(range.start + 1, &raw, Notation::Literal(quote));
                }
                _ => return false,
            }
        }
    }

    /// The part of a text put together at run time that names a directory, or the first part of a package.
    fn prefix(&mut self, start: usize, raw: &str, notation: Notation) -> bool {
        let Some(slash) = raw.rfind('/') else { return false };
        let directory = &raw[..=slash];
        if directory.contains('\\') {
            return false;
        }
        self.push(start..start + directory.len(), directory, notation, Role::DynamicPrefix);
        true
    }
}

impl Visit for Collector<'_> {
    fn visit_import_decl(&mut self, node: &ImportDecl) {
        self.statement(node.start(), &node.src, node.type_only);
    }

    fn visit_named_export(&mut self, node: &NamedExport) {
        if let Some(source) = &node.src {
            self.statement(node.start(), source, node.type_only);
        }
    }

    fn visit_export_all(&mut self, node: &ExportAll) {
        self.statement(node.start(), &node.src, node.type_only);
    }

    fn visit_ts_import_type(&mut self, node: &TsImportType) {
        self.statement(node.start(), &node.arg, true);
        node.visit_children_with(self);
    }

    /// `import x = require("…")` cannot be published; `import type x = require("…")` leaves nothing behind.
    fn visit_ts_import_equals_decl(&mut self, node: &TsImportEqualsDecl) {
        if let (TsModuleRef::TsExternalModuleRef(module), true) = (&node.module_ref, node.is_type_only) {
            self.statement(node.start(), &module.expr, true);
        }
    }

    fn visit_ts_module_decl(&mut self, node: &TsModuleDecl) {
        if let TsModuleName::Str(name) = &node.id {
            self.pragma(node.start());
            self.literal(name, Role::Augmentation);
        }
        node.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, node: &CallExpr) {
        node.visit_children_with(self);
        let role = match &node.callee {
            Callee::Import(_) => Role::DynamicImport,
            Callee::Expr(callee) if is_meta_resolve(callee) => Role::MetaResolve,
            _ => return,
        };
        let Some(argument) = node.args.first() else { return };
        if role == Role::DynamicImport {
            self.pragma(node.start());
        }
        if !self.argument(argument, role) && role == Role::DynamicImport {
            self.found.unanalyzable.push(Self::bytes(&node.range()).start);
        }
    }

    fn visit_jsx_element(&mut self, node: &JSXElement) {
        self.found.has_jsx = true;
        node.visit_children_with(self);
    }

    fn visit_jsx_fragment(&mut self, node: &JSXFragment) {
        self.found.has_jsx = true;
        node.visit_children_with(self);
    }
}

/// Whether this is `import.meta.resolve`.
fn is_meta_resolve(callee: &Expr) -> bool {
    matches!(callee, Expr::Member(MemberExpr { obj, prop: MemberProp::Ident(name), .. })
        if &*name.sym == "resolve" && matches!(&**obj, Expr::MetaProp(meta) if meta.kind == MetaPropKind::ImportMeta))
}
