//! Declarations by isolated emit: what the public API says in so many words becomes `.d.ts` text, without inference.
//!
//! `deno_graph` judges all exports it is given together: one that needs inference spoils the rest. So exports that reach a
//! complaint are taken out and the others tried again. Complaints are warnings, and whatever goes wrong in here costs the
//! package its declarations, never the publish.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use deno_ast::diagnostics::Diagnostic;
use deno_graph::fast_check::FastCheckDiagnostic;
use deno_graph::{BuildFastCheckTypeGraphOptions, Module, ModuleGraph, ModuleSpecifier, WorkspaceFastCheckOption, WorkspaceMember};
use indexmap::IndexMap;
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::load::NoRegistry;
use super::place::{place_at, place_of};
use super::{Graph, specifier_of};
use crate::pipeline::manifest::Manifest;

/// Complaints that are reported of one package. They are warnings, and a package that was never written for this has as many
/// as it has functions; twenty show what is meant and leave room for what matters.
const MAX_SLOW_TYPES: usize = 20;
/// Rounds of taking exports out. Two are the rule (all, then all but the slow ones); another is needed when there are
/// hand-written declarations, and when an untyped entry point kept the others from being looked at. After the last one, what is left is slow too.
const MAX_ROUNDS: usize = 5;

/// The exports that still have a chance, with the module that each names.
type Candidates = IndexMap<ExportKey, ModuleSpecifier>;

/// Modules that somebody imports declarations from without fast check seeing it: it does not look into files of declarations.
type Declared = BTreeSet<ModuleSpecifier>;

/// Fills in declarations, and returns the exports that have none.
pub(super) fn run(
    graph: &mut Graph,
    manifest: &Manifest,
    package: &PackageName,
    version: &Version,
    findings: &mut Findings,
) -> BTreeSet<ExportKey> {
    let mut candidates = candidates(manifest);
    let mut declared = declared(&graph.modules);
    let mut slow = BTreeSet::new();
    let mut reported = Findings::default();
    for _ in 0..MAX_ROUNDS {
        if candidates.is_empty() {
            break;
        }
        let Some(complaints) = round(graph, &candidates, &declared, package, version) else {
            findings.push(unavailable());
            break;
        };
        if complaints.is_empty() {
            findings.extend(reported.into_iter().take(MAX_SLOW_TYPES));
            return slow;
        }
        if !declared.is_empty() {
            // They are an offer: what they complain of may be nothing that an export shows.
            declared.clear();
            continue;
        }
        reported.extend(complaints.iter().map(slow_type));
        let reaching = reaching(&graph.modules, &complaints);
        slow.extend(candidates.extract_if(.., |_, target| reaching.contains(graph.modules.resolve(target))).map(|(key, _)| key));
    }
    slow.extend(candidates.into_keys());
    findings.extend(reported.into_iter().take(MAX_SLOW_TYPES));
    slow
}

fn candidates(manifest: &Manifest) -> Candidates {
    let exports = manifest.exports.0.iter();
    exports.filter_map(|(key, target)| Some((key.clone(), specifier_of(&PackagePath::try_from(target.rooted()).ok()?)))).collect()
}

/// The modules of TypeScript that hand-written declarations import.
fn declared(modules: &ModuleGraph) -> Declared {
    let by_hand = modules.modules().filter_map(Module::js).filter(|module| module.media_type.is_declaration());
    let targets =
        by_hand.flat_map(|module| module.dependencies.values()).flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
    let targets = targets.flatten().map(|target| modules.resolve(target));
    let is_source = |target: &&ModuleSpecifier| {
        let module = modules.get(target).and_then(Module::js);
        module.is_some_and(|module| module.media_type.is_typed() && !module.media_type.is_declaration())
    };
    targets.filter(is_source).cloned().collect()
}

/// One attempt. Returns what is wrong, or `None` if there can be no declarations at all.
fn round(
    graph: &mut Graph,
    candidates: &Candidates,
    declared: &Declared,
    package: &PackageName,
    version: &Version,
) -> Option<Vec<FastCheckDiagnostic>> {
    let exports = candidates.iter().map(|(key, target)| (key.to_string(), target));
    // No key of an export has a question mark.
    let declared = declared.iter().enumerate().map(|(index, target)| (format!("./?{index}"), target));
    let member = WorkspaceMember {
        base: ModuleSpecifier::parse("file:///").expect("the root of the package is a URL"),
        name: package.to_string().as_str().into(),
        version: Some(deno_semver::Version::parse_standard(&version.to_string()).ok()?),
        exports: exports.chain(declared).map(|(key, target)| (key, format!(".{}", target.path()))).collect(),
    };
    // An attempt that fails leaves its complaints behind in the modules, so it is made on a copy. Sources are shared by it.
    let mut attempt = graph.modules.clone();
    // The transform is large and young, and packages are stranger than its tests. A panic in it costs the declarations.
    catch_unwind(AssertUnwindSafe(|| {
        attempt.build_fast_check_type_graph(BuildFastCheckTypeGraphOptions {
            fast_check_cache: None,
            fast_check_dts: true,
            jsr_url_provider: &NoRegistry,
            es_parser: Some(&*graph.sources),
            resolver: None,
            workspace_fast_check: WorkspaceFastCheckOption::Enabled(std::slice::from_ref(&member)),
        });
    }))
    .ok()?;
    // Each entry point of an attempt that failed holds a copy of all complaints.
    let complaints = candidates.values().find_map(|target| attempt.get(target)?.js()?.fast_check_diagnostics()).cloned();
    if complaints.is_none() {
        graph.modules = attempt;
    }
    Some(complaints.unwrap_or_default())
}

/// The modules from which a way leads to one of the spoiled ones, themselves included.
fn reaching(modules: &ModuleGraph, spoiled: &[FastCheckDiagnostic]) -> BTreeSet<ModuleSpecifier> {
    let mut importers: BTreeMap<&ModuleSpecifier, Vec<&ModuleSpecifier>> = BTreeMap::new();
    for module in modules.modules() {
        let types = module.maybe_types_dependency().and_then(|types| types.dependency.maybe_specifier());
        let targets = module.dependencies().values().flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
        for target in targets.flatten().chain(types) {
            importers.entry(modules.resolve(target)).or_default().push(module.specifier());
        }
    }
    let mut reaching = BTreeSet::new();
    let mut waiting: Vec<&ModuleSpecifier> = spoiled.iter().map(FastCheckDiagnostic::specifier).collect();
    while let Some(specifier) = waiting.pop() {
        if reaching.insert(specifier.clone()) {
            waiting.extend(importers.get(specifier).into_iter().flatten());
        }
    }
    reaching
}

fn slow_type(complaint: &FastCheckDiagnostic) -> Finding {
    let place = match complaint.range() {
        Some(range) => place_at(&range.specifier, range.range.start, &range.text_info),
        None => Place::file(place_of(complaint.specifier())),
    };
    // Two of the library's sentences say the opposite of what they mean.
    let complaint_text = complaint.to_string().replace("which are not unsupported", "which is not supported");
    let finding = Finding::warning(FindingCode::SlowTypes, format!("slow types: {complaint_text}")).at(place);
    match complaint.hint() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn unavailable() -> Finding {
    Finding::warning(FindingCode::SlowTypes, "declarations could not be made for this package, so its npm package has no types")
}
