//! Relative specifiers, exact and not.

use super::{Package, import, import_from};

const FILES: &[&str] = &[
    "/src/a.ts",
    "/src/b.tsx",
    "/src/c.mts",
    "/src/d.js",
    "/src/e.js",
    "/src/e.d.ts",
    "/src/f.jsx",
    "/src/g.mjs",
    "/src/h.d.ts",
    "/src/both.ts",
    "/src/both/index.ts",
    "/src/dir/index.ts",
    "/src/jsdir/index.js",
    "/src/index.ts",
    "/src/x.test.ts",
    "/src/style.css",
    "/src/data.json",
    "/src/core.wasm",
    "/src/YouTube.ts",
    "/src/[slug].ts",
    "/src/{a}~.ts",
    "/top.ts",
    "/index.ts",
];

fn package() -> Package {
    let files: Vec<_> = FILES.iter().map(|name| (*name, "")).collect();
    Package::new(&files)
}

#[test]
fn what_is_not_exact_is_found() {
    for (written, expected) in [
        ("./a", "./a.ts"),
        ("./a.js", "./a.ts"),
        ("./b", "./b.tsx"),
        ("./b.js", "./b.tsx"),
        ("./b.jsx", "./b.tsx"),
        ("./c", "./c.mts"),
        ("./c.mjs", "./c.mts"),
        ("./d", "./d.js"),
        ("./e", "./e.js"),
        ("./f", "./f.jsx"),
        ("./f.js", "./f.jsx"),
        ("./g", "./g.mjs"),
        ("./h", "./h.d.ts"),
        ("./h.js", "./h.d.ts"),
        ("./both", "./both.ts"),
        ("./both/", "./both/index.ts"),
        ("./dir", "./dir/index.ts"),
        ("./dir/", "./dir/index.ts"),
        ("./dir/index", "./dir/index.ts"),
        ("./dir/index.js", "./dir/index.ts"),
        ("./jsdir", "./jsdir/index.js"),
        (".", "./index.ts"),
        ("./", "./index.ts"),
        ("..", "../index.ts"),
        ("../", "../index.ts"),
        ("../top", "../top.ts"),
        ("../src/a", "../src/a.ts"),
        ("./dir/../a", "./dir/../a.ts"),
        (".//a", "./a.ts"),
        ("./x.test", "./x.test.ts"),
        ("./data", "./data.json"),
        ("./a?worker", "./a.ts?worker"),
        ("./[slug]", "./[slug].ts"),
        ("./{a}~", "./{a}~.ts"),
        ("/top", "../top.ts"),
        ("/src/a.ts", "./a.ts"),
    ] {
        assert_eq!(import(package(), written), expected, "{written}");
    }
}

#[test]
fn what_is_exact_stays() {
    for written in [
        "./a.ts",
        "./d.js",
        "./e.js",
        "./e.d.ts",
        "./style.css",
        "./data.json",
        "./core.wasm",
        "./YouTube.ts",
        "../top.ts",
        "./dir/../a.ts",
        "./a.ts?raw",
        "./%61.ts",
        "./[slug].ts",
        "./%7Ba%7D~.ts",
    ] {
        assert_eq!(import(package(), written), written);
    }
    for written in [
        "https://example.com/x",
        "data:text/javascript,1",
        "blob:x",
        "node:fs",
        "bun:test",
        "cloudflare:sockets",
        "virtual:x",
        "npm:chalk",
        "npm:@jsr/std__path@^1",
        "jsr:@s/p@^1/sub",
        "jsr:/@s/p@^1/sub",
        "file:///top.ts",
    ] {
        assert_eq!(import(package(), written), written);
    }
}

#[test]
fn types_prefer_declarations() {
    for (statement, written, expected) in [
        ("import type { X } from ", "./e", "./e.d.ts"),
        ("export type { X } from ", "./e", "./e.d.ts"),
        ("export type * from ", "./h.js", "./h.d.ts"),
        ("import type { X } from ", "./a", "./a.ts"),
        ("import type { X } from ", "./e.js", "./e.js"),
        ("import { type X } from ", "./e", "./e.js"),
    ] {
        assert_eq!(import_from(package(), "/src/mod.ts", statement, written), expected, "{statement}{written}");
    }
    assert_eq!(import_from(package(), "/src/mod.d.ts", "export * from ", "./e"), "./e.d.ts");
    assert_eq!(import_from(package(), "/src/mod.d.mts", "export * from ", "./h"), "./h.d.ts");
}

#[test]
fn what_is_missing_says_where_it_was_looked_for() {
    assert_eq!(
        import(package(), "./nowhere"),
        "unresolvedSpecifier: './nowhere' cannot be resolved; tried \
         /src/nowhere{,.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json}, \
         /src/nowhere/index{.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json} (/src/mod.ts:1:15); is the file excluded from publishing?"
    );
    let case = import(package(), "./youtube.ts");
    assert!(case.ends_with("(/src/mod.ts:1:15); did you mean './YouTube.ts'? upper and lower case matter"), "{case}");
    let case = import(package(), "../src/youtube");
    assert!(case.ends_with("did you mean './YouTube.ts'? upper and lower case matter"), "{case}");
    for outside in ["../../a", "../../src/a.ts", "../../../.."] {
        let message = import(package(), outside);
        assert!(message.contains("leads out of the package"), "{message}");
    }
    for odd in ["./dir%2Findex.ts", "./a%FF", "./dir\\\\index", "", "./a.ts/", "./\u{0}a"] {
        assert!(import(package(), odd).starts_with("unresolvedSpecifier: "), "{odd:?}");
    }
    let long = format!("./{}", "a/".repeat(5000));
    assert!(import(package(), &long).len() < 300);
}
