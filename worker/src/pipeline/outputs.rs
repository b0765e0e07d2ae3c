//! What the doors could refuse later is refused now: names and sizes of everything that will be stored.
//!
//! After a plan is committed there is no refusing any more. So the rules of the strictest store of each kind hold for all of
//! them, or a package that one deployment takes could not move to another.

use std::collections::BTreeSet;

use slipway_common::ids::{PackageName, Version};
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};
use slipway_common::model::limits::UploadLimits;

/// Longest key that S3 takes, in bytes.
const MAX_KEY_BYTES: usize = 1024;
/// Longest name of a file or directory on every common file system, in bytes.
const MAX_SEGMENT_BYTES: usize = 255;
/// How much a store puts in front of a key or at its end: the prefix of a bucket, `.tmp` and a number while a file is written.
const RESERVED_BYTES: usize = 64;
/// Bytes that may be derived for each byte that is accepted: the modules themselves, the npm tarball with JavaScript,
/// declarations and maps beside the sources, and room for the two descriptions.
const OUTPUT_RATIO: u64 = 4;
/// What a package may derive however small it is: a compiled program carries what its syntax stands for. Documentation is not
/// counted, since it is bounded where it is made.
const OUTPUT_FLOOR: u64 = 32 * 1024 * 1024;

/// Checks what will be stored.
pub(super) fn check(artefacts: &[Artefact], package: &PackageName, version: &Version, limits: &UploadLimits, findings: &mut Findings) {
    size(artefacts, limits, findings);
    let keys: Vec<_> = artefacts.iter().map(|artefact| (key(&artefact.kind, package, version), &artefact.kind)).collect();
    let mut taken = BTreeSet::new();
    for (key, kind) in &keys {
        length(key, kind, findings);
        if !taken.insert(key.as_str()) {
            findings.push(clash(kind, &format!("two files would be stored as '{key}'")));
        }
    }
    for (key, kind) in &keys {
        let mut directories = key.match_indices('/').map(|(end, _)| &key[..end]);
        if let Some(file) = directories.find(|directory| taken.contains(directory)) {
            findings.push(clash(kind, &format!("'{key}' needs a directory where '{file}' is a file")));
        }
    }
}

fn size(artefacts: &[Artefact], limits: &UploadLimits, findings: &mut Findings) {
    let total: usize = artefacts.iter().map(|artefact| artefact.bytes.len()).sum();
    let limit = limits.unpacked_bytes.saturating_mul(OUTPUT_RATIO).saturating_add(OUTPUT_FLOOR);
    if u64::try_from(total).unwrap_or(u64::MAX) > limit {
        let message = format!("what is derived from the package takes {total} bytes, and {limit} are allowed");
        findings.push(Finding::error(FindingCode::OutputTooLarge, message).hint("leave out what nobody imports, or split the package"));
    }
}

fn length(key: &str, kind: &ArtefactKind, findings: &mut Findings) {
    let too_long = key.len() + RESERVED_BYTES > MAX_KEY_BYTES;
    if too_long || key.split('/').any(|segment| segment.len() > MAX_SEGMENT_BYTES) {
        findings.push(clash(kind, &format!("'{key}' is too long a name for a file to be stored")).hint("shorten the path or the version"));
    }
}

fn clash(kind: &ArtefactKind, message: &str) -> Finding {
    let finding = Finding::error(FindingCode::PathIsFileAndDirectory, message);
    match kind {
        ArtefactKind::Module(path) => finding.at(Place::file(path.to_string())),
        ArtefactKind::VersionMeta | ArtefactKind::NpmTarball | ArtefactKind::Docs { .. } => finding,
    }
}

/// Where an artefact will lie. The storage room has the last word on that; this has the same shape and is as long.
fn key(kind: &ArtefactKind, package: &PackageName, version: &Version) -> String {
    match kind {
        ArtefactKind::Module(path) => format!("{package}/{version}{path}"),
        ArtefactKind::VersionMeta => format!("{package}/{version}_meta.json"),
        ArtefactKind::NpmTarball => format!("npm/{}/-/{}-{version}.tgz", package.npm_name(), package.npm_stem()),
        ArtefactKind::Docs { revision, name } => format!("docs/{package}/{version}/{revision}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::pipeline::fixture::{lines, name, path_named, version};

    fn module(path: &str, bytes: usize) -> Artefact {
        Artefact::new(ArtefactKind::Module(path_named(path)), Bytes::from(vec![0; bytes]))
    }

    fn checked(artefacts: &[Artefact], version: &Version, limits: &UploadLimits) -> Vec<String> {
        let mut findings = Findings::default();
        check(artefacts, &name(), version, limits, &mut findings);
        lines(&findings)
    }

    #[test]
    fn names_that_no_store_takes() {
        let limits = UploadLimits::default();
        let clash = [module("/a", 1), module("/a!b".replace('!', "$").as_str(), 1), module("/a/b", 1)];
        assert_eq!(
            checked(&clash, &version(), &limits),
            ["error pathIsFileAndDirectory /a/b: '@own/pkg/1.2.3/a/b' needs a directory where '@own/pkg/1.2.3/a' is a file"]
        );
        let twice = [module("/a", 1), module("/a", 1)];
        assert_eq!(
            checked(&twice, &version(), &limits),
            ["error pathIsFileAndDirectory /a: two files would be stored as '@own/pkg/1.2.3/a'"]
        );
        let long = Version::try_from(format!("1.2.3-{}", "a".repeat(122)).as_str()).unwrap();
        let deepest = format!("/{}{}", "a/".repeat(30), "b".repeat(94));
        assert_eq!(checked(&[module(&deepest, 1), Artefact::new(ArtefactKind::NpmTarball, Bytes::new())], &long, &limits), [""; 0]);
    }

    #[test]
    fn too_much() {
        let limits = UploadLimits { unpacked_bytes: 1, ..UploadLimits::default() };
        let limit = usize::try_from(OUTPUT_FLOOR + OUTPUT_RATIO).unwrap();
        assert_eq!(checked(&[module("/a", limit)], &version(), &limits), [""; 0]);
        let found = checked(&[module("/a", limit), module("/b", 1)], &version(), &limits);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("error outputTooLarge: what is derived from the package takes 33554437 bytes"), "{found:?}");
    }
}
