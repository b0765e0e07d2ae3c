use super::*;
use crate::pipeline::fixture::{Package, lines};

/// What the rules say about a package, and whether it augments.
fn judged(package: &Package, augmentations: bool) -> (Vec<String>, bool) {
    let (graph, _) = package.graph();
    let mut findings = Findings::default();
    let augments = check(&graph, augmentations, &mut findings);
    findings.sort();
    (lines(&findings), augments)
}

/// Code and place of each finding in a `mod.ts`.
fn codes(text: &str) -> Vec<String> {
    let (found, _) = judged(&Package::new(&[("/mod.ts", text), ("/a.ts", "export {};"), ("/a.json", "{}")]), false);
    found.iter().map(|line| line.split(": ").next().unwrap().trim_start_matches("error ").to_owned()).collect()
}

#[test]
fn each_banned_construct_has_its_code_and_place() {
    let cases: &[(&str, &[&str])] = &[
        ("export as namespace Foo;\n", &["globalTypeAugmentation /mod.ts:1:1"]),
        ("const a = 1;\nexport = a;\n", &["globalTypeAugmentation /mod.ts:2:1"]),
        ("import a = require(\"./a.ts\");\n", &["commonJs /mod.ts:1:1"]),
        ("export import a = require(\"./a.ts\");\n", &["commonJs /mod.ts:1:1"]),
        ("namespace A { export const B = 1; }\nimport x = A.B;\nexport { x };\n", &[]),
        ("import a from \"./a.json\" assert { type: \"json\" };\n", &["bannedImportAssertion /mod.ts:1:26"]),
        ("export { a } from \"./a.json\" assert { type: \"json\" };\n", &["bannedImportAssertion /mod.ts:1:30"]),
        ("export * from \"./a.json\" /* with */ assert { type: \"json\" };\n", &["bannedImportAssertion /mod.ts:1:37"]),
        ("import a from \"./a.json\" /* assert */ with { type: \"json\" };\n", &[]),
        ("import a from \"./a.json\" with { type: \"json\" };\nconst assert = a;\n", &[]),
        ("declare global { interface X {} }\nexport {};\n", &["globalTypeAugmentation /mod.ts:1:1"]),
        ("export {};\ndeclare module \"x\" { const a: 1; }\n", &["globalTypeAugmentation /mod.ts:2:1"]),
        ("declare module \"*.css\";\nexport {};\n", &["globalTypeAugmentation /mod.ts:1:1"]),
        ("declare module Foo {}\nexport namespace Bar { export const a: number = 1; }\n", &[]),
        ("/// <reference lib=\"dom\" />\nexport {};\n", &["bannedTripleSlashDirectives /mod.ts:1:1"]),
        ("// a licence\n///   <reference   lib='es2020'/>\nexport {};\n", &["bannedTripleSlashDirectives /mod.ts:2:1"]),
        ("/// <reference no-default-lib=\"true\" />\nexport {};\n", &["bannedTripleSlashDirectives /mod.ts:1:1"]),
        ("/// <reference no-default-lib=\"false\" />\nexport {};\n", &[]),
        ("/* / <reference lib=\"dom\" /> */\n/// <reference types=\"./a.ts\" />\n/// <reference path=\"./a.ts\" />\nexport {};\n", &[]),
        ("export {};\n/// <reference lib=\"dom\" />\n", &[]),
        ("const x = (globalThis as any).require(\"x\");\nexport const y: unknown = await x;\n", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(codes(text), *expected, "{text}");
    }
}

#[test]
fn every_hit_in_every_module_is_reported() {
    let package = Package::new(&[
        (
            "/mod.ts",
            "import \"./c.cjs\";\nimport \"./d.cts\";\ndeclare global {}\ndeclare module \"m\" {}\nimport a = require(\"./a.ts\");\n",
        ),
        ("/a.ts", "export as namespace A;\nexport as namespace B;\n"),
        ("/c.cjs", "module.exports = 1;\n"),
        ("/d.cts", "export const a = 1;\n"),
    ]);
    let (found, _) = judged(&package, false);
    let heads: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "error globalTypeAugmentation /a.ts:1:1",
            "error globalTypeAugmentation /a.ts:2:1",
            "error globalTypeAugmentation /mod.ts:3:1",
            "error globalTypeAugmentation /mod.ts:4:1",
            "error commonJs /c.cjs",
            "error commonJs /d.cts",
            "error commonJs /mod.ts:5:1",
        ]
    );
    assert_eq!(
        found[2],
        "error globalTypeAugmentation /mod.ts:3:1: 'declare global' changes types outside the package, which is not allowed \
         | remove it, or allow it with \"augmentations\": true in the config file, which is shown with the package"
    );
}

#[test]
fn augmentations_may_be_allowed() {
    let text = "/// <reference lib=\"dom\" />\n/// <reference no-default-lib=\"true\" />\nexport {};\n";
    let (found, augments) = judged(&Package::new(&[("/mod.ts", text)]), true);
    assert!(augments);
    assert_eq!(
        found,
        [
            "error bannedTripleSlashDirectives /mod.ts:2:1: '/// <reference no-default-lib=\"true\" />' takes the default types from \
             everybody who imports the package | remove the directive",
            "note augmentations /mod.ts:1:1: '/// <reference lib=\"…\" />' adds types for everybody who imports the package",
        ]
    );
    let package = Package::new(&[("/mod.ts", "declare global { var a: 1; }\ndeclare module \"m\" {}\nexport as namespace N;\n")]);
    let (found, augments) = judged(&package, true);
    assert!(augments);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("error globalTypeAugmentation /mod.ts:3:1"), "the name of a global stays out");
    assert_eq!(found[1], "note augmentations /mod.ts:1:1: 'declare global' changes types outside the package");
    assert_eq!(found[2], "note augmentations /mod.ts:2:1: 'declare module \"m\"' changes types outside the package");
    assert_eq!(judged(&Package::new(&[("/mod.ts", "export {};")]), true), (Vec::new(), false));
}

#[test]
fn declarations_of_modules_that_do_not_exist_are_no_imports() {
    let package =
        Package::new(&[("/mod.ts", "export {};\ndeclare module \"foo\" {}\ndeclare module \"x:y\" {}\ndeclare module \"./nope.ts\" {}\n")]);
    let (graph, findings) = package.graph();
    assert!(!findings.has_errors(), "{:?}", lines(&findings));
    let mut findings = Findings::default();
    assert!(check(&graph, true, &mut findings));
    assert!(crate::pipeline::dependencies::collect(&graph, &mut findings).is_empty());
    assert!(!findings.has_errors(), "{:?}", lines(&findings));
}
