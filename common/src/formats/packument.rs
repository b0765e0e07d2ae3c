//! The npm document of a package: what `GET /@jsr/scope__name` answers.
//!
//! The full document is enough for every client. What it says of a version was fixed when the version was published; only the
//! address of the tarball, the tags and `deprecated` are made anew each time.

use chrono::SecondsFormat;
use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use url::Url;

use crate::clock::Instant;
use crate::ids::{DistTag, Version};
use crate::model::package::Package;
use crate::model::version::{ListedVersion, NpmManifest};

/// What a yanked version tells those who still install it.
const YANKED: &str = "this version was yanked by its authors";

/// Where it tells them.
const DEPRECATED: &str = "deprecated";

/// What kind of statement the registry makes about a tarball.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// What the abbreviated form keeps of a version, by npm's own list.
const ABBREVIATED: &[&str] = &[
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bin",
    "dist",
    "engines",
    "funding",
    "cpu",
    "os",
    "libc",
];

/// An npm document. What was fixed of the versions goes into it as it was written.
#[derive(Debug, Serialize)]
pub struct Packument<'a> {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_rev")]
    revision: String,
    name: String,
    description: String,
    #[serde(rename = "dist-tags")]
    tags: IndexMap<String, String>,
    versions: IndexMap<String, Manifest<'a>>,
    time: IndexMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keywords: Option<&'a RawValue>,
    maintainers: [(); 0],
    #[serde(skip)]
    generation: i64,
}

/// What is said of a version.
#[derive(Debug)]
struct Manifest<'a> {
    /// What was fixed when it was published.
    fixed: &'a NpmManifest,
    /// `dist` with the address of the tarball.
    dist: Option<Box<RawValue>>,
    is_yanked: bool,
}

/// The abbreviated form.
#[derive(Serialize)]
struct Abbreviated<'a> {
    name: &'a str,
    modified: &'a str,
    #[serde(rename = "dist-tags")]
    tags: &'a IndexMap<String, String>,
    versions: IndexMap<&'a str, AbbreviatedManifest<'a>>,
    time: &'a IndexMap<String, String>,
    /// In place of `_rev`, which this form must not have.
    generation: i64,
}

/// What it keeps of a version.
struct AbbreviatedManifest<'a>(&'a Manifest<'a>);

impl<'a> Packument<'a> {
    /// The document of a package at a generation, from its versions, highest first. `npm_url` ends with a slash. What is attested is named
    /// where a log has it, if that is wanted: npm believes nothing else.
    #[must_use]
    pub fn new(package: &Package, generation: i64, listed: &'a [ListedVersion], npm_url: &Url, names_attestations: bool) -> Self {
        let npm_name = package.name.npm_name();
        let latest = latest(listed);
        let mut time = IndexMap::from([
            ("created".to_owned(), npm_time(package.created_at)),
            ("modified".to_owned(), npm_time(listed.iter().map(|version| version.updated_at).fold(package.updated_at, Instant::max))),
        ]);
        // In rising order, as npm's own registry has it: `npm view` prints what a range means in the order of the document, and scripts
        // take the last.
        time.extend(listed.iter().rev().map(|version| (version.version.to_string(), npm_time(version.created_at))));
        let of_latest = |field: &str| latest.and_then(|version| version.npm_manifest.get(field)).map(|value| &**value);
        let manifest =
            |version: &'a ListedVersion| Manifest::new(package, version, npm_url, names_attestations && version.is_logged_for_npm);
        Self {
            id: npm_name.clone(),
            revision: generation.to_string(),
            name: npm_name,
            description: package.description.clone(),
            tags: tags(package, latest, listed),
            versions: listed.iter().rev().map(|version| (version.version.to_string(), manifest(version))).collect(),
            time,
            homepage: of_latest("homepage"),
            repository: of_latest("repository"),
            license: of_latest("license"),
            keywords: of_latest("keywords"),
            maintainers: [],
            generation,
        }
    }

    /// The bytes of the full document.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys always serialise")
    }

    /// The bytes of the abbreviated document, `application/vnd.npm.install-v1+json`. `time` is in it although npm's own registry
    /// leaves it out: clients that hold back young versions would otherwise fetch the full document as well.
    #[must_use]
    pub fn to_abbreviated_bytes(&self) -> Vec<u8> {
        let document = Abbreviated {
            name: &self.name,
            modified: &self.time["modified"],
            tags: &self.tags,
            versions: self.versions.iter().map(|(version, manifest)| (version.as_str(), AbbreviatedManifest(manifest))).collect(),
            time: &self.time,
            generation: self.generation,
        };
        serde_json::to_vec(&document).expect("maps with text keys always serialise")
    }
}

impl<'a> Manifest<'a> {
    fn new(package: &Package, listed: &'a ListedVersion, npm_url: &Url, is_attested: bool) -> Self {
        let dist = listed.npm_manifest.get("dist").and_then(|dist| {
            let mut dist: NpmManifest = serde_json::from_str(dist.get()).ok()?;
            let tarball = tarball_url(package, &listed.version, npm_url);
            dist.insert("tarball".to_owned(), to_raw_value(&tarball).expect("text always serialises"));
            if is_attested {
                let url = format!("{npm_url}-/npm/v1/attestations/{}@{}", package.name.npm_name(), listed.version);
                let named = json!({ "url": url, "provenance": { "predicateType": PREDICATE_TYPE } });
                dist.insert("attestations".to_owned(), to_raw_value(&named).expect("maps with text keys always serialise"));
            }
            to_raw_value(&dist).ok()
        });
        Self { fixed: &listed.npm_manifest, dist, is_yanked: listed.is_yanked }
    }

    /// A member, as the document has it.
    fn get(&self, field: &str) -> Option<&RawValue> {
        let fixed = self.fixed.get(field).map(|value| &**value);
        if field == "dist" { self.dist.as_deref().or(fixed) } else { fixed }
    }
}

impl Serialize for Manifest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.fixed.keys().filter(|field| !(self.is_yanked && *field == DEPRECATED)) {
            map.serialize_entry(field, &self.get(field))?;
        }
        if self.is_yanked {
            map.serialize_entry(DEPRECATED, YANKED)?;
        }
        map.end()
    }
}

impl Serialize for AbbreviatedManifest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in ABBREVIATED {
            if *field == DEPRECATED && self.0.is_yanked {
                map.serialize_entry(DEPRECATED, YANKED)?;
            } else if let Some(value) = self.0.get(field) {
                map.serialize_entry(field, value)?;
            }
        }
        map.end()
    }
}

/// What `latest` points at: the highest stable version, else the highest prerelease; never a yanked one.
fn latest(listed: &[ListedVersion]) -> Option<&ListedVersion> {
    let mut candidates = listed.iter().filter(|version| !version.is_yanked);
    candidates.clone().find(|version| version.version.is_stable()).or_else(|| candidates.next())
}

/// `latest`, and behind it the tags that its members gave. A tag of what is not listed, or yanked, would break installations.
fn tags(package: &Package, latest: Option<&ListedVersion>, listed: &[ListedVersion]) -> IndexMap<String, String> {
    let is_good = |named: &Version| listed.iter().any(|version| version.version == *named && !version.is_yanked);
    let own = package.tags.iter().filter(|(_, named)| is_good(named)).map(|(tag, named)| (tag.to_string(), named.to_string()));
    latest.map(|version| (DistTag::LATEST.to_owned(), version.version.to_string())).into_iter().chain(own).collect()
}

/// Where a tarball is, in the shape that every proxy expects.
fn tarball_url(package: &Package, version: &Version, npm_url: &Url) -> String {
    format!("{npm_url}{}/-/{}-{version}.tgz", package.name.npm_name(), package.name.npm_stem())
}

fn npm_time(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ids::PackageName;
    use crate::model::package::{ReadmeSource, RuntimeCompat, Visibility};

    fn listed(version: &str, is_yanked: bool) -> ListedVersion {
        ListedVersion {
            version: Version::try_from(version).unwrap(),
            is_yanked,
            created_at: Instant::UNIX_EPOCH,
            updated_at: Instant::UNIX_EPOCH,
            stored_generation: 1,
            is_logged_for_npm: version != "1.0.0",
            npm_manifest: serde_json::from_str(&format!(
                r#"{{"name":"@jsr/std__path","version":"{version}","license":"MIT","exports":{{}},
                "dist":{{"integrity":"sha512-x","shasum":"y"}},"dependencies":{{"a":"^1"}}}}"#
            ))
            .unwrap(),
        }
    }

    fn package() -> Package {
        Package {
            name: PackageName::try_from("@std/path").unwrap(),
            description: "paths".into(),
            repository: None,
            is_archived: false,
            readme_source: ReadmeSource::Jsdoc,
            runtime_compat: RuntimeCompat::default(),
            tags: [("next", "1.0.0-rc.2"), ("gone", "0.9.0"), ("lost", "7.0.0")]
                .map(|(tag, version)| (DistTag::try_from(tag).unwrap(), Version::try_from(version).unwrap()))
                .into(),
            visibility: Visibility::Public,
            generation: 3,
            announced: 0,
            created_at: Instant::UNIX_EPOCH,
            updated_at: Instant::UNIX_EPOCH,
        }
    }

    fn document(versions: &[(&str, bool)]) -> Value {
        let listed: Vec<_> = versions.iter().map(|(version, yanked)| listed(version, *yanked)).collect();
        let url = Url::parse("https://r.example/npm/").unwrap();
        serde_json::from_slice(&Packument::new(&package(), 3, &listed, &url, false).to_bytes()).unwrap()
    }

    #[test]
    fn latest_is_stable_before_it_is_high() {
        assert_eq!(document(&[("1.0.0-rc.2", false), ("0.224.3", false)])["dist-tags"]["latest"], "0.224.3");
        assert_eq!(document(&[("1.0.0-rc.2", false), ("0.9.0", true)])["dist-tags"]["latest"], "1.0.0-rc.2");
        assert_eq!(document(&[("1.0.0", true)])["dist-tags"], json!({}));
    }

    #[test]
    fn versions_rise() {
        let document = document(&[("1.10.0", false), ("1.9.0", true), ("1.0.0-rc.1", false)]);
        let keys = |field: &str| document[field].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys("versions"), ["1.0.0-rc.1", "1.9.0", "1.10.0"]);
        assert_eq!(keys("time"), ["created", "modified", "1.0.0-rc.1", "1.9.0", "1.10.0"]);
    }

    #[test]
    fn tags_name_what_can_be_installed() {
        let document = document(&[("1.0.0-rc.2", false), ("0.9.0", true), ("0.8.0", false)]);
        assert_eq!(document["dist-tags"], json!({ "latest": "0.8.0", "next": "1.0.0-rc.2" }));
    }

    #[test]
    fn says_where_the_tarball_is_and_what_is_yanked() {
        let document = document(&[("1.1.0", false), ("1.0.0", true)]);
        assert_eq!(document["versions"]["1.0.0"]["deprecated"], YANKED);
        assert_eq!(
            document["versions"]["1.1.0"]["dist"],
            json!({ "integrity": "sha512-x", "shasum": "y", "tarball": "https://r.example/npm/@jsr/std__path/-/std__path-1.1.0.tgz" })
        );
        assert_eq!(document["_rev"], "3");
        assert_eq!(document["time"]["1.0.0"], "1970-01-01T00:00:00.000Z");
        assert_eq!(document["license"], "MIT");
    }

    #[test]
    fn names_what_a_log_has() {
        let (url, all) = (Url::parse("https://r.example/npm/").unwrap(), [listed("1.1.0", false), listed("1.0.0", false)]);
        let document = |names| -> Value { serde_json::from_slice(&Packument::new(&package(), 3, &all, &url, names).to_bytes()).unwrap() };
        let named = document(true)["versions"]["1.1.0"]["dist"]["attestations"].clone();
        let address = "https://r.example/npm/-/npm/v1/attestations/@jsr/std__path@1.1.0";
        assert_eq!(named, json!({ "url": address, "provenance": { "predicateType": PREDICATE_TYPE } }));
        assert_eq!(document(true)["versions"]["1.0.0"]["dist"].get("attestations"), None);
        assert_eq!(document(false)["versions"]["1.1.0"]["dist"].get("attestations"), None);
    }

    #[test]
    fn abbreviated_keeps_what_installing_needs() {
        let url = Url::parse("https://r.example/npm/").unwrap();
        let bytes = Packument::new(&package(), 3, &[listed("1.0.0", false)], &url, true).to_abbreviated_bytes();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let fields: Vec<_> = document["versions"]["1.0.0"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["name", "version", "dependencies", "dist"]);
        assert!(document.get("_id").is_none() && document["time"]["1.0.0"].is_string());
    }
}
