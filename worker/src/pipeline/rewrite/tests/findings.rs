//! What is said about what cannot be resolved.

use serde_json::json;
use slipway_common::model::finding::{MAX_FINDINGS, Severity};

use super::{Package, path};

#[test]
fn every_file_has_its_own_with_places() {
    let package = Package::new(&[
        ("/mod.ts", "import './a';\n\n  export * from './gone';\nimport x from 'nowhere';\n"),
        ("/a.ts", "// é😀\nlet ä = '😀'; import './gone.ts'"),
        ("/b.ts", ""),
    ]);
    let rewritten = package.rewrite();
    let places = |name: &str| -> Vec<String> {
        rewritten.unresolved[&path(name)].iter().map(|finding| finding.place.as_ref().unwrap().to_string()).collect()
    };
    // Columns are counted in characters, and a specifier begins with its quote.
    assert_eq!(places("/mod.ts"), ["/mod.ts:3:17", "/mod.ts:4:15"]);
    assert_eq!(places("/a.ts"), ["/a.ts:2:21"]);
    assert_eq!(rewritten.unresolved.len(), 2);
    // What can be made exact is, in a broken file as well.
    assert!(rewritten.changed.contains(&path("/mod.ts")));
}

#[test]
fn what_need_not_be_resolved_is_a_warning() {
    let package = Package::new(&[(
        "/mod.js",
        "/// <reference types=\"node\" />\n/** @type {import('eslint').Rule} */\nlet x;\n// @ts-types=\"./gone.d.ts\"\nimport './mod.js';\n\
         import('optional').catch(() => {}); import.meta.resolve('nothing');",
    )])
    .package_json(json!({"devDependencies": {"eslint": "^9"}}));
    let rewritten = package.rewrite();
    assert!(rewritten.unresolved.is_empty());
    let warnings = &rewritten.warnings[&path("/mod.js")];
    assert!(warnings.iter().all(|finding| finding.severity == Severity::Warning && finding.code.as_str() == "unresolvedSpecifier"));
    let quoted: Vec<_> = warnings.iter().map(|finding| finding.message.split('\'').nth(1).unwrap()).collect();
    assert_eq!(quoted, ["node", "eslint", "./gone.d.ts", "optional", "nothing"]);
    assert!(warnings[1].hint.as_ref().unwrap().contains("`devDependencies`"));
}

#[test]
fn references_to_node_types_are_resolved_where_they_are_declared() {
    let package = Package::new(&[("/mod.ts", "/// <reference types=\"node\" />\nexport {};")])
        .package_json(json!({"devDependencies": {"@types/node": "^22"}}));
    assert_eq!(package.module(), "/// <reference types=\"npm:@types/node@^22\" />\nexport {};");
}

#[test]
fn what_cannot_be_written_is_a_finding() {
    let package =
        Package::new(&[("/mod.ts", "import 'a';\n// @ts-types=\"a\"\nimport './mod.ts';")]).import_map(json!({"a": "npm:a\"*/@1"}));
    let rewritten = package.rewrite();
    assert_eq!(super::text(&rewritten, "/mod.ts").lines().next().unwrap(), "import 'npm:a\"*/@1';");
    assert!(rewritten.warnings[&path("/mod.ts")][0].message.ends_with("which cannot be written in a comment"));
}

#[test]
fn files_that_are_not_safe_to_parse_are_skipped() {
    let package = Package::new(&[("/mod.ts", "import './a'"), ("/a.ts", "import './mod'")]);
    let (name, version) = ("@me/pkg".try_into().unwrap(), "1.0.0".try_into().unwrap());
    let rewritten = super::rewrite(&package.files, &package.manifest, &name, &version, &[path("/mod.ts")].into());
    assert_eq!(rewritten.changed, [path("/a.ts")].into());
}

#[test]
fn hostile_numbers_end() {
    let many: String = (0..5_000).map(|index| format!("import './{index}';\n")).collect();
    let same = "import './gone';".repeat(20_000);
    let line: String = (0..20_000).map(|index| format!("import('./é{index}');")).collect();
    let package = Package::new(&[("/many.ts", &many), ("/same.ts", &same), ("/line.ts", &line)]);
    let rewritten = package.rewrite();
    assert_eq!(rewritten.unresolved[&path("/many.ts")].len(), MAX_FINDINGS);
    assert_eq!(rewritten.unresolved[&path("/same.ts")].len(), MAX_FINDINGS);
    assert_eq!(rewritten.warnings[&path("/line.ts")].len(), MAX_FINDINGS);
}

#[test]
fn trees_of_what_is_reached_and_unchanged_are_kept() {
    let package = Package::new(&[
        ("/mod.ts", "import './a.ts';"),
        ("/a.ts", "import './b';"),
        ("/b.ts", "export {};"),
        ("/unreached.ts", "import './mod.ts';"),
        ("/data.json", "{}"),
    ])
    .exports(&[(".", "./mod.ts")]);
    let rewritten = package.rewrite();
    assert_eq!(rewritten.parsed.keys().map(ToString::to_string).collect::<Vec<_>>(), ["/b.ts", "/mod.ts"]);
    assert_eq!(rewritten.parsed[&path("/b.ts")].specifier().as_str(), "file:///b.ts");
    assert_eq!(rewritten.changed, [path("/a.ts")].into());
    // Untouched files are the very bytes of the upload.
    assert_eq!(rewritten.files.get("/mod.ts").unwrap().as_ptr(), package.files.get("/mod.ts").unwrap().as_ptr());
}
