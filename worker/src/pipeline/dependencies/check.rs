//! Whether the versions that a package asks for exist.

use slipway_common::ids::{ExportKey, PackageName, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::{Needed, Target};
use crate::pipeline::{Facts, PublishedVersion};

/// Versions or exports that a message lists before it says how many more there are.
const LISTED: usize = 5;

/// Resolves each dependency on this registry to the highest version that matches and is not withdrawn, and reports those
/// that cannot be resolved. Dependencies on npm are not looked up.
pub fn check(needed: &[Needed], facts: &Facts, findings: &mut Findings) {
    for needed in needed {
        let Target::Jsr { package, range, export } = &needed.target else { continue };
        let problem = match facts.packages.get(package) {
            None => Some(unresolvable(needed, "the package does not exist in this registry")),
            Some(_) if facts.hidden.contains(package) => Some(hidden(package)),
            Some(versions) => match highest(versions, range) {
                None => Some(unresolvable(needed, &no_match(versions, range))),
                Some(version) if version.exports.contains(export) => None,
                Some(version) => Some(unknown_export(package, version, export)),
            },
        };
        findings.extend(problem.map(|finding| finding.at(needed.place.clone())));
    }
}

/// The version that a client would take for the range.
fn highest<'a>(versions: &'a [PublishedVersion], range: &deno_semver::VersionReq) -> Option<&'a PublishedVersion> {
    versions.iter().filter(|version| !version.yanked && matches(&version.version, range)).max_by(|a, b| a.version.cmp(&b.version))
}

fn matches(version: &Version, range: &deno_semver::VersionReq) -> bool {
    let version = deno_semver::Version::parse_standard(&version.to_string());
    range.range().zip(version.ok()).is_some_and(|(range, version)| range.satisfies(&version))
}

fn unresolvable(needed: &Needed, why: &str) -> Finding {
    let dependency = &needed.dependency;
    let message = format!("unresolvable 'jsr:' dependency: '{}@{}', {why}", dependency.name, dependency.constraint);
    Finding::error(FindingCode::UnresolvableJsrDependency, message)
}

fn no_match(versions: &[PublishedVersion], range: &deno_semver::VersionReq) -> String {
    let mut usable: Vec<_> = versions.iter().filter(|version| !version.yanked).map(|version| &version.version).collect();
    usable.sort_by(|a, b| b.cmp(a));
    let mut why = "no published version matches the constraint".to_owned();
    let withdrawn = versions.iter().filter(|version| version.yanked && matches(&version.version, range));
    if let Some(version) = withdrawn.map(|version| &version.version).max() {
        why = format!("{why} ({version} would, but is yanked)");
    }
    if usable.is_empty() {
        format!("{why}; there is no version that is not yanked")
    } else {
        format!("{why}; published are {}", list(usable))
    }
}

/// Only whoever may read the package hears of it.
fn hidden(package: &PackageName) -> Finding {
    let message = format!("'{package}' is private, and what depends on it can be installed by nobody but its members");
    let hint = format!("make '{package}' public, or this package private");
    Finding::error(FindingCode::PrivateDependency, message).hint(hint)
}

fn unknown_export(package: &PackageName, version: &PublishedVersion, export: &ExportKey) -> Finding {
    let message = format!("invalid 'jsr:' dependency sub-path: '{package}@{}' has no export '{export}'", version.version);
    let finding = Finding::error(FindingCode::InvalidJsrDependencySubPath, message);
    if version.exports.is_empty() { finding } else { finding.hint(format!("it exports {}", list(&version.exports))) }
}

/// The first few of something, and how many more there are.
fn list<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let shown: Vec<_> = items.by_ref().take(LISTED).map(|item| item.to_string()).collect();
    let more = items.count();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
