//! Every name that an expression mentions.

use hcl::expr::{Expression, ObjectKey, Operation, Traversal, TraversalOperator};
use hcl::structure::{Block, Body};
use hcl::template::{Directive, Element, Template};

use crate::files::{label, value};

/// Attributes that are no expressions over the names of the files: types, and parts of the resource itself.
const LITERAL: [(&str, &str); 2] = [("variable", "type"), ("lifecycle", "ignore_changes")];

/// Collects names, each with its parts: `var.host` is `["var", "host"]`. Names that an expression binds itself are left out.
#[derive(Default)]
pub(crate) struct Names {
    bound: Vec<String>,
    pub(crate) found: Vec<Vec<String>>,
}

impl Names {
    /// The names in a block, however deep.
    pub(crate) fn of_block(block: &Block) -> Vec<Vec<String>> {
        let mut names = Self::default();
        names.block(block);
        names.found
    }

    fn block(&mut self, block: &Block) {
        let is_dynamic = block.identifier() == "dynamic";
        if is_dynamic {
            assert!(value(block.body(), "iterator").is_none(), "a dynamic block is named after what it makes");
            self.bound.push(label(block, 0).to_owned());
        }
        self.body(block.identifier(), block.body());
        if is_dynamic {
            self.bound.pop();
        }
    }

    fn body(&mut self, of: &str, body: &Body) {
        for attribute in body.attributes().filter(|attribute| !LITERAL.contains(&(of, attribute.key()))) {
            self.expression(attribute.expr());
        }
        for block in body.blocks() {
            self.block(block);
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Variable(name) => self.name(vec![name.to_string()]),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::Array(items) => self.every(items),
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.expression(key);
                    }
                    self.expression(value);
                }
            }
            Expression::TemplateExpr(template) => self.template(&Template::from_expr(template).expect("a template of a parsed file")),
            Expression::FuncCall(call) => self.every(&call.args),
            Expression::Parenthesis(inner) => self.expression(inner),
            Expression::Conditional(choice) => {
                self.expression(&choice.cond_expr);
                self.expression(&choice.true_expr);
                self.expression(&choice.false_expr);
            }
            Expression::Operation(operation) => match operation.as_ref() {
                Operation::Unary(operation) => self.expression(&operation.expr),
                Operation::Binary(operation) => {
                    self.expression(&operation.lhs_expr);
                    self.expression(&operation.rhs_expr);
                }
            },
            Expression::ForExpr(all) => {
                self.expression(&all.collection_expr);
                let bound = self.bound.len();
                self.bound.extend(all.key_var.iter().chain([&all.value_var]).map(ToString::to_string));
                self.expression(&all.value_expr);
                for part in all.key_expr.iter().chain(&all.cond_expr) {
                    self.expression(part);
                }
                self.bound.truncate(bound);
            }
            _ => {}
        }
    }

    fn every(&mut self, expressions: &[Expression]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(root) = &traversal.expr {
            let attribute = |operator: &TraversalOperator| match operator {
                TraversalOperator::GetAttr(name) => Some(name.to_string()),
                _ => None,
            };
            self.name([root.to_string()].into_iter().chain(traversal.operators.iter().map_while(attribute)).collect());
        } else {
            self.expression(&traversal.expr);
        }
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator {
                self.expression(index);
            }
        }
    }

    fn template(&mut self, template: &Template) {
        for element in template.elements() {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(part) => self.expression(&part.expr),
                Element::Directive(directive) => match directive.as_ref() {
                    Directive::If(_) | Directive::For(_) => panic!("a template that decides or repeats: write it as an expression"),
                },
            }
        }
    }

    fn name(&mut self, parts: Vec<String>) {
        if !self.bound.contains(&parts[0]) {
            self.found.push(parts);
        }
    }
}
