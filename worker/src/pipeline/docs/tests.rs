use std::fmt::Write;

use serde_json::{Value, json};

use super::*;
use crate::pipeline::fixture::{Package, lines};

/// The two files of a package, parsed, and the warnings.
fn documented(package: &Package) -> (Vec<Artefact>, Vec<String>) {
    let (graph, errors) = package.graph();
    assert!(!errors.has_errors(), "{:?}", lines(&errors));
    let Documentation { artefacts, findings } = Undocumented::new(graph, &package.manifest).document();
    (artefacts, lines(&findings))
}

fn json_of(artefacts: &[Artefact], name: &str) -> Value {
    let kind = |name: &str| ArtefactKind::Docs { revision: DOCS_REVISION, name: name.to_owned() };
    let file =
        |name| artefacts.iter().find(|artefact| artefact.kind == kind(name)).map(|found| serde_json::from_slice::<Value>(&found.bytes));
    match (file(name), name) {
        (Some(read), _) => read.unwrap(),
        (None, "symbols.json") => file("index.json").unwrap().unwrap()["symbols"].take(),
        (None, _) => panic!("there is no {name}"),
    }
}

#[test]
fn a_small_module() {
    let text = "/**\n * Adds things.\n *\n * More about it.\n * @module\n */\n\n/** Adds two numbers.\n * And more.\n *\n * @param a one\n */\n\
                export function add(a: number, b: number): number { return a + b; }\n/** A shape. */\nexport interface Shape { sides: number }\n\
                export { other as renamed } from \"./other.ts\";\nfunction hidden(): void {}\n";
    let other = "/** Another. */\nexport const other: string = \"\";\n";
    let package = Package::new(&[("/mod.ts", text), ("/other.ts", other)]).exporting(&[(".", "./mod.ts"), ("./again", "./mod.ts")]);
    let (artefacts, warnings) = documented(&package);
    assert_eq!(warnings, Vec::<String>::new());
    let index = json_of(&artefacts, "index.json");
    assert_eq!(
        index["exports"][0],
        json!({
            "name": ".",
            "file": "/mod.ts",
            "summary": "Adds things.",
            "symbols": [
                {"name": "add", "kinds": ["function"], "summary": "Adds two numbers. And more.", "line": 13},
                {"name": "Shape", "kinds": ["interface"], "summary": "A shape.", "line": 15},
                {"name": "renamed", "kinds": ["variable"], "summary": "Another.", "line": 2},
            ],
        })
    );
    assert_eq!(index["exports"][1]["name"], "./again");
    let symbols = json_of(&artefacts, "symbols.json");
    assert_eq!(symbols["exports"], json!({".": "/mod.ts", "./again": "/mod.ts"}));
    let add = &symbols["documents"]["/mod.ts"]["symbols"][0];
    assert_eq!((&add["name"], &add["declarations"][0]["location"]["filename"]), (&json!("add"), &json!("/mod.ts")));
    let renamed = &symbols["documents"]["/mod.ts"]["symbols"][2];
    assert_eq!(renamed["declarations"][0]["location"]["filename"], "/other.ts");
    assert!(!String::from_utf8_lossy(&artefacts[0].bytes).contains("file:///"));
}

#[test]
fn a_name_for_a_value_and_a_type_keeps_both() {
    let text = "function foo(): number { return 1; }\nexport { foo as Bar };\nexport interface Bar { a: string }\n";
    let (artefacts, _) = documented(&Package::new(&[("/mod.ts", text)]));
    let kinds: Vec<_> = json_of(&artefacts, "index.json")["exports"][0]["symbols"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|symbol| symbol["kinds"].as_array().unwrap().clone())
        .collect();
    assert!(kinds.contains(&json!("function")) && kinds.contains(&json!("interface")), "{kinds:?}");
}

#[test]
fn types_may_go_round_in_circles() {
    let text = "export type A = B[];\nexport type B = { a: A; c: C };\nexport interface C extends D { d: C }\nexport interface D extends C {}\n\
                export type Loop = Loop;\nexport class E extends F {}\nexport class F extends E {}\nexport * as self from \"./mod.ts\";\n\
                export * from \"./b.ts\";\nexport { x } from \"./b.ts\";\n";
    let other = "export * from \"./mod.ts\";\nexport * as back from \"./mod.ts\";\nexport { x } from \"./mod.ts\";\n";
    let (graph, _) = Package::new(&[("/mod.ts", text), ("/b.ts", other)]).graph();
    let package = Package::new(&[("/mod.ts", text), ("/b.ts", other)]);
    // What comes of it does not matter; that it ends does.
    let Documentation { findings, .. } = Undocumented::new(graph, &package.manifest).document();
    assert!(!findings.has_errors());
}

#[test]
fn names_and_texts_of_any_alphabet() {
    let text = "/** Größe 😀 */\nexport const größe: number = 1;\nexport const 名前: string = \"x\";\nexport class 𝒳 {}\n";
    let (artefacts, warnings) = documented(&Package::new(&[("/mod.ts", text)]));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(json_of(&artefacts, "index.json")["exports"][0]["symbols"][0]["summary"], "Größe 😀");
}

#[test]
fn every_kind_of_entry_point() {
    let package = Package::new(&[
        ("/data.json", "{\"a\":1}"),
        ("/a.js", "/** @param {string} x */\nexport function f(x) {}\n"),
        ("/t.d.ts", "export declare const a: 1;"),
    ]);
    let package = package.exporting(&[("./data", "./data.json"), ("./a", "./a.js"), ("./t", "./t.d.ts")]);
    let (artefacts, warnings) = documented(&package);
    assert_eq!(warnings, Vec::<String>::new());
    let index = json_of(&artefacts, "index.json");
    assert_eq!(index["exports"][1]["symbols"][0]["name"], "f");
    assert_eq!(index["exports"][2]["symbols"][0]["name"], "a");
}

#[test]
fn namespaces_within_namespaces_are_not_copied_for_ever() {
    let mut files = vec![("/mod.ts".to_owned(), "export * as a from \"./m0.ts\";\n".to_owned())];
    for n in 0..30 {
        let next = n + 1;
        files.push((
            format!("/m{n}.ts"),
            format!("export * as a from \"./m{next}.ts\";\nimport * as b from \"./m{next}.ts\";\nexport {{ b }};\n"),
        ));
    }
    files.push(("/m30.ts".to_owned(), "export const end: number = 1;\n".to_owned()));
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let (artefacts, warnings) = documented(&Package::new(&files));
    assert!(artefacts.is_empty());
    assert_eq!(
        warnings,
        ["warning docError: the package has no documentation: its namespaces are exported within one another too many times"]
    );
}

#[test]
fn what_is_too_large_is_cut_and_marked() {
    let mut text = String::new();
    for n in 0..1_500 {
        writeln!(text, "/** {} */\nexport const a{n}: number = {n};", "x".repeat(6_000)).unwrap();
    }
    let (artefacts, warnings) = documented(&Package::new(&[("/mod.ts", &text)]));
    assert_eq!(warnings, ["warning docError: the documentation is not complete, because it would be too large"]);
    assert_eq!(artefacts.len(), 2, "the index alone is short");
    assert_eq!(json_of(&artefacts, "symbols.json")["truncated"], true);
    assert_eq!(json_of(&artefacts, "index.json").get("truncated"), None);
    assert!(artefacts.iter().all(|artefact| artefact.bytes.len() < 9 * 1024 * 1024));
}

#[test]
fn types_that_nest_too_deep_to_be_read_are_left_out() {
    let text = format!("export type Deep = {}1{};\nexport const flat: number = 1;\n", "[".repeat(200), "]".repeat(200));
    let (artefacts, warnings) = documented(&Package::new(&[("/mod.ts", &text)]));
    assert_eq!(warnings.len(), 1);
    let symbols = json_of(&artefacts, "symbols.json");
    let names: Vec<_> = symbols["documents"]["/mod.ts"]["symbols"].as_array().unwrap().iter().map(|symbol| &symbol["name"]).collect();
    assert_eq!(names, ["flat"]);
}

#[test]
fn the_same_package_gives_the_same_bytes() {
    let files = [
        (
            "/mod.ts",
            "export * as ns from \"./a.ts\";\nexport * from \"./a.ts\";\nexport class C<T> { m(): Promise<T> { return null!; } }\n",
        ),
        (
            "/a.ts",
            "interface P { x: number }\nexport type A = P;\nexport enum E { One, Two }\nexport namespace N { export const a: number = 1; }\n",
        ),
    ];
    let first = documented(&Package::new(&files));
    for _ in 0..5 {
        assert_eq!(documented(&Package::new(&files)), first);
    }
}

#[test]
fn what_costs_the_square_of_its_size_is_left_out() {
    let overloads: String = (0..5_000).map(|index| format!("export function f(a: {index}): void;\n")).collect();
    let overloads = Package::new(&[("/mod.ts", &format!("{overloads}export function f(a: unknown): void {{}}\n"))]);
    let merged = Package::new(&[("/mod.ts", &"export namespace N { export const a: number = 1; }\n".repeat(5_000))]);
    for package in [overloads, merged] {
        let (graph, _) = package.graph();
        let Documentation { artefacts, findings } = Undocumented::new(graph, &package.manifest).document();
        assert_eq!(artefacts, []);
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [FindingCode::DocError]);
    }
}
