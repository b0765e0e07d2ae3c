//! Declarations by isolated emit: what the public API says in so many words becomes `.d.ts` text, without inference.
//!
//! `deno_graph` judges all exports together, and one declaration that needs inference spoils them all; but it says where. So
//! exactly the declarations that it complains about are given a placeholder in a copy of their module, and the copy is tried
//! again until there is nothing to complain about. A module that cannot be helped so is told by its outline: the names that it
//! exports, each a placeholder. The placeholder becomes `any` with a comment that says so when declarations are written.
//!
//! A package without complaints is checked once, as it is; nothing is parsed for that. Complaints are warnings, and whatever
//! goes wrong in here costs the package its declarations, never the publish.

mod attempt;
mod bench;
mod complaint;
mod edits;
mod guesses;
mod names;
mod outline;
mod patch;
mod reaching;
mod spelling;
#[cfg(test)]
mod tests;
mod untyped;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use deno_graph::ast::CapturingModuleAnalyzer;
use deno_graph::fast_check::FastCheckDtsModule;
use deno_graph::{JsModule, ModuleGraph, ModuleSpecifier};
use indexmap::IndexMap;
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_common::model::finding::Findings;

use super::{path_of, specifier_of};
use crate::pipeline::files::Files;
use crate::pipeline::inference::{Inferred, InferredModule};
use crate::pipeline::manifest::Manifest;
use attempt::Outcome;
use bench::Bench;
pub use complaint::UNTYPED;
pub use edits::Revision;

/// The type that stands for one that nobody knows. To fast check it is a global name like `Promise`.
pub const PLACEHOLDER: &str = "__SlipwayUntyped";
/// The class that stands for a superclass that nobody knows.
pub const SUPERCLASS: &str = "__SlipwayUntypedClass";

/// What begins the name of a value that is exported under the name of a type.
pub const TWIN: &str = "__SlipwayTwin_";

/// Complaints that are reported of one package. They are warnings, and a package that was never written for this has as many
/// as it has functions; twenty show what is meant and leave room for what matters.
const MAX_SLOW_TYPES: usize = 20;
/// Rounds of helping. Two are the rule: the complaints, and none. A third comes when the first complaints of a module hid
/// others, a fourth when there was something to guess in the result.
const MAX_ROUNDS: usize = 8;
/// The round from which on a module that still has complaints is told by its outline. What three rounds of placeholders did not
/// help is not helped by a fourth.
const OUTLINES_FROM: usize = 4;

/// The exports, with the module that each names.
type Candidates = IndexMap<ExportKey, ModuleSpecifier>;

/// Modules that somebody imports declarations from without fast check seeing it: it does not look into files of declarations.
type Declared = BTreeSet<ModuleSpecifier>;

/// What TypeScript is told about the modules of a package.
#[derive(Debug, Default)]
pub struct Declarations {
    /// A graph of changed modules, if any had to be changed. Otherwise the declarations are with the modules.
    modules: Option<ModuleGraph>,
    revisions: BTreeMap<ModuleSpecifier, Revision>,
    outlines: BTreeMap<ModuleSpecifier, String>,
    /// What a compiler made.
    inferred: Inferred,
    /// The names in each module whose types are placeholders, in whole or in part.
    pub untyped: BTreeMap<PackagePath, BTreeSet<String>>,
    /// Exports that lead to a complaint.
    pub slow: BTreeSet<ExportKey>,
}

/// The declarations of a module.
#[derive(Clone, Copy)]
pub struct Declaration<'a> {
    /// The declarations, in which a placeholder may stand for a type.
    pub dts: &'a FastCheckDtsModule,
    /// What they were made from.
    pub origin: Origin<'a>,
}

/// What declarations were made from.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// What the author wrote.
    Written,
    /// A changed copy of it.
    Revised(&'a Revision),
    /// The names of its exports.
    Outlined(&'a str),
    /// What the author wrote, by a compiler that found out what it does not say. `dts` is what it would be without.
    Inferred(&'a InferredModule),
}

impl Declarations {
    /// The declarations of a module, unless it declares nothing in public. `written` is the graph of what the author wrote.
    #[must_use]
    pub fn of<'a>(&'a self, written: &'a ModuleGraph, specifier: &ModuleSpecifier) -> Option<Declaration<'a>> {
        let modules = self.modules.as_ref().unwrap_or(written);
        let dts = modules.get(specifier)?.js().and_then(dts)?;
        let inferred = path_of(specifier).and_then(|path| self.inferred.modules.get(&path));
        if let Some(inferred) = inferred {
            return Some(Declaration { dts, origin: Origin::Inferred(inferred) });
        }
        let origin = match (self.outlines.get(specifier), self.revisions.get(specifier)) {
            (Some(outline), _) => Origin::Outlined(outline),
            (None, Some(revision)) => Origin::Revised(revision),
            (None, None) => Origin::Written,
        };
        Some(Declaration { dts, origin })
    }

    /// Puts what a compiler made in the place of placeholders.
    pub fn adopt(&mut self, inferred: Inferred) {
        self.untyped.retain(|path, _| !inferred.modules.contains_key(path));
        self.inferred = inferred;
    }

    /// What a compiler made, and why it did not make the rest.
    #[must_use]
    pub fn inferred(&self) -> &Inferred {
        &self.inferred
    }

    /// The compiler that made some of the declarations.
    #[must_use]
    pub fn compiler(&self) -> Option<&str> {
        (!self.inferred.modules.is_empty()).then_some(self.inferred.compiler.as_str())
    }
}

fn dts(module: &JsModule) -> Option<&FastCheckDtsModule> {
    module.fast_check_module()?.dts.as_ref().filter(|_| module.media_type.is_typed() && !module.media_type.is_declaration())
}

/// The package as the declarations are made from it.
pub(super) struct Source<'a> {
    pub(super) files: &'a Files,
    pub(super) manifest: &'a Manifest,
    pub(super) package: &'a PackageName,
    pub(super) version: &'a Version,
    pub(super) sources: &'a Rc<CapturingModuleAnalyzer>,
}

/// Makes the declarations. Where no complaint was, they are put into `modules`.
pub(super) fn run(modules: &mut ModuleGraph, source: &Source<'_>, findings: &mut Findings) -> Declarations {
    let candidates = candidates(source.manifest);
    if candidates.is_empty() {
        return Declarations::default();
    }
    let mut bench = Bench::new(modules, source, candidates);
    bench.nest();
    bench.spell();
    for round in 1..=MAX_ROUNDS {
        match bench.attempt() {
            Outcome::Declared(attempt) => {
                let guesses = bench.guesses(&attempt);
                if round == MAX_ROUNDS || !bench.help(round, guesses) {
                    let declarations = bench.finish(*attempt, findings);
                    return put(declarations, modules);
                }
            }
            Outcome::Complaints(complaints) => {
                let complaints = bench.heard(&complaints);
                if !bench.help(round, complaints) && !bench.outline_all() {
                    break;
                }
            }
            Outcome::Broken if bench.outline_all() => {}
            Outcome::Broken => break,
        }
    }
    bench.give_up(findings)
}

/// A graph that nothing was changed in takes the place of the one that it is a copy of.
fn put(mut declarations: Declarations, modules: &mut ModuleGraph) -> Declarations {
    if declarations.revisions.is_empty() && declarations.outlines.is_empty() {
        *modules = declarations.modules.take().expect("it was just made");
    }
    declarations
}

fn candidates(manifest: &Manifest) -> Candidates {
    let exports = manifest.exports.0.iter();
    let modules = exports.filter_map(|(key, target)| Some((key, PackagePath::try_from(target.rooted()).ok()?)));
    modules.filter(|(_, path)| !super::is_asset(path)).map(|(key, path)| (key.clone(), specifier_of(&path))).collect()
}
