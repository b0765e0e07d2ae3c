use slipway_common::model::finding::{FindingCode, Findings};

use super::super::Manifest;
use super::super::tests::read_all;

/// Reads a `package.json` with these fields in a package of these further files.
fn package(fields: &str, files: &[&str]) -> (Option<Manifest>, Findings) {
    let config = format!("{{ \"name\": \"@acme/kit\", \"version\": \"1.2.3\", \"license\": \"MIT\", {fields} }}");
    let mut list = vec![("/package.json", config.as_str())];
    list.extend(files.iter().map(|path| (*path, "")));
    read_all("/package.json", &list)
}

/// The exports of a package that has no errors.
fn entries(fields: &str, files: &[&str]) -> Vec<String> {
    let (manifest, findings) = package(fields, files);
    assert!(!findings.has_errors(), "{findings:?}");
    manifest.unwrap().exports.0.iter().map(|(key, target)| format!("{key} {target}")).collect()
}

fn errors(fields: &str, files: &[&str]) -> Vec<String> {
    package(fields, files).1.iter().map(|finding| finding.message.clone()).collect()
}

fn message(findings: &Findings, code: FindingCode) -> &str {
    findings.iter().find(|finding| finding.code == code).map_or("", |finding| &finding.message)
}

#[test]
fn a_package_that_builds_into_its_root() {
    // As @noble/hashes does: keys have extensions, sources lie in `src`, and there are no maps.
    let fields = r#""exports": { ".": "./index.js", "./sha2.js": "./sha2.js" }, "main": "index.js", "types": "index.d.ts""#;
    let files = ["/index.js", "/index.d.ts", "/sha2.js", "/sha2.d.ts", "/src/index.ts", "/src/sha2.ts"];
    assert_eq!(entries(fields, &files), [". ./src/index.ts", "./sha2.js ./src/sha2.ts"]);
    let (_, findings) = package(fields, &files);
    assert_eq!(
        message(&findings, FindingCode::SourceChosen),
        "entry points are taken from the TypeScript they were built from: '.' from './src/index.ts' instead of './index.js', \
         './sha2.js' from './src/sha2.ts' instead of './sha2.js'"
    );
}

#[test]
fn a_package_with_a_condition_for_its_source() {
    // As zod does.
    let fields = r#""exports": {
        "./package.json": "./package.json",
        ".": { "@zod/source": "./src/index.ts", "types": "./index.d.cts", "import": "./index.js", "require": "./index.cjs" },
        "./locales/*": { "@zod/source": "./src/locales/*", "types": "./locales/*", "import": "./locales/*", "require": "./locales/*" }
    }"#;
    let files = [
        "/index.d.cts",
        "/index.js",
        "/index.cjs",
        "/src/index.ts",
        "/locales/en.js",
        "/locales/en.cjs",
        "/locales/en.d.ts",
        "/locales/en.d.cts",
        "/locales/de.js",
        "/src/locales/en.ts",
        "/src/locales/de.ts",
    ];
    assert_eq!(entries(fields, &files), [". ./src/index.ts", "./locales/de.js ./src/locales/de.ts", "./locales/en.js ./src/locales/en.ts"]);
    assert_eq!(package(fields, &files).1.iter().count(), 1);
}

#[test]
fn a_package_with_maps_and_many_builds() {
    // As rxjs does.
    let fields = r#""exports": {
        ".": { "types": "./dist/types/index.d.ts", "node": "./dist/cjs/index.js", "require": "./dist/cjs/index.js",
               "es2015": "./dist/esm/index.js", "default": "./dist/esm5/index.js" },
        "./internal/*": { "types": "./dist/types/internal/*.d.ts", "node": "./dist/cjs/internal/*.js", "default": "./dist/esm5/internal/*.js" }
    }"#;
    let map = r#"{"version":3,"sources":["../../written/start.ts"],"mappings":"A"}"#;
    let list = [
        ("/dist/types/index.d.ts", ""),
        ("/dist/cjs/index.js", ""),
        ("/dist/esm5/index.js", ""),
        ("/dist/esm/index.js", "\n//# sourceMappingURL=index.js.map"),
        ("/dist/esm/index.js.map", map),
        ("/written/start.ts", ""),
        ("/dist/esm5/internal/Observable.js", ""),
        ("/dist/esm5/internal/Observable.js.map", ""),
        ("/dist/esm5/internal/operators/map.js", ""),
        ("/src/internal/Observable.ts", ""),
        ("/src/internal/operators/map.ts", ""),
    ];
    let config = format!("{{ \"name\": \"@acme/kit\", \"license\": \"MIT\", {fields} }}");
    let mut all = vec![("/package.json", config.as_str())];
    all.extend(list);
    let (manifest, findings) = read_all("/package.json", &all);
    assert!(!findings.has_errors(), "{findings:?}");
    let exports: Vec<_> = manifest.unwrap().exports.0.iter().map(|(key, target)| format!("{key} {target}")).collect();
    assert_eq!(
        exports,
        [
            ". ./written/start.ts",
            "./internal/Observable ./src/internal/Observable.ts",
            "./internal/operators/map ./src/internal/operators/map.ts"
        ]
    );
}

#[test]
fn built_files_without_a_source_keep_their_declarations() {
    let fields = r#""exports": {
        ".": { "import": { "types": "./dist/types/index.d.ts", "default": "./dist/index.js" }, "require": { "types": "./i.d.cts", "default": "./i.cjs" } },
        "./beside": "./dist/beside.mjs",
        "./types": { "types": "./dist/only.d.ts" }
    }"#;
    let files =
        ["/dist/types/index.d.ts", "/dist/index.js", "/i.cjs", "/i.d.cts", "/dist/beside.mjs", "/dist/beside.d.mts", "/dist/only.d.ts"];
    let (manifest, findings) = package(fields, &files);
    assert!(findings.is_empty(), "{findings:?}");
    let manifest = manifest.unwrap();
    let exports: Vec<_> = manifest.exports.0.values().map(|target| target.as_str().to_owned()).collect();
    assert_eq!(exports, ["./dist/index.js", "./dist/beside.mjs", "./dist/only.d.ts"]);
    let pairs: Vec<_> = manifest.declarations.iter().map(|(script, types)| format!("{script} {types}")).collect();
    assert_eq!(pairs, ["/dist/beside.mjs /dist/beside.d.mts", "/dist/index.js /dist/types/index.d.ts"]);
}

#[test]
fn takes_what_runs_anywhere() {
    let chosen = |conditions: &str| {
        let files = ["/a.ts", "/b.ts", "/c.js", "/d.cjs", "/e.d.ts"];
        entries(&format!("\"exports\": {{ {conditions} }}"), &files).remove(0)
    };
    assert_eq!(chosen(r#""browser": "./a.ts", "default": "./c.js""#), ". ./c.js");
    assert_eq!(chosen(r#""browser": "./a.ts""#), ". ./a.ts");
    assert_eq!(chosen(r#""types": "./a.ts", "default": "./c.js""#), ". ./a.ts");
    assert_eq!(chosen(r#""default": "./a.ts", "source": "./b.ts""#), ". ./b.ts");
    assert_eq!(chosen(r#""require": "./d.cjs", "default": "./c.js""#), ". ./c.js");
    assert_eq!(chosen(r#""import": ["./none.js", "./c.js"], "require": "./d.cjs""#), ". ./c.js");
    assert_eq!(chosen(r#""node": { "import": "./c.js" }, "types": "./e.d.ts""#), ". ./c.js");
}

#[test]
fn fields_name_one_entry_point() {
    let root = |fields: &str, files: &[&str]| entries(fields, files).join(" ");
    assert_eq!(root(r#""main": "index""#, &["/index.js"]), ". ./index.js");
    assert_eq!(root(r#""main": "./lib""#, &["/lib/index.js"]), ". ./lib/index.js");
    assert_eq!(root(r#""main": "dist/a.js", "module": "dist/a.mjs""#, &["/dist/a.js", "/dist/a.mjs"]), ". ./dist/a.mjs");
    assert_eq!(root(r#""main": "dist/a.cjs", "source": "code/a.ts""#, &["/dist/a.cjs", "/code/a.ts"]), ". ./code/a.ts");
    assert_eq!(root(r#""types": "./a.d.ts""#, &["/a.d.ts"]), ". ./a.d.ts");
    assert_eq!(root(r#""main": "./mod.ts""#, &["/mod.ts"]), ". ./mod.ts");
    assert_eq!(root(r#""main": "" "#, &["/index.js"]), ". ./index.js");
    assert_eq!(root(r#""description": "d""#, &["/src/index.ts"]), ". ./src/index.ts");
    assert_eq!(root(r#""bin": "./cli.ts""#, &["/cli.ts"]), ". ./cli.ts");
    assert_eq!(root(r#""bin": { "kit": "cli.js", "kit-more": "more.js" }"#, &["/cli.js", "/more.js"]), ". ./cli.js ./kit-more ./more.js");
    assert_eq!(errors(r#""main": "gone.js""#, &[]), ["export '.' references entrypoint '/gone.js' which does not exist"]);
    assert_eq!(errors(r#""main": "../../gone.js""#, &[]).len(), 1);
    assert!(errors(r#""description": "d""#, &[])[0].contains("at least one entry"));
}

#[test]
fn wildcards_follow_nodes_order() {
    let fields = r#""exports": {
        "./*": "./src/*.ts", "./internal/*": null, "./internal/open/*": "./src/internal/open/*.ts", "./a": "./src/special.ts",
        "./dir/": "./src/dir/", "./style/*": "./style/*"
    }"#;
    let files = [
        "/src/a.ts",
        "/src/b.ts",
        "/src/b.d.ts",
        "/src/internal/x.ts",
        "/src/internal/open/y.ts",
        "/src/special.ts",
        "/src/dir/z.ts",
        "/style/a.css",
    ];
    let mut found = entries(fields, &files);
    found.sort();
    assert_eq!(
        found,
        [
            "./a ./src/special.ts",
            "./b ./src/b.ts",
            "./dir/z.ts ./src/dir/z.ts",
            "./internal/open/y ./src/internal/open/y.ts",
            "./special ./src/special.ts",
        ]
    );
    let (_, findings) = package(fields, &files);
    assert_eq!(
        message(&findings, FindingCode::ExportSkipped),
        "entries of 'exports' are left out: './style/*' matches no module of the package"
    );
}

#[test]
fn leaves_out_what_means_nothing() {
    let fields =
        r#""exports": { ".": "./a.js", "./css": "./a.css", "./json": "./a.json", "./cjs": "./a.cjs", "./no": null, "./x@y": "./a.js" }"#;
    let files = ["/a.js", "/a.css", "/a.json", "/a.cjs"];
    assert_eq!(entries(fields, &files), [". ./a.js"]);
    let (_, findings) = package(fields, &files);
    let skipped = message(&findings, FindingCode::ExportSkipped);
    for key in ["'./css' is neither", "'./cjs' is CommonJS", "'./no' names no file", "'./x@y' holds invalid"] {
        assert!(skipped.contains(key), "{skipped}");
    }
    assert!(errors(r#""exports": { ".": "./a.cjs" }"#, &files).iter().any(|text| text.contains("at least one entry")));
}

#[test]
fn refuses_what_node_refuses() {
    let one = |exports: &str| {
        let found = errors(&format!("\"exports\": {exports}"), &["/a.js"]);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].trim_start_matches("invalid 'exports' field in config file '/package.json': ").to_owned()
    };
    assert_eq!(one("true"), "must be a string or an object, not true");
    assert!(one(r#"{ ".": "./a.js", "import": "./a.js" }"#).contains("must not mix"));
    assert_eq!(one(r#"{ ".": "a.js" }"#), "the path 'a.js' for export '.' must start with './'");
    assert_eq!(one(r#"{ ".": { "import": 1 } }"#), "export '.' must be a path, conditions or null, invalid value: '1'");
    assert_eq!(one(r#"{ ".": "./b.js" }"#), "export '.' references entrypoint '/b.js' which does not exist");
    assert!(one("{}").contains("at least one entry"));
    assert!(one("[]").contains("at least one entry"));
}

#[test]
fn endures_hostile_exports() {
    let deep = format!("{}\"./a.js\"{}", "{\"import\":".repeat(200), "}".repeat(200));
    assert_eq!(entries(&format!("\"exports\": {deep}"), &["/a.js"]), [". ./a.js"]);
    let many = format!("[{}]", "\"./a.js\",".repeat(100_000) + "\"./a.js\"");
    assert!(errors(&format!("\"exports\": {many}"), &["/a.js"])[0].contains("more than 64 targets"));
    let patterns = (0..200).map(|n| format!("\"./p{n}/*\": \"./*\"")).collect::<Vec<_>>().join(",");
    assert!(errors(&format!("\"exports\": {{{patterns}}}"), &["/a.js"])[0].contains("more than 128 keys with wildcards"));
    let files: Vec<String> = (0..9000).map(|n| format!("/f{n}.js")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert!(errors(r#""exports": { "./a/*": "./*", "./b/*": "./*" }"#, &files)[0].contains("no more than 10000"));
}

#[test]
fn a_name_of_npm_is_another_package() {
    let (_, findings) =
        read_all("/package.json", &[("/package.json", r#"{ "name": "kit", "license": "MIT", "main": "a.js" }"#), ("/a.js", "")]);
    let finding = findings.first_error().unwrap();
    assert_eq!(finding.code, FindingCode::ConfigFileNameMismatch);
    assert_eq!(finding.hint.as_deref(), Some("set \"name\": \"@acme/kit\""));
}
