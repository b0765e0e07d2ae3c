//! Which file an entry point is: the TypeScript it was written in where that is in the package, else what was built.

use slipway_common::ids::PackagePath;

use super::super::index::FileIndex;
use super::conditions::Leaf;
use super::kind::{self, Kind};
use super::maps::Maps;
use super::names;
use super::patterns::fill;

/// A target that is a file of the package.
struct Candidate<'a> {
    leaf: Leaf<'a>,
    path: PackagePath,
    kind: Kind,
}

/// What became of an entry point.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This file.
    Entry {
        /// The file.
        path: PackagePath,
        /// Its declarations, if it is JavaScript and they are known.
        declarations: Option<PackagePath>,
        /// The built file that the config names, if the source was taken instead.
        instead_of: Option<PackagePath>,
    },
    /// The targets are files that cannot be entry points; the text says of which kind.
    Unusable(&'static str),
    /// No target is in the package.
    Missing,
}

/// Chooses among the targets of one key; `star` is what a wildcard stands for.
pub(super) fn choose(leaves: &[Leaf<'_>], star: Option<&str>, index: &FileIndex<'_>, maps: &Maps<'_>) -> Choice {
    let mut found: Vec<Candidate<'_>> = leaves.iter().filter_map(|leaf| candidate(leaf, star, index)).collect();
    if found.is_empty() {
        return Choice::Missing;
    }
    // What is for a browser alone is taken only where nothing else is.
    if found.iter().any(|one| !one.leaf.is_special()) {
        found.retain(|one| !one.leaf.is_special());
    }
    found.sort_by_key(|one| (!one.leaf.source, one.leaf.types, one.leaf.distance));
    let of = |kind| found.iter().filter(move |one| one.kind == kind);
    let built = || of(Kind::Script).chain(of(Kind::CommonJs)).chain(of(Kind::Declarations)).map(|one| &one.path);
    if let Some(source) = of(Kind::Source).next() {
        return entry(source.path.clone(), None, built().next().cloned());
    }
    let source = built().find_map(|path| maps.source_of(path)).or_else(|| built().find_map(|path| names::source_of(path, index)));
    if let Some(source) = source {
        return entry(source, None, built().next().cloned());
    }
    let declarations = of(Kind::Declarations).next().map(|one| one.path.clone());
    match (of(Kind::Script).next(), declarations) {
        (Some(script), named) => entry(script.path.clone(), sibling(&script.path, index).or(named), None),
        (None, Some(declarations)) if of(Kind::CommonJs).next().is_none() => entry(declarations, None, None),
        _ if of(Kind::CommonJs).next().is_some() => Choice::Unusable("is CommonJS, which cannot be published"),
        _ => Choice::Unusable("is neither TypeScript nor JavaScript"),
    }
}

fn entry(path: PackagePath, declarations: Option<PackagePath>, instead_of: Option<PackagePath>) -> Choice {
    Choice::Entry { path, declarations, instead_of }
}

fn candidate<'a>(leaf: &Leaf<'a>, star: Option<&str>, index: &FileIndex<'_>) -> Option<Candidate<'a>> {
    let target = leaf.target.strip_prefix('.')?;
    let path = match star {
        Some(star) => index.find(&fill(target, star))?,
        None => index.find(target)?,
    };
    let kind = kind::of(path.as_str());
    Some(Candidate { leaf: *leaf, path, kind })
}

/// The declarations beside a JavaScript file: `a.d.ts` for `a.js`, `a.d.mts` for `a.mjs`. They matter only where the file does.
pub(super) fn sibling(script: &PackagePath, index: &FileIndex<'_>) -> Option<PackagePath> {
    index.glance(&beside(script)?)
}

/// Where declarations beside a JavaScript file would be.
pub(super) fn beside(script: &PackagePath) -> Option<String> {
    let (stem, extension, kind) = kind::split(script.as_str());
    let declarations = match (kind, extension) {
        (Kind::Script, ".mjs") => ".d.mts",
        (Kind::Script, _) => ".d.ts",
        _ => return None,
    };
    Some(format!("{stem}{declarations}"))
}
