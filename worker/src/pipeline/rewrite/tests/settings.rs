//! The package's own settings, one by one and against each other.

use serde_json::json;

use super::{Package, import, import_from};

fn files() -> Package {
    Package::new(&[
        ("/src/util/a.ts", ""),
        ("/src/util/index.ts", ""),
        ("/src/main.ts", ""),
        ("/lib/b.js", ""),
        ("/types/c.d.ts", ""),
        ("/src/locales/en.ts", ""),
    ])
}

#[test]
fn import_maps() {
    let package = || {
        files().import_map(json!({
            "oak": "jsr:@oak/oak@^14", "h/": "jsr:/@fix/hello@^1.0.0/", "chalk": "npm:chalk@5", "@/": "./src/", "util": "./src/util",
            "b": "./lib/b.js", "gone": "./gone.ts", "out": "../out.ts", "./old.ts": "./src/main.ts", "https://deno.land/std@1/": "jsr:/@std/",
            "app:main": "./src/main.ts", "npm:pinned": "npm:pinned@1", "fs": "npm:fs-extra@^11", "blocked": null,
        }))
    };
    for (written, expected) in [
        ("oak", "jsr:@oak/oak@^14"),
        ("oak/router", "jsr:@oak/oak@^14/router"),
        ("h/util", "jsr:@fix/hello@^1.0.0/util"),
        ("chalk", "npm:chalk@5"),
        ("@/util/a", "./util/a.ts"),
        ("@/util/a.ts", "./util/a.ts"),
        ("@/util", "./util/index.ts"),
        ("util", "./util/index.ts"),
        ("b", "../lib/b.js"),
        ("../old.ts", "./main.ts"),
        ("https://deno.land/std@1/path", "jsr:@std/path"),
        ("https://deno.land/x/other", "https://deno.land/x/other"),
        ("app:main", "./main.ts"),
        ("fs", "npm:fs-extra@^11"),
        // What a client has resolved stays as it is, whatever the map says of it.
        ("npm:pinned", "npm:pinned"),
        ("./main.ts", "./main.ts"),
    ] {
        assert_eq!(import(package(), written), expected, "{written}");
    }
    assert!(import(package(), "gone").contains("tried the import map: /gone{"), "{}", import(package(), "gone"));
    assert!(import(package(), "out").contains("the import map, which leads out of the package to '../out.ts'"));
    assert!(import(package(), "blocked").contains("tried the import map; the dependencies of `package.json`; the modules built into Node"));
}

#[test]
fn dependencies() {
    let package = || {
        files().package_json(json!({
            "name": "@me/pkg",
            "dependencies": {
                "chalk": "^5", "@std/path": "npm:@jsr/std__path@^1", "@std/fs": "jsr:^1.0.0", "foo": "npm:bar@^1", "events": "^3.3.0", "ws": "workspace:*",
                "any": "latest", "star": "*", "@types/estree": "^1.0.0",
            },
            "peerDependencies": {"react": ">=18"},
            "optionalDependencies": {"fsevents": "~2.3.2"},
            "devDependencies": {"react": "^19.1.0", "typescript": "^5", "@types/node": "^22.0.0", "@types/babel__core": "7.20.5"},
        }))
    };
    for (written, expected) in [
        ("chalk", "npm:chalk@^5"),
        ("chalk/sub/x.js", "npm:chalk@^5/sub/x.js"),
        ("@std/path", "jsr:@std/path@^1"),
        ("@std/path/posix", "jsr:@std/path@^1/posix"),
        ("@std/fs", "jsr:@std/fs@^1.0.0"),
        ("foo", "npm:bar@^1"),
        ("fsevents", "npm:fsevents@~2.3.2"),
        ("fs", "node:fs"),
        ("fs/promises", "node:fs/promises"),
        ("events", "npm:events@^3.3.0"),
        ("events/", "npm:events@^3.3.0"),
    ] {
        assert_eq!(import(package(), written), expected, "{written}");
    }
    let narrowed = import(package(), "react");
    assert_eq!(
        narrowed,
        "unsupportedDependencyProtocol: `package.json` declares 'react' as '>=18', which a specifier cannot hold; '^19.1.0' is published (/src/mod.ts:1:15)"
    );
    assert!(import(package(), "ws").starts_with("unsupportedDependencyProtocol: `package.json` declares 'ws' as 'workspace:*'"));
    assert!(import(package(), "any").starts_with("missingConstraint: `package.json` declares 'any' as 'latest'"));
    assert!(import(package(), "star/x").starts_with("missingConstraint: "));
    assert!(
        import(package(), "typescript")
            .ends_with("'typescript' is in `devDependencies`, which consumers do not get; move it to `dependencies`")
    );
    let unknown = import(package(), "left-pad");
    assert_eq!(
        unknown,
        "unresolvedSpecifier: 'left-pad' cannot be resolved; tried the dependencies of `package.json`; the modules built into Node (/src/mod.ts:1:15); \
         declare it in the config, or name it with its version, such as `npm:left-pad@^1.0.0`"
    );
    let types = |written: &str| import_from(package(), "/src/mod.ts", "import type { X } from ", written);
    assert_eq!(types("estree"), "npm:@types/estree@^1.0.0");
    assert_eq!(types("@babel/core"), "npm:@types/babel__core@7.20.5");
    assert_eq!(types("chalk"), "npm:chalk@^5");
    assert!(import(package(), "estree").starts_with("unresolvedSpecifier: "));
}

#[test]
fn a_dependency_that_is_not_imported_is_no_finding() {
    let package = files().package_json(json!({"dependencies": {"ws": "workspace:*", "x": "file:../x"}}));
    let rewritten = package.rewrite();
    assert!(rewritten.unresolved.is_empty() && rewritten.warnings.is_empty() && rewritten.changed.is_empty());
}

#[test]
fn package_imports() {
    let package = || {
        files().package_json(json!({
            "dependencies": {"dep-node": "^1"},
            "imports": {
                "#main": "./src/main.js",
                "#util/*": {"types": "./types/*.d.ts", "default": "./dist/util/*.js", "source": "./src/util/*.ts"},
                "#dep": {"browser": "./lib/b.js", "default": "dep-node"},
                "#fs": "node:fs",
                "#path": "path",
            },
        }))
    };
    for (written, expected) in
        [("#main", "./main.ts"), ("#util/a", "./util/a.ts"), ("#dep", "npm:dep-node@^1"), ("#fs", "node:fs"), ("#path", "node:path")]
    {
        assert_eq!(import(package(), written), expected, "{written}");
    }
    assert_eq!(import_from(package(), "/src/mod.ts", "import type { X } from ", "#util/c"), "../types/c.d.ts");
    let missing = import(package(), "#util/zzz");
    assert!(missing.contains("`imports` of `package.json`, which says './dist/util/zzz.js', './src/util/zzz.ts'"), "{missing}");
    assert!(import(package(), "#nothing").ends_with("declare it in `imports` of `package.json`, or import the file by its relative path"));
}

#[test]
fn compiler_paths() {
    let package = || {
        files()
            .paths(&[("@/*", &["./src/*"]), ("~main", &["src/main"]), ("*", &["./types/*", "../outside/*"])])
            .package_json(json!({"dependencies": {"chalk": "^5"}}))
    };
    for (written, expected) in [
        ("@/util/a", "./util/a.ts"),
        ("@/util", "./util/index.ts"),
        ("@/util/a.js", "./util/a.ts"),
        ("~main", "./main.ts"),
        ("c", "../types/c.d.ts"),
        ("chalk", "npm:chalk@^5"),
        ("fs", "node:fs"),
    ] {
        assert_eq!(import(package(), written), expected, "{written}");
    }
    let missing = import(package(), "@/none");
    assert!(missing.contains("tried `paths` of the compiler options, which lead to '/src/none'"), "{missing}");
}

#[test]
fn the_package_itself() {
    let package = || {
        files().exports(&[(".", "./src/main.ts"), ("./util", "./src/util/index.ts")]).package_json(
            json!({"name": "@noble/pkg", "exports": {".": "./src/main.ts", "./b": {"import": "./lib/b.js"}, "./u/*": "./src/util/*.js"}}),
        )
    };
    for (written, expected) in [
        ("@me/pkg", "./main.ts"),
        ("@me/pkg/util", "./util/index.ts"),
        ("@me/pkg/util.js", "./util/index.ts"),
        ("@noble/pkg", "./main.ts"),
        ("@noble/pkg/b", "../lib/b.js"),
        ("@noble/pkg/u/a", "./util/a.ts"),
    ] {
        assert_eq!(import(package(), written), expected, "{written}");
    }
    assert!(import(package(), "@me/pkg/none").contains("tried the exports of the package itself"));
}

#[test]
fn a_package_that_changed_its_name() {
    let package = || files().exports(&[(".", "./src/main.ts"), ("./util", "./src/util/index.ts")]);
    let former = import(package(), "@old/pkg/util");
    assert_eq!(
        former,
        "unresolvedSpecifier: '@old/pkg/util' is no dependency and is taken for this package under another name (/src/mod.ts:1:15)"
    );
    assert!(import(package(), "@old/pkg/none").contains("cannot be resolved"));
    assert!(import(package(), "@old/pkg").contains("cannot be resolved"));
    assert!(import(package(), "pkg").contains("cannot be resolved"));
    assert!(import(package(), "@old/other/util").contains("cannot be resolved"));
    let declared = package().package_json(json!({"dependencies": {"@old/pkg": "^1"}}));
    assert_eq!(import(declared, "@old/pkg/util"), "npm:@old/pkg@^1/util");
}

#[test]
fn settings_are_asked_in_order() {
    let package = files()
        .import_map(json!({"x": "npm:map@1"}))
        .paths(&[("x", &["./src/main.ts"]), ("y", &["./src/main.ts"])])
        .package_json(json!({"dependencies": {"x": "^1", "y": "^1", "z": "^1"}}));
    let mut package = Some(package);
    let mut ask = |written: &str| {
        let taken = package.take().unwrap();
        let again = Package { files: taken.files.clone(), manifest: taken.manifest.clone() };
        package = Some(again);
        import(taken, written)
    };
    assert_eq!((ask("x"), ask("y"), ask("z")), ("npm:map@1".into(), "./main.ts".into(), "npm:z@^1".into()));
}
