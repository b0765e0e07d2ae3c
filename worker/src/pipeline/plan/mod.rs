//! The two steps of the bench, and what they end in: a [`Plan`], or [`Findings`]. What is left then is its documentation.
//!
//! Everything that can still be checked after a mistake is checked, so that an author sees a missing licence, a banned import
//! and a dependency that does not exist in one go. Only what leaves nothing to look at ends the first step: an upload that
//! cannot be unpacked, or a config that cannot be understood.

mod bench;
#[cfg(test)]
mod extras_tests;
#[cfg(test)]
mod inferred_tests;
mod paths;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use slipway_common::ids::{ExportKey, Exports, PackageName, PackagePath, Sha1, Sha256, Sha512};
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::dependency::Dependency;
use slipway_common::model::finding::Findings;
use url::Url;

use super::dependencies::{self, Needed};
use super::docs::{Documentation, Undocumented};
use super::files::Files;
use super::{Facts, Unsaid, Upload, meta, npm, outputs};
pub(super) use bench::{Bench, Look, is_too_deep};

/// Everything there is to store and to remember about a version. Nothing after it can refuse the package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The files to store, sorted by what they are.
    pub artefacts: Vec<Artefact>,
    /// The files of the package, by path.
    pub files: Vec<PlannedFile>,
    /// The exports as written.
    pub exports: Exports,
    /// Exports that lead to declarations whose types the compiler would have to infer.
    pub slow_exports: Vec<ExportKey>,
    /// Those declarations, by module: the names whose types in the npm package are `any`, in whole or in part.
    pub untyped: BTreeMap<PackagePath, BTreeSet<String>>,
    /// The licence as an SPDX expression.
    pub license: Option<String>,
    /// The readme at the root.
    pub readme: Option<PackagePath>,
    /// One line about the package.
    pub description: Option<String>,
    /// What it needs from elsewhere, sorted.
    pub dependencies: Vec<Dependency>,
    /// Whether any of that comes from npm.
    pub uses_npm: bool,
    /// Whether it declares types outside itself.
    pub augmentations: bool,
    /// Warnings and notes for its author.
    pub findings: Findings,
    /// The package as npm clients see it.
    pub npm: NpmPackage,
}

/// A file of the package as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// The path.
    pub path: PackagePath,
    /// Length in bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub digest: Sha256,
}

/// What a packument says about a version. The tarball itself is an artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpmPackage {
    /// The version's manifest as JSON text, without `dist`.
    pub manifest: String,
    /// `dist.integrity`.
    pub sha512: Sha512,
    /// `dist.shasum`.
    pub sha1: Sha1,
    /// `dist.fileCount`.
    pub file_count: u64,
    /// `dist.unpackedSize`.
    pub unpacked_size: u64,
    /// Which revision of the emit made the tarball.
    pub revision: u32,
}

/// A package that was looked at from all sides but one: whether what it depends on exists. It may hold errors already; they
/// are reported together with those of [`Draft::plan`].
pub struct Draft {
    bench: Bench,
    look: Look,
}

/// Unpacks, reads, rewrites and judges an upload.
///
/// # Errors
/// Everything that is wrong with it, when there is nothing left that facts could add.
pub fn examine(upload: &Upload) -> Result<Draft, Findings> {
    let mut bench = Bench::new(upload)?;
    let look = bench.look();
    let look = bench.settle(look, &|_, _| {});
    if look.findings.has_errors() && look.needed.iter().all(|needed| needed.package().is_none()) {
        return Err(sorted(look.findings));
    }
    Ok(Draft { bench, look })
}

impl Draft {
    /// The packages of this registry whose versions [`Facts`] must hold. Sorted, each once.
    #[must_use]
    pub fn references(&self) -> Vec<PackageName> {
        let names: BTreeSet<_> = self.look.needed.iter().filter_map(Needed::package).cloned().collect();
        names.into_iter().collect()
    }

    /// What a compiler could find out where the source does not say its types. Nothing when it says them all.
    #[must_use]
    pub fn unsaid(&self) -> Option<Unsaid> {
        let nowhere = Url::parse("file:///").ok()?;
        npm::unsaid(self.emit(&dependencies::stored(&self.look.needed), &nowhere))
    }

    fn emit<'a>(&'a self, dependencies: &'a [Dependency], public_url: &'a Url) -> npm::Emit<'a> {
        let (Bench { package, version, files, manifest, .. }, graph) = (&self.bench, &self.look.graph);
        let (declarations, parser) = (&graph.declarations, &*graph.sources);
        npm::Emit { graph: &graph.modules, declarations, parser, files, manifest, package, version, dependencies, public_url }
    }

    /// Checks the dependencies and makes everything that is stored but the documentation, which the second part is for.
    ///
    /// # Errors
    /// Everything that is wrong with the package, from both steps.
    pub fn plan(self, facts: &Facts) -> Result<(Plan, Undocumented), Findings> {
        let Self { mut bench, look } = self;
        let look = bench.settle(look, &|needed, findings| dependencies::check(needed, facts, findings));
        if look.findings.has_errors() {
            return Err(sorted(look.findings));
        }
        let dependencies = dependencies::stored(&look.needed);
        let mut draft = Self { bench, look };
        if let Some(mut inferred) = facts.inferred.clone() {
            npm::admit(draft.emit(&dependencies, &facts.public_url), &mut inferred);
            draft.look.graph.declarations.adopt(inferred);
        }
        let npm = npm::build(draft.emit(&dependencies, &facts.public_url));
        let Self { bench: Bench { package, version, limits, files, manifest, .. }, look } = draft;
        let Look { graph, augmentations, findings, .. } = look;
        let mut findings = paths::with_outcome(findings, &graph.declarations);
        let npm = npm.map_err(|problems| {
            findings.extend(problems);
            sorted(std::mem::take(&mut findings))
        })?;
        let mut artefacts = modules(&files);
        let meta = meta::build(&files, &manifest, &graph, augmentations);
        artefacts.push(Artefact::new(ArtefactKind::VersionMeta, Bytes::from(meta.to_bytes())));
        artefacts.push(Artefact::new(ArtefactKind::NpmTarball, npm.tarball));
        artefacts.sort_by(|a, b| a.kind.cmp(&b.kind));
        findings.extend(npm.findings);
        findings.extend(paths::notes(&graph));
        outputs::check(&artefacts, &package, &version, &limits, &mut findings);
        let findings = sorted(findings);
        if findings.has_errors() {
            return Err(findings);
        }
        let slow_exports = graph.declarations.slow.iter().cloned().collect();
        let untyped = graph.declarations.untyped.clone();
        let undocumented = Undocumented::new(graph, &manifest);
        let plan = Plan {
            files: planned(&artefacts),
            artefacts,
            exports: manifest.exports,
            slow_exports,
            untyped,
            license: manifest.license,
            readme: manifest.readme,
            description: manifest.description,
            uses_npm: dependencies::uses_npm(&dependencies),
            dependencies,
            augmentations,
            findings,
            npm: NpmPackage {
                manifest: serde_json::to_string(&npm.manifest).expect("a map with text keys always serialises"),
                sha512: npm.integrity,
                sha1: npm.shasum,
                file_count: npm.file_count,
                unpacked_size: npm.unpacked_size,
                revision: npm::EMIT_REVISION,
            },
        };
        Ok((plan, undocumented))
    }

    /// All of [`Draft::plan`], documentation included, at once: for those who have no reason to fear for the plan.
    ///
    /// # Errors
    /// Everything that is wrong with the package, from both steps.
    pub fn plan_whole(self, facts: &Facts) -> Result<Plan, Findings> {
        let (plan, undocumented) = self.plan(facts)?;
        Ok(plan.with(undocumented.document()))
    }
}

impl Plan {
    /// This plan with its documentation, whose size has limits of its own and whose keys are the same for every package.
    #[must_use]
    pub fn with(mut self, documentation: Documentation) -> Self {
        self.artefacts.extend(documentation.artefacts);
        self.artefacts.sort_by(|a, b| a.kind.cmp(&b.kind));
        self.findings.extend(documentation.findings);
        self.findings.sort();
        self
    }
}

fn modules(files: &Files) -> Vec<Artefact> {
    files.iter().map(|(path, bytes)| Artefact::new(ArtefactKind::Module(path.clone()), bytes.clone())).collect()
}

fn planned(artefacts: &[Artefact]) -> Vec<PlannedFile> {
    let files = artefacts.iter().filter_map(|artefact| match &artefact.kind {
        ArtefactKind::Module(path) => {
            let size = u64::try_from(artefact.bytes.len()).expect("a length in memory fits into 64 bits");
            Some(PlannedFile { path: path.clone(), size, digest: artefact.digest })
        }
        ArtefactKind::VersionMeta | ArtefactKind::NpmTarball | ArtefactKind::Docs { .. } => None,
    });
    files.collect()
}

fn sorted(mut findings: Findings) -> Findings {
    findings.sort();
    findings
}
