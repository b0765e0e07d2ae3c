//! Where the declarations of a module are less than the source: parts that were left out, and `any` that nobody wrote.

use std::ops::Range;

use deno_ast::SourceTextInfo;
use deno_ast::swc::ast::{
    Accessibility, ClassMember, Function, Program, TsFnType, TsKeywordType, TsKeywordTypeKind, TsPropertySignature, TsTupleElement,
    VarDeclarator,
};
use deno_ast::swc::common::{Span, Spanned};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_graph::fast_check::FastCheckDtsModule;

use super::complaint::{Complaint, Want, bytes};

/// All of them.
pub(super) fn of(dts: &FastCheckDtsModule, text_info: &SourceTextInfo) -> Vec<Complaint> {
    let said = dts.diagnostics.iter().map(|diagnostic| bytes(diagnostic.range()));
    let mut search = Search { start: text_info.range().start.as_byte_pos().0, within: Vec::new(), found: Vec::new() };
    dts.program.visit_with(&mut search);
    let mut ranges: Vec<Range<usize>> = said.chain(search.found).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup();
    ranges.into_iter().map(|range| Complaint { want: Want::Guess, range }).collect()
}

struct Search {
    /// Where the text starts in the counting of the parser.
    start: u32,
    /// What the author wrote around the place that is looked at, from the outside in.
    within: Vec<Range<usize>>,
    found: Vec<Range<usize>>,
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
