//! Stands in for rewriting specifiers.

use std::collections::{BTreeMap, BTreeSet};

use deno_ast::ParsedSource;
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::Finding;

use crate::pipeline::files::Files;
use crate::pipeline::manifest::Manifest;

/// Files whose specifiers are exact.
pub(in crate::pipeline) struct Rewritten {
    pub(in crate::pipeline) files: Files,
    pub(in crate::pipeline) unresolved: Vec<Finding>,
    pub(in crate::pipeline) warnings: Vec<Finding>,
    pub(in crate::pipeline) parsed: BTreeMap<PackagePath, ParsedSource>,
}

/// Leaves everything as it is.
pub(in crate::pipeline) fn rewrite(files: &Files, _: &Manifest, _: &PackageName, _: &Version, _: &BTreeSet<PackagePath>) -> Rewritten {
    Rewritten { files: files.clone(), unresolved: Vec::new(), warnings: Vec::new(), parsed: BTreeMap::new() }
}
