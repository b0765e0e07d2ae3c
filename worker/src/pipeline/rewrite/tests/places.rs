//! Every place where a specifier can stand.

use serde_json::json;

use super::{Package, path, text};

fn package(module: &str, source: &str) -> Package {
    Package::new(&[(module, source), ("/a.ts", ""), ("/b/index.ts", ""), ("/t.d.ts", ""), ("/src/locales/en.ts", "")])
        .import_map(json!({"@/": "./src/", "chalk": "npm:chalk@^5", "pkg": "jsr:@s/pkg@^1"}))
}

/// Checks what becomes of a source, and that becoming it again changes nothing.
#[track_caller]
fn becomes(module: &str, source: &str, expected: &str) {
    let package = package(module, source);
    let rewritten = package.rewrite();
    assert_eq!(rewritten.unresolved, [].into());
    assert_eq!(text(&rewritten, module), expected);
    assert_eq!(rewritten.changed.contains(&path(module)), source != expected);
    let again = Package { files: rewritten.files, manifest: package.manifest }.rewrite();
    assert!(again.changed.is_empty(), "not the same the second time");
}

#[test]
fn statements() {
    becomes(
        "/mod.ts",
        "import './a'\nimport d, { x as y } from\n  \"./a\"; export * from './b'\nexport * as ns from \"chalk\";export { z } from './a';\n\
         import type { T } from './t'; export type { U } from \"./t\"; export type * from './t';\nimport type V = require('./t');\n\
         import json from './a' with { type: 'json' };\nimport defer * as l from './a';",
        "import './a.ts'\nimport d, { x as y } from\n  \"./a.ts\"; export * from './b/index.ts'\nexport * as ns from \"npm:chalk@^5\";export { z } from './a.ts';\n\
         import type { T } from './t.d.ts'; export type { U } from \"./t.d.ts\"; export type * from './t.d.ts';\nimport type V = require('./t.d.ts');\n\
         import json from './a.ts' with { type: 'json' };\nimport defer * as l from './a.ts';",
    );
}

#[test]
fn types() {
    becomes(
        "/mod.ts",
        "let x: typeof import('./a'), y: Map<import(\"./t\").A<import('chalk').B>, 1>;\ndeclare module './a' { interface X {} }\n\
         declare module 'chalk' {}\ndeclare module 'made-up' { import './a'; }\ndeclare module '*.css';",
        "let x: typeof import('./a.ts'), y: Map<import(\"./t.d.ts\").A<import('npm:chalk@^5').B>, 1>;\ndeclare module './a.ts' { interface X {} }\n\
         declare module 'npm:chalk@^5' {}\ndeclare module 'made-up' { import './a.ts'; }\ndeclare module '*.css';",
    );
}

#[test]
fn dynamic_imports() {
    becomes(
        "/mod.ts",
        "await import('./a');import(`./b`);import(/* c */ \"chalk\", { with: {} });(async () => { try { await import('./a') } catch {} })();\n\
         const f = () => import.meta.resolve('./a') + import.meta.resolve(`chalk`) + import.meta.resolve('./data/') + import.meta.resolve('./later.bin');",
        "await import('./a.ts');import(`./b/index.ts`);import(/* c */ \"npm:chalk@^5\", { with: {} });(async () => { try { await import('./a.ts') } catch {} })();\n\
         const f = () => import.meta.resolve('./a.ts') + import.meta.resolve(`npm:chalk@^5`) + import.meta.resolve('./data/') + import.meta.resolve('./later.bin');",
    );
}

#[test]
fn dynamic_imports_with_a_start() {
    becomes(
        "/mod.ts",
        "import(`@/locales/${l}.ts`);import('@/locales/' + l + '.ts');import(`./src/locales/${l}.ts`);import(`./src/${d}/${l}`);import(`pkg/${x}`);",
        "import(`./src/locales/${l}.ts`);import('./src/locales/' + l + '.ts');import(`./src/locales/${l}.ts`);import(`./src/${d}/${l}`);import(`jsr:@s/pkg@^1/${x}`);",
    );
    let unknown =
        package("/mod.ts", "import(x);\nimport(`${x}/y`);import('./gone/' + x);import(await y());require(z);import(`nope/${x}`)").rewrite();
    assert!(unknown.unresolved.is_empty() && unknown.changed.is_empty());
    let places: Vec<_> = unknown.warnings[&path("/mod.ts")]
        .iter()
        .map(|finding| (finding.code.as_str(), finding.place.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(
        places,
        [
            ("unanalyzableImport", "/mod.ts:2:25".to_owned()),
            ("unanalyzableImport", "/mod.ts:2:76".to_owned()),
            ("unanalyzableImport", "/mod.ts:1:1".to_owned()),
            ("unanalyzableImport", "/mod.ts:2:1".to_owned()),
            ("unanalyzableImport", "/mod.ts:2:40".to_owned()),
        ]
    );
}

#[test]
fn references_and_pragmas() {
    becomes(
        "/mod.js",
        "#!/usr/bin/env -S deno run\n// @ts-self-types=\"./t\"\n/// <reference types='./t' />\n/// <reference path=\"t\" />\n/// <reference lib=\"dom\" />\n\
         // @ts-types=\"./t\"\nimport './a';\n/* @deno-types=./t */ export * from './a';\n\
         // @deno-types='npm:@types/x@1'\nimport 'chalk';",
        "#!/usr/bin/env -S deno run\n// @ts-self-types=\"./t.d.ts\"\n/// <reference types='./t.d.ts' />\n/// <reference path=\"./t.d.ts\" />\n/// <reference lib=\"dom\" />\n\
         // @ts-types=\"./t.d.ts\"\nimport './a.ts';\n/* @deno-types=./t.d.ts */ export * from './a.ts';\n\
         // @deno-types='npm:@types/x@1'\nimport 'npm:chalk@^5';",
    );
    becomes("/mod.ts", "/// <reference path=\"t.d.ts\" />\nexport {}", "/// <reference path=\"./t.d.ts\" />\nexport {}");
}

#[test]
fn jsdoc_in_javascript_only() {
    let source = "/** @type {import('./a').A | import(\"chalk\").B} */\nlet x;\n/**\n * @import { T } from './t'\n * see import('./a')\n */\n// {import('./a')}\n/* {import('./a')} */\nexport {}\n";
    becomes(
        "/mod.js",
        source,
        "/** @type {import('./a.ts').A | import(\"npm:chalk@^5\").B} */\nlet x;\n/**\n * @import { T } from './t.d.ts'\n * see import('./a')\n */\n// {import('./a')}\n/* {import('./a')} */\nexport {}\n",
    );
    becomes("/mod.ts", source, source);
}

#[test]
fn every_kind_of_source() {
    for module in ["/m.ts", "/m.tsx", "/m.mts", "/m.js", "/m.jsx", "/m.mjs", "/m.d.ts", "/m.d.mts"] {
        becomes(module, "export * from './a';", "export * from './a.ts';");
    }
    for module in ["/m.cjs", "/m.cts", "/m.json", "/m.css", "/m.txt", "/m", "/m.vue", "/m.d.cts"] {
        becomes(module, "export * from './a';", "export * from './a';");
    }
}

#[test]
fn what_is_no_import_stays() {
    let source = "const a = require('./a'); const s = \"import './a'\"; import b = require('./a');\n// import './a'\nfoo.import('./a'); new URL('./a', import.meta.url); x.meta.resolve('./a'); import.meta.glob('./a'); `import './a'`;\nexport { a };";
    becomes("/mod.ts", source, source);
}

#[test]
fn escapes_quotes_line_ends_and_marks() {
    becomes(
        "/mod.ts",
        "\u{feff}import './a'\r\n\r\n  import   \"./b\"  ;\r\n",
        "\u{feff}import './a.ts'\r\n\r\n  import   \"./b/index.ts\"  ;\r\n",
    );
    becomes("/mod.ts", "const ä = '😀'; import './\\u0061'; import './a'", "const ä = '😀'; import './a.ts'; import './a.ts'");
    becomes("/mod.ts", "import './\\u0061.ts'", "import './\\u0061.ts'");
    becomes("/mod.ts", "'use strict';import './a'// no line end", "'use strict';import './a.ts'// no line end");
}

#[test]
fn what_cannot_be_read_is_passed_on() {
    let mut package = package("/mod.ts", "import './a'; const = ;");
    for (name, bytes) in [
        ("/latin.ts", b"import './a'; // \xe4".as_slice()),
        ("/marks.ts", "\u{feff}\u{feff}import './a';".as_bytes()),
        ("/recoverable.ts", b"import './a'; x = 010;".as_slice()),
        ("/empty.ts", b"".as_slice()),
        ("/comment.ts", b"// import './a'".as_slice()),
    ] {
        package.files.insert(path(name), bytes::Bytes::from_static(bytes));
    }
    let rewritten = package.rewrite();
    assert!(rewritten.unresolved.is_empty() && rewritten.warnings.is_empty());
    assert_eq!(rewritten.changed.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(rewritten.files, package.files);
}
