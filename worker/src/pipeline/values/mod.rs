//! Which exported names are types alone.
//!
//! A transpiler sees one file. `export { Shape } from "./shape.ts"` must go when `Shape` is an interface, and must stay when it
//! is a class, and only `shape.ts` knows. TypeScript resolves this over the whole program, so authors who use it need not write
//! `export type`; this room does the same over the modules of the package. A name that leads out of the package is left alone.
//!
//! Two rooms ask it. The rewriting marks such exports with `type`, because Deno transpiles what is stored file by file; the npm
//! side takes them out of what it emits.

mod names;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use deno_ast::ProgramRef;
use deno_ast::swc::ast::{ExportSpecifier, Expr, ModuleDecl, ModuleItem, Program};
use deno_ast::{SourceRange, SourceRangedForSpanned};

use names::{Names, Origin};

/// Most steps from module to module for all names of a package. The largest barrels we know take some ten thousand; a package
/// of nothing but `export *` could ask for a step per name and module. What is not settled by then is taken for a value, which
/// is what it is in plain JavaScript.
const MOST_STEPS: usize = 2_000_000;

/// Follows a specifier of a module to the path of the file of the package that it names, if it names one.
pub(super) type Follow<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The names of every module.
#[derive(Debug)]
pub(super) struct Values {
    modules: BTreeMap<String, Names>,
    steps_left: Cell<usize>,
}

/// An export that does not say whether it is a type, and that other modules may have to tell.
#[derive(Debug)]
pub(super) struct Unmarked {
    /// Where it is.
    pub(super) place: UnmarkedPlace,
    origin: Origin,
}

/// How the export is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum UnmarkedPlace {
    /// A name between the braces of an `export { … }`.
    Specifier(SourceRange),
    /// `export default Name`: the whole, and the name.
    Default(SourceRange, SourceRange),
}

impl Default for Values {
    fn default() -> Self {
        Self { modules: BTreeMap::new(), steps_left: Cell::new(MOST_STEPS) }
    }
}

impl Values {
    /// Reads the names of a module.
    pub(super) fn read(&mut self, path: &str, program: ProgramRef<'_>, is_declaration: bool, target: Follow<'_>) {
        self.modules.insert(path.to_owned(), Names::of(program, is_declaration, target));
    }

    /// Takes the exports out of a module that lead to types alone.
    pub(super) fn prune(&self, path: &str, target: Follow<'_>, program: &mut Program) {
        let Program::Module(module) = program else { return };
        module.body.retain_mut(|item| {
            let ModuleItem::ModuleDecl(declaration) = item else { return true };
            match declaration {
                ModuleDecl::ExportNamed(export) => {
                    let from = export.src.as_ref().map(|src| target(&src.value.to_string_lossy()));
                    let before = export.specifiers.len();
                    export.specifiers.retain(|specifier| {
                        let origin = origin_of(specifier, from.as_ref().map(Option::as_deref));
                        !origin.is_some_and(|origin| self.leads_to_type(path, origin))
                    });
                    before == 0 || !export.specifiers.is_empty()
                }
                ModuleDecl::ExportDefaultExpr(export) => match &*export.expr {
                    Expr::Ident(name) => !self.leads_to_type(path, Origin::Local(name.sym.to_string())),
                    _ => true,
                },
                _ => true,
            }
        });
    }

    /// Whether an export of the module at `path` is certainly a type.
    pub(super) fn is_type(&self, path: &str, export: &Unmarked) -> bool {
        self.leads_to_type(path, export.origin.clone())
    }

    fn leads_to_type(&self, path: &str, origin: Origin) -> bool {
        let mut seen = BTreeSet::new();
        let mut pending = vec![(path.to_owned(), origin)];
        let mut found = false;
        while let Some((path, origin)) = pending.pop() {
            let Some(steps_left) = self.steps_left.get().checked_sub(1) else { return false };
            self.steps_left.set(steps_left);
            match origin {
                Origin::Value => return false,
                Origin::Type => found = true,
                Origin::Local(name) => match self.modules.get(&path).map(|names| names.local(&name)) {
                    Some(origin) => pending.push((path, origin)),
                    None => return false,
                },
                Origin::Module(path, name) => {
                    let Some(names) = self.modules.get(&path) else { return false };
                    if !seen.insert((path.clone(), name.clone())) {
                        continue;
                    }
                    match names.exports.get(&name) {
                        Some(origin) => pending.push((path, origin.clone())),
                        None if name == "default" => {}
                        None => {
                            for star in &names.stars {
                                let Some(star) = star else { return false };
                                pending.push((star.clone(), Origin::Module(star.clone(), name.clone())));
                            }
                        }
                    }
                }
            }
        }
        found
    }
}

/// The exports of a module whose names come from elsewhere in it or from other modules, and that are not marked as types.
pub(super) fn unmarked(program: ProgramRef<'_>, target: Follow<'_>) -> Vec<Unmarked> {
    let ProgramRef::Module(module) = program else { return Vec::new() };
    let mut found = Vec::new();
    for item in &module.body {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if !export.type_only => {
                let from = export.src.as_ref().map(|src| target(&src.value.to_string_lossy()));
                found.extend(export.specifiers.iter().filter_map(|specifier| {
                    let origin = origin_of(specifier, from.as_ref().map(Option::as_deref))?;
                    Some(Unmarked { place: UnmarkedPlace::Specifier(specifier.range()), origin })
                }));
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
                if let Expr::Ident(name) = &*export.expr {
                    let place = UnmarkedPlace::Default(export.range(), name.range());
                    found.push(Unmarked { place, origin: Origin::Local(name.sym.to_string()) });
                }
            }
            _ => {}
        }
    }
    found
}

/// Where a name between the braces comes from, unless it is marked or leads out of the package. `from` is what follows the
/// braces.
#[expect(clippy::option_option, reason = "a name may be unknown, or known to be nothing")]
fn origin_of(specifier: &ExportSpecifier, from: Option<Option<&str>>) -> Option<Origin> {
    let ExportSpecifier::Named(named) = specifier else { return None };
    let name = named.orig.atom().to_string();
    match from {
        _ if named.is_type_only => None,
        None => Some(Origin::Local(name)),
        Some(from) => Some(Origin::Module(from?.to_owned(), name)),
    }
}
