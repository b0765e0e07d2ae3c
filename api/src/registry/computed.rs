//! What follows from the npm document of a package: the manifest of one version, and the tags.
//!
//! Nothing is written anew: a manifest is a part of the document, byte for byte. How a version is chosen is npm's rule, so that who
//! asks the registry and who reads the whole document come to the same.

use bytes::Bytes;
use deno_semver::{RangeBound, Version, VersionRangeSet, VersionReq};
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Longest range that is read, in bytes. Nobody writes a longer one by hand.
const MAX_RANGE_BYTES: usize = 256;

/// The parts of a document that are looked at. Versions come in rising order.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "dist-tags")]
    tags: IndexMap<String, String>,
    #[serde(borrow)]
    versions: IndexMap<String, &'a RawValue>,
}

/// What is looked at of a version.
#[derive(Deserialize)]
struct Said {
    deprecated: Option<IgnoredAny>,
}

/// What a document says of one version: of this one, of the one with this tag, or of the best in this range.
pub(super) fn manifest(document: &[u8], wanted: &str) -> Option<Bytes> {
    let document: Document<'_> = serde_json::from_slice(document).ok()?;
    let named = document.tags.get(wanted).map_or(wanted, String::as_str);
    let chosen = document.versions.get(named).copied().or_else(|| best(&document, wanted))?;
    Some(Bytes::copy_from_slice(chosen.get().as_bytes()))
}

/// The tags of a document.
pub(super) fn tags(document: &[u8]) -> Option<Bytes> {
    let document: Document<'_> = serde_json::from_slice(document).ok()?;
    serde_json::to_vec(&document.tags).ok().map(Bytes::from)
}

/// npm's choice: `latest` if it is in the range, else the highest that is not deprecated, else the highest.
fn best<'d>(document: &'d Document<'d>, wanted: &str) -> Option<&'d RawValue> {
    if wanted.len() > MAX_RANGE_BYTES {
        return None;
    }
    let wanted = VersionReq::parse_from_npm(wanted).ok()?;
    let range = wanted.range()?;
    let is_within = |version: &str| Version::parse_standard(version).is_ok_and(|version| range.satisfies(&version));
    if let Some(latest) = document.tags.get("latest")
        && (is_anything(range) || is_within(latest))
    {
        return document.versions.get(latest.as_str()).copied();
    }
    let mut deprecated = None;
    for (_, manifest) in document.versions.iter().rev().filter(|(version, _)| is_within(version)) {
        if serde_json::from_str::<Said>(manifest.get()).is_ok_and(|said| said.deprecated.is_none()) {
            return Some(manifest);
        }
        deprecated = deprecated.or(Some(*manifest));
    }
    deprecated
}

/// Whether a range is `*`. npm takes `latest` for it even where that is a prerelease, which is in no such range.
fn is_anything(range: &VersionRangeSet) -> bool {
    range.0.iter().any(|range| matches!((&range.start, &range.end), (RangeBound::Unbounded, RangeBound::Unbounded)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(latest: Option<&str>, versions: &[&str]) -> Vec<u8> {
        let versions: IndexMap<&str, Value> = versions
            .iter()
            .rev()
            .map(|version| match version.strip_suffix('!') {
                Some(yanked) => (yanked, json!({ "version": yanked, "deprecated": "yanked" })),
                None => (*version, json!({ "version": version })),
            })
            .collect();
        let mut tags = IndexMap::from([("next", "2.0.0-rc.1")]);
        tags.extend(latest.map(|latest| ("latest", latest)));
        serde_json::to_vec(&json!({ "name": "x", "dist-tags": tags, "versions": versions })).unwrap()
    }

    fn chosen(document: &[u8], wanted: &str) -> Option<String> {
        let manifest = manifest(document, wanted)?;
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        Some(manifest["version"].as_str().unwrap().to_owned())
    }

    #[test]
    fn versions_tags_and_ranges_are_chosen_as_npm_does() {
        let all = document(Some("1.2.0"), &["3.0.0!", "2.0.0-rc.1", "1.9.0!", "1.2.0", "1.1.0+build", "1.0.0", "0.9.0!", "0.8.0!"]);
        for (wanted, expected) in [
            ("1.0.0", "1.0.0"),
            ("v1.0.0", "1.0.0"),
            ("=1.0.0", "1.0.0"),
            ("1.1.0", "1.1.0+build"),
            ("1.1.0+build", "1.1.0+build"),
            ("1.9.0", "1.9.0"),
            ("latest", "1.2.0"),
            ("next", "2.0.0-rc.1"),
            ("^1.0.0", "1.2.0"),
            ("1", "1.2.0"),
            ("1.x", "1.2.0"),
            ("~1.1", "1.1.0+build"),
            (">=1.0.0 <1.2.0", "1.1.0+build"),
            ("1.0.0 - 1.1.0", "1.1.0+build"),
            ("<0.5 || 1.0.x", "1.0.0"),
            ("*", "1.2.0"),
            ("x", "1.2.0"),
            (">1.2.0", "3.0.0"),
            (">1.2.0 <2", "1.9.0"),
            ("^2.0.0-rc.0", "2.0.0-rc.1"),
            ("^3", "3.0.0"),
            ("^0.9", "0.9.0"),
            ("<1", "0.9.0"),
        ] {
            assert_eq!(chosen(&all, wanted).as_deref(), Some(expected), "{wanted}");
        }
        for nothing in ["4.0.0", "^2", ">5", "beta", "1.2.3.4", "-", "..", "<", "1.0.0 || ", &"1 || ".repeat(60), "\u{0}", "ü"] {
            let found = chosen(&all, nothing);
            assert!(found.is_none() || nothing.contains("||"), "{nothing}: {found:?}");
        }
        let young = document(Some("2.0.0-rc.1"), &["2.0.0-rc.1"]);
        assert_eq!(chosen(&young, "*").as_deref(), Some("2.0.0-rc.1"));
        assert_eq!(chosen(&young, "^2.0.0"), None);
        let gone = document(None, &["1.0.0!"]);
        assert_eq!((chosen(&gone, "*").as_deref(), chosen(&gone, "latest")), (Some("1.0.0"), None));
    }

    #[test]
    fn a_manifest_is_a_part_of_the_document() {
        let text = r#"{"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{ "b" : 1, "a":2.50 }}}"#;
        assert_eq!(manifest(text.as_bytes(), "^1").unwrap(), r#"{ "b" : 1, "a":2.50 }"#);
        assert_eq!(tags(text.as_bytes()).unwrap(), r#"{"latest":"1.0.0"}"#);
        for broken in ["", "{}", "[]", "{\"dist-tags\":7,\"versions\":{}}"] {
            assert!(manifest(broken.as_bytes(), "*").is_none() && tags(broken.as_bytes()).is_none());
        }
    }
}
