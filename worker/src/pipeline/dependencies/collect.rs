//! From the imports of a graph to the packages they name.

use std::collections::BTreeMap;

use deno_graph::{ImportKind, Module, ModuleSpecifier, Range, Resolution};
use deno_semver::jsr::JsrPackageReqReference;
use deno_semver::npm::NpmPackageReqReference;
use deno_semver::package::PackageReq;
use slipway_common::ids::{ExportKey, PackageName};
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::{Needed, Target};
use crate::pipeline::graph::{Graph, place_of_range, shorten};

/// Longest version range, and longest sub-path, of a specifier. The database looks dependencies up by all their parts together,
/// and PostgreSQL refuses a row of an index above 2,704 bytes. A name has at most [`MAX_NPM_NAME_BYTES`], so two such parts fit;
/// the longest that people have written are a tenth of it.
const MAX_PART_BYTES: usize = 1_024;

/// Longest name of an npm package, its scope included: the limit of the npm registry.
const MAX_NPM_NAME_BYTES: usize = 214;

/// Finds every package that the graph imports from, once for each range and sub-path, and reports specifiers that may not
/// lead out of a package. Sorted.
pub fn collect(graph: &Graph, findings: &mut Findings) -> Vec<Needed> {
    let mut collector = Collector { graph, findings, needed: BTreeMap::new() };
    for module in graph.modules.modules() {
        collector.module(module);
    }
    collector.needed.into_iter().map(|(dependency, (place, target))| Needed { dependency, place, target }).collect()
}

struct Collector<'a> {
    graph: &'a Graph,
    findings: &'a mut Findings,
    needed: BTreeMap<Dependency, (Place, Target)>,
}

impl Collector<'_> {
    fn module(&mut self, module: &Module) {
        if let Some(types) = module.maybe_types_dependency() {
            self.resolution(&types.dependency, false);
        }
        for dependency in module.dependencies().values() {
            let ambient =
                !dependency.imports.is_empty() && dependency.imports.iter().all(|import| import.kind == ImportKind::TsModuleAugmentation);
            self.resolution(&dependency.maybe_code, ambient);
            self.resolution(&dependency.maybe_type, ambient);
        }
    }

    /// `ambient` is a `declare module "…"`, which may name anything and loads nothing.
    fn resolution(&mut self, resolution: &Resolution, ambient: bool) {
        let Some(resolved) = resolution.ok() else { return };
        let (specifier, range) = (&resolved.specifier, &resolved.range);
        match specifier.scheme() {
            "file" | "data" | "node" | "bun" | "virtual" | "cloudflare" => {}
            "npm" => self.npm(specifier, range),
            "jsr" => self.jsr(specifier, range),
            "http" | "https" => {
                let hint = "import it from 'jsr:' or 'npm:', or put the file into the package";
                self.external(specifier, range, "http(s) import", hint);
            }
            _ if ambient => {}
            _ => {
                let hint = "allowed are relative paths and 'jsr:', 'npm:', 'node:', 'data:', 'bun:', 'virtual:' and 'cloudflare:'";
                self.external(specifier, range, "unsupported scheme", hint);
            }
        }
    }

    fn external(&mut self, specifier: &ModuleSpecifier, range: &Range, why: &str, hint: &str) {
        let message = format!("invalid external import '{}' ({why})", shorten(specifier.as_str()));
        let finding = Finding::error(FindingCode::InvalidExternalImport, message);
        self.findings.push(finding.at(place_of_range(range)).hint(hint));
    }

    fn npm(&mut self, specifier: &ModuleSpecifier, range: &Range) {
        // One that cannot be read is an error of the graph, with its own code.
        let Ok(reference) = NpmPackageReqReference::from_specifier(specifier) else { return };
        let (req, sub_path) = (reference.req(), reference.sub_path().unwrap_or_default());
        if !is_npm_name(&req.name) {
            let message = format!("invalid 'npm:' specifier '{}': no npm package can have this name", shorten(specifier.as_str()));
            let finding = Finding::error(FindingCode::InvalidNpmSpecifier, message).at(place_of_range(range));
            return self.findings.push(finding.hint("write 'npm:package@^1.0.0' or 'npm:@scope/package@^1.0.0'"));
        }
        if self.has_constraint(DependencyKind::Npm, req, range) {
            self.need(DependencyKind::Npm, req, sub_path, range, Target::Npm);
        }
    }

    fn jsr(&mut self, specifier: &ModuleSpecifier, range: &Range) {
        let Ok(reference) = JsrPackageReqReference::from_specifier(specifier) else { return };
        if self.graph.is_unknown_own_export(specifier) || reference.req().version_req.tag().is_some() {
            return;
        }
        let req = reference.req();
        let has_constraint = self.has_constraint(DependencyKind::Jsr, req, range);
        let package = match PackageName::try_from(req.name.as_str()) {
            Ok(package) => package,
            Err(problem) => {
                let message = format!("invalid 'jsr:' dependency '{}': {problem}", shorten(specifier.as_str()));
                let finding = Finding::error(FindingCode::InvalidJsrScopedPackageName, message);
                return self.findings.push(finding.at(place_of_range(range)).hint("write 'jsr:@scope/package@^1'"));
            }
        };
        let export = match ExportKey::try_from(reference.export_name().as_ref()) {
            Ok(export) => export,
            Err(problem) => {
                let message = format!("invalid sub-path in 'jsr:' dependency '{}': export {problem}", shorten(specifier.as_str()));
                let finding = Finding::error(FindingCode::InvalidJsrDependencySubPath, message);
                return self.findings.push(finding.at(place_of_range(range)));
            }
        };
        if has_constraint {
            let sub_path = export.as_str().strip_prefix("./").unwrap_or_default().to_owned();
            let target = Target::Jsr { package, range: req.version_req.clone(), export };
            self.need(DependencyKind::Jsr, req, &sub_path, range, target);
        }
    }

    fn has_constraint(&mut self, kind: DependencyKind, req: &PackageReq, range: &Range) -> bool {
        if req.version_req.version_text() != "*" {
            return true;
        }
        let (kind, name) = (kind.as_str(), shorten(&req.name));
        let message = format!("'{kind}:' specifier '{kind}:{name}' has no version constraint");
        let hint = format!("add one, '{kind}:{name}@^1.0.0', so that a later version cannot break the package");
        self.findings.push(Finding::error(FindingCode::MissingConstraint, message).at(place_of_range(range)).hint(hint));
        false
    }

    fn need(&mut self, kind: DependencyKind, req: &PackageReq, sub_path: &str, range: &Range, target: Target) {
        let constraint = req.version_req.version_text().to_owned();
        for (what, text) in [("version range", constraint.as_str()), ("sub-path", sub_path)] {
            if text.len() > MAX_PART_BYTES {
                let kind_name = kind.as_str();
                let message = format!(
                    "invalid '{kind_name}:' specifier for '{}': its {what} has {} bytes, and {MAX_PART_BYTES} are the most",
                    shorten(&req.name),
                    text.len()
                );
                let code = match kind {
                    DependencyKind::Npm => FindingCode::InvalidNpmSpecifier,
                    DependencyKind::Jsr => FindingCode::InvalidJsrSpecifier,
                };
                let finding = Finding::error(code, message).at(place_of_range(range));
                return self.findings.push(finding.hint(format!("write a shorter {what}")));
            }
        }
        let dependency = Dependency { kind, name: req.name.to_string(), constraint, path: sub_path.to_owned() };
        let place = place_of_range(range);
        let entry = self.needed.entry(dependency).or_insert_with(|| (place.clone(), target));
        if place < entry.0 {
            entry.0 = place;
        }
    }
}

/// Whether npm could know a package of this name. Old packages have names that new ones may not have, with capitals and with
/// `~!'()*`, so this is what npm's own client accepts in a `package.json`.
fn is_npm_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
        !part.is_empty() && !part.starts_with(['.', '_']) && part.bytes().all(is_plain)
    };
    let is_well_formed = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| is_part(scope) && is_part(name)),
        None => is_part(name),
    };
    is_well_formed && name.len() <= MAX_NPM_NAME_BYTES
}
