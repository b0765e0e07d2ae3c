//! What a package needs from elsewhere: which specifiers may lead out of it, and whether what they name exists.
//!
//! [`collect()`] reads the graph alone and judges how the specifiers are written. [`check()`] asks the facts whether a version
//! is there, and takes the highest that matches and is not withdrawn.

mod check;
mod collect;
#[cfg(test)]
mod tests;

pub use self::check::check;
pub use self::collect::collect;

use slipway_common::ids::{ExportKey, PackageName};
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::finding::Place;

/// A dependency with what is needed to judge it.
#[derive(Debug, Clone, PartialEq)]
pub struct Needed {
    /// What is stored with the version.
    pub dependency: Dependency,
    /// The first place that asks for it.
    pub place: Place,
    /// The reference, read.
    pub(crate) target: Target,
}

/// What a specifier names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// A package of an npm registry, which is not looked up.
    Npm,
    /// An export of a package of this registry.
    Jsr { package: PackageName, range: deno_semver::VersionReq, export: ExportKey },
}

impl Needed {
    /// The package of this registry that has to be looked up.
    #[must_use]
    pub fn package(&self) -> Option<&PackageName> {
        match &self.target {
            Target::Jsr { package, .. } => Some(package),
            Target::Npm => None,
        }
    }
}

/// The dependencies as they are stored, sorted.
#[must_use]
pub fn stored(needed: &[Needed]) -> Vec<Dependency> {
    needed.iter().map(|needed| needed.dependency.clone()).collect()
}

/// Whether any of them comes from an npm registry.
#[must_use]
pub fn uses_npm(dependencies: &[Dependency]) -> bool {
    dependencies.iter().any(|dependency| dependency.kind == DependencyKind::Npm)
}
