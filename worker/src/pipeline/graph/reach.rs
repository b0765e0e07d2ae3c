//! Which modules lead to which.

use std::collections::BTreeSet;

use deno_graph::{Import, Module, ModuleGraph, ModuleSpecifier};

use super::resolve::is_paired;

/// Everything that can be reached from `roots`, themselves included, whether or not it could be loaded.
pub(super) fn reach<'a, T: Iterator<Item = &'a ModuleSpecifier>>(
    modules: &'a ModuleGraph,
    roots: impl Iterator<Item = ModuleSpecifier>,
    next: impl Fn(&'a Module) -> T,
) -> BTreeSet<ModuleSpecifier> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<ModuleSpecifier> = roots.collect();
    while let Some(specifier) = waiting.pop() {
        let specifier = modules.resolve(&specifier).clone();
        if reached.contains(&specifier) {
            continue;
        }
        waiting.extend(modules.get(&specifier).into_iter().flat_map(&next).cloned());
        reached.insert(specifier);
    }
    reached
}

/// What a module leads to by what its author wrote, whatever it is for.
pub(super) fn written(module: &Module) -> impl Iterator<Item = &ModuleSpecifier> {
    let types = module.maybe_types_dependency().filter(|types| !is_paired(module, types));
    let types = types.and_then(|types| types.dependency.maybe_specifier());
    module.dependencies().values().flat_map(|dependency| [dependency.get_code(), dependency.get_type()]).flatten().chain(types)
}

/// What is loaded before a module can run.
pub(super) fn needed(module: &Module) -> impl Iterator<Item = &ModuleSpecifier> {
    let needed = module.dependencies().values().filter(|dependency| dependency.imports.iter().any(is_needed));
    needed.filter_map(|dependency| dependency.get_code())
}

/// Whether an import must load before its module can run: it is not for types alone, and not dynamic.
pub(super) fn is_needed(import: &Import) -> bool {
    import.kind.is_runtime() && !import.is_dynamic
}
