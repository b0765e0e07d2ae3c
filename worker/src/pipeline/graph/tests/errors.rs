//! What is wrong with a graph, in words and places.

use super::findings_of;
use crate::pipeline::fixture::{Package, lines, path_named};

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
            "warning graphError /mod.ts:4:14: Dynamic import not found \"file:///later.ts\". | is the file excluded from publishing?",
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
            "warning graphError /a.js:1:20",
            "warning graphError /a.js:1:48",
            "warning graphError /mod.ts:1:22",
            "warning graphError /mod.ts:2:21",
            "warning graphError /mod.ts:3:20",
            "warning graphError /mod.ts:4:20",
            "warning graphError /mod.ts:6:24",
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
