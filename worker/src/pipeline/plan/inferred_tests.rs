//! What a compiler made is looked at before it is used.

use slipway_common::model::finding::Severity;

use super::tests::{facts, upload};
use super::*;
use crate::pipeline::fixture::path_named;
use crate::pipeline::{Inferred, InferredModule};

const CONFIG: &str = r#"{ "name": "@own/pkg", "version": "1.2.3", "license": "MIT", "exports": "./mod.ts" }"#;
const MODULE: &str = "import { b } from \"./b.ts\";\nimport { lit } from \"npm:lit@3\";\nexport const a = b(lit());\n";
const MAP: &str =
    r#"{"version":3,"file":"mod.d.ts","sourceRoot":"","sources":["../package/mod.ts"],"names":[],"mappings":"AAEA,eAAO,MAAM,CAAC"}"#;

fn draft() -> Draft {
    let files =
        [("/jsr.json", CONFIG), ("/mod.ts", MODULE), ("/b.ts", "export function b(value: unknown): unknown {\n  return value;\n}\n")];
    examine(&upload(&files)).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The plan when a compiler made these declarations.
fn plan(text: &str) -> Plan {
    let module = InferredModule { text: text.to_owned(), map: MAP.to_owned() };
    let inferred =
        Inferred { compiler: "typescript 7.0.2".to_owned(), modules: [(path_named("/mod.ts"), module)].into(), ..Inferred::default() };
    draft().plan_whole(&Facts { inferred: Some(inferred), ..facts() }).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn said(plan: &Plan, severity: Severity) -> Vec<String> {
    plan.findings.iter().filter(|finding| finding.severity == severity).map(ToString::to_string).collect()
}

#[test]
fn sources_are_handed_out_as_a_compiler_finds_them() {
    let unsaid = draft().unsaid().unwrap();
    assert_eq!(unsaid.files.keys().collect::<Vec<_>>(), ["/b.ts", "/mod.ts", "/package.json"]);
    assert_eq!(unsaid.files["/mod.ts"], MODULE.replace("npm:lit@3", "lit"));
    assert_eq!(unsaid.wanted.iter().map(PackagePath::as_str).collect::<Vec<_>>(), ["/mod.ts"]);
    assert_eq!(unsaid.dependencies, [("lit".to_owned(), "3".to_owned())].into());
    let imports = &unsaid.imports["/mod.ts"];
    assert!(imports.is_foreign && imports.local.contains("/b.ts") && !unsaid.imports["/b.ts"].is_foreign);
}

#[test]
fn sound_declarations_take_the_place_of_placeholders() {
    let plan = plan("import { B } from \"./b.js\";\nexport declare const a: B | import(\"lit\").Lit | import(\"./b.ts\").C;\n");
    assert!(plan.untyped.is_empty());
    assert_eq!(said(&plan, Severity::Warning), [""; 0]);
    let manifest: serde_json::Value = serde_json::from_str(&plan.npm.manifest).unwrap();
    assert_eq!((&manifest["slipway"]["compiler"], manifest["slipway"].get("untyped")), (&"typescript 7.0.2".into(), None));
    assert!(said(&plan, Severity::Note).iter().any(|note| note.contains("are made by typescript 7.0.2")));
}

#[test]
fn unsound_declarations_are_not_used() {
    let long = format!("export declare const a: \"{}\";\n", "a".repeat(1024 * 1024));
    let deep = format!("export declare const a: {}1{};\n", "[".repeat(50_000), "]".repeat(50_000));
    for (text, why) in [
        ("export declare const = 1;\n", "cannot be read"),
        ("export declare const a: import(\"/etc/passwd\").a;\n", "name '/etc/passwd'"),
        ("export declare const a: import(\"./nope.js\").a;\n", "name './nope.js'"),
        ("export declare const a: import(\"other\").a;\n", "name 'other'"),
        ("export declare const a: import(\"little\").a;\n", "name 'little'"),
        (&long, "longer than"),
        (&deep, "nest too deep"),
    ] {
        let plan = plan(text);
        assert_eq!(plan.untyped.keys().map(PackagePath::as_str).collect::<Vec<_>>(), ["/mod.ts"], "{why}");
        assert!(said(&plan, Severity::Note).iter().any(|note| note.contains(why)), "{why}: {:?}", said(&plan, Severity::Note));
        assert!(!said(&plan, Severity::Warning).is_empty() && !plan.npm.manifest.contains("compiler"), "{why}");
    }
}
