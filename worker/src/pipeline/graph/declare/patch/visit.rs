//! The walk through a module, from node to node. A node whose inside was helped already has nothing to guess.

use deno_ast::swc::ast::{
    ArrowExpr, AssignExpr, AutoAccessor, BindingIdent, Class, ClassMethod, ClassProp, ExportDefaultExpr, Expr, FnDecl, FnExpr, Function,
    GetterProp, Id, Lit, MethodProp, ModuleItem, Pat, Prop, TsEntityName, TsIndexedAccessType, TsLit, TsModuleDecl, TsNamespaceBody,
    TsParamProp, TsParamPropParam, TsType, TsTypeAliasDecl, TsTypeQuery, TsTypeQueryExpr, UsingDecl, VarDecl, VarDeclKind, VarDeclarator,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::swc::utils::find_pat_ids;

use super::Finder;
use crate::pipeline::graph::declare::complaint::Want;
use crate::pipeline::graph::declare::edits::TextEdit;
use crate::pipeline::graph::declare::{PLACEHOLDER, SUPERCLASS};

impl Visit for Finder<'_> {
    fn visit_module_item(&mut self, node: &ModuleItem) {
        let range = self.range(node);
        // The complaint about a module is at its name.
        let inside = self.inside(&Want::Absence, &range);
        let is_block =
            matches!(node, ModuleItem::Stmt(_)) || inside.iter().any(|(_, start, end)| (*start, *end) == (range.start, range.end));
        if !inside.is_empty() && is_block {
            self.wanted.extend(inside.into_iter().map(|key| (key, true)));
            self.help.edits.push(TextEdit::blank(self.source, range));
            return;
        }
        node.visit_children_with(self);
    }

    fn visit_var_decl(&mut self, node: &VarDecl) {
        let outer = std::mem::replace(&mut self.is_const, node.kind == VarDeclKind::Const);
        node.visit_children_with(self);
        self.is_const = outer;
    }

    fn visit_var_declarator(&mut self, node: &VarDeclarator) {
        node.visit_children_with(self);
        let range = self.range(node);
        let name = self.range(&node.name);
        if let Pat::Ident(ident) = &node.name {
            let name = self.range(&ident.id);
            if ident.type_ann.is_none() {
                self.alias(&name, &range, node.init.as_deref());
            }
            self.named(&name, &range, ident.type_ann.is_some(), node.init.as_deref());
            let types: Vec<&TsType> = ident.type_ann.iter().map(|annotation| &*annotation.type_ann).collect();
            self.spare(&ident.id.sym, &types);
        } else if self.is_wanted(Want::Names, &name) {
            let names: Vec<Id> = find_pat_ids(&node.name);
            let names: Vec<String> = names.iter().map(|(name, _)| format!("{name}: {PLACEHOLDER} = 0 as never")).collect();
            if names.is_empty() {
                self.wanted.insert((Want::Names, name.start, name.end), false);
            }
            self.help.edits.push(TextEdit::replace(self.source, range, &names.join(", ")));
        }
    }

    fn visit_using_decl(&mut self, node: &UsingDecl) {
        node.visit_children_with(self);
        let Some(first) = node.decls.first().map(|first| self.range(first)) else { return };
        if self.is_wanted(Want::Const, &first) {
            let start = self.range(node).start;
            self.help.edits.push(TextEdit::replace(self.source, start..first.start, "const "));
        }
    }

    fn visit_binding_ident(&mut self, node: &BindingIdent) {
        let range = self.range(&node.id);
        if self.is_wanted(Want::Type, &range) {
            self.annotate(range.end);
        }
        node.visit_children_with(self);
    }

    fn visit_pat(&mut self, node: &Pat) {
        node.visit_children_with(self);
        let range = self.range(node);
        if !node.is_ident() && self.is_wanted(Want::Type, &range) {
            self.annotate(range.end);
        }
        if let Pat::Assign(assign) = node
            && let Pat::Ident(ident) = &*assign.left
        {
            let name = self.range(&ident.id);
            self.named(&name, &range, ident.type_ann.is_some(), Some(&assign.right));
        }
    }

    fn visit_ts_module_decl(&mut self, node: &TsModuleDecl) {
        self.scope.extend(node.id.as_ident().map(|name| name.sym.to_string()));
        node.visit_children_with(self);
        self.scope.truncate(self.scope.len() - usize::from(node.id.is_ident()));
        let range = self.range(node);
        if self.is_wanted(Want::Nesting, &range) {
            let mut body = node.body.as_ref();
            while let Some(TsNamespaceBody::TsNamespaceDecl(inner)) = body {
                let name = self.range(&inner.id);
                let dot = self.source[range.start..name.start].rfind('.').map_or(name.start, |dot| range.start + dot);
                self.help.edits.push(TextEdit::replace(self.source, dot..name.start, " { export namespace "));
                self.insert(range.end, 0, "}");
                body = Some(&inner.body);
            }
        }
    }

    fn visit_arrow_expr(&mut self, node: &ArrowExpr) {
        node.visit_children_with(self);
        self.parameters(&node.params.iter().collect::<Vec<_>>());
        let range = self.range(node);
        if self.is_wanted(Want::Return, &range) || (node.return_type.is_none() && self.is_wanted(Want::Guess, &range)) {
            self.arrow_return_type(node);
        }
        if let [Pat::Ident(name)] = &node.params[..] {
            let name = self.range(&name.id);
            if self.wanted.contains_key(&(Want::Type, name.start, name.end)) {
                self.brackets(node);
            }
        }
    }

    fn visit_function(&mut self, node: &Function) {
        node.visit_children_with(self);
        self.parameters(&node.params.iter().map(|parameter| &parameter.pat).collect::<Vec<_>>());
        let range = self.range(node);
        self.function(range.clone(), node);
        if node.return_type.is_none() && self.is_wanted(Want::Guess, &range) {
            self.return_type(node);
        }
    }

    fn visit_fn_decl(&mut self, node: &FnDecl) {
        node.visit_children_with(self);
        self.function(self.range(&node.ident), &node.function);
        let parameters = node.function.params.iter().filter_map(|parameter| match &parameter.pat {
            Pat::Ident(name) => name.type_ann.as_deref(),
            _ => None,
        });
        let types: Vec<&TsType> = parameters.chain(node.function.return_type.as_deref()).map(|annotation| &*annotation.type_ann).collect();
        self.spare(&node.ident.sym, &types);
    }

    fn visit_ts_type_alias_decl(&mut self, node: &TsTypeAliasDecl) {
        node.visit_children_with(self);
        self.spare(&node.id.sym, &[&*node.type_ann]);
    }

    fn visit_fn_expr(&mut self, node: &FnExpr) {
        node.visit_children_with(self);
        if let Some(name) = &node.ident {
            self.function(self.range(name), &node.function);
        }
    }

    fn visit_class_method(&mut self, node: &ClassMethod) {
        node.visit_children_with(self);
        self.function(self.range(&node.key), &node.function);
    }

    fn visit_method_prop(&mut self, node: &MethodProp) {
        node.visit_children_with(self);
        self.function(self.range(&node.key), &node.function);
    }

    fn visit_getter_prop(&mut self, node: &GetterProp) {
        node.visit_children_with(self);
        let (name, body) = (self.range(&node.key), node.body.as_ref().map(|body| self.range(body)));
        if self.is_wanted(Want::Return, &name)
            && let Some(body) = body
        {
            self.insert(body.start, 0, format!(": {PLACEHOLDER} "));
        }
    }

    fn visit_ts_param_prop(&mut self, node: &TsParamProp) {
        node.visit_children_with(self);
        let TsParamPropParam::Assign(assign) = &node.param else { return };
        let range = self.range(assign);
        if let (Pat::Ident(name), Expr::Lit(value)) = (&*assign.left, &*assign.right)
            && self.is_wanted(Want::Widening, &range)
        {
            let end = self.range(&name.id).end;
            self.insert(end, 1, format!(": {}", wide(value)));
        }
    }

    fn visit_class_prop(&mut self, node: &ClassProp) {
        node.visit_children_with(self);
        let (name, range) = (self.range(&node.key), self.range(node));
        self.named(&name, &range, node.type_ann.is_some(), node.value.as_deref());
    }

    fn visit_auto_accessor(&mut self, node: &AutoAccessor) {
        node.visit_children_with(self);
        let (name, range) = (self.range(&node.key), self.range(node));
        self.named(&name, &range, node.type_ann.is_some(), node.value.as_deref());
    }

    fn visit_class(&mut self, node: &Class) {
        node.visit_children_with(self);
        if let Some(superclass) = &node.super_class {
            let range = self.range(&**superclass);
            if self.is_wanted(Want::Superclass, &range) {
                self.help.edits.push(TextEdit::replace(self.source, range, SUPERCLASS));
            }
        }
    }

    fn visit_assign_expr(&mut self, node: &AssignExpr) {
        node.visit_children_with(self);
        let (left, right) = (self.range(&node.left), self.range(&*node.right));
        let is_function = self.is_wanted(Want::Return, &right) && self.function_in(&node.right);
        let conflicts = self.inside(&Want::Property, &right);
        let has_conflict = !conflicts.is_empty();
        self.wanted.extend(conflicts.into_iter().map(|key| (key, true)));
        if !is_function
            && (self.is_wanted(Want::Type, &left) || self.is_wanted(Want::Type, &right) || has_conflict || self.has_guess(&right))
        {
            self.cast(&right);
        }
    }

    fn visit_export_default_expr(&mut self, node: &ExportDefaultExpr) {
        node.visit_children_with(self);
        let (whole, expression) = (self.range(node), self.range(&*node.expr));
        if self.is_wanted(Want::Default, &whole) || self.has_guess(&expression) {
            self.cast(&expression);
        }
    }

    fn visit_prop(&mut self, node: &Prop) {
        node.visit_children_with(self);
        if let Prop::Shorthand(name) = node {
            let range = self.range(name);
            if self.is_wanted(Want::Guess, &range) {
                self.insert(range.end, 0, format!(": ({} as {PLACEHOLDER})", name.sym));
            }
        }
    }

    fn visit_expr(&mut self, node: &Expr) {
        node.visit_children_with(self);
        let is_function = matches!(node, Expr::Arrow(_) | Expr::Fn(_) | Expr::Object(_) | Expr::Array(_));
        if !is_function {
            let range = self.range(node);
            if self.is_wanted(Want::Guess, &range) {
                self.cast(&range);
            }
        }
    }

    fn visit_ts_indexed_access_type(&mut self, node: &TsIndexedAccessType) {
        let (mut object, mut names) = (&*node.obj_type, Vec::new());
        names.extend(literal(&node.index_type));
        while let TsType::TsIndexedAccessType(inner) = object {
            names.extend(literal(&inner.index_type));
            object = &inner.obj_type;
        }
        if let TsType::TsTypeRef(class) = object
            && let TsEntityName::Ident(root) = &class.type_name
        {
            let range = self.range(node);
            if self.reference(&range, &root.sym, &names) {
                return;
            }
        }
        node.visit_children_with(self);
    }

    fn visit_ts_type_query(&mut self, node: &TsTypeQuery) {
        node.visit_children_with(self);
        let TsTypeQueryExpr::TsEntityName(mut entity) = node.expr_name.clone() else { return };
        let mut names = Vec::new();
        while let TsEntityName::TsQualifiedName(qualified) = entity {
            names.push(qualified.right.sym.to_string());
            entity = qualified.left.clone();
        }
        if let TsEntityName::Ident(root) = entity {
            let range = self.range(node);
            self.reference(&range, &root.sym, &names);
        }
    }
}
/// The type of which a literal is one value.
fn wide(value: &Lit) -> &'static str {
    match value {
        Lit::Str(_) => "string",
        Lit::Bool(_) => "boolean",
        Lit::Num(_) => "number",
        Lit::BigInt(_) => "bigint",
        Lit::Regex(_) => "RegExp",
        Lit::Null(_) | Lit::JSXText(_) => PLACEHOLDER,
    }
}

fn literal(index: &TsType) -> Option<String> {
    match index {
        TsType::TsLitType(literal) => match &literal.lit {
            TsLit::Str(text) => Some(text.value.to_string_lossy().into_owned()),
            _ => None,
        },
        _ => None,
    }
}
