//! Packages that would have a compiler read what is not theirs.
//!
//! There is a bait beside the registry's data, with a word in it that no source says. Whatever way a package points there, the word is
//! nowhere afterwards: not in what is published, nor in what its author is told. Where the compiler is confined, and by what, is
//! shown by one of our own (`suites/commands/confinement`); here the real ones follow, or do not follow, what TypeScript knows of paths.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bench::Bench;
use crate::inferred::{native, script, unpacked};

/// The word.
const WORD: &str = "xyzzy";
/// What leaves its type to the compiler, which would write it out.
const TAKE: &str = "const take = (taken: Taken) => ({ ...taken });\nexport const made = take(null!);\n";

/// Modules that point out of their package, and why the author has placeholders. `BAIT` stands for the directory of the bait.
const WAYS: [(&str, &str, &str); 7] = [
    ("path", "/// <reference path=\"BAIT/global.d.ts\" />\ntype Taken = Bait;\n", "TS6053"),
    ("climbing", "/// <reference path=\"../../../../../../../../../../..BAIT/global.d.ts\" />\ntype Taken = Bait;\n", "TS6053"),
    ("types", "/// <reference types=\"BAIT/global\" />\ntype Taken = Bait;\n", "TS"),
    ("import-type", "import type { bait } from \"BAIT/module.d.ts\";\ntype Taken = typeof bait;\n", "TS2307"),
    ("inline-type", "type Taken = typeof import(\"BAIT/module.d.ts\").bait;\n", "TS2307"),
    ("json-type", "type Taken = typeof import(\"BAIT/bait.json\");\n", "TS2307"),
    ("mapped", "import type { bait } from \"#bait\";\ntype Taken = typeof bait;\n", "TS2307"),
];
/// The same within a package, which is what a compiler is for.
const INSIDE: &str = "import type { bait } from \"./module.d.ts\";\ntype Taken = typeof bait;\n";
/// What nothing could run.
const VALUES: &str = "import bait from \"BAIT/bait.json\" with { type: \"json\" };\ntype Taken = typeof bait;\n";

/// What a package may bring along in the hope that a compiler reads it.
fn settings(bait: &str) -> [(String, String); 4] {
    let options = json!({
        "plugins": [{ "name": format!("{bait}/plugin.js") }], "typeRoots": [bait], "types": ["global"], "baseUrl": "/", "rootDirs": ["/", "."],
        "paths": { "#bait": [format!("{bait}/module.d.ts")] },
    });
    let tsconfig =
        json!({ "extends": format!("{bait}/tsconfig.json"), "compilerOptions": options, "files": [format!("{bait}/global.d.ts")] });
    let manifest = json!({ "imports": { "#bait": format!("../../..{bait}/module.d.ts") }, "types": format!("{bait}/global.d.ts") });
    [
        ("tsconfig.json", tsconfig.to_string()),
        ("package.json", manifest.to_string()),
        ("package/tsconfig.json", tsconfig.to_string()),
        ("node_modules/@types/global/package.json", json!({ "name": "@types/global", "types": format!("{bait}/global.d.ts") }).to_string()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
}

/// Every file below a directory that has the word.
fn with_word(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(with_word(&path));
        } else if String::from_utf8_lossy(&fs::read(&path).expect("it can be read")).contains(WORD) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn nothing_is_read_outside(compiler: fn(&Path) -> Vec<(String, String)>) {
    let Some(bench) = Bench::set_up_with(compiler) else { return };
    let module = format!("export declare const bait: {{ {WORD}: 1 }};\n");
    let files = [
        ("global.d.ts", format!("interface Bait {{ {WORD}: 1 }}\n")),
        ("module.d.ts", module.clone()),
        ("bait.json", json!({ (WORD): 1 }).to_string()),
        ("tsconfig.json", json!({ "files": [WORD] }).to_string()),
        ("plugin.js", format!("console.error({WORD:?});\n")),
    ];
    let bait = bench.project("bait", &files.each_ref().map(|(path, text)| (*path, text.as_str())));
    let bait = bait.display().to_string();
    let publish = |name: &str, modules: &[(String, String)]| {
        let exports: Map<String, Value> = modules.iter().map(|(path, _)| (format!("./{path}"), json!(format!("./{path}")))).collect();
        let config = json!({ "name": name, "version": "1.0.0", "license": "MIT", "exports": exports }).to_string();
        let brought = settings(&bait);
        let mut files = vec![("jsr.json", config.as_str()), ("module.d.ts", &module)];
        files.extend(brought.iter().chain(modules).map(|(path, text)| (path.as_str(), text.as_str())));
        let directory = bench.project(&format!("source-{}", name.replace('/', "-")), &files);
        bench.registry.open(name);
        let answer = bench.registry.upload(&directory, name, "1.0.0", "jsr.json");
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let task = bench.registry.finished(&answer.body);
        assert!(!task.to_string().contains(WORD), "{name}: {task}");
        task
    };
    let source = |text: &str| format!("{}{TAKE}", text.replace("BAIT", &bait));
    let task = publish("@acme/values", &[("mod.ts".to_owned(), source(VALUES))]);
    assert_eq!(task["status"], "failure", "{task}");

    let mut modules: Vec<_> = WAYS.iter().map(|(name, text, _)| (format!("{name}.ts"), source(text))).collect();
    modules.push(("inside.ts".to_owned(), source(INSIDE)));
    let task = publish("@acme/ways", &modules);
    assert_eq!(task["status"], "success", "{task}");
    for (name, _, why) in WAYS {
        let notes = task["findings"].as_array().into_iter().flatten().filter(|finding| finding["file"] == format!("/{name}.ts"));
        let hints: Vec<_> = notes.filter_map(|finding| finding["hint"].as_str()).collect();
        let why = format!("the compiler's are not used: {why}");
        assert!(hints.iter().any(|hint| hint.starts_with(&why)), "{name}: {hints:?}");
    }
    assert_eq!(task["untyped"].as_object().map(Map::len), Some(WAYS.len()), "{task}");
    let package = unpacked(&bench, "@acme/ways");
    let mut found = with_word(&package);
    found.sort();
    assert_eq!(found, ["_dist/inside.d.ts", "module.d.ts"].map(|path| package.join(path).display().to_string()));
    let version = bench.registry.get("api/scopes/acme/packages/ways/versions/1.0.0").body;
    assert!(!version.to_string().contains(WORD), "{version}");
    bench.close();
}

#[test]
fn the_native_compiler_reads_nothing_outside() {
    nothing_is_read_outside(native);
}

#[test]
fn the_older_compiler_reads_nothing_outside() {
    nothing_is_read_outside(script);
}
