//! Which files of a directory its exports reach, for whoever packs the directory.
//!
//! The directory may hold far more than the package. What is found here is enough: an upload of these files alone is read,
//! rewritten and connected as the whole directory would be. It is put together from three sources, each of which is the stage of
//! the pipeline itself and none a copy of it:
//!
//! * the files that reading the config looked into or chose, with the built files and maps that lead to a source;
//! * the files that rewriting follows from the exports, from programs that `bin` names, and from declarations beside JavaScript;
//! * the files in the module graph, which knows the imports of WebAssembly too.
//!
//! Deliberately not here: what else belongs into a package, such as its readme, and what must never be in one.

mod assets;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use slipway_common::ids::{Exports, PackageName, PackagePath, Version};
use slipway_common::model::finding::Findings;
use slipway_common::model::limits::UploadLimits;

use super::files::Files;
use super::graph::{self, Graph};
use super::manifest::{self, Manifest};
use super::rewrite::{self, Pass};
use super::{Upload, dependencies, plan, rules};

/// What is going to be published from a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// The config file.
    pub config: PackagePath,
}

/// What the exports of a directory reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Every file that has to be in the upload, by path.
    pub files: BTreeSet<PackagePath>,
    /// Those among them that the module graph holds.
    pub modules: BTreeSet<PackagePath>,
    /// The entry points as they will be published.
    pub exports: Exports,
    /// What is wrong with the package, or worth knowing, as far as it shows without looking at other packages.
    pub findings: Findings,
}

/// Finds out what the exports reach.
///
/// The text of a file that is neither source, JSON, a source map, WebAssembly nor a licence is not looked at and may be empty.
///
/// # Errors
/// When the config cannot be understood, so that there are no exports.
pub fn reach(target: &Target, files: &Files) -> Result<Reach, Findings> {
    let Target { package, version, config } = target.clone();
    let upload = Upload { package, version, config, tarball: Bytes::new(), limits: UploadLimits::default() };
    let mut findings = Findings::default();
    let (manifest, mut reached) = manifest::read_noting(&upload, files, &mut findings);
    let Some(manifest) = manifest else {
        findings.sort();
        return Err(findings);
    };
    let mut pass = Pass::over(&upload, files, &manifest, &plan::is_too_deep);
    pass.follow(rewrite::entry_points(&manifest).chain(programs(&manifest, files)));
    let (graph, found) = loop {
        follow_all(&mut pass, &manifest, files);
        let mut found = Findings::default();
        let (_, graph) = plan::connected(&upload, pass.rewritten(), &manifest, &mut found);
        // What WebAssembly imports shows in the graph first, and may be source that has imports of its own.
        let unseen: Vec<_> = in_graph(&graph, files).into_iter().filter(|path| !pass.seen().contains(path)).collect();
        if unseen.is_empty() {
            break (graph, found);
        }
        pass.follow(unseen);
    };
    findings.extend(found);
    rules::check(&graph, manifest.augmentations, &mut findings);
    dependencies::collect(&graph, &mut findings);
    findings.sort();
    reached.extend(pass.seen().iter().cloned());
    Ok(Reach { files: reached, modules: in_graph(&graph, files), exports: manifest.exports, findings })
}

/// Follows what belongs to the modules that were seen, until nothing new comes of it: declarations of JavaScript, which the manifest
/// pairs with it or which lie beside it, and files that a module opens by their address.
fn follow_all(pass: &mut Pass<'_>, manifest: &Manifest, files: &Files) {
    let mut looked_at = BTreeSet::new();
    loop {
        let new: Vec<PackagePath> = pass.seen().iter().filter(|path| !looked_at.contains(*path)).cloned().collect();
        if new.is_empty() {
            return;
        }
        let paired = new.iter().filter_map(|path| manifest.declarations.get(path).cloned());
        let beside = new.iter().filter_map(|path| declarations_beside(path, files));
        let opened = new.iter().filter(|path| graph::is_script(path)).flat_map(|path| assets::opened(path, files));
        pass.follow(paired.chain(beside).chain(opened).collect::<Vec<_>>());
        looked_at.extend(new);
    }
}

/// `a.d.ts` for `a.js`, if it is there.
fn declarations_beside(script: &PackagePath, files: &Files) -> Option<PackagePath> {
    const BESIDE: [(&str, &str); 3] = [(".mjs", ".d.mts"), (".js", ".d.ts"), (".jsx", ".d.ts")];
    let (stem, ending) = BESIDE.iter().find_map(|(ending, beside)| Some((script.as_str().strip_suffix(ending)?, beside)))?;
    existing(&format!("{stem}{ending}"), files)
}

/// The programs that `bin` of `package.json` names, which npm clients run.
fn programs(manifest: &Manifest, files: &Files) -> Vec<PackagePath> {
    let named = match manifest.package_json.as_ref().and_then(|package| package.get("bin")) {
        Some(Value::String(path)) => vec![path.as_str()],
        Some(Value::Object(bins)) => bins.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let rooted = |path: &str| format!("/{}", path.trim_start_matches("./").trim_start_matches('/'));
    named
        .into_iter()
        .filter_map(|path| existing(&rooted(path), files).or_else(|| existing(&format!("{}.js", rooted(path)), files)))
        .collect()
}

fn existing(path: &str, files: &Files) -> Option<PackagePath> {
    let path = PackagePath::try_from(path).ok()?;
    files.contains(path.as_str()).then_some(path)
}

/// The files of the package that the graph holds, modules and assets.
fn in_graph(graph: &Graph, files: &Files) -> BTreeSet<PackagePath> {
    let specifiers = graph.modules.specifiers().map(|(specifier, _)| specifier);
    let redirected = graph.modules.redirects.values();
    specifiers.chain(redirected).filter_map(graph::path_of).filter(|path| files.contains(path.as_str())).collect()
}
