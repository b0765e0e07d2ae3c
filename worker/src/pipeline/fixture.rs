//! Small packages for the tests of this room.

use std::collections::BTreeMap;

use bytes::Bytes;
use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, Findings, Severity};

use super::files::Files;
use super::graph::{self, Graph, Trees};
use super::manifest::{Manifest, NpmFields, Resolution};

/// A package in memory: `@own/pkg@1.2.3`.
pub(crate) struct Package {
    pub(crate) files: Files,
    pub(crate) manifest: Manifest,
}

impl Package {
    /// The files, with `./mod.ts` as the only export.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (path_named(path), Bytes::copy_from_slice(text.as_bytes()))).collect();
        Self { files, manifest: manifest() }.exporting(&[(".", "./mod.ts")])
    }

    /// The same package with other exports.
    pub(crate) fn exporting(mut self, exports: &[(&str, &str)]) -> Self {
        let pairs = exports.iter().map(|(key, target)| (ExportKey::try_from(*key).unwrap(), ExportTarget::try_from(*target).unwrap()));
        self.manifest.exports = Exports(pairs.collect());
        self
    }

    /// The same package with one more file of any bytes.
    pub(crate) fn with_bytes(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.insert(path_named(path), Bytes::copy_from_slice(bytes));
        self
    }

    /// Its graph, and what is wrong with it.
    pub(crate) fn graph(&self) -> (Graph, Findings) {
        let mut findings = Findings::default();
        let graph = graph::build(&self.files, &self.manifest, &name(), &version(), &Trees::new(BTreeMap::new()), &mut findings);
        findings.sort();
        (graph, findings)
    }
}

pub(crate) fn name() -> PackageName {
    PackageName::try_from("@own/pkg").unwrap()
}

pub(crate) fn version() -> Version {
    Version::try_from("1.2.3").unwrap()
}

pub(crate) fn path_named(path: &str) -> PackagePath {
    PackagePath::try_from(path).unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        declarations: BTreeMap::new(),
        config: path_named("/jsr.json"),
        exports: Exports::default(),
        license: Some("MIT".to_owned()),
        readme: None,
        description: None,
        augmentations: false,
        npm: NpmFields::default(),
        resolution: Resolution::default(),
        package_json: None,
    }
}

/// Each finding on a line: severity, code, place, message, hint.
pub(crate) fn lines(findings: &Findings) -> Vec<String> {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = finding.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
    let hint = finding.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{severity} {}{place}: {}{hint}", finding.code, finding.message)
}
