//! Where the declarations of a module are less than the source: parts that were left out, and `any` that nobody wrote.

use std::collections::BTreeSet;
use std::ops::Range;

use deno_ast::swc::ast::{
    Accessibility, ArrowExpr, ClassMember, ClassProp, Expr, Function, Pat, Program, TsFnType, TsKeywordType, TsKeywordTypeKind,
    TsModuleDecl, TsNamespaceBody, TsParamProp, TsParamPropParam, TsPropertySignature, TsTupleElement, VarDeclarator,
};
use deno_ast::swc::common::{Span, Spanned};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::{ParsedSource, ProgramRef};
use deno_graph::fast_check::FastCheckDtsModule;

use super::complaint::{Complaint, Want, bytes};

/// All of them.
pub(super) fn of(dts: &FastCheckDtsModule, parsed: &ParsedSource) -> Vec<Complaint> {
    let said = dts.diagnostics.iter().map(|diagnostic| bytes(diagnostic.range()));
    let start = parsed.text_info_lazy().range().start.as_byte_pos().0;
    let mut search = Search { start, within: Vec::new(), found: Vec::new(), functions: BTreeSet::new(), has_literals: false };
    dts.program.visit_with(&mut search);
    let mut ranges: Vec<Range<usize>> = said.chain(std::mem::take(&mut search.found)).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup();
    let mut complaints: Vec<_> = ranges.into_iter().map(|range| Complaint { want: Want::Guess, range }).collect();
    if !search.functions.is_empty() || search.has_literals {
        let mut parameters = Parameters { functions: &search, found: Vec::new() };
        match parsed.program_ref() {
            ProgramRef::Module(module) => module.visit_with(&mut parameters),
            ProgramRef::Script(script) => script.visit_with(&mut parameters),
        }
        complaints.append(&mut parameters.found);
    }
    complaints
}

/// The namespaces of a module whose names have dots.
pub(super) fn nestings(parsed: &ParsedSource) -> Vec<Complaint> {
    struct Nestings(u32, Vec<Complaint>);
    impl Visit for Nestings {
        fn visit_ts_module_decl(&mut self, node: &TsModuleDecl) {
            if let Some(TsNamespaceBody::TsNamespaceDecl(_)) = node.body {
                let range = (node.span.lo.0 - self.0) as usize..(node.span.hi.0 - self.0) as usize;
                self.1.push(Complaint { want: Want::Nesting, range });
            }
            node.visit_children_with(self);
        }

        fn visit_function(&mut self, _: &Function) {}
    }
    if !parsed.text().contains("namespace ") {
        return Vec::new();
    }
    let mut nestings = Nestings(parsed.text_info_lazy().range().start.as_byte_pos().0, Vec::new());
    if let ProgramRef::Module(module) = parsed.program_ref() {
        module.visit_with(&mut nestings);
    }
    nestings.1
}

/// Parameters that fast check makes into something else when their function is the value of a variable.
struct Parameters<'a> {
    functions: &'a Search,
    found: Vec<Complaint>,
}

impl Parameters<'_> {
    fn of<'p>(&mut self, span: Span, parameters: impl Iterator<Item = &'p Pat>) {
        let Some(range) = self.functions.written(span) else { return };
        if !self.functions.functions.contains(&(range.start, range.end)) {
            return;
        }
        for assign in parameters.filter_map(Pat::as_assign) {
            let is_plain = match &*assign.left {
                Pat::Ident(name) => name.type_ann.is_some() || matches!(&*assign.right, Expr::Lit(_) | Expr::Tpl(_) | Expr::TsAs(_)),
                _ => false,
            };
            if let Some(range) = self.functions.written(assign.span).filter(|_| !is_plain) {
                self.found.push(Complaint { want: Want::Parameter, range });
            }
        }
    }
}

impl Visit for Parameters<'_> {
    fn visit_ts_param_prop(&mut self, node: &TsParamProp) {
        node.visit_children_with(self);
        if let TsParamPropParam::Assign(assign) = &node.param
            && let (Pat::Ident(name), Expr::Lit(_)) = (&*assign.left, &*assign.right)
            && let (true, None, Some(range)) = (node.readonly, &name.type_ann, self.functions.written(assign.span))
        {
            self.found.push(Complaint { want: Want::Widening, range });
        }
    }

    fn visit_arrow_expr(&mut self, node: &ArrowExpr) {
        self.of(node.span, node.params.iter());
        node.visit_children_with(self);
    }

    fn visit_function(&mut self, node: &Function) {
        self.of(node.span, node.params.iter().map(|parameter| &parameter.pat));
        node.visit_children_with(self);
    }
}

struct Search {
    /// Where the text starts in the counting of the parser.
    start: u32,
    /// What the author wrote around the place that is looked at, from the outside in.
    within: Vec<Range<usize>>,
    found: Vec<Range<usize>>,
    /// Types of functions that stand in for functions of the source.
    functions: BTreeSet<(usize, usize)>,
    /// Whether a read-only property has one value.
    has_literals: bool,
}

impl Search {
    /// The place of a node in the text, if it has one. What fast check made has none.
    fn written(&self, span: Span) -> Option<Range<usize>> {
        let start = span.lo.0.checked_sub(self.start)? as usize;
        let end = span.hi.0.checked_sub(self.start)? as usize;
        (!span.is_dummy() && start < end).then_some(start..end)
    }

    fn inside<N: Spanned + VisitWith<Self>>(&mut self, node: &N) {
        let written = self.written(node.span());
        let is_written = written.is_some();
        self.within.extend(written);
        node.visit_children_with(self);
        if is_written {
            self.within.pop();
        }
    }
}

impl Visit for Search {
    fn visit_program(&mut self, node: &Program) {
        node.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, node: &VarDeclarator) {
        self.inside(node);
    }

    fn visit_ts_fn_type(&mut self, node: &TsFnType) {
        self.functions.extend(self.written(node.span).map(|range| (range.start, range.end)));
        self.inside(node);
    }

    fn visit_ts_property_signature(&mut self, node: &TsPropertySignature) {
        self.inside(node);
    }

    fn visit_ts_tuple_element(&mut self, node: &TsTupleElement) {
        self.inside(node);
    }

    /// What is private has no type in declarations, and the signature behind overloads is not one of them.
    fn visit_class_member(&mut self, node: &ClassMember) {
        let is_private = match node {
            ClassMember::ClassProp(property) => property.accessibility == Some(Accessibility::Private),
            ClassMember::Constructor(_) | ClassMember::Method(_) => true,
            _ => false,
        };
        if let ClassMember::ClassProp(ClassProp { readonly: true, type_ann: Some(annotation), .. }) = node {
            self.has_literals |= annotation.type_ann.is_ts_lit_type();
        }
        if !is_private {
            self.inside(node);
        }
    }

    fn visit_function(&mut self, _: &Function) {}

    fn visit_ts_keyword_type(&mut self, node: &TsKeywordType) {
        let is_guess = node.kind == TsKeywordTypeKind::TsAnyKeyword && self.written(node.span()).is_none();
        if let Some(range) = self.within.last().filter(|_| is_guess) {
            self.found.push(range.clone());
        }
    }
}
