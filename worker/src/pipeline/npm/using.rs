//! `using` and `await using`, lowered: the oldest supported Node does not parse them.
//!
//! The compiler's own sequence of transforms leaves them as they are. They are lowered behind it, with a second round of what
//! tidies names and brackets up.

use deno_ast::Globals;
use deno_ast::swc::ast::{Program, UsingDecl};
use deno_ast::swc::common::comments::SingleThreadedComments;
use deno_ast::swc::ecma_visit::{Visit, VisitWith};
use deno_ast::swc::transforms::proposal::explicit_resource_management::explicit_resource_management;
use deno_ast::swc::transforms::{fixer, helpers, hygiene};

/// Lowers every `using` declaration of a program that has been transpiled.
pub(super) fn lower(program: Program, globals: &Globals, comments: &SingleThreadedComments) -> Program {
    let mut search = Search::default();
    program.visit_with(&mut search);
    if !search.found {
        return program;
    }
    globals.with(|marks| {
        helpers::HELPERS.set(&helpers::Helpers::new(false), || {
            program.apply((explicit_resource_management(), helpers::inject_helpers(marks.top_level), fixer(Some(comments)), hygiene()))
        })
    })
}

#[derive(Default)]
struct Search {
    found: bool,
}

impl Visit for Search {
    fn visit_using_decl(&mut self, _: &UsingDecl) {
        self.found = true;
    }
}
