//! Placeholders, as they are written: `any`, and above the declaration a comment that says so.
//!
//! Nothing else in declarations is `any` that the author did not write. What is private has no type there, as TypeScript itself
//! writes it.

use deno_ast::swc::ast::{
    Accessibility, BindingIdent, ClassDecl, ClassMember, ClassProp, Decl, DefaultDecl, Expr, Ident, ModuleDecl, ModuleItem, Program, Stmt,
    TsEntityName, TsInterfaceBody, TsKeywordType, TsKeywordTypeKind, TsType, TsTypeAnn, TsTypeElement, VarDecl, VarDeclKind, VarDeclarator,
};
use deno_ast::swc::atoms::Atom;
use deno_ast::swc::common::comments::{Comment, CommentKind, Comments, SingleThreadedComments};
use deno_ast::swc::common::{BytePos, DUMMY_SP, Spanned, SyntaxContext};
use deno_ast::swc::ecma_visit::{VisitMut, VisitMutWith};

use crate::pipeline::graph::{PLACEHOLDER, SUPERCLASS};

/// What the comment says.
const WORDS: &str = "The source does not say this type in full. Where it is `any` it is not checked.";

/// Writes the placeholders of a program out.
pub(super) fn write(program: &mut Program, comments: &SingleThreadedComments) {
    program.visit_mut_with(&mut Writer { comments, found: false, bases: Vec::new() });
}

struct Writer<'a> {
    comments: &'a SingleThreadedComments,
    /// Whether there is one that has no comment yet.
    found: bool,
    /// Superclasses of the statement that is looked at, which are declared before it.
    bases: Vec<ModuleItem>,
}

impl Writer<'_> {
    /// Puts the comment above what starts here, if there is a placeholder in it.
    fn remark(&mut self, start: BytePos) {
        // What was made up has no place for a comment; what it was made up for comes next.
        if !self.found || start.is_dummy() {
            return;
        }
        self.found = false;
        let mut comments = self.comments.take_leading(start).unwrap_or_default();
        match comments.iter_mut().rev().find(|comment| comment.kind == CommentKind::Block && comment.text.starts_with('*')) {
            Some(comment) => comment.text = Atom::from(format!("{}\n *\n * {WORDS}\n ", comment.text.trim_end())),
            None => comments.push(Comment { kind: CommentKind::Block, span: DUMMY_SP, text: Atom::from(format!("* {WORDS} ")) }),
        }
        self.comments.add_leading_comments(start, comments);
    }

    fn base(&mut self, class: &Ident) -> Ident {
        let name = Ident::new_no_ctxt(format!("{}_base", class.sym).into(), DUMMY_SP);
        let any = TsType::TsKeywordType(TsKeywordType { span: DUMMY_SP, kind: TsKeywordTypeKind::TsAnyKeyword });
        let mut binding: BindingIdent = name.clone().into();
        binding.type_ann = Some(Box::new(TsTypeAnn { span: DUMMY_SP, type_ann: Box::new(any) }));
        let declarator = VarDeclarator { span: DUMMY_SP, name: binding.into(), init: None, definite: false };
        let variable =
            VarDecl { span: DUMMY_SP, ctxt: SyntaxContext::empty(), kind: VarDeclKind::Const, declare: true, decls: vec![declarator] };
        self.bases.push(ModuleItem::Stmt(Stmt::Decl(Decl::Var(Box::new(variable)))));
        self.found = true;
        name
    }
}

impl VisitMut for Writer<'_> {
    fn visit_mut_module_items(&mut self, items: &mut Vec<ModuleItem>) {
        let outer = std::mem::take(&mut self.bases);
        let mut written = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            item.visit_mut_with(self);
            self.remark(item.span_lo());
            written.append(&mut self.bases);
            written.push(item);
        }
        *items = written;
        self.bases = outer;
    }

    fn visit_mut_class_members(&mut self, members: &mut Vec<ClassMember>) {
        for member in members {
            member.visit_mut_with(self);
            self.remark(member.span_lo());
        }
    }

    fn visit_mut_ts_interface_body(&mut self, body: &mut TsInterfaceBody) {
        for member in &mut body.body {
            member.visit_mut_with(self);
            self.remark(TsTypeElement::span_lo(member));
        }
    }

    fn visit_mut_class_prop(&mut self, property: &mut ClassProp) {
        if property.accessibility == Some(Accessibility::Private) {
            property.type_ann = None;
        }
        property.visit_mut_children_with(self);
    }

    fn visit_mut_class_decl(&mut self, class: &mut ClassDecl) {
        if let Some(Expr::Ident(name)) = class.class.super_class.as_deref()
            && name.sym == *SUPERCLASS
        {
            let name = class.ident.clone();
            class.visit_mut_children_with(self);
            class.class.super_class = Some(Box::new(self.base(&name).into()));
        } else {
            class.visit_mut_children_with(self);
        }
    }

    fn visit_mut_module_decl(&mut self, declaration: &mut ModuleDecl) {
        if let ModuleDecl::ExportDefaultDecl(export) = declaration
            && let DefaultDecl::Class(class) = &mut export.decl
            && let Some(Expr::Ident(name)) = class.class.super_class.as_deref()
            && name.sym == *SUPERCLASS
        {
            let named = class.ident.clone().unwrap_or_else(|| Ident::new_no_ctxt("default".into(), DUMMY_SP));
            class.visit_mut_children_with(self);
            class.class.super_class = Some(Box::new(self.base(&named).into()));
        } else {
            declaration.visit_mut_children_with(self);
        }
    }

    fn visit_mut_ts_type(&mut self, node: &mut TsType) {
        if let TsType::TsTypeRef(reference) = node
            && let TsEntityName::Ident(name) = &reference.type_name
            && name.sym == *PLACEHOLDER
        {
            self.found = true;
            *node = TsType::TsKeywordType(TsKeywordType { span: DUMMY_SP, kind: TsKeywordTypeKind::TsAnyKeyword });
            return;
        }
        node.visit_mut_children_with(self);
    }
}
