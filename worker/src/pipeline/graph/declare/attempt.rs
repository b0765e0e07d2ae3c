//! One run of fast check over all exports.

use std::panic::{AssertUnwindSafe, catch_unwind};

use deno_graph::ast::EsParser;
use deno_graph::fast_check::FastCheckDiagnostic;
use deno_graph::{BuildFastCheckTypeGraphOptions, ModuleGraph, ModuleSpecifier, WorkspaceFastCheckOption, WorkspaceMember};
use slipway_common::ids::{PackageName, Version};

use super::{Candidates, Declared};
use crate::pipeline::graph::load::NoRegistry;

/// What became of it.
pub(super) enum Outcome {
    /// Declarations for everything.
    Declared(Box<ModuleGraph>),
    /// Declarations for nothing, and why.
    Complaints(Vec<FastCheckDiagnostic>),
    /// It panicked.
    Broken,
}

/// Runs it.
pub(super) fn run(
    modules: &ModuleGraph,
    parser: &dyn EsParser,
    candidates: &Candidates,
    declared: &Declared,
    (package, version): (&PackageName, &Version),
) -> Outcome {
    let Ok(version) = deno_semver::Version::parse_standard(&version.to_string()) else { return Outcome::Broken };
    let exports = candidates.iter().map(|(key, target)| (key.to_string(), target));
    // No key of an export has a question mark.
    let declared = declared.iter().enumerate().map(|(index, target)| (format!("./?{index}"), target));
    let member = WorkspaceMember {
        base: ModuleSpecifier::parse("file:///").expect("the root of the package is a URL"),
        name: package.to_string().as_str().into(),
        version: Some(version),
        exports: exports.chain(declared).map(|(key, target)| (key, format!(".{}", target.path()))).collect(),
    };
    // An attempt that fails leaves its complaints behind in the modules, so it is made on a copy. Sources are shared by it.
    let mut attempt = modules.clone();
    // The transform is large and young, and packages are stranger than its tests. A panic in it costs the declarations.
    let run = catch_unwind(AssertUnwindSafe(|| {
        attempt.build_fast_check_type_graph(BuildFastCheckTypeGraphOptions {
            fast_check_cache: None,
            fast_check_dts: true,
            jsr_url_provider: &NoRegistry,
            es_parser: Some(parser),
            resolver: None,
            workspace_fast_check: WorkspaceFastCheckOption::Enabled(std::slice::from_ref(&member)),
        });
    }));
    if run.is_err() {
        return Outcome::Broken;
    }
    // Each entry point of an attempt that failed holds a copy of all complaints.
    let complaints = candidates.values().find_map(|target| attempt.get(target)?.js()?.fast_check_diagnostics()).cloned();
    match complaints {
        Some(complaints) => Outcome::Complaints(complaints),
        None => Outcome::Declared(Box::new(attempt)),
    }
}
