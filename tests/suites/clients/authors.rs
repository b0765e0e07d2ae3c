//! Packages of other people, whose authors ship declarations of their own: what we make of their sources is compared with those.
//!
//! Every name that theirs export is exported by ours, as TypeScript's own resolution sees it, and a program that uses the main
//! things, wrongly in places, means the same with both.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::npm::{Client, project};
use crate::stock::{read_json, write};

/// A package, and what is known to differ.
struct Real<'a> {
    /// Its directory among the clients.
    installed: &'a str,
    /// The name it is published under.
    name: &'a str,
    /// Further keys for its package.json.
    settings: Value,
    /// The program.
    program: &'a str,
    /// How many entry points there are at least, so that an empty comparison is none.
    entries: u64,
    /// How many names are `any` for want of a type in the source, at most.
    untyped: usize,
    /// Whether all of its declarations pass when each of them is checked.
    is_sound: bool,
    /// What the registry has to be told to take it.
    limits: &'a [(&'a str, &'a str)],
}

/// What a package of thirty megabytes needs.
const ROOM: &[(&str, &str)] = &[
    ("SLIPWAY_LIMITS_COMPRESSED_BYTES", "83886080"),
    ("SLIPWAY_LIMITS_UNPACKED_BYTES", "83886080"),
    ("SLIPWAY_LIMITS_ENTRIES", "20000"),
    ("SLIPWAY_ANALYSIS_MEMORY_BYTES", "4294967296"),
    ("SLIPWAY_ANALYSIS_CPU_SECONDS", "600"),
    ("SLIPWAY_ANALYSIS_WALL_SECONDS", "900"),
];

/// How long publishing and installing may take. The largest takes two minutes in a build without optimisation on a busy machine.
const PATIENCE: Duration = Duration::from_mins(15);

#[test]
fn noble_hashes_is_what_its_authors_ship() {
    compared(&Real {
        installed: "noble-hashes-2",
        name: "@noble/hashes",
        settings: json!({}),
        program: include_str!("authors/noble.ts"),
        entries: 17,
        untyped: 0,
        is_sound: true,
        limits: &[],
    });
}

#[test]
fn rxjs_is_what_its_authors_ship() {
    compared(&Real {
        installed: "rxjs",
        name: "@real/rxjs",
        settings: json!({"augmentations": true}),
        program: include_str!("authors/rxjs.ts"),
        entries: 200,
        untyped: 25,
        is_sound: true,
        limits: &[],
    });
}

#[test]
fn zod_is_what_its_authors_ship() {
    if is_full() {
        compared(&Real {
            installed: "zod",
            name: "@real/zod",
            settings: json!({}),
            program: include_str!("authors/zod.ts"),
            entries: 70,
            untyped: 2,
            is_sound: true,
            limits: &[],
        });
    }
}

#[test]
fn viem_has_every_name_that_its_authors_ship() {
    if is_full() {
        compared(&Real {
            installed: "viem",
            name: "@real/viem",
            settings: json!({"augmentations": true}),
            program: include_str!("authors/viem.ts"),
            entries: 26,
            untyped: 1600,
            is_sound: false,
            limits: ROOM,
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "tests/run tells the suites here how long they may take")]
fn is_full() -> bool {
    std::env::var_os("SLIPWAY_TEST_LENGTH").is_some_and(|value| value == "full")
}

fn compared(real: &Real<'_>) {
    let limits = |_: &Path| real.limits.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let Some(bench) = Bench::set_up_with(limits) else { return };
    bench.registry.open(real.name);
    let directory = bench.unpacked(real.installed);
    let path = directory.join("package.json");
    let mut manifest = read_json(&path);
    manifest["name"] = json!(real.name);
    for (key, value) in real.settings.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    write(&path, &manifest.to_string());
    let at = ["--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&directory).args(["publish", "."]).args(at).within(PATIENCE).ok();

    let ours = project(&bench, Client::Npm);
    let alias = real.name.trim_start_matches('@').replace('/', "__");
    let package = format!("{}@npm:@jsr/{alias}", real.name);
    bench.command("npm", &ours).args(["install", "--legacy-peer-deps", &package]).within(PATIENCE).ok();
    let theirs = bench.project("theirs", &[("package.json", r#"{ "name": "theirs", "type": "module", "private": true }"#)]);
    bench.command("ln", &theirs).arg("-s").args([bench.installed(""), theirs.join("node_modules")]).ok();

    let compiler = bench.installed("typescript-5/lib/typescript.js");
    write(&ours.join("compare.mjs"), include_str!("authors/compare.mjs"));
    let said = bench
        .command("node", &ours)
        .arg("compare.mjs")
        .arg(compiler)
        .args([real.name, real.installed])
        .args([&ours, &theirs])
        .within(PATIENCE)
        .ok();
    let found: Value = serde_json::from_str(said.last_line()).expect("the comparison is JSON");
    assert!(found["entries"].as_u64().is_some_and(|entries| entries >= real.entries), "{found}");
    assert_eq!((&found["missing"], &found["lost"]), (&json!([]), &json!([])), "{found}");
    let untyped = found["any"].as_array().expect("it is a list");
    assert!(untyped.len() <= real.untyped, "{untyped:?}");
    told(&ours.join("node_modules").join(real.name).join("package.json"), untyped);

    for (directory, name) in [(&ours, real.name), (&theirs, real.installed)] {
        write(&directory.join("main.mts"), &real.program.replace("PACKAGE", name));
        write(&directory.join("tsconfig.json"), SETTINGS);
        let strictly = ("typescript-7/bin/tsc", "false");
        let leniently = [("typescript-5/bin/tsc", "true"), ("typescript-7/bin/tsc", "true")];
        for (compiler, skips) in leniently.into_iter().chain(real.is_sound.then_some(strictly)) {
            bench.script(compiler, directory).args(["--project", ".", "--skipLibCheck", skips]).within(PATIENCE).ok();
        }
    }
    bench.close();
}

/// How the program is read.
const SETTINGS: &str = r#"{
  "compilerOptions": {
    "module": "nodenext", "target": "es2024", "lib": ["esnext", "dom"], "types": [], "strict": true, "noEmit": true
  },
  "files": ["main.mts"]
}
"#;

/// What is `any` is no secret: package.json has a list of every name.
fn told(manifest: &Path, untyped: &[Value]) {
    let listed = &read_json(manifest)["slipway"]["untyped"];
    let modules = listed.as_object().into_iter().flat_map(|modules| modules.values());
    let names: BTreeSet<&str> = modules.flat_map(|names| names.as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
    let exported = untyped.iter().map(|name| name.as_str().expect("it is a text").rsplit(' ').next().expect("it has an end"));
    let secret: Vec<&str> = exported.filter(|name| !names.contains(name)).collect();
    assert!(secret.is_empty(), "{secret:?} are `any`, and listed is {names:?}");
}
