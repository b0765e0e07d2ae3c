//! What the graph holds beyond the exports: programs that npm clients link, and declarations that only a name or the config
//! pairs with their script.
//!
//! Whoever publishes with Deno's client is promised that what its exports reach is judged and nothing else. So a mistake in an
//! extra costs the package that extra, never the publish: the findings of extras are told apart, and what leads to them can be
//! taken out of the manifest.

use std::collections::{BTreeMap, BTreeSet};

use deno_graph::{ModuleGraph, ModuleSpecifier};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Place, Severity};

use super::load::{is_script, specifier_of};
use super::place::place_of;
use super::reach::{reach, written};
use crate::pipeline::manifest::Manifest;

/// The extras of a graph.
#[derive(Debug, Default)]
pub struct Extras {
    /// How findings name the modules that are reached by way of extras alone.
    places: BTreeSet<String>,
}

/// The programs as modules. `CommonJS` is left to Node.
pub(super) fn programs(manifest: &Manifest) -> impl Iterator<Item = ModuleSpecifier> {
    manifest.npm.bins.values().filter(|path| is_program(path)).map(specifier_of)
}

fn is_program(path: &PackagePath) -> bool {
    is_script(path) && ![".cjs", ".cts"].iter().any(|ending| path.as_str().ends_with(ending))
}

impl Extras {
    /// Finds the modules that `exports` do not lead to.
    pub(super) fn find(modules: &ModuleGraph, exports: impl Iterator<Item = ModuleSpecifier>) -> Self {
        let reached = reach(modules, exports, written);
        let beyond = modules.specifiers().map(|(specifier, _)| specifier).filter(|specifier| !reached.contains(modules.resolve(specifier)));
        Self { places: beyond.map(place_of).collect() }
    }

    /// Whether a finding keeps an extra from being used, and nothing else.
    #[must_use]
    pub fn concerns(&self, finding: &Finding) -> bool {
        finding.severity == Severity::Error && finding.place.as_ref().is_some_and(|place| self.places.contains(&place.path))
    }

    /// Takes out of the manifest whatever leads to the modules in which these errors are, and says so.
    #[must_use]
    pub fn forgo(modules: &ModuleGraph, errors: &[Finding], manifest: &mut Manifest) -> Vec<Finding> {
        let places: BTreeSet<&str> = errors.iter().filter_map(|error| Some(error.place.as_ref()?.path.as_str())).collect();
        let spoiled = leading_to(modules, &places);
        let mut findings = Vec::new();
        manifest.declarations.retain(|script, declarations| {
            let is_lost = spoiled.contains(&specifier_of(declarations));
            if is_lost && modules.get(&specifier_of(script)).is_some() {
                let message = format!("the declarations in '{declarations}' are not used for '{script}', because of a mistake in them");
                findings.push(Finding::warning(FindingCode::SlowTypes, message).at(Place::file(script.as_str())));
            }
            !is_lost
        });
        manifest.npm.bins.retain(|command, path| {
            let is_lost = is_program(path) && spoiled.contains(&specifier_of(path));
            if is_lost {
                let message = format!("the command '{command}' is left out of the npm package, because of a mistake in what it loads");
                findings.push(Finding::warning(FindingCode::ExportSkipped, message).at(Place::file(path.as_str())));
            }
            !is_lost
        });
        findings
    }
}

/// Takes all extras out of the manifest.
pub(crate) fn forgo_all(manifest: &mut Manifest) {
    manifest.declarations.clear();
    manifest.npm.bins.retain(|_, path| !is_program(path));
}

/// The modules from which a way leads to one of these places, themselves included.
fn leading_to(modules: &ModuleGraph, places: &BTreeSet<&str>) -> BTreeSet<ModuleSpecifier> {
    let mut importers: BTreeMap<&ModuleSpecifier, Vec<&ModuleSpecifier>> = BTreeMap::new();
    for module in modules.modules() {
        for target in written(module) {
            importers.entry(modules.resolve(target)).or_default().push(module.specifier());
        }
    }
    let mut leading = BTreeSet::new();
    let all = modules.specifiers().map(|(specifier, _)| specifier);
    let mut waiting: Vec<&ModuleSpecifier> = all.filter(|specifier| places.contains(place_of(specifier).as_str())).collect();
    while let Some(specifier) = waiting.pop() {
        if leading.insert(specifier.clone()) {
            waiting.extend(importers.get(specifier).into_iter().flatten());
        }
    }
    leading
}
