//! Packages that ship TypeScript source and were never made for this: unpacked from the npm registry, given a scope, published
//! with `slipway publish` and used from Deno and from Node.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::stock::{read_json, write};

/// A package of somebody else, and a program that shows that it works.
struct Real<'a> {
    /// Its directory among the clients.
    installed: &'a str,
    /// The name it is published under.
    name: &'a str,
    /// Further keys for its package.json.
    settings: Value,
    /// A program in which `PACKAGE` stands for the name.
    program: &'a str,
    /// What it prints.
    printed: &'a str,
}

fn works(real: &Real<'_>) {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open(real.name);
    let directory = bench.unpacked(real.installed);
    let version = name_it(&directory, real);
    let at = ["--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&directory).args(["publish", "."]).args(at).ok();
    assert_eq!(bench.registry.versions(real.name), [version.as_str()]);

    let in_deno = real.program.replace("PACKAGE", &format!("jsr:{}@{version}", real.name));
    let consumer = bench.project("consumer", &[("main.ts", &in_deno)]);
    assert_eq!(bench.deno(&consumer).args(["run", "--no-lock", "--allow-read", "--allow-env", "main.ts"]).ok().last_line(), real.printed);

    let project = project(&bench, Client::Npm);
    let alias = real.name.trim_start_matches('@').replace('/', "__");
    bench.command("npm", &project).args(["install", &format!("{}@npm:@jsr/{alias}", real.name)]).ok();
    assert_eq!(installed_version(&project, real.name), version);
    assert_eq!(node(&bench, &project, &real.program.replace("PACKAGE", real.name)), real.printed);
    bench.close();
}

/// Writes name and settings into package.json and returns the version.
fn name_it(directory: &Path, real: &Real<'_>) -> String {
    let path = directory.join("package.json");
    let mut manifest = read_json(&path);
    manifest["name"] = json!(real.name);
    for (key, value) in real.settings.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    write(&path, &manifest.to_string());
    manifest["version"].as_str().expect("a published package has a version").to_owned()
}

/// `abc`, hashed; the digests are those of FIPS 180-4 and FIPS 202.
const DIGESTS: &str = "[\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\
    \"3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532\"]";

#[test]
fn noble_hashes_1_finds_its_source_by_maps() {
    works(&Real {
        installed: "@noble/hashes",
        name: "@noble/hashes",
        settings: json!({}),
        program: r#"import { sha256 } from "PACKAGE/sha2";
import { sha3_256 } from "PACKAGE/sha3";
import { bytesToHex, utf8ToBytes } from "PACKAGE/utils";
const text = utf8ToBytes("abc");
console.log(JSON.stringify([bytesToHex(sha256(text)), bytesToHex(sha3_256(text))]));
"#,
        printed: DIGESTS,
    });
}

#[test]
fn noble_hashes_2_keeps_what_it_built() {
    works(&Real {
        installed: "noble-hashes-2",
        name: "@noble/hashes",
        settings: json!({}),
        program: r#"import { sha256 } from "PACKAGE/sha2.js";
import { sha3_256 } from "PACKAGE/sha3.js";
import { bytesToHex, utf8ToBytes } from "PACKAGE/utils.js";
const text = utf8ToBytes("abc");
console.log(JSON.stringify([bytesToHex(sha256(text)), bytesToHex(sha3_256(text))]));
"#,
        printed: DIGESTS,
    });
}

#[test]
fn zod_names_its_source_in_a_condition() {
    works(&Real {
        installed: "zod",
        name: "@real/zod",
        settings: json!({}),
        program: r#"import { z } from "PACKAGE";
import * as mini from "PACKAGE/mini";
const person = z.object({ name: z.string(), age: z.number().int().min(0) });
const good = person.parse({ name: "Ada", age: 36, extra: true });
const bad = person.safeParse({ name: 1, age: -1 });
const paths = bad.success ? [] : bad.error.issues.map((issue) => issue.path.join("."));
console.log(JSON.stringify([good, paths, mini.parse(mini.string(), "small")]));
"#,
        printed: r#"[{"name":"Ada","age":36},["name","age"],"small"]"#,
    });
}

#[test]
fn rxjs_publishes_with_augmentations_allowed() {
    works(&Real {
        installed: "rxjs",
        name: "@real/rxjs",
        settings: json!({"augmentations": true}),
        program: r#"import { firstValueFrom, from, of } from "PACKAGE";
import { map, mergeMap, reduce } from "PACKAGE/operators";
const sum = from([1, 2, 3]).pipe(mergeMap((n) => of(n, n)), map((n) => n * 10), reduce((a, b) => a + b, 0));
console.log(JSON.stringify(await firstValueFrom(sum)));
"#,
        printed: "120",
    });
}

#[test]
fn rxjs_is_refused_without_being_asked() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@real/rxjs");
    let directory = bench.unpacked("rxjs");
    let real = Real { installed: "rxjs", name: "@real/rxjs", settings: json!({}), program: "", printed: "" };
    name_it(&directory, &real);
    let at = ["--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&directory).args(["publish", "."]).args(at).fails().says("augmentations");
    assert!(bench.registry.versions("@real/rxjs").is_empty());
    bench.close();
}
