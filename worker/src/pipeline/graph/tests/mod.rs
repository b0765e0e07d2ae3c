mod errors;

use std::collections::BTreeMap;

use slipway_common::ids::ExportKey;

use super::*;
use crate::pipeline::fixture::{Package, lines, name, path_named, version};

/// The findings of a package whose `mod.ts` is `text`.
fn findings_of(text: &str) -> Vec<String> {
    lines(&Package::new(&[("/mod.ts", text)]).graph().1)
}

#[test]
fn declarations_beside_javascript_are_its_types() {
    let mut package =
        Package::new(&[("/a.js", "export function f(x) { return x; }\n"), ("/a.d.ts", "export declare function f(x: number): number;\n")])
            .exporting(&[(".", "./a.js")]);
    assert_eq!(package.graph().0.declarations.slow.len(), 1);
    package.manifest.declarations.insert(path_named("/a.js"), path_named("/a.d.ts"));
    let (graph, findings) = package.graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert!(graph.declarations.slow.is_empty() && graph.reaches(&path_named("/a.d.ts")));
}

#[test]
fn assets_are_kept_and_left_alone() {
    let text = "import a from \"./a.css\" with { type: \"css\" };\nimport b from \"./b.txt\" with { type: \"text\" };\n\
                import c from \"./c.bin\" with { type: \"bytes\" };\nimport d from \"./d.json\" with { type: \"json\" };\n\
                import e from \"./e.ts\" with { type: \"text\" };\nexport const all: unknown[] = [a, b, c, d, e];\n";
    let files = [("/mod.ts", text), ("/a.css", "a{}"), ("/b.txt", "b"), ("/c.bin", "c"), ("/d.json", "{}"), ("/e.ts", "not ( code")];
    let (graph, findings) = Package::new(&files).graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert!(graph.reaches(&path_named("/d.json")) && !graph.reaches(&path_named("/e.ts")));
    assert_eq!(graph.scripts().count(), 1);
}

#[test]
fn attributes_must_fit() {
    let text = "import \"./a.json\";\nimport \"./a.json\" with { type: \"json\" };\nimport \"./b.ts\" with { type: \"json\" };\n\
                import \"./c.yaml\" with { type: \"yaml\" };\nimport \"./d.css\";\nimport \"./b.ts\";\nimport \"./missing.css\" with { type: \"css\" };\n\
                await import(\"./a.json\");\n";
    let files = [("/mod.ts", text), ("/a.json", "{}"), ("/b.ts", ""), ("/c.yaml", ""), ("/d.css", "")];
    let found = lines(&Package::new(&files).graph().1);
    let heads: Vec<_> = found.iter().map(|line| line.split(" | ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "error graphError /mod.ts:1:8: failed to build module graph: \"file:///a.json\" is JSON, which is imported `with { type: \"json\" }`",
            "error graphError /mod.ts:3:8: failed to build module graph: Expected a Json module, but identified a TypeScript module \
             \"file:///b.ts\"",
            "error graphError /mod.ts:4:8: failed to build module graph: The import attribute type \"yaml\" is not supported; supported are \
             \"json\", \"text\", \"bytes\" and \"css\"",
            "error graphError /mod.ts:5:8: failed to build module graph: Expected a JavaScript or TypeScript module, but identified a Css \
             module. Importing these types of modules is currently not supported. Specifier: file:///d.css",
            "error graphError /mod.ts:7:8: failed to build module graph: Module not found \"file:///missing.css\".",
        ]
    );
}

/// A WebAssembly module that imports `f` from `env` and exports nothing.
const WASM_IMPORTING_ENV: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x09\x01\x03env\x01f\0\0";

#[test]
fn webassembly_may_import_what_its_user_provides() {
    let package = Package::new(&[("/mod.ts", "import * as w from \"./w.wasm\";\nexport const x: unknown = w;\n")]);
    let package = package.with_bytes("/w.wasm", WASM_IMPORTING_ENV);
    let (graph, findings) = package.graph();
    assert_eq!(
        lines(&findings),
        ["warning unanalyzableImport /w.wasm: the WebAssembly module imports 'env', which is not in the package \
          | whoever instantiates it has to provide that module"]
    );
    assert!(graph.reaches(&path_named("/w.wasm")));

    let broken = Package::new(&[("/mod.ts", "import \"./w.wasm\";")]).with_bytes("/w.wasm", b"nope");
    let found = lines(&broken.graph().1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("error graphError /w.wasm: failed to build module graph: The Wasm module could not be parsed"),
        "{found:?}"
    );
}

#[test]
fn a_query_is_the_same_file() {
    let text = "import \"./a.ts?worker\";\nimport \"./a.ts#x\";\nimport \"./a.ts\";\nimport \"./b.svg?raw\" with { type: \"text\" };\n";
    let (graph, findings) = Package::new(&[("/mod.ts", text), ("/a.ts", "export {};"), ("/b.svg", "")]).graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert_eq!(graph.scripts().count(), 2);
}

#[test]
fn odd_bytes_are_a_finding_or_a_success() {
    let latin = Package::new(&[]).with_bytes("/mod.ts", b"// \xe9t\xe9\nexport const a: number = 1;\n");
    assert_eq!(lines(&latin.graph().1), Vec::<String>::new());
    let bom = Package::new(&[]).with_bytes("/mod.ts", b"\xef\xbb\xbfexport const a: number = ;\r\n");
    assert_eq!(lines(&bom.graph().1), ["error graphError /mod.ts:1:26: failed to build module graph: SyntaxError: Expression expected"]);
    let wide = Package::new(&[("/mod.ts", "import \"./w.ts\";")]).with_bytes("/w.ts", b"\xff\xfee\0x\0");
    let found = lines(&wide.graph().1);
    assert!(found[0].contains("cannot load \"file:///w.ts\": the file is UTF-16"), "{found:?}");
    let wide = Package::new(&[]).with_bytes("/mod.ts", b"\xff\xfee\0x\0");
    let found = lines(&wide.graph().1);
    assert!(found[0].starts_with("error graphError /mod.ts: failed to build module graph: the file is UTF-16"), "{found:?}");
}

#[test]
fn paths_with_marks_are_found() {
    let text = "import \"./$id/[slug]/(g)/@x/{a}~+.ts\";\nimport \"./%61.ts\";\n";
    let files = [("/mod.ts", text), ("/$id/[slug]/(g)/@x/{a}~+.ts", "export {};"), ("/a.ts", "")];
    let (graph, findings) = Package::new(&files).graph();
    assert_eq!(lines(&findings).len(), 1);
    assert!(lines(&findings)[0].contains("Module not found \"file:///%61.ts\""));
    assert!(graph.reaches(&path_named("/$id/[slug]/(g)/@x/{a}~+.ts")));
}

#[test]
fn exports_that_are_no_modules() {
    let package = Package::new(&[("/style.css", "a{}"), ("/data.json", "{}")]);
    let (graph, findings) = package.exporting(&[("./style", "./style.css"), ("./data", "./data.json")]).graph();
    assert!(findings.is_empty(), "{findings:?}");
    assert!(graph.reaches(&path_named("/data.json")));
    assert!(!graph.reaches(&path_named("/style.css")));
}

#[test]
fn parsed_sources_are_used_again() {
    let package = Package::new(&[("/mod.ts", "export const a: number = 1;\n")]);
    let path = path_named("/mod.ts");
    let parse = |text: &str| {
        deno_ast::parse_program(deno_ast::ParseParams {
            specifier: specifier_of(&path),
            text: text.into(),
            media_type: deno_ast::MediaType::TypeScript,
            capture_tokens: false,
            scope_analysis: true,
            maybe_syntax: None,
        })
        .unwrap()
    };
    for (text, same) in [("export const a: number = 1;\n", true), ("export const stale = 2;\n", false)] {
        let source = parse(text);
        let program = source.program();
        let parsed = BTreeMap::from([(path.clone(), source)]);
        let graph = build(&package.files, &package.manifest, &name(), &version(), &Trees::new(parsed), &mut Findings::default());
        let used = graph.parsed(&specifier_of(&path)).unwrap();
        assert_eq!(std::sync::Arc::ptr_eq(&used.program(), &program), same, "{text}");
        assert_eq!(&**used.text(), "export const a: number = 1;\n");
    }
}

#[test]
fn declarations_are_made() {
    let package = Package::new(&[
        ("/mod.ts", "import { b } from \"./b.ts\";\nexport function a(x: number): string { return b(x); }\n"),
        ("/b.ts", "export function b(x: number): string { return String(x); }\n"),
    ]);
    let (graph, findings) = package.graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert!(graph.declarations.slow.is_empty());
    assert!(graph.declarations(&path_named("/mod.ts")).is_some());
}

#[test]
fn slow_types_are_warnings_with_places() {
    let (graph, findings) = Package::new(&[("/mod.ts", "export const a = Math.random();\nexport function f() { return a; }\n")]).graph();
    let found = lines(&findings);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        "warning slowTypes /mod.ts:1:14: slow types in 'a': missing explicit type in the public API | add an explicit type annotation to the symbol; until then it is `any` for npm"
    );
    assert!(found[1].starts_with("warning slowTypes /mod.ts:2:17: slow types in 'f': missing explicit return type"), "{found:?}");
    assert_eq!(graph.declarations.slow.len(), 1);
    assert!(graph.declarations(&path_named("/mod.ts")).is_some());
    let untyped = &graph.declarations.untyped[&path_named("/mod.ts")];
    assert_eq!(untyped.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "f"]);
}

#[test]
fn one_slow_export_does_not_spoil_the_others() {
    let package = Package::new(&[
        ("/mod.ts", "export { shared } from \"./shared.ts\";\n"),
        ("/slow.ts", "import { shared } from \"./shared.ts\";\nexport const slow = shared();\n"),
        ("/plain.js", "export const plain = 1;\n"),
        ("/shared.ts", "export function shared(): number { return 1; }\n"),
    ]);
    let package = package.exporting(&[(".", "./mod.ts"), ("./slow", "./slow.ts"), ("./plain", "./plain.js")]);
    let (graph, findings) = package.graph();
    let found = lines(&findings);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(graph.declarations.slow.iter().map(ExportKey::as_str).collect::<Vec<_>>(), ["./plain", "./slow"]);
    assert!(graph.declarations(&path_named("/mod.ts")).is_some());
    assert!(graph.declarations(&path_named("/shared.ts")).is_some());
    let untyped: Vec<_> = graph.declarations.untyped.keys().map(PackagePath::as_str).collect();
    assert_eq!(untyped, ["/plain.js", "/slow.ts"]);
}

#[test]
fn source_maps_are_not_imports() {
    let text = "export const a = 1;\n//# sourceMappingURL=https://example.com/mod.js.map\n";
    let (_, findings) = Package::new(&[("/mod.js", text)]).exporting(&[(".", "./mod.js")]).graph();
    assert!(!findings.has_errors(), "{:?}", lines(&findings));
}

#[test]
fn the_same_package_gives_the_same_findings() {
    let files: Vec<_> = (0..40)
        .map(|n| (format!("/m{n}.ts"), format!("import \"./missing.ts\";\nimport data from \"./data.json\";\nexport const a{n} = data;\n")))
        .chain([("/mod.ts".to_owned(), (0..40).map(|n| format!("await import(\"./m{n}.ts\");\n")).collect::<Vec<_>>().concat())])
        .chain([("/data.json".to_owned(), "{}".to_owned())])
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let first = lines(&Package::new(&files).graph().1);
    for _ in 0..5 {
        assert_eq!(lines(&Package::new(&files).graph().1), first);
    }
    assert_eq!(first.len(), 80);
}
