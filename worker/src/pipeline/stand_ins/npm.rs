//! Stands in for the npm side.

use bytes::Bytes;
use slipway_common::ids::{PackageName, Sha1, Sha512, Version};
use slipway_common::model::dependency::Dependency;
use slipway_common::model::finding::Finding;
use url::Url;

use crate::pipeline::files::Files;
use crate::pipeline::graph::Graph;
use crate::pipeline::manifest::Manifest;
use crate::pipeline::plan::NpmPackage;

/// What the tarball is made of.
#[expect(dead_code, reason = "the stand-in looks at names only")]
pub(in crate::pipeline) struct Input<'a> {
    pub(in crate::pipeline) graph: &'a Graph,
    pub(in crate::pipeline) files: &'a Files,
    pub(in crate::pipeline) manifest: &'a Manifest,
    pub(in crate::pipeline) package: &'a PackageName,
    pub(in crate::pipeline) version: &'a Version,
    pub(in crate::pipeline) dependencies: &'a [Dependency],
    pub(in crate::pipeline) public_url: &'a Url,
}

/// What came of it.
pub(in crate::pipeline) struct Emitted {
    pub(in crate::pipeline) tarball: Bytes,
    pub(in crate::pipeline) package: NpmPackage,
    pub(in crate::pipeline) warnings: Vec<Finding>,
}

/// Makes something of the right shape.
#[expect(clippy::unnecessary_wraps, reason = "the real stage can fail")]
pub(in crate::pipeline) fn build(input: &Input) -> Result<Emitted, Finding> {
    let tarball = Bytes::from(input.package.npm_name());
    let package = NpmPackage {
        manifest: format!("{{\"name\":\"{}\",\"version\":\"{}\"}}", input.package.npm_name(), input.version),
        sha512: Sha512::of(&tarball),
        sha1: Sha1::of(&tarball),
        file_count: 1,
        unpacked_size: 1,
        revision: 1,
    };
    Ok(Emitted { tarball, package, warnings: Vec::new() })
}
