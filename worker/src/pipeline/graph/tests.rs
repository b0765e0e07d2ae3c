use std::collections::BTreeMap;

use super::*;
use crate::pipeline::fixture::{Package, lines, name, path_named, version};

/// The findings of a package whose `mod.ts` is `text`.
fn findings_of(text: &str) -> Vec<String> {
    lines(&Package::new(&[("/mod.ts", text)]).graph().1)
}

#[test]
fn a_missing_module_is_worded_as_jsr_does_with_its_place() {
    let (_, findings) = Package::new(&[("/mod.ts", "import \"./Youtube.tsx\";"), ("/youtube.tsx", "")]).graph();
    assert_eq!(
        lines(&findings),
        ["error graphError /mod.ts:1:8: failed to build module graph: Module not found \"file:///Youtube.tsx\". \
          | the package has '/youtube.tsx': upper and lower case differ"]
    );
}

#[test]
fn a_syntax_error_has_its_place() {
    assert_eq!(
        findings_of("const invalidTypeScript = ;\n"),
        ["error graphError /mod.ts:1:27: failed to build module graph: SyntaxError: Expression expected"]
    );
    // Columns are characters, whatever a character takes in bytes or on the screen.
    assert_eq!(
        findings_of("\t/* äöü€𝒳 */ const a = ;\n"),
        ["error graphError /mod.ts:1:24: failed to build module graph: SyntaxError: Expression expected"]
    );
}

#[test]
fn what_the_parser_recovers_from_is_an_error_too() {
    let text = "export const a;\nexport class A { constructor() {} constructor() {} }\n\
                import \"./nope.ts\";\n";
    assert_eq!(
        findings_of(text),
        [
            "error graphError /mod.ts:1:14: failed to build module graph: SyntaxError: 'const' declarations must be initialized",
            "error graphError /mod.ts:2:35: failed to build module graph: SyntaxError: A class can only have one constructor",
            "error graphError /mod.ts:3:8: failed to build module graph: Module not found \"file:///nope.ts\". \
             | is the file excluded from publishing?",
        ]
    );
}

#[test]
fn every_error_is_reported_each_at_each_place() {
    let package = Package::new(&[
        ("/mod.ts", "import \"./a.ts\";\nimport \"./nope.ts\";\nimport \"chalk\";\nawait import(\"./later.ts\");\n"),
        ("/a.ts", "import \"./nope.ts\";\nexport * from \"./b.ts\";\n"),
        ("/b.ts", "export const = 1;\n"),
        ("/unreached.ts", "export const = 1;\n"),
    ]);
    assert_eq!(
        lines(&package.graph().1),
        [
            "error graphError /a.ts:1:8: failed to build module graph: Module not found \"file:///nope.ts\". | is the file excluded from publishing?",
            "error graphError /b.ts:1:14: failed to build module graph: SyntaxError: Unexpected token `=`. Expected yield, an identifier, [ or {",
            "error graphError /mod.ts:2:8: failed to build module graph: Module not found \"file:///nope.ts\". | is the file excluded from publishing?",
            "error graphError /mod.ts:3:8: failed to build module graph: Import \"chalk\" not a dependency | write a relative path such as \
             './mod.ts', a specifier such as 'jsr:@scope/package@^1' or 'npm:package@^1', or name the package in the imports of the \
             config file",
            "warning graphError /mod.ts:4:14: failed to build module graph: Dynamic import not found \"file:///later.ts\". | is the file excluded from publishing?",
        ]
    );
}

#[test]
fn what_may_be_missing_is_a_warning() {
    let text = "/// <reference types=\"node\" />\n/// <reference path=\"./nope.d.ts\" />\ntry { await import(\"optional\"); } catch {}\n\
                try { await import(\"./build/native.js\"); } catch {}\nimport \"./a.js\";\nimport type { T } from \"./nope.ts\";\n";
    let js = "/** @param {import(\"nope\").X} a @param {import(\"./nope.js\").X} b */\nexport function f(a, b) {}\n";
    let found = lines(&Package::new(&[("/mod.ts", text), ("/a.js", js)]).graph().1);
    let heads: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "error graphError /mod.ts:6:24",
            "warning graphError /a.js:1:20",
            "warning graphError /a.js:1:48",
            "warning graphError /mod.ts:1:22",
            "warning graphError /mod.ts:2:21",
            "warning graphError /mod.ts:3:20",
            "warning graphError /mod.ts:4:20",
        ],
        "{found:?}"
    );
}

#[test]
fn near_misses_are_named() {
    let files =
        [("/mod.ts", "import \"./a\";\nimport \"./b.js\";\nimport \"./dir\";\n"), ("/a.ts", ""), ("/b.ts", ""), ("/dir/index.ts", "")];
    let found = lines(&Package::new(&files).graph().1);
    assert!(found[0].ends_with("| did you mean '/a.ts'?"), "{found:?}");
    assert!(found[1].ends_with("| did you mean '/b.ts'?"), "{found:?}");
    assert!(found[2].ends_with("| did you mean '/dir/index.ts'?"), "{found:?}");
}

#[test]
fn paths_that_only_work_on_a_disk_are_refused() {
    let package = Package::new(&[
        ("/mod.ts", "export * from \"./src/a.ts\";"),
        (
            "/src/a.ts",
            "import \"/b.ts\";\nimport \"file:///b.ts\";\nimport \"../../b.ts\";\nimport \"../b.ts\";\nimport \"../src/../b.ts\";\n",
        ),
        ("/b.ts", ""),
    ]);
    let found = lines(&package.graph().1);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("error graphError /src/a.ts:3:8: failed to build module graph: '../../b.ts' leads out of the package"));
    assert!(found[1].starts_with("error invalidExternalImport /src/a.ts:1:8: invalid import '/b.ts' (not relative)"));
    assert!(found[2].starts_with("error invalidExternalImport /src/a.ts:2:8: invalid import 'file:///b.ts' (not relative)"));
}

#[test]
fn the_package_itself_is_a_local_export() {
    let text = "import \"jsr:@own/pkg@^1.2.0/sub\";\nimport \"jsr:@own/pkg@1\";\nimport \"jsr:/@own/pkg@^1/sub\";\nimport \"jsr:@own/pkg@^2/sub\";\n";
    let package = Package::new(&[("/mod.ts", "import \"./use.ts\";\n"), ("/use.ts", text), ("/sub.ts", "export {};\n")]);
    let package = package.exporting(&[(".", "./mod.ts"), ("./sub", "./sub.ts")]);
    let (graph, findings) = package.graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    let used = graph.script(&path_named("/use.ts")).unwrap();
    let targets: Vec<_> = used.dependencies.values().map(|dependency| dependency.get_code().unwrap().as_str()).collect();
    assert_eq!(targets, ["file:///sub.ts", "file:///mod.ts", "file:///sub.ts", "jsr:@own/pkg@^2/sub"]);

    let found = findings_of("import \"jsr:@own/pkg@1/nope\";\n");
    assert_eq!(
        found,
        [
            "error graphError /mod.ts:1:8: failed to build module graph: 'jsr:@own/pkg@1/nope' names an export that this package does not have"
        ]
    );
}

#[test]
fn schemes_elsewhere_are_leaves() {
    let text = "import \"http://a/b.ts\";\nimport \"https://jsr.io/@aa/bb/1.0.0/mod.ts\";\nimport \"node:fs\";\nimport \"npm:chalk@^5\";\n\
                import \"npm:/chalk@^5\";\nimport \"jsr:@aa/bb@^1\";\nimport \"bun:test\";\nimport \"virtual:x\";\nimport \"cloudflare:workers\";\n\
                import \"data:text/javascript,export const a = 1;\";\n";
    let (graph, findings) = Package::new(&[("/mod.ts", text)]).graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert_eq!(graph.scripts().count(), 1);
    assert_eq!(graph.modules.modules().filter(|module| module.js().is_some()).count(), 2);
}

#[test]
fn unreadable_references_have_codes_of_their_own() {
    let found = findings_of("import \"jsr:@aa\";\nimport \"jsr:@aa/bb@latest\";\nimport \"npm:@a\";\nimport \"npm:chalk@^^5\";\n");
    let codes: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "error invalidNpmSpecifier /mod.ts:3:8",
            "error invalidNpmSpecifier /mod.ts:4:8",
            "error invalidJsrSpecifier /mod.ts:1:8",
            "error invalidJsrSpecifier /mod.ts:2:8"
        ],
        "{found:?}"
    );
}

#[test]
fn data_urls_are_read_and_guarded() {
    let found = findings_of("import \"data:text/javascript,const a = ;\";\nimport \"data:text/javascript;base64,@@@\";\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("error graphError /mod.ts:2:8: failed to build module graph: cannot load \"data:"), "{found:?}");
    assert!(found[1].starts_with("error graphError data:text/javascript,const a = ;:1:11: "), "{found:?}");
    let deep = format!("import \"data:text/javascript,{}\";", "%5B".repeat(5_000));
    assert!(findings_of(&deep)[0].starts_with("error nestingTooDeep data:text/javascript,%5B%5B"));
    let elements = format!("import \"data:text/jsx,{}\";", "<a>".repeat(600));
    let found = findings_of(&elements);
    assert!(found[0].starts_with("error nestingTooDeep data:text/jsx,") && found[0].contains("…:1:1501: "), "{found:?}");
}

#[test]
fn an_entry_point_of_any_name_is_guarded() {
    let package = Package::new(&[("/mod.foo", &"(".repeat(5_000))]).exporting(&[(".", "./mod.foo")]);
    let found = lines(&package.graph().1);
    assert!(found[0].starts_with("error nestingTooDeep /mod.foo:1:501: "), "{found:?}");
}

#[test]
fn deep_nesting_is_never_parsed() {
    let package = Package::new(&[("/mod.ts", "import \"./deep.ts\";\nimport \"./nope.ts\";\n"), ("/deep.ts", &"[".repeat(100_000))]);
    let found = lines(&package.graph().1);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("error nestingTooDeep /deep.ts:1:"), "{found:?}");
}

#[test]
fn text_is_counted_as_what_it_is_parsed_as() {
    let deep = "[".repeat(5_000);
    let package = Package::new(&[("/mod.entry", &deep)]).exporting(&[(".", "./mod.entry")]);
    assert!(lines(&package.graph().1)[0].starts_with("error nestingTooDeep /mod.entry:1:"));
    // A WebAssembly module that imports from `"; [[[[…`: the name ends the string it is put into.
    let name = format!("\";{deep}");
    let leb = |n: usize| [u8::try_from(n & 0x7f).unwrap() | 0x80, u8::try_from(n >> 7).unwrap()];
    let import = [&[1_u8][..], &leb(name.len()), name.as_bytes(), b"\x01f\0\0"].concat();
    let wasm = [b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02", &leb(import.len())[..], &import].concat();
    let package = Package::new(&[("/mod.ts", "import \"./w.wasm\";")]).with_bytes("/w.wasm", &wasm);
    assert!(lines(&package.graph().1)[0].starts_with("error nestingTooDeep /w.wasm:1:"));
}

#[test]
fn declarations_beside_javascript_are_its_types() {
    let mut package =
        Package::new(&[("/a.js", "export function f(x) { return x; }\n"), ("/a.d.ts", "export declare function f(x: number): number;\n")])
            .exporting(&[(".", "./a.js")]);
    assert_eq!(package.graph().0.slow_exports.len(), 1);
    package.manifest.declarations.insert(path_named("/a.js"), path_named("/a.d.ts"));
    let (graph, findings) = package.graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert!(graph.slow_exports.is_empty() && graph.reaches(&path_named("/a.d.ts")));
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
    let found = lines(&package.exporting(&[("./style", "./style.css"), ("./data", "./data.json")]).graph().1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("error graphError /style.css: failed to build module graph: Expected a JavaScript"), "{found:?}");
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
    assert!(graph.slow_exports.is_empty());
    assert!(graph.declarations(&path_named("/mod.ts")).is_some());
}

#[test]
fn slow_types_are_warnings_with_places() {
    let (graph, findings) = Package::new(&[("/mod.ts", "export const a = Math.random();\nexport function f() { return a; }\n")]).graph();
    let found = lines(&findings);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        "warning slowTypes /mod.ts:1:14: slow types: missing explicit type in the public API | add an explicit type annotation to the symbol"
    );
    assert!(found[1].starts_with("warning slowTypes /mod.ts:2:17: slow types: missing explicit return type"), "{found:?}");
    assert_eq!(graph.slow_exports.len(), 1);
    assert!(graph.declarations(&path_named("/mod.ts")).is_none());
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
    assert_eq!(graph.slow_exports.iter().map(ExportKey::as_str).collect::<Vec<_>>(), ["./plain", "./slow"]);
    assert!(graph.declarations(&path_named("/mod.ts")).is_some());
    assert!(graph.declarations(&path_named("/shared.ts")).is_some());
    assert!(graph.declarations(&path_named("/slow.ts")).is_none());
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
