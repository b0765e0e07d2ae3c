//! What a specifier in a module means.
//!
//! Ordinary resolution, with two additions. A `jsr:` specifier that names this package, with a range that this version
//! satisfies, is the export it names: it could not be anything else, since the version is not published yet. And JavaScript
//! that does not say itself where its types are has those that the manifest pairs it with.

use std::cell::RefCell;
use std::collections::BTreeSet;

use deno_graph::source::{ResolutionKind, ResolveError, Resolver};
use deno_graph::{Module, ModuleSpecifier, Range, TypesDependency, resolve_import};
use deno_semver::jsr::JsrPackageReqReference;
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};

use super::load::{path_of, specifier_of};
use crate::pipeline::manifest::Manifest;

/// Resolves as this package means it.
#[derive(Debug)]
pub(super) struct PackageResolver<'a> {
    package: String,
    version: Option<deno_semver::Version>,
    manifest: &'a Manifest,
    unknown: RefCell<BTreeSet<ModuleSpecifier>>,
}

impl<'a> PackageResolver<'a> {
    pub(super) fn new(package: &PackageName, version: &Version, manifest: &'a Manifest) -> Self {
        let version = deno_semver::Version::parse_standard(&version.to_string()).ok();
        Self { package: package.to_string(), version, manifest, unknown: RefCell::default() }
    }

    /// The references that name an export which this package does not have.
    pub(super) fn into_unknown(self) -> BTreeSet<ModuleSpecifier> {
        self.unknown.into_inner()
    }

    fn own(&self, specifier: ModuleSpecifier) -> ModuleSpecifier {
        let Ok(reference) = JsrPackageReqReference::from_specifier(&specifier) else { return specifier };
        let range = reference.req().version_req.range();
        let names_this = *reference.req().name == *self.package
            && self.version.as_ref().zip(range).is_some_and(|(version, range)| range.satisfies(version));
        if !names_this {
            return specifier;
        }
        let target = ExportKey::try_from(reference.export_name().as_ref()).ok().and_then(|key| self.manifest.exports.0.get(&key));
        if let Some(path) = target.and_then(|target| PackagePath::try_from(target.rooted()).ok()) {
            return specifier_of(&path);
        }
        self.unknown.borrow_mut().insert(specifier.clone());
        specifier
    }
}

impl Resolver for PackageResolver<'_> {
    fn resolve(&self, text: &str, referrer: &Range, _: ResolutionKind) -> Result<ModuleSpecifier, ResolveError> {
        let specifier = resolve_import(text, &referrer.specifier)?;
        Ok(match specifier.scheme() {
            "jsr" => self.own(without_slash(specifier, text)),
            "npm" => without_slash(specifier, text),
            _ => specifier,
        })
    }

    fn resolve_types(&self, script: &ModuleSpecifier) -> Result<Option<(ModuleSpecifier, Option<Range>)>, ResolveError> {
        let declarations = path_of(script).and_then(|path| self.manifest.declarations.get(&path));
        Ok(declarations.map(|path| (specifier_of(path), None)))
    }
}

/// Whether the types of a module were found by [`PackageResolver::resolve_types`], and not named by their author. The graph
/// gives them the module's own address for a text.
pub(super) fn is_paired(module: &Module, types: &TypesDependency) -> bool {
    types.specifier == module.specifier().as_str()
}

/// `jsr:/@s/p@^1` means `jsr:@s/p@^1`: import maps need the slash to map sub-paths. It turns the rest into a URL path, in
/// which `^` is escaped, so the text is read again without it.
fn without_slash(specifier: ModuleSpecifier, text: &str) -> ModuleSpecifier {
    let rest = text.trim().split_once(':').and_then(|(_, rest)| rest.strip_prefix('/'));
    match rest {
        Some(rest) if !rest.starts_with('/') => ModuleSpecifier::parse(&format!("{}:{rest}", specifier.scheme())).unwrap_or(specifier),
        _ => specifier,
    }
}
