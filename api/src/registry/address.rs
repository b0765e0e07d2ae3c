//! URL → key: which addresses belong to the read path, and which object each means.

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use slipway_common::ids::{PackageName, PackagePath, ScopeName, Version};
use slipway_common::storage::StorageKey;

/// Whose rules an answer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Files as Deno loads them.
    Module,
    /// Documents and tarballs as npm clients load them.
    Npm,
}

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// An object.
    Object(StorageKey),
    /// What the npm document of a package says of one version: this one, the one with this tag, or the best of this range.
    Manifest(PackageName, String),
    /// The tags of a package.
    Tags(PackageName),
    /// The packages that a search finds.
    Search,
    /// A fixed document.
    Json(&'static str),
    /// Something that cannot exist.
    Nothing,
}

impl Address {
    /// The package whose readers it is for, if it is of one.
    pub(crate) fn package(&self) -> Option<&PackageName> {
        match self {
            Self::Object(key) => key.package(),
            Self::Manifest(package, _) | Self::Tags(package) => Some(package),
            Self::Search | Self::Json(_) | Self::Nothing => None,
        }
    }

    /// The version that it is a part of, if it is of one.
    pub(crate) fn version(&self) -> Option<(&PackageName, &Version)> {
        match self {
            Self::Object(key) => key.version(),
            _ => None,
        }
    }
}

/// An address of the read path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) address: Address,
}

/// The list of the keys that versions are signed with, below the npm root and at the root of the host.
const KEYS: &str = "/-/npm/v1/keys";
/// The same of attestations; a name and a version follow.
const ATTESTATIONS: &str = "/-/npm/v1/attestations/";

/// The address of a request, if it belongs to the read path. `path` is as it came, percent signs and all.
pub(crate) fn parse(method: &Method, path: &str, headers: &HeaderMap) -> Option<Found> {
    if path == "/npm" || path.starts_with("/npm/") {
        if matches!(*method, Method::PUT | Method::DELETE) && tag(path).is_some() {
            return None;
        }
        let rest = path.strip_prefix("/npm").unwrap_or_default();
        return Some(Found { kind: Kind::Npm, address: decode(rest).map_or(Address::Nothing, |rest| npm(&rest)) });
    }
    // npm drops whatever path a registry has in front of these.
    if path == KEYS || path.starts_with(ATTESTATIONS) {
        return Some(Found { kind: Kind::Npm, address: decode(path).map_or(Address::Nothing, |path| npm(&path)) });
    }
    // A package page and its files share the address `/@scope/package/…`: browsers that navigate get the page.
    if path.starts_with("/@") && (wants_file(headers) || *method == Method::OPTIONS) {
        let address = decode(path).map_or(Some(Address::Nothing), |path| module(&path));
        return address.map(|address| Found { kind: Kind::Module, address });
    }
    None
}

/// A path without percent signs, unless it is no text.
fn decode(path: &str) -> Option<String> {
    percent_decode_str(path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Whether a request is for a file and not for a page: nothing that navigates. JSR's rule, to the letter.
fn wants_file(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("accept").is_some_and(|accept| accept.starts_with("text/html")) {
        return false;
    }
    match header("sec-fetch-dest") {
        None | Some("empty") => true,
        Some("image" | "video") => header("sec-fetch-site") == Some("same-origin"),
        Some(_) => false,
    }
}

/// `/@s/p/meta.json`, `/@s/p/1.0.0_meta.json`, `/@s/p/1.0.0/mod.ts`. `None` is a page.
fn module(path: &str) -> Option<Address> {
    let (scope, rest) = path.strip_prefix("/@")?.split_once('/')?;
    let (name, rest) = rest.split_once('/')?;
    let is_version = rest.starts_with(|c: char| c.is_ascii_digit());
    let address = |key: Option<StorageKey>| Some(key.map_or(Address::Nothing, Address::Object));
    let package = ScopeName::try_from(scope).ok().and_then(|scope| PackageName::new(scope, name).ok());
    if rest == "meta.json" {
        return address(package.map(StorageKey::PackageMeta));
    }
    if !is_version {
        return None;
    }
    match rest.split_once('/') {
        None => {
            let version = rest.strip_suffix("_meta.json")?;
            let version = Version::try_from(version).ok();
            address(package.zip(version).map(|(package, version)| StorageKey::VersionMeta { package, version }))
        }
        Some((version, _)) => {
            let path = PackagePath::try_from(&rest[version.len()..]).ok();
            let version = Version::try_from(version).ok();
            let key = package.zip(version).zip(path);
            address(key.map(|((package, version), path)| StorageKey::Module { package, version, path }))
        }
    }
}

/// The package and the tag of `/npm/-/package/@jsr%2fs__p/dist-tags/next`, which is not only read.
pub(crate) fn tag(path: &str) -> Option<(PackageName, String)> {
    let path = decode(path.strip_prefix("/npm")?)?;
    let (package, tag) = tags(&path)?;
    Some((package, tag?.to_owned()))
}

/// The package of `/-/package/@jsr/s__p/dist-tags`, and the tag behind it, if there is one.
fn tags(path: &str) -> Option<(PackageName, Option<&str>)> {
    let (stem, rest) = path.strip_prefix("/-/package/@jsr/")?.split_once('/')?;
    let package = PackageName::from_npm_stem(stem).ok()?;
    match rest.strip_prefix("dist-tags")?.strip_prefix('/') {
        Some(tag) if !tag.is_empty() => (!tag.contains('/')).then_some((package, Some(tag))),
        Some(_) => Some((package, None)),
        None => (rest == "dist-tags").then_some((package, None)),
    }
}

/// Addresses below the npm root, decoded: `/@jsr/s__p`, `/@jsr/s__p/^1.0.0`, `/@jsr/s__p/-/s__p-1.0.0.tgz`, `/`, `/-/ping`,
/// `/-/package/@jsr/s__p/dist-tags`.
fn npm(path: &str) -> Address {
    match path.trim_end_matches('/') {
        "" | "/-/ping" => return Address::Json("{}"),
        KEYS => return Address::Object(StorageKey::NpmKeys),
        "/-/v1/search" => return Address::Search,
        _ => {}
    }
    if let Some((package, None)) = tags(path) {
        return Address::Tags(package);
    }
    if let Some(name) = path.strip_prefix(ATTESTATIONS) {
        return attestations(name).map_or(Address::Nothing, Address::Object);
    }
    let Some((stem, rest)) = path.strip_prefix("/@jsr/").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) else {
        return Address::Nothing;
    };
    let Ok(package) = PackageName::from_npm_stem(stem) else { return Address::Nothing };
    if rest.is_empty() {
        return Address::Object(StorageKey::Packument(package));
    }
    if !rest.contains('/') {
        return Address::Manifest(package, rest.to_owned());
    }
    // Some clients repeat the scope in the file name.
    let file = rest.strip_prefix("-/").map(|file| file.strip_prefix("@jsr/").unwrap_or(file));
    let version = file
        .and_then(|file| file.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(".tgz"))
        .and_then(|version| Version::try_from(version).ok());
    match version {
        Some(version) => Address::Object(StorageKey::NpmTarball { package, version }),
        None => Address::Nothing,
    }
}

/// `@jsr/s__p@1.0.0`.
fn attestations(name: &str) -> Option<StorageKey> {
    let (stem, version) = name.strip_prefix("@jsr/")?.split_once('@')?;
    let package = PackageName::from_npm_stem(stem).ok()?;
    Some(StorageKey::NpmAttestations { package, version: Version::try_from(version).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> String {
        match parse(&Method::GET, path, &HeaderMap::new()) {
            None => "page".to_owned(),
            Some(found) => match found.address {
                Address::Object(key) => key.text(),
                Address::Manifest(package, wanted) => format!("{wanted} of {package}"),
                Address::Tags(package) => format!("tags of {package}"),
                Address::Search => "search".to_owned(),
                Address::Json(text) => text.to_owned(),
                Address::Nothing => "nothing".to_owned(),
            },
        }
    }

    #[test]
    fn modules() {
        assert_eq!(at("/@std/path/meta.json"), "@std/path/meta.json");
        assert_eq!(at("/@std/path/1.0.0_meta.json"), "@std/path/1.0.0_meta.json");
        assert_eq!(at("/@std/path/1.0.0/src/mod.ts"), "@std/path/1.0.0/src/mod.ts");
        assert_eq!(at("/@std/path/1.0.0/%5Bid%5D/~x.ts"), "@std/path/1.0.0/[id]/~x.ts");
        assert_eq!(at("/@std/path/1.0.0-rc.1+b/mod.ts"), "@std/path/1.0.0-rc.1+b/mod.ts");
        for page in ["/@std", "/@std/path", "/@std/path@1.0.0", "/@std/path/versions", "/@std/path/doc/~/x", "/@std/path/1.0.0"] {
            assert_eq!(at(page), "page", "{page}");
        }
        for nothing in [
            "/@STD/path/meta.json",
            "/@std/path/1.0/mod.ts",
            "/@std/path/1.0.0/../../x",
            "/@std/path/1.0.0/a%00b",
            "/@std/path/1.0.0/%ff",
            "/@std/path/1.0.0/",
        ] {
            assert_eq!(at(nothing), "nothing", "{nothing}");
        }
    }

    #[test]
    fn npm_names_in_every_spelling() {
        for spelling in ["/npm/@jsr/std__path", "/npm/@jsr%2fstd__path", "/npm/@jsr%2Fstd__path", "/npm/%40jsr/std__path"] {
            assert_eq!(at(spelling), "npm/@jsr/std__path/index.json", "{spelling}");
        }
        let tarball = "npm/@jsr/std__path/-/std__path-1.0.0.tgz";
        for spelling in [
            "/npm/@jsr/std__path/-/std__path-1.0.0.tgz",
            "/npm/@jsr%2fstd__path/-/std__path-1.0.0.tgz",
            "/npm/@jsr/std__path/-/@jsr/std__path-1.0.0.tgz",
        ] {
            assert_eq!(at(spelling), tarball, "{spelling}");
        }
        for root in ["/npm", "/npm/", "/npm/-/ping"] {
            assert_eq!(at(root), "{}", "{root}");
        }
        for nothing in ["/npm/left-pad", "/npm/@jsr/std_path", "/npm/@jsr/std__path/-/other-1.0.0.tgz", "/npm/@types/node", "/npm/%ff"] {
            assert_eq!(at(nothing), "nothing", "{nothing}");
        }
    }

    #[test]
    fn versions_ranges_and_tags() {
        for (path, expected) in [
            ("/npm/@jsr/std__path/1.0.0", "1.0.0 of @std/path"),
            ("/npm/@jsr%2fstd__path/latest", "latest of @std/path"),
            ("/npm/@jsr/std__path/%5E1.0.0", "^1.0.0 of @std/path"),
            ("/npm/@jsr%2Fstd__path/%3E%3D1%20%3C3%20%7C%7C%205", ">=1 <3 || 5 of @std/path"),
            ("/npm/-/package/@jsr%2fstd__path/dist-tags", "tags of @std/path"),
            ("/npm/-/package/@jsr/std__path/dist-tags/", "tags of @std/path"),
            ("/npm/-/package/@jsr/std__path/dist-tags/next", "nothing"),
            ("/npm/-/package/@jsr/std__path/dist-tagsx", "nothing"),
            ("/npm/-/package/left-pad/dist-tags", "nothing"),
            ("/npm/@jsr/std__path/1.0.0/mod.ts", "nothing"),
            ("/npm/-/v1/search", "search"),
        ] {
            assert_eq!(at(path), expected, "{path}");
        }
        let tag = "/npm/-/package/@jsr%2fstd__path/dist-tags/a%2Db";
        assert_eq!(super::tag(tag), Some(("@std/path".try_into().unwrap(), "a-b".to_owned())));
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(parse(&method, tag, &HeaderMap::new()), None, "changing a tag is no reading");
            for path in ["/npm/-/package/@jsr/std__path/dist-tags", "/npm/-/package/@jsr/std__path/dist-tags/a%2fb", "/npm/@jsr/std__path"]
            {
                assert!(parse(&method, path, &HeaderMap::new()).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn what_vouches_for_versions_is_found_with_and_without_the_prefix() {
        let attested = "-/npm/v1/attestations/@jsr/std__path@1.0.0-rc.1+b";
        for prefix in ["/npm", ""] {
            assert_eq!(at(&format!("{prefix}/-/npm/v1/keys")), "-/npm/v1/keys", "{prefix}");
            for name in ["@jsr/std__path@1.0.0-rc.1+b", "@jsr%2fstd__path@1.0.0-rc.1+b", "%40jsr%2Fstd__path%401.0.0-rc.1%2Bb"] {
                assert_eq!(at(&format!("{prefix}/-/npm/v1/attestations/{name}")), attested, "{prefix} {name}");
            }
            for name in ["", "left-pad@1.0.0", "@jsr/std__path", "@jsr/std__path@1", "@jsr/std_path@1.0.0", "@jsr/std__path@1.0.0/x", "%ff"]
            {
                assert_eq!(at(&format!("{prefix}/-/npm/v1/attestations/{name}")), "nothing", "{prefix} {name}");
            }
        }
        // What else may come to be there is not the business of the read path.
        assert_eq!(at("/-/npm/v1/security/advisories/bulk"), "page");
    }

    #[test]
    fn browsers_that_navigate_get_pages() {
        let wants = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            wants_file(&headers)
        };
        assert!(wants(&[]));
        assert!(wants(&[("accept", "*/*")]));
        assert!(wants(&[("accept", "text/newhtml")]));
        assert!(!wants(&[("accept", "text/html,application/xhtml+xml")]));
        assert!(wants(&[("sec-fetch-dest", "empty")]));
        assert!(!wants(&[("sec-fetch-dest", "document")]));
        assert!(!wants(&[("sec-fetch-dest", "script")]));
        assert!(wants(&[("sec-fetch-dest", "image"), ("sec-fetch-site", "same-origin")]));
        assert!(!wants(&[("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")]));
    }
}
