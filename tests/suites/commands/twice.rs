//! The same version, built by two processes that have nothing in common but the version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use slipway_tests::spec::Spec;
use tempfile::TempDir;

use super::process::{Test, Up, run, token};

/// The tests.
pub(crate) const TESTS: &[Test] = &[("two_processes_build_the_same_bytes", two_processes_build_the_same_bytes)];

/// Packages with a bit of everything: kinds of modules, slow types, programs, maps, scripts of other languages, and two ranges of one
/// dependency.
const PACKAGES: [&str; 8] = [
    "every_kind_of_module",
    "slow_types_of_one_export",
    "programs",
    "a_source_that_has_a_map",
    "names_beyond_ascii",
    "ranges_in_two_files",
    "typescript_that_runs",
    "untyped_javascript",
];

/// What a process is surrounded by.
struct Surroundings {
    directory: &'static str,
    umask: &'static str,
    environment: [(&'static str, &'static str); 5],
}

const ONE: Surroundings = Surroundings {
    directory: "one",
    umask: "022",
    environment: [("TZ", "UTC"), ("LANG", "C"), ("LC_ALL", "C"), ("TOKIO_WORKER_THREADS", "1"), ("SLIPWAY_ANALYSIS_CHILDREN", "1")],
};
const OTHER: Surroundings = Surroundings {
    directory: "a/directory/of another name",
    umask: "077",
    environment: [
        ("TZ", "Asia/Kathmandu"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("TOKIO_WORKER_THREADS", "4"),
        ("SLIPWAY_ANALYSIS_CHILDREN", "3"),
    ],
};

/// What is published at some time says so, and what is signed is signed with the registry's own key. Everything else is the version.
const OF_THE_REGISTRY: [&str; 4] =
    ["-/npm/v1/keys", "@acme/pkg/meta.json", "npm/@jsr/acme__pkg/abbreviated.json", "npm/@jsr/acme__pkg/index.json"];

/// What the registry attests, which says when, and is signed.
const ATTESTATIONS: &str = "-/npm/v1/attestations/";

#[expect(clippy::disallowed_methods, reason = "the processes have the machine's clock, and the second is to have another time")]
fn two_processes_build_the_same_bytes() {
    let place = TempDir::new().expect("a temporary directory can be made");
    let packages = lay_out(place.path());
    let (one, address) = built(place.path(), &ONE, &packages, "127.0.0.1:0");
    // Times are told in seconds and finer.
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let before = second();
    while second() == before {
        std::thread::yield_now();
    }
    // The address is part of what is published.
    let (other, _) = built(place.path(), &OTHER, &packages, &address);

    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for kind in [".tgz", ".d.ts", "_meta.json", "index.json"] {
        assert!(kind == ".d.ts" || one.keys().any(|path| path.ends_with(kind)), "nothing of the kind {kind} was compared");
    }
    let differing: BTreeSet<&str> = one.iter().filter(|(path, bytes)| other[*path] != **bytes).map(|(path, _)| path.as_str()).collect();
    let is_expected = |path: &str| OF_THE_REGISTRY.contains(&path) || path.starts_with(ATTESTATIONS);
    let unexpected: Vec<_> = differing.iter().filter(|path| !is_expected(path)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert_eq!(digests(&one), digests(&other));
    let attested = |objects: &BTreeMap<String, Vec<u8>>| {
        let found = objects.iter().filter(|(path, _)| path.starts_with(ATTESTATIONS));
        found.map(|(_, bytes)| timeless(bytes)).collect::<Vec<_>>()
    };
    assert_eq!(attested(&one).len(), PACKAGES.len());
    assert_eq!(attested(&one), attested(&other));
}

/// What the registry attests in a document, but for when it was published.
fn timeless(document: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(document).expect("it is JSON");
    let payload = document["attestations"][0]["bundle"]["dsseEnvelope"]["payload"].as_str().expect("the registry signed something");
    let statement = STANDARD.decode(payload).expect("it is Base64");
    let mut statement: Value = serde_json::from_slice(&statement).expect("it is JSON");
    let times = statement["predicate"]["runDetails"]["metadata"].take();
    assert!(times["startedOn"].is_string() && times["finishedOn"].is_string(), "{times}");
    statement
}

/// Writes the packages as directories, each a version of its own.
fn lay_out(place: &Path) -> Vec<String> {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/npm");
    let mut directories = Vec::new();
    for (index, name) in PACKAGES.iter().enumerate() {
        let text = fs::read_to_string(specs.join(format!("{name}.txt"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        let spec = Spec::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let directory = format!("packages/{name}");
        for file in &spec.files {
            let path = place.join(&directory).join(file.path());
            fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory can be made");
            let bytes = if file.path() == "jsr.json" {
                file.text.replace("\"version\": \"1.0.0\"", &format!("\"version\": \"1.0.{index}\"")).into_bytes()
            } else {
                file.bytes()
            };
            fs::write(path, bytes).expect("a file can be written");
        }
        directories.push(directory);
    }
    directories
}

/// Publishes everything to a new registry, and returns its public objects and where it was.
fn built(place: &Path, surroundings: &Surroundings, packages: &[String], listen: &str) -> (BTreeMap<String, Vec<u8>>, String) {
    let directory = place.join(surroundings.directory);
    fs::create_dir_all(&directory).expect("a directory can be made");
    let up = Up::start_among(&directory, listen, surroundings.umask, &surroundings.environment);
    for package in packages {
        let at = ["publish", "--all", "--registry", &up.url(), "--token", &token(&directory)];
        let said = run(&place.join(package), &at, &[]);
        assert_eq!(said.code, Some(0), "{package}: {}{}", said.out, said.err);
    }
    let address = up.address().to_owned();
    up.stop();
    let mut objects = BTreeMap::new();
    gather(&directory.join("data/objects"), "", &mut objects);
    (objects, address)
}

fn gather(directory: &Path, name: &str, objects: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("it is a directory") {
        let entry = entry.expect("it can be read");
        let path = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("it is there").is_dir() {
            gather(&entry.path(), &format!("{path}/"), objects);
        } else {
            objects.insert(path, fs::read(entry.path()).expect("it can be read"));
        }
    }
}

/// What the npm document says of the bytes of each version.
fn digests(objects: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let document: Value = serde_json::from_slice(&objects["npm/@jsr/acme__pkg/index.json"]).expect("it is JSON");
    let versions = document["versions"].as_object().expect("there are versions");
    assert_eq!(versions.len(), PACKAGES.len());
    let of = |version: &Value, key: &str| version["dist"][key].to_string();
    versions.values().map(|version| ["integrity", "shasum", "fileCount", "unpackedSize"].map(|key| of(version, key)).join(" ")).collect()
}
