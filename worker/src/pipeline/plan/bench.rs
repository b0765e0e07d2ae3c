//! The first step, as often as it takes: a package is looked at, and when a mistake is in one of its extras alone, that extra is
//! given up and the package looked at again.

use std::collections::{BTreeMap, BTreeSet};

use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place, Severity};
use slipway_common::model::limits::UploadLimits;

use crate::pipeline::dependencies::{self, Needed};
use crate::pipeline::files::Files;
use crate::pipeline::graph::{self, Extras, Graph, Trees};
use crate::pipeline::manifest::{self, Manifest};
use crate::pipeline::rewrite::Rewritten;
use crate::pipeline::{Upload, nesting, rewrite, rules, unpack};

/// Looks until every extra with a mistake is given up. One is the rule. A second finds nothing new, unless there were more
/// mistakes than are held; then, after the last, all extras go.
const MAX_LOOKS: usize = 4;

/// A package that was unpacked and rewritten, and what was said about it so far.
pub(in crate::pipeline) struct Bench {
    pub(super) package: PackageName,
    pub(super) version: Version,
    pub(super) limits: UploadLimits,
    pub(super) files: Files,
    pub(super) manifest: Manifest,
    trees: Trees,
    /// What holds whatever the graph is.
    findings: Findings,
    /// What the rewriting said, by file. It counts where the graph reaches the file.
    unresolved: BTreeMap<PackagePath, Vec<Finding>>,
    warnings: BTreeMap<PackagePath, Vec<Finding>>,
}

/// What was seen.
pub(in crate::pipeline) struct Look {
    pub(in crate::pipeline) graph: Graph,
    pub(super) needed: Vec<Needed>,
    pub(super) augmentations: bool,
    /// All findings up to here.
    pub(in crate::pipeline) findings: Findings,
}

impl Bench {
    /// Unpacks an upload, reads its config and makes every specifier exact.
    pub(super) fn new(upload: &Upload) -> Result<Self, Findings> {
        let files = unpack::unpack(&upload.tarball, &upload.limits)?;
        let mut findings = Findings::default();
        let Some(manifest) = manifest::read(upload, &files, &mut findings) else { return Err(super::sorted(findings)) };
        // Counted for every file before any is parsed. The graph counts again what it reaches, and reports it.
        let too_deep: BTreeSet<PackagePath> =
            files.iter().filter(|(path, bytes)| is_too_deep(path, bytes)).map(|(path, _)| path.clone()).collect();
        let rewritten = rewrite::rewrite(&files, &manifest, &upload.package, &upload.version, &too_deep);
        Ok(Self::over(upload, manifest, rewritten, findings))
    }

    /// A bench for a package whose specifiers are exact already. `findings` are those of its config.
    pub(in crate::pipeline) fn over(upload: &Upload, manifest: Manifest, rewritten: Rewritten, findings: Findings) -> Self {
        let Rewritten { files, unresolved, warnings, parsed, .. } = rewritten;
        let Upload { package, version, limits, .. } = upload.clone();
        Self { package, version, limits, files, manifest, trees: Trees::new(parsed), findings, unresolved, warnings }
    }

    /// Builds the graph and judges what it reaches.
    pub(in crate::pipeline) fn look(&self) -> Look {
        let mut of_graph = Findings::default();
        let graph = graph::build(&self.files, &self.manifest, &self.package, &self.version, &self.trees, &mut of_graph);
        let reached = |found: &BTreeMap<PackagePath, Vec<Finding>>| -> Vec<Finding> {
            let of_reached = found.iter().filter(|(path, _)| graph.reaches(path));
            // What is not needed to run is not worth a refusal. The graph judges imports in the same way.
            let weighed = of_reached.flat_map(|(path, found)| {
                let most = if graph.runs(path) { Severity::Error } else { Severity::Warning };
                found.iter().map(move |finding| Finding { severity: finding.severity.min(most), ..finding.clone() })
            });
            weighed.collect()
        };
        let mut findings = self.findings.clone();
        let of_rewriting = reached(&self.unresolved).into_iter().chain(reached(&self.warnings));
        findings.extend(told_once(of_graph, of_rewriting));
        let augmentations = rules::check(&graph, self.manifest.augmentations, &mut findings);
        let needed = dependencies::collect(&graph, &mut findings);
        Look { graph, needed, augmentations, findings }
    }

    /// Gives up the extras that have mistakes. `judge` adds what it finds wrong with the dependencies.
    pub(in crate::pipeline) fn settle(&mut self, mut look: Look, judge: &dyn Fn(&[Needed], &mut Findings)) -> Look {
        for round in 1.. {
            judge(&look.needed, &mut look.findings);
            let of_extras: Vec<Finding> = look.findings.iter().filter(|finding| look.graph.extras.concerns(finding)).cloned().collect();
            if of_extras.is_empty() {
                break;
            }
            self.findings.extend(Extras::forgo(&look.graph.modules, &of_extras, &mut self.manifest));
            if round >= MAX_LOOKS {
                graph::forgo_all(&mut self.manifest);
            }
            self.findings.extend(of_extras.into_iter().map(|finding| Finding { severity: Severity::Warning, ..finding }));
            look = self.look();
        }
        look
    }
}

/// An import that was not resolved is an import that does not load: the graph says it in the words that authors know from JSR, the
/// rewriting knows what was tried. One finding has both.
fn told_once(of_graph: Findings, of_rewriting: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let (unresolved, others): (Vec<_>, Vec<_>) = of_rewriting.partition(|finding| finding.code == FindingCode::UnresolvedSpecifier);
    // A dependency that only the author's machine can resolve has a finding of its own, which says more than that it leads nowhere.
    let is_explained = |finding: &Finding| {
        let explains = |other: &Finding| other.code == FindingCode::UnsupportedDependencyProtocol && other.place == finding.place;
        finding.code == FindingCode::GraphError && finding.place.is_some() && others.iter().any(explains)
    };
    let mut tried: BTreeMap<Option<Place>, Finding> = BTreeMap::new();
    for finding in unresolved {
        tried.entry(finding.place.clone()).or_insert(finding);
    }
    let join = |mut finding: Finding| {
        if matches!(finding.code, FindingCode::GraphError | FindingCode::InvalidExternalImport)
            && let Some(same) = tried.remove(&finding.place)
        {
            let places = same.message.split_once("; tried ").map(|(_, places)| format!("tried {places}"));
            let hints: Vec<String> = places.into_iter().chain(same.hint.or(finding.hint)).collect();
            finding.hint = (!hints.is_empty()).then(|| hints.join("; "));
        }
        finding
    };
    let of_graph: Vec<Finding> = of_graph.into_iter().filter(|finding| !is_explained(finding)).map(join).collect();
    of_graph.into_iter().chain(tried.into_values()).chain(others).collect()
}

/// Whether the file is source that nests deeper than the parser can follow.
pub(in crate::pipeline) fn is_too_deep(path: &PackagePath, bytes: &[u8]) -> bool {
    graph::is_script(path) && nesting::check(path, &String::from_utf8_lossy(bytes)).is_some()
}
