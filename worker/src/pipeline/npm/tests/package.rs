//! `package.json`, and the tarball as a whole.

use slipway_common::ids::{PackagePath, Sha256};

use super::{Package, unpack};
use crate::pipeline::manifest::NpmFields;

const SOURCE: &str = "== package.json
{
  \"name\": \"@scope/pkg\",
  \"scripts\": { \"postinstall\": \"evil\" }
}
== mod.ts
export { a } from \"npm:used@^1\";
export { b } from \"npm:react@^18\";
== bin/run.ts
#!/usr/bin/env node
import \"../mod.ts\";
== bin/plain.js
#!/usr/bin/env node
== types.d.ts
export {};
== style.css
";

fn fields() -> serde_json::Value {
    serde_json::json!({
        "keywords": ["one", "two"],
        "author": { "name": "A" },
        "repository": { "type": "git", "url": "https://git.example/a" },
        "sideEffects": ["./bin/run.ts", "./*.css", "./bin/plain.js"],
        "engines": { "node": ">=20" },
        "dependencies": { "used": "^1", "hidden": "^2" },
        "peerDependencies": { "react": "^18" },
        "peerDependenciesMeta": { "react": { "optional": true } },
        "optionalDependencies": { "fsevents": "2" },
    })
}

fn sample() -> Package {
    let mut package =
        Package::new(SOURCE).export("./run", "./bin/run.ts").export("./types", "./types.d.ts").needs("npm:used@^1").needs("npm:react@^18");
    package.manifest.description = Some("a package".into());
    let path = |path: &str| PackagePath::try_from(path).unwrap();
    let bins = [("run", "/bin/run.ts"), ("types", "/types.d.ts"), ("style", "/style.css"), ("plain", "/bin/plain.js")];
    package.manifest.npm =
        NpmFields { bins: bins.map(|(name, file)| (name.to_owned(), path(file))).into(), fields: fields().as_object().unwrap().clone() };
    package.export(".", "./mod.ts")
}

#[test]
fn carries_over_what_clients_read() {
    let built = sample().build();
    assert_eq!(
        built.text("package.json"),
        r#"{
  "name": "@jsr/scope__pkg",
  "version": "1.2.3",
  "description": "a package",
  "keywords": [
    "one",
    "two"
  ],
  "license": "MIT",
  "homepage": "https://registry.example/@scope/pkg",
  "repository": {
    "type": "git",
    "url": "https://git.example/a"
  },
  "author": {
    "name": "A"
  },
  "type": "module",
  "exports": {
    ".": {
      "types": "./_dist/mod.d.ts",
      "default": "./mod.js"
    },
    "./run": {
      "types": "./_dist/bin/run.d.ts",
      "default": "./bin/run.js"
    },
    "./types": {
      "types": "./types.d.ts"
    }
  },
  "bin": {
    "plain": "./bin/plain.js",
    "run": "./bin/run.js"
  },
  "sideEffects": [
    "./bin/run.js",
    "./*.css",
    "./bin/plain.js"
  ],
  "engines": {
    "node": ">=20"
  },
  "dependencies": {
    "hidden": "^2",
    "used": "^1"
  },
  "optionalDependencies": {
    "fsevents": "2"
  },
  "peerDependencies": {
    "react": "^18"
  },
  "peerDependenciesMeta": {
    "react": {
      "optional": true
    }
  },
  "slipway": {
    "revision": 3
  }
}
"#
    );
    assert_eq!(
        built.findings(),
        [
            "exportSkipped: the command 'style' is left out: the file is not a program that Node can run (/style.css)",
            "exportSkipped: the command 'types' is left out: the file holds declarations alone (/types.d.ts)"
        ]
    );
    assert!(built.text("bin/run.js").starts_with("#!/usr/bin/env node\n"));
}

/// demand.md N12, N13.
#[test]
fn programs_alone_are_executable() {
    let built = sample().build();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*built.package.tarball));
    let modes: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.header().mode().unwrap() != 0o644)
        .map(|entry| format!("{} {:o}", entry.path().unwrap().display(), entry.header().mode().unwrap()))
        .collect();
    assert_eq!(modes, ["package/bin/plain.js 755", "package/bin/run.js 755"]);
}

#[test]
fn counts_and_digests_are_those_of_the_tarball() {
    let package = sample().build().package;
    let files = unpack(&package.tarball);
    assert_eq!(package.file_count, files.len() as u64);
    assert_eq!(package.unpacked_size, files.values().map(|text| text.len() as u64).sum::<u64>());
    assert_eq!(package.integrity, slipway_common::ids::Sha512::of(&package.tarball));
    assert_eq!(package.shasum, slipway_common::ids::Sha1::of(&package.tarball));
}

/// The bytes are part of the contract: whoever changes them raises `EMIT_REVISION` and records the new digest here.
#[test]
fn golden_bytes() {
    assert_eq!(super::super::EMIT_REVISION, 3);
    let tarball = sample().build().package.tarball;
    assert_eq!(tarball, sample().build().package.tarball);
    assert_eq!(Sha256::of(&tarball).hex(), "c3908fd510536d7d99c4d90c3a35eccdb0bd52229d340a48272f096e14a4d107");
}

/// demand.md N17.
#[test]
fn long_names_fit() {
    let directory = "d".repeat(90);
    let built = Package::new(&format!("== {directory}/{}.ts\nexport const a: number = 1;\n", "n".repeat(60))).build();
    assert_eq!(built.paths().len(), 6);
    assert!(built.paths().contains(&format!("_dist/{directory}/{}.d.ts.map", "n".repeat(60)).as_str()));
}
