//! The two steps of the bench, and what they end in: a [`Plan`], or [`Findings`].
//!
//! Everything that can still be checked after a mistake is checked, so that an author sees a missing licence, a banned import
//! and a dependency that does not exist in one go. Only what leaves nothing to look at ends the first step: an upload that
//! cannot be unpacked, or a config that cannot be understood.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use slipway_common::ids::{ExportKey, Exports, PackageName, PackagePath, Sha1, Sha256, Sha512, Version};
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::dependency::Dependency;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};
use slipway_common::model::limits::UploadLimits;

use super::dependencies::{self, Needed};
use super::files::Files;
use super::graph::{self, Graph};
use super::manifest::{self, Manifest};
use super::rewrite::Rewritten;
use super::{Facts, Upload, docs, meta, nesting, npm, outputs, rewrite, rules, unpack};

/// Everything there is to store and to remember about a version. Nothing after it can refuse the package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The files to store, sorted by what they are.
    pub artefacts: Vec<Artefact>,
    /// The files of the package, by path.
    pub files: Vec<PlannedFile>,
    /// The exports as written.
    pub exports: Exports,
    /// Exports whose declarations the compiler would have to infer. The npm package has no types for them.
    pub slow_exports: Vec<ExportKey>,
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
    package: PackageName,
    version: Version,
    limits: UploadLimits,
    files: Files,
    manifest: Manifest,
    graph: Graph,
    needed: Vec<Needed>,
    augmentations: bool,
    findings: Findings,
}

/// Unpacks, reads, rewrites and judges an upload.
///
/// # Errors
/// Everything that is wrong with it, when there is nothing left that facts could add.
pub fn examine(upload: &Upload) -> Result<Draft, Findings> {
    let files = unpack::unpack(&upload.tarball, &upload.limits)?;
    let mut findings = Findings::default();
    let Some(manifest) = manifest::read(upload, &files, &mut findings) else { return Err(sorted(findings)) };
    let (files, graph) = rewritten(upload, &files, &manifest, &mut findings);
    let augmentations = rules::check(&graph, manifest.augmentations, &mut findings);
    let needed = dependencies::collect(&graph, &mut findings);
    if findings.has_errors() && needed.iter().all(|needed| needed.package().is_none()) {
        return Err(sorted(findings));
    }
    let Upload { package, version, limits, .. } = upload.clone();
    Ok(Draft { package, version, limits, files, manifest, graph, needed, augmentations, findings })
}

/// Makes every specifier exact and builds the graph of what came of it.
fn rewritten(upload: &Upload, files: &Files, manifest: &Manifest, findings: &mut Findings) -> (Files, Graph) {
    // Counted for every file before any is parsed. The graph counts again what it reaches, and reports it.
    let too_deep: BTreeSet<PackagePath> =
        files.iter().filter(|(path, bytes)| is_too_deep(path, bytes)).map(|(path, _)| path.clone()).collect();
    let rewritten = rewrite::rewrite(files, manifest, &upload.package, &upload.version, &too_deep);
    connected(upload, rewritten, manifest, findings)
}

/// Builds the graph of a package whose specifiers are exact, and says what both steps found about the files it reaches.
pub(super) fn connected(upload: &Upload, rewritten: Rewritten, manifest: &Manifest, findings: &mut Findings) -> (Files, Graph) {
    let mut of_graph = Findings::default();
    let graph = graph::build(&rewritten.files, manifest, &upload.package, &upload.version, rewritten.parsed, &mut of_graph);
    let reached = |found: BTreeMap<PackagePath, Vec<Finding>>| {
        let of_reached: Vec<Finding> = found.into_iter().filter(|(path, _)| graph.reaches(path)).flat_map(|(_, found)| found).collect();
        of_reached
    };
    let unresolved = reached(rewritten.unresolved);
    let (of_graph, unresolved) = told_once(of_graph, unresolved);
    findings.extend(of_graph);
    findings.extend(unresolved);
    findings.extend(reached(rewritten.warnings));
    (rewritten.files, graph)
}

/// An import that was not resolved is an import that does not load: the graph says it in the words that authors know from JSR, the
/// rewriting knows what was tried. One finding has both.
fn told_once(of_graph: Findings, unresolved: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    let mut tried: BTreeMap<Place, Finding> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    for finding in unresolved {
        match finding.place.clone() {
            Some(place) => drop(tried.entry(place).or_insert(finding)),
            None => elsewhere.push(finding),
        }
    }
    let join = |mut finding: Finding| {
        let same = finding.place.as_ref().filter(|_| finding.code == FindingCode::GraphError).and_then(|place| tried.remove(place));
        if let Some(same) = same {
            finding.hint = same.hint.or(finding.hint);
        }
        finding
    };
    let of_graph = of_graph.into_iter().map(join).collect();
    (of_graph, tried.into_values().chain(elsewhere).collect())
}

/// Whether the file is source that nests deeper than the parser can follow.
pub(super) fn is_too_deep(path: &PackagePath, bytes: &[u8]) -> bool {
    graph::is_script(path) && nesting::check(path, &String::from_utf8_lossy(bytes)).is_some()
}

impl Draft {
    /// The packages of this registry whose versions [`Facts`] must hold. Sorted, each once.
    #[must_use]
    pub fn references(&self) -> Vec<PackageName> {
        let names: BTreeSet<_> = self.needed.iter().filter_map(Needed::package).cloned().collect();
        names.into_iter().collect()
    }

    /// Checks the dependencies and makes everything that is stored.
    ///
    /// # Errors
    /// Everything that is wrong with the package, from both steps.
    pub fn plan(mut self, facts: &Facts) -> Result<Plan, Findings> {
        dependencies::check(&self.needed, facts, &mut self.findings);
        if self.findings.has_errors() {
            return Err(sorted(self.findings));
        }
        let dependencies = dependencies::stored(&self.needed);
        let npm = npm::build(npm::Emit {
            graph: &self.graph.modules,
            parser: &self.graph.sources,
            files: &self.files,
            manifest: &self.manifest,
            package: &self.package,
            version: &self.version,
            dependencies: &dependencies,
            public_url: &facts.public_url,
        });
        match npm {
            Ok(npm) => self.finish(dependencies, npm),
            Err(findings) => {
                self.findings.extend(findings);
                Err(sorted(self.findings))
            }
        }
    }

    fn finish(mut self, dependencies: Vec<Dependency>, npm: npm::NpmPackage) -> Result<Plan, Findings> {
        let mut artefacts = modules(&self.files);
        let meta = meta::build(&self.files, &self.manifest, &self.graph, self.augmentations);
        artefacts.push(Artefact::new(ArtefactKind::VersionMeta, Bytes::from(meta.to_bytes())));
        artefacts.extend(docs::build(&self.graph, &self.manifest, &mut self.findings));
        artefacts.push(Artefact::new(ArtefactKind::NpmTarball, npm.tarball));
        artefacts.sort_by(|a, b| a.kind.cmp(&b.kind));
        self.findings.extend(npm.findings);
        outputs::check(&artefacts, &self.package, &self.version, &self.limits, &mut self.findings);
        let findings = sorted(self.findings);
        if findings.has_errors() {
            return Err(findings);
        }
        Ok(Plan {
            files: planned(&artefacts),
            artefacts,
            exports: self.manifest.exports,
            slow_exports: self.graph.slow_exports.into_iter().collect(),
            license: self.manifest.license,
            readme: self.manifest.readme,
            description: self.manifest.description,
            uses_npm: dependencies::uses_npm(&dependencies),
            dependencies,
            augmentations: self.augmentations,
            findings,
            npm: NpmPackage {
                manifest: serde_json::to_string(&npm.manifest).expect("a map with text keys always serialises"),
                sha512: npm.integrity,
                sha1: npm.shasum,
                file_count: npm.file_count,
                unpacked_size: npm.unpacked_size,
                revision: npm::EMIT_REVISION,
            },
        })
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
