//! Which modules lead to which.

use std::collections::{BTreeMap, BTreeSet};

use deno_graph::{Module, ModuleGraph, ModuleSpecifier};

use super::Declared;

/// The modules of TypeScript that hand-written declarations import, and those that add to the types of others.
pub(super) fn declared(modules: &ModuleGraph) -> Declared {
    let by_hand = modules.modules().filter_map(Module::js).filter(|module| module.media_type.is_declaration());
    let targets =
        by_hand.flat_map(|module| module.dependencies.values()).flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
    let targets = targets.flatten().map(|target| modules.resolve(target));
    let is_source = |target: &&ModuleSpecifier| {
        let module = modules.get(target).and_then(Module::js);
        module.is_some_and(|module| module.media_type.is_typed() && !module.media_type.is_declaration())
    };
    let augmenting = modules.modules().filter_map(Module::js).filter(|module| declares_outside(&module.source.text));
    let augmenting = augmenting.map(|module| &module.specifier).filter(|specifier| is_source(specifier));
    targets.filter(is_source).chain(augmenting).cloned().collect()
}

/// Whether a module may add to the types of others, which is what it may be imported for.
fn declares_outside(text: &str) -> bool {
    text.contains("declare global") || text.contains("declare module")
}

/// The modules from which a way leads to one of the spoiled ones, themselves included.
pub(super) fn reaching(modules: &ModuleGraph, spoiled: &BTreeSet<ModuleSpecifier>) -> BTreeSet<ModuleSpecifier> {
    let mut importers: BTreeMap<&ModuleSpecifier, Vec<&ModuleSpecifier>> = BTreeMap::new();
    for module in modules.modules() {
        let types = module.maybe_types_dependency().and_then(|types| types.dependency.maybe_specifier());
        let targets = module.dependencies().values().flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
        for target in targets.flatten().chain(types) {
            importers.entry(modules.resolve(target)).or_default().push(module.specifier());
        }
    }
    let mut reaching = BTreeSet::new();
    let mut waiting: Vec<&ModuleSpecifier> = spoiled.iter().collect();
    while let Some(specifier) = waiting.pop() {
        if reaching.insert(specifier.clone()) {
            waiting.extend(importers.get(specifier).into_iter().flatten());
        }
    }
    reaching
}
