//! The npm side: from the module graph of a package to the tarball that npm clients install.
//!
//! What the author wrote stays where it is; things are only added. JavaScript is emitted beside its source, declarations go
//! under a directory of their own, and `package.json` is ours. Inside the modules of the graph specifiers are rewritten so
//! that Node and TypeScript resolve them: textually where a file stays as it is, in the syntax tree where it is emitted (after
//! all transforms, so that what a transform injects is rewritten like what an author wrote).
//!
//! The same input gives the same bytes on every machine. A version is built once and never again, and [`EMIT_REVISION`] says
//! by which edition of these rules; a golden test holds the bytes still.
//!
//! What cannot be emitted degrades with a warning: the module ships as it is, or its types are left out. Nothing here stops a
//! publish that the rules let through, except output that cannot be packed at all.
//!
//! Deliberately not here: the packument, `dist-tags` and signatures, which belong to committing and announcing a version.

mod assets;
mod augmentations;
mod declarations;
mod edits;
mod emit;
mod faithful;
mod inferred;
mod jsx;
mod layout;
mod maps;
mod names;
mod pack;
mod package_json;
mod placeholders;
mod references;
mod specifiers;
#[cfg(test)]
mod tests;
mod tree;
mod unsaid;
mod using;
mod walk;

use bytes::Bytes;
use deno_graph::ModuleGraph;
use deno_graph::ast::EsParser;
use serde_json::{Map, Value};
use slipway_common::ids::{PackageName, Sha1, Sha512, Version};
use slipway_common::model::dependency::Dependency;
use slipway_common::model::finding::{Finding, FindingCode, Findings};
use url::Url;

pub(super) use self::inferred::admit;
pub(super) use self::unsaid::unsaid;
use super::files::Files;
use super::graph::Declarations;
use super::manifest::Manifest;

/// The edition of the rules in this room. It is recorded with each version and goes up whenever the same package would give
/// other bytes.
pub const EMIT_REVISION: u32 = 3;

/// Everything the emit looks at.
#[derive(Clone, Copy)]
pub struct Emit<'a> {
    /// The graph of the package, its files at `file:///<path>`.
    pub graph: &'a ModuleGraph,
    /// What TypeScript is told about its modules.
    pub declarations: &'a Declarations,
    /// Gives the syntax tree of a module. The parser that captured the trees when the graph was built answers without parsing.
    pub parser: &'a dyn EsParser,
    /// The files as they are stored, specifiers already exact.
    pub files: &'a Files,
    /// What the author declared.
    pub manifest: &'a Manifest,
    /// The package.
    pub package: &'a PackageName,
    /// The version.
    pub version: &'a Version,
    /// The registry's own address, with a trailing slash.
    pub public_url: &'a Url,
    /// What the package needs from elsewhere.
    pub dependencies: &'a [Dependency],
}

/// The npm form of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct NpmPackage {
    /// The gzip-compressed tar.
    pub tarball: Bytes,
    /// The `package.json` in the tarball, which is also what the packument says of the version.
    pub manifest: Map<String, Value>,
    /// `dist.integrity`.
    pub integrity: Sha512,
    /// `dist.shasum`.
    pub shasum: Sha1,
    /// `dist.fileCount`.
    pub file_count: u64,
    /// `dist.unpackedSize`.
    pub unpacked_size: u64,
    /// What was lost on the way. Never an error.
    pub findings: Findings,
}

/// Builds the npm form of a package.
///
/// # Errors
/// When the files cannot be packed into a tarball.
pub fn build(emit: Emit<'_>) -> Result<NpmPackage, Findings> {
    let mut findings = Findings::default();
    let mut tree = tree::Tree::new(emit.files);
    let layout = layout::Layout::plan(&emit, &mut tree);
    let names = names::Names::new(emit.package, emit.dependencies);
    let resolver = specifiers::Resolver { emit, layout: &layout, names: &names };

    let sources = emit::modules(&resolver, &mut tree, &mut findings);
    declarations::modules(&resolver, &sources, &mut tree, &mut findings);
    assets::declare(&resolver, &layout, &mut tree);
    let bins = package_json::bins(&resolver, &mut findings);
    for path in bins.values() {
        tree.make_executable(path);
    }
    let manifest = package_json::manifest(&resolver, &tree, &bins);
    tree.replace(package_json::PATH, package_json::to_bytes(&manifest));

    let packed = pack::pack(&tree).map_err(|error| {
        Findings::from(Finding::error(FindingCode::NpmTarballError, format!("the npm tarball could not be made: {error}")))
    })?;
    findings.sort();
    Ok(NpmPackage {
        integrity: Sha512::of(&packed),
        shasum: Sha1::of(&packed),
        tarball: packed,
        manifest,
        file_count: tree.len() as u64,
        unpacked_size: tree.size(),
        findings,
    })
}
