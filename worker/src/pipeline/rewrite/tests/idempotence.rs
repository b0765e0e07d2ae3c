//! What was rewritten is exact, and what is exact is not rewritten.

use proptest::prelude::*;
use serde_json::json;

use super::Package;

/// Everything that may stand between quotes, exact and not, good and bad.
fn specifier() -> impl Strategy<Value = String> {
    let segment =
        prop_oneof!["[a-c]", "[a-c]\\.(ts|js|tsx|d\\.ts|mjs)", Just("..".to_owned()), Just(".".to_owned()), Just("index".to_owned())];
    let relative = (
        prop_oneof![Just("./"), Just("../"), Just("/"), Just("")],
        prop::collection::vec(segment, 0..3),
        prop_oneof![Just(""), Just("/"), Just("?q")],
    )
        .prop_map(|(start, parts, end)| format!("{start}{}{end}", parts.join("/")));
    let named = prop::sample::select(vec![
        "chalk",
        "chalk/sub",
        "@/a",
        "@/b/",
        "#int/a",
        "#dep",
        "~/c",
        "fs",
        "fs/promises",
        "@me/pkg",
        "@me/pkg/b",
        "@other/pkg",
        "react",
        "ws",
        "none",
        "npm:chalk@^5",
        "jsr:@std/path@^1",
        "jsr:/@std/path@^1/x",
        "https://example.com/a",
        "node:fs",
        "@std/path/posix",
        "h/util",
    ]);
    prop_oneof![3 => relative, 2 => named.prop_map(str::to_owned)]
}

fn statement() -> impl Strategy<Value = String> {
    (specifier(), 0..13_usize).prop_map(|(text, kind)| match kind {
        0 => format!("import '{text}';"),
        1 => format!("import type {{ A }} from \"{text}\";"),
        2 => format!("export * from '{text}'"),
        3 => format!("import('{text}').then();"),
        4 => format!("import(`{text}`);"),
        5 => format!("import(`{text}/${{1}}`);"),
        6 => format!("import.meta.resolve('{text}');"),
        7 => format!("/** @type {{import('{text}').A}} */\n;"),
        8 => format!("// @ts-types=\"{text}\"\nimport './a.ts';"),
        9 => format!("/// <reference types=\"{text}\" />"),
        10 => format!("/// <reference path=\"{text}\" />"),
        11 => format!("/** @jsxImportSource {text} */"),
        _ => "const é = '😀';".to_owned(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_once(
        statements in prop::collection::vec(statement(), 0..8),
        ending in prop::sample::select(vec!["\n", "\r\n", " "]),
        module in prop::sample::select(vec!["/d.js", "/e/d.jsx", "/d.mjs", "/e/f/d.js"]),
        mark in prop::bool::ANY,
    ) {
        let source = format!("{}{}", if mark { "\u{feff}" } else { "" }, statements.join(ending));
        let package = Package::new(&[
            (module, source.as_str()), ("/a.ts", ""), ("/a/index.ts", ""), ("/b.tsx", ""), ("/b/index.js", ""), ("/c.d.ts", ""), ("/e/a.js", ""), ("/e/c/a.mts", ""),
        ])
        .exports(&[(".", "./a.ts"), ("./b", "./b.tsx")])
        .import_map(json!({"@/": "./", "h/": "jsr:/@fix/hello@^1/"}))
        .paths(&[("~/*", &["./e/*", "./*"])])
        .package_json(json!({
            "name": "@me/pkg",
            "dependencies": {"chalk": "^5", "@std/path": "npm:@jsr/std__path@^1", "react": ">=18", "ws": "workspace:*"},
            "imports": {"#int/*": "./*.js", "#dep": "chalk"},
        }));
        let once = package.rewrite();
        for (name, bytes) in package.files.iter() {
            let is_same = once.files.get(name.as_str()) == Some(bytes);
            prop_assert_eq!(is_same, !once.changed.contains(name));
        }
        let again = Package { files: once.files, manifest: package.manifest }.rewrite();
        prop_assert!(again.changed.is_empty(), "{:?}", again.files);
    }

    #[test]
    fn nothing_else_moves(before in "[^'\"`/\\\\]{0,20}", after in "[^'\"`/\\\\]{0,20}") {
        let source = format!("/*{before}*/import './a'/*{after}*/");
        let package = Package::new(&[("/mod.ts", source.as_str()), ("/a.ts", "")]);
        let text = super::text(&package.rewrite(), "/mod.ts");
        prop_assert_eq!(text, format!("/*{before}*/import './a.ts'/*{after}*/"));
    }
}
