use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::pipeline::fixture::{lines, name, path_named, version};
use crate::pipeline::unpack;

fn directory(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| (path_named(path), Bytes::copy_from_slice(text.as_bytes()))).collect()
}

fn target(config: &str) -> Target {
    Target { package: name(), version: version(), config: path_named(config) }
}

/// What is reached, after a look at whether an upload of it alone comes to the same.
fn reached(config: &str, files: &[(&str, &str)]) -> Reach {
    let directory = directory(files);
    let whole = reach(&target(config), &directory).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for path in &whole.files {
        let bytes = directory.get(path.as_str()).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, path.relative(), bytes.as_ref()).unwrap();
    }
    let mut gzip = archive.into_inner().unwrap();
    gzip.flush().unwrap();
    let packed = unpack::unpack(&gzip.finish().unwrap(), &UploadLimits::default()).unwrap();
    assert_eq!(packed.len(), whole.files.len());
    assert_eq!(reach(&target(config), &packed).unwrap(), whole);
    whole
}

fn paths(paths: &BTreeSet<PackagePath>) -> Vec<&str> {
    paths.iter().map(PackagePath::as_str).collect()
}

const JSR: &str = r#"{ "name": "@own/pkg", "version": "1.2.3", "license": "MIT", "exports": { ".": "./mod.ts", "./js": "./plain.js" } }"#;

#[test]
fn leaves_out_what_nobody_imports() {
    let found = reached(
        "/jsr.json",
        &[
            ("/jsr.json", JSR),
            (
                "/mod.ts",
                "import data from \"./data.json\" with { type: \"json\" };\nimport { a } from \"./lib/a\";\nimport type { T } from \"./types.ts\";\n\
                         export const x: unknown[] = [data, a, new URL(\"./words.txt\", import.meta.url)] as T;\n",
            ),
            ("/lib/a.ts", "/** A. */\nexport const a: string = import.meta.resolve(\"./b.txt\");\n"),
            ("/lib/b.txt", ""),
            ("/types.ts", "export type T = unknown[];\n"),
            ("/data.json", "1"),
            ("/words.txt", ""),
            ("/plain.js", "import \"./side.js\";\nexport const p = 1;\n"),
            ("/plain.d.ts", "export type { Q } from \"./q.d.ts\";\nexport const p: number;\n"),
            ("/q.d.ts", "export type Q = 1;\n"),
            ("/side.js", "export {};\n"),
            ("/side.d.ts", "export {};\n"),
            ("/mod_test.ts", "import \"./gone.ts\";\n"),
            ("/notes.txt", ""),
            ("/package.json", "{}"),
            ("/tsconfig.json", r#"{ "extends": "./config/base" }"#),
            ("/config/base.json", "{}"),
            ("/config/other.json", "{}"),
        ],
    );
    assert!(!found.findings.has_errors(), "{:?}", lines(&found.findings));
    assert_eq!(
        paths(&found.files),
        [
            "/config/base.json",
            "/data.json",
            "/jsr.json",
            "/lib/a.ts",
            "/lib/b.txt",
            "/mod.ts",
            "/package.json",
            "/plain.d.ts",
            "/plain.js",
            "/q.d.ts",
            "/side.d.ts",
            "/side.js",
            "/tsconfig.json",
            "/types.ts",
            "/words.txt",
        ]
    );
    for module in ["/mod.ts", "/lib/a.ts", "/types.ts", "/data.json", "/plain.js", "/side.js"] {
        assert!(found.modules.contains(&path_named(module)), "{module}");
    }
    assert!(!found.modules.contains(&path_named("/words.txt")));
}

#[test]
fn keeps_what_led_to_the_sources() {
    let package = r#"{ "name": "@own/pkg", "version": "1.2.3", "license": "SEE LICENSE IN legal/MIT.txt", "bin": { "run": "bin/run.js" },
        "exports": { ".": { "types": "./dist/index.d.ts", "import": "./dist/index.mjs", "require": "./dist/index.cjs" }, "./x/*": "./dist/x/*.js",
                     "./style.css": "./dist/style.css" } }"#;
    let found = reached(
        "/package.json",
        &[
            ("/package.json", package),
            ("/dist/index.mjs", "export const a = 1;\n//# sourceMappingURL=index.mjs.map\n"),
            ("/dist/index.mjs.map", r#"{"version":3,"sources":["../code/main.ts"],"mappings":""}"#),
            ("/dist/index.cjs", "exports.a = 1;\n"),
            ("/dist/index.d.ts", "export declare const a: number;\n"),
            ("/dist/x/one.js", "export const one = 1;\n"),
            ("/dist/x/two.js", "export const two = 2;\n"),
            ("/dist/x/two.d.ts", "export declare const two: number;\n"),
            ("/dist/style.css", "a {}\n"),
            ("/dist/other.js", "export {};\n"),
            ("/src/x/one.ts", "/** One. */\nexport const one: number = 1;\n"),
            ("/src/index.ts", "the map knows better\n"),
            ("/code/main.ts", "/** A. */\nexport const a: number = 1;\n"),
            ("/bin/run.js", "#!/usr/bin/env node\nimport \"../lib/run.js\";\n"),
            ("/lib/run.js", "console.log(1);\n"),
            ("/legal/MIT.txt", include_str!("../../../../LICENSE")),
            ("/test/a.ts", ""),
        ],
    );
    assert_eq!(found.exports.0.len(), 3);
    assert!(!found.findings.has_errors(), "{:?}", lines(&found.findings));
    assert_eq!(
        paths(&found.files),
        [
            "/bin/run.js",
            "/code/main.ts",
            "/dist/index.cjs",
            "/dist/index.d.ts",
            "/dist/index.mjs",
            "/dist/index.mjs.map",
            "/dist/style.css",
            "/dist/x/one.js",
            "/dist/x/two.d.ts",
            "/dist/x/two.js",
            "/legal/MIT.txt",
            "/lib/run.js",
            "/package.json",
            "/src/x/one.ts",
        ]
    );
}

#[test]
fn follows_what_webassembly_imports() {
    // An empty module but for an import of `f` from `./glue.js`.
    let wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0f\x01\x09./glue.js\x01f\0\0".to_vec();
    assert_eq!(wasm.len(), 8 + 6 + 17);
    let mut files = directory(&[
        ("/jsr.json", &JSR.replace(", \"./js\": \"./plain.js\"", "")),
        ("/mod.ts", "import \"./a.wasm\";\n"),
        ("/glue.js", "import \"./more\";\nexport function f() {}\n"),
        ("/more.ts", "export {};\n"),
        ("/never.ts", "export {};\n"),
    ]);
    files.insert(path_named("/a.wasm"), Bytes::from(wasm));
    let found = reach(&target("/jsr.json"), &files).unwrap();
    assert_eq!(paths(&found.files), ["/a.wasm", "/glue.js", "/jsr.json", "/mod.ts", "/more.ts"]);
    assert!(!found.findings.has_errors(), "{:?}", lines(&found.findings));
}

#[test]
fn mistakes_are_told_with_what_the_directory_knows() {
    let config = JSR.replace(", \"./js\": \"./plain.js\"", "");
    let files = directory(&[("/jsr.json", &config), ("/mod.ts", "import \"./Near.ts\";\n"), ("/near.ts", "")]);
    let found = lines(&reach(&target("/jsr.json"), &files).unwrap().findings);
    assert!(found.len() == 1 && found[0].contains("/mod.ts:1:8") && found[0].contains("./near.ts"), "{found:?}");
    let missing = reach(&target("/deno.json"), &files).unwrap_err();
    assert_eq!(
        lines(&missing),
        ["error missingConfigFile: config file '/deno.json' is not in the upload | is it excluded from publishing?"]
    );
}
