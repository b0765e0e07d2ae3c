//! What the house is built from: the lock file and the manifests against `.config/deny.toml`.
//!
//! The lists are read from cargo-deny's own file, so that the tool and these tests cannot disagree. The tool sees more
//! (advisories, for one); these need nothing installed.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::demand;
use crate::source::{ROOMS, read, root};

fn parse(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path} is not TOML: {error}"))
}

fn text<'a>(table: &'a Value, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(table: &'a Value, key: &str) -> &'a [Value] {
    table.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Every package of the lock file with the names of those that depend on it directly.
fn dependents() -> BTreeMap<String, BTreeSet<String>> {
    let lock = Value::Table(parse("Cargo.lock"));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in list(&lock, "package") {
        found.entry(text(package, "name").to_owned()).or_default();
        for dependency in list(package, "dependencies").iter().filter_map(Value::as_str) {
            // An entry is `name`, or `name version` where several versions are in the house.
            let name = dependency.split(' ').next().unwrap_or_default();
            found.entry(name.to_owned()).or_default().insert(text(package, "name").to_owned());
        }
    }
    found
}

#[test]
fn banned_crates_stay_out() {
    let rules = Value::Table(parse(".config/deny.toml"));
    let dependents = dependents();
    let mut found = Vec::new();
    for ban in list(&rules["bans"], "deny") {
        let name = text(ban, "crate");
        let may: Vec<_> = list(ban, "wrappers").iter().filter_map(Value::as_str).collect();
        for by in dependents.get(name).into_iter().flatten().filter(|by| !may.contains(&by.as_str())) {
            found.push(format!("{by} depends on {name}: {}", text(ban, "reason")));
        }
    }
    demand("These crates are banned by .config/deny.toml, or come in by a door that is not theirs.", &found);
}

#[test]
fn rooms_depend_on_what_is_theirs() {
    let mut found = Vec::new();
    for (name, by) in dependents() {
        // One of them reads versions and ranges, and nothing else.
        let compiler = (name.starts_with("deno_") && name != "deno_semver") || name.starts_with("swc_");
        for room in by.iter().filter(|by| by.starts_with("slipway-")) {
            let wrong = match (name.as_str(), room.as_str()) {
                ("lapin", room) => room != "slipway-common",
                ("slipway-tests", _) | ("slipway-worker" | "slipway-api", "slipway-common") | ("slipway-api", "slipway-worker") => true,
                (_, room) => compiler && room != "slipway-worker",
            };
            if wrong {
                found.push(format!("{room} depends on {name}"));
            }
        }
    }
    demand("An edge between rooms is a design change: compilers belong to worker, AMQP to common, and nobody depends on tests.", &found);
}

#[test]
fn versions_are_said_once() {
    let mut found = Vec::new();
    for room in ROOMS {
        let manifest = Value::Table(parse(&format!("{room}/Cargo.toml")));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, entry) in manifest.get(kind).and_then(Value::as_table).into_iter().flatten() {
                if entry.get("workspace").and_then(Value::as_bool) != Some(true) {
                    found.push(format!("{room}/Cargo.toml: {name}"));
                }
            }
        }
    }
    demand("Versions are said once, in the root's Cargo.toml; a room writes `name.workspace = true`.", &found);
}

#[test]
fn licences_are_permissive() {
    let rules = Value::Table(parse(".config/deny.toml"));
    let allowed: BTreeSet<&str> = list(&rules["licenses"], "allow").iter().filter_map(Value::as_str).collect();
    // Not offline: what only other platforms need was not fetched to build this test.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().expect("metadata lists packages") {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or_default());
        let fits = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .is_ok_and(|expression| expression.evaluate(|wanted| allowed.contains(wanted.to_string().trim_end_matches('+'))));
        if !fits {
            found.push(format!("{name}: {licence}"));
        }
    }
    demand("Every dependency has a licence that .config/deny.toml allows.", &found);
}
