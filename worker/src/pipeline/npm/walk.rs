//! Every specifier in a syntax tree: imports and exports of all kinds, import types, augmented modules, and literal
//! `import.meta.resolve`.

use deno_ast::swc::ast::{
    CallExpr, Callee, ExportAll, Expr, ImportDecl, Lit, MemberProp, MetaPropKind, Module, ModuleDecl, ModuleItem, NamedExport, Str,
    TsExternalModuleRef, TsImportType, TsModuleDecl, TsModuleName,
};
use deno_ast::swc::ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith};
use deno_ast::{SourceRange, SourceRangedForSpanned};

use super::specifiers::Outcome;

/// Rewrites the specifiers of a tree. A statement whose specifier names nothing that runs is taken out.
pub(super) struct Rewrite<'a> {
    /// Judges one specifier.
    pub(super) judge: &'a mut dyn FnMut(&str) -> Outcome,
}

impl Rewrite<'_> {
    /// Returns whether the specifier names something that runs.
    fn specifier(&mut self, specifier: &mut Str) -> bool {
        match (self.judge)(&specifier.value.to_string_lossy()) {
            Outcome::Keep => true,
            Outcome::TypesOnly => false,
            Outcome::Write(text) => {
                specifier.value = text.into();
                specifier.raw = None;
                true
            }
        }
    }

    fn runs(&mut self, item: &mut ModuleItem) -> bool {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::Import(ImportDecl { src, .. }) | ModuleDecl::ExportAll(ExportAll { src, .. })) => {
                self.specifier(src)
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(NamedExport { src: Some(src), .. })) => self.specifier(src),
            _ => {
                item.visit_mut_with(self);
                true
            }
        }
    }
}

impl VisitMut for Rewrite<'_> {
    fn visit_mut_module(&mut self, module: &mut Module) {
        module.body.retain_mut(|item| self.runs(item));
    }

    // Imports and exports inside an ambient module, which are never taken out.
    fn visit_mut_import_decl(&mut self, node: &mut ImportDecl) {
        self.specifier(&mut node.src);
    }

    fn visit_mut_export_all(&mut self, node: &mut ExportAll) {
        self.specifier(&mut node.src);
    }

    fn visit_mut_named_export(&mut self, node: &mut NamedExport) {
        if let Some(src) = &mut node.src {
            self.specifier(src);
        }
    }

    fn visit_mut_ts_import_type(&mut self, node: &mut TsImportType) {
        self.specifier(&mut node.arg);
        node.visit_mut_children_with(self);
    }

    fn visit_mut_ts_external_module_ref(&mut self, node: &mut TsExternalModuleRef) {
        self.specifier(&mut node.expr);
    }

    fn visit_mut_ts_module_decl(&mut self, node: &mut TsModuleDecl) {
        if let TsModuleName::Str(name) = &mut node.id {
            self.specifier(name);
        }
        node.visit_mut_children_with(self);
    }

    fn visit_mut_call_expr(&mut self, node: &mut CallExpr) {
        if (matches!(node.callee, Callee::Import(_)) || is_meta_resolve(node))
            && let Some(argument) = node.args.first_mut()
            && argument.spread.is_none()
        {
            self.argument(&mut argument.expr);
        }
        node.visit_mut_children_with(self);
    }
}

impl Rewrite<'_> {
    fn argument(&mut self, argument: &mut Expr) {
        let specifier = match argument {
            Expr::Lit(Lit::Str(specifier)) => {
                self.specifier(specifier);
                return;
            }
            Expr::Tpl(template) if template.exprs.is_empty() => template.quasis.first().and_then(|quasi| quasi.cooked.clone()),
            _ => None,
        };
        if let Some(specifier) = specifier
            && let Outcome::Write(text) = (self.judge)(&specifier.to_string_lossy())
        {
            *argument = Expr::Lit(Lit::Str(Str { span: argument.range().into(), value: text.into(), raw: None }));
        }
    }
}

/// Whether this is `import.meta.resolve(…)`.
fn is_meta_resolve(node: &CallExpr) -> bool {
    let Callee::Expr(callee) = &node.callee else { return false };
    let Expr::Member(member) = &**callee else { return false };
    matches!(&*member.obj, Expr::MetaProp(meta) if meta.kind == MetaPropKind::ImportMeta)
        && matches!(&member.prop, MemberProp::Ident(name) if name.sym == *"resolve")
}

/// The literals handed to `import.meta.resolve`, which the module analysis does not report.
#[derive(Default)]
pub(super) struct MetaResolve {
    /// Each literal with its quotes.
    pub(super) found: Vec<(String, SourceRange)>,
}

impl Visit for MetaResolve {
    fn visit_call_expr(&mut self, node: &CallExpr) {
        if is_meta_resolve(node)
            && let Some(argument) = node.args.first()
            && let Expr::Lit(Lit::Str(specifier)) = &*argument.expr
        {
            self.found.push((specifier.value.to_string_lossy().into_owned(), specifier.range()));
        }
        node.visit_children_with(self);
    }
}
