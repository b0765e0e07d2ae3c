//! Declarations that are paired by name, and programs that no export reaches: used where they are sound, given up where not.

use super::tests::{facts, upload};
use super::*;
use crate::pipeline::fixture::{lines, path_named};

const CONFIG: &str =
    r#"{ "name": "@own/pkg", "version": "1.2.3", "license": "MIT", "exports": "./mod.js", "npm": { "bin": { "kit": "./cli.ts" } } }"#;

fn plan(files: &[(&str, &str)]) -> Plan {
    let mut all = vec![("/jsr.json", CONFIG), ("/mod.js", "export { b } from \"./b.mjs\";\nexport const a = 1;\n")];
    all.push(("/b.mjs", "export const b = 2;\n"));
    all.extend(files);
    examine(&upload(&all)).and_then(|draft| draft.plan_whole(&facts())).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn manifest(plan: &Plan) -> serde_json::Value {
    serde_json::from_str(&plan.npm.manifest).unwrap()
}

/// The modules that the description of the version holds.
fn described(plan: &Plan) -> Vec<String> {
    let meta = plan.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::VersionMeta).unwrap();
    let meta: serde_json::Value = serde_json::from_slice(&meta.bytes).unwrap();
    meta["moduleGraph2"].as_object().unwrap().keys().cloned().collect()
}

const TYPES: (&str, &str) = ("/mod.d.ts", "export { b } from \"./b.mjs\";\nexport const a: import(\"npm:lit@2\").Lit;\n");
const CLI: (&str, &str) =
    ("/cli.ts", "#!/usr/bin/env node\nimport { a } from \"./mod.js\";\nconst shown: string = String(a);\nconsole.log(shown);\n");

#[test]
fn declarations_are_found_by_their_name() {
    let plan = plan(&[TYPES, ("/b.d.mts", "export const b: 2;\n"), CLI]);
    assert_eq!(lines(&plan.findings), [""; 0]);
    assert!(plan.slow_exports.is_empty());
    assert_eq!(manifest(&plan)["exports"], serde_json::json!({ ".": { "types": "./mod.d.ts", "default": "./mod.js" } }));
    assert_eq!(manifest(&plan)["dependencies"], serde_json::json!({ "lit": "2" }));
    assert_eq!(described(&plan), ["/b.d.mts", "/b.mjs", "/cli.ts", "/mod.d.ts", "/mod.js"]);
    let docs = plan.artefacts.iter().find(|artefact| matches!(&artefact.kind, ArtefactKind::Docs { name, .. } if name == "index.json"));
    assert!(String::from_utf8_lossy(&docs.unwrap().bytes).contains("Lit"), "documentation is that of the declarations");
}

#[test]
fn what_a_script_says_itself_comes_first() {
    let script = ("/mod.js", "// @ts-self-types=\"./real.d.ts\"\nexport const a = 1;\n");
    let files = [("/jsr.json", CONFIG), script, ("/real.d.ts", "export const a: 1;\n"), ("/mod.d.ts", "export = 1;\n"), CLI];
    let plan = examine(&upload(&files)).unwrap_or_else(|findings| panic!("{findings:?}")).plan_whole(&facts()).unwrap();
    assert_eq!(lines(&plan.findings), [""; 0]);
    assert_eq!(manifest(&plan)["exports"]["."]["types"], "./real.d.ts");
}

#[test]
fn programs_are_compiled_and_no_exports() {
    let plan = plan(&[TYPES, CLI]);
    let manifest = manifest(&plan);
    assert_eq!(manifest["bin"], serde_json::json!({ "kit": "./cli.js" }));
    assert_eq!(manifest["exports"].as_object().unwrap().len(), 1);
    assert_eq!(plan.exports.0.len(), 1);
}

/// What Deno's client lets through is not refused for what it never looks at.
#[test]
fn mistakes_in_declarations_cost_the_declarations() {
    for (declarations, code) in [
        ("export = 1;\n", "globalTypeAugmentation"),
        ("declare global {}\nexport {};\n", "globalTypeAugmentation"),
        ("export const = 1;\n", "graphError"),
        ("import \"https://a.example/b.ts\";\n", "invalidExternalImport"),
        ("import \"npm:lit\";\n", "missingConstraint"),
        ("import \"jsr:@aa/none@1\";\n", "unresolvableJsrDependency"),
        ("export * from \"./more.ts\";\n", "commonJs"),
    ] {
        let plan = plan(&[("/mod.d.ts", declarations), ("/more.ts", "import a = require(\"npm:a@1\");\n"), CLI]);
        let found = lines(&plan.findings);
        assert!(found.iter().any(|line| line.starts_with(&format!("warning {code} "))), "{declarations}: {found:?}");
        let given_up =
            "warning slowTypes /mod.js: the declarations in '/mod.d.ts' are not used for '/mod.js', because of a mistake in them";
        assert!(found.iter().any(|line| line == given_up), "{declarations}: {found:?}");
        // Its names are all that is left to declare.
        let exports = serde_json::json!({ ".": { "types": "./_dist/mod.d.ts", "default": "./mod.js" } });
        assert_eq!(manifest(&plan)["exports"], exports, "{declarations}");
        assert_eq!(described(&plan), ["/b.mjs", "/cli.ts", "/mod.js"]);
        assert!(plan.dependencies.is_empty());
        assert_eq!(manifest(&plan)["bin"], serde_json::json!({ "kit": "./cli.js" }), "other extras stay");
    }
    let deep = format!("export type A = {};", "[".repeat(50_000));
    assert!(lines(&plan(&[("/mod.d.ts", &deep), CLI]).findings).iter().any(|line| line.starts_with("warning nestingTooDeep /mod.d.ts:1:")));
}

#[test]
fn mistakes_in_programs_cost_the_program() {
    for program in ["import \"./nope.ts\";\n", "const = 1;\n", "import \"jsr:@aa/none@1\";\n", "import \"chalk\";\n", "export = 1;\n"] {
        let plan = plan(&[TYPES, ("/b.d.mts", "export const b: 2;\n"), ("/cli.ts", program)]);
        let found = lines(&plan.findings);
        assert_eq!(found.len(), 2, "{program}: {found:?}");
        assert!(found.iter().all(|line| line.starts_with("warning ")), "{program}: {found:?}");
        assert!(found[1].starts_with("warning exportSkipped /cli.ts: the command 'kit' is left out of the npm package"), "{found:?}");
        assert_eq!(manifest(&plan).get("bin"), None);
        assert_eq!(described(&plan), ["/b.d.mts", "/b.mjs", "/mod.d.ts", "/mod.js"]);
    }
}

/// Four rounds of a hundred findings do not get through these; then all extras go at once.
#[test]
fn very_many_mistakes_end() {
    let files: Vec<(String, String)> =
        (0..600).flat_map(|n| [(format!("/m{n}.js"), String::new()), (format!("/m{n}.d.ts"), "export = 1;\n".to_owned())]).collect();
    let imports: String = (0..600).map(|n| format!("import \"./m{n}.js\";\n")).collect();
    let mut all: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    all.extend([("/jsr.json", CONFIG), ("/mod.js", imports.as_str()), CLI]);
    let plan = examine(&upload(&all)).unwrap_or_else(|findings| panic!("{findings:?}")).plan_whole(&facts()).unwrap();
    assert!(!plan.findings.has_errors());
    assert!(!described(&plan).contains(&"/m599.d.ts".to_owned()));
    assert!(plan.files.iter().any(|file| file.path == path_named("/m599.d.ts")), "files are stored all the same");
}

#[test]
fn mistakes_in_what_is_exported_are_errors_whoever_else_reaches_them() {
    let files = [
        ("/jsr.json", CONFIG),
        ("/mod.js", "import \"./shared.ts\";\n"),
        ("/shared.ts", "import \"jsr:@aa/none@1\";\nimport \"./nope.ts\";\n"),
        ("/cli.ts", "import \"jsr:@aa/none@1\";\nimport \"./shared.ts\";\n"),
    ];
    let draft = examine(&upload(&files)).unwrap_or_else(|findings| panic!("{findings:?}"));
    let found = lines(&draft.plan_whole(&facts()).err().unwrap());
    let errors: Vec<_> = found.iter().filter(|line| line.starts_with("error ")).map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(errors, ["error graphError /shared.ts:2:8", "error unresolvableJsrDependency /shared.ts:1:8"], "{found:?}");
}
