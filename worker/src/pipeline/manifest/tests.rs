use bytes::Bytes;
use slipway_common::model::finding::Severity;
use slipway_common::model::limits::UploadLimits;

use super::*;

/// Reads `config` in a package of these files, as `@acme/kit@1.2.3`.
pub(super) fn read_all(config: &str, list: &[(&str, &str)]) -> (Option<Manifest>, Findings) {
    let file = |(path, text): &(&str, &str)| (PackagePath::try_from(*path).unwrap(), Bytes::copy_from_slice(text.as_bytes()));
    let files: Files = list.iter().map(file).collect();
    let upload = Upload {
        package: PackageName::try_from("@acme/kit").unwrap(),
        version: Version::try_from("1.2.3").unwrap(),
        config: PackagePath::try_from(config).unwrap(),
        tarball: Bytes::new(),
        limits: UploadLimits::default(),
    };
    let mut findings = Findings::default();
    let manifest = read(&upload, &files, &mut findings);
    (manifest, findings)
}

/// The same for a `jsr.json` with a good name and licence and these further fields, beside `/mod.ts` and more files.
fn jsr(fields: &str, more: &[(&str, &str)]) -> (Option<Manifest>, Findings) {
    let config = format!("{{\n\"name\": \"@acme/kit\", \"version\": \"1.2.3\", \"license\": \"MIT\",\n{fields}}}");
    let mut list = vec![("/jsr.json", config.as_str()), ("/mod.ts", "")];
    list.extend(more);
    read_all("/jsr.json", &list)
}

/// What is wrong with exports, without the part that every message has.
fn exports_problem(exports: &str) -> String {
    let (_, findings) = jsr(&format!("\"exports\": {exports}"), &[]);
    let finding = findings.first_error().unwrap();
    assert_eq!(finding.code, FindingCode::ConfigFileExportsInvalid, "{finding}");
    finding.message.trim_start_matches("invalid 'exports' field in config file '/jsr.json': ").to_owned()
}

fn codes(findings: &Findings) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn shown(manifest: &Manifest) -> Vec<String> {
    manifest.exports.0.iter().map(|(key, target)| format!("{key} {target}")).collect()
}

#[test]
fn reads_a_whole_config() {
    let config = "\u{feff}{\r\n  // the name\r\n  name: \"@acme/kit\",\r\n  \"exports\": { \"./z\": \"./z.ts\", \".\": \"./mod.ts\", },\r\n  \
                  \"license\": \"MIT OR Apache-2.0\", \"augmentations\": true, \"publish\": {}\r\n}";
    let package = r##"{ "description": "Tools for all.", "dependencies": { "chalk": "^5" }, "imports": { "#a": "./a.ts" } }"##;
    let list = [("/deno.jsonc", config), ("/mod.ts", ""), ("/z.ts", ""), ("/README.md", ""), ("/package.json", package)];
    let (manifest, findings) = read_all("/deno.jsonc", &list);
    assert!(findings.is_empty(), "{findings:?}");
    let manifest = manifest.unwrap();
    assert_eq!(shown(&manifest), ["./z ./z.ts", ". ./mod.ts"]);
    assert_eq!(manifest.license.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(manifest.readme.unwrap().as_str(), "/README.md");
    assert!(manifest.augmentations);
    assert_eq!(manifest.description.as_deref(), Some("Tools for all."));
    assert_eq!(manifest.resolution.dependencies["chalk"], "^5");
    assert!(manifest.resolution.package_imports.unwrap().contains_key("#a"));
    assert!(manifest.package_json.unwrap().contains_key("dependencies"));
}

#[test]
fn names_what_is_missing_or_unreadable() {
    let (manifest, findings) = read_all("/jsr.json", &[("/JSR.json", "{}")]);
    assert_eq!((manifest, codes(&findings)), (None, vec!["missingConfigFile"]));
    assert!(findings.iter().next().unwrap().to_string().contains("'/JSR.json'"));
    let (_, findings) = read_all("/jsr.json", &[("/jsr.json", "{\n  \"name\": @acme/kit\n}")]);
    let finding = findings.first_error().unwrap();
    assert_eq!(finding.code, FindingCode::InvalidConfigFile);
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "/jsr.json:2:11");
    for config in ["", "[]", "1", "// nothing"] {
        assert_eq!(codes(&read_all("/jsr.json", &[("/jsr.json", config)]).1), ["invalidConfigFile"], "{config}");
    }
}

#[test]
fn compares_name_and_version() {
    let with = |name: &str, version: &str| {
        let config = format!("{{ {name} {version} \"license\": \"MIT\", \"exports\": \"./mod.ts\" }}");
        codes(&read_all("/jsr.json", &[("/jsr.json", &config), ("/mod.ts", "")]).1)
    };
    let (name, version) = ("\"name\": \"@acme/kit\",", "\"version\": \"1.2.3\",");
    assert_eq!(with(name, version), Vec::<&str>::new());
    assert_eq!(with(name, ""), Vec::<&str>::new());
    assert_eq!(with("", version), ["invalidConfigFile"]);
    assert_eq!(with("\"name\": 1,", version), ["invalidConfigFile"]);
    assert_eq!(with("\"name\": \"kit\",", version), ["invalidConfigFile"]);
    assert_eq!(with("\"name\": \"@acme/other\",", "\"version\": \"1.2.4\","), ["configFileNameMismatch", "configFileVersionMismatch"]);
    assert_eq!(with(name, "\"version\": \"v1.2.3\","), ["invalidConfigFile"]);
    assert_eq!(with(name, "\"version\": 1,"), ["invalidConfigFile"]);
    assert_eq!(with("\"name\": \"@x/yy\", \"name\": \"@acme/kit\",", version), Vec::<&str>::new());
}

#[test]
fn words_problems_of_exports() {
    assert_eq!(exports_problem("null"), "must be a string or an object, not null");
    assert_eq!(exports_problem("[\"./mod.ts\"]"), "must be a string or an object, not [\"./mod.ts\"]");
    assert_eq!(exports_problem("{}"), "there must be at least one entry");
    assert_eq!(exports_problem("\"\""), "the path for the root export must be a non-empty relative path");
    assert_eq!(
        exports_problem("\"mod.ts\""),
        "the path 'mod.ts' for the root export could not be resolved as a relative path from the config file, did you mean './mod.ts'?"
    );
    assert_eq!(exports_problem("\"./src/\""), "the path './src/' for the root export must not end in / and must have a file extension");
    assert_eq!(exports_problem("{\"a\": \"./mod.ts\"}"), "export 'a' must be '.' or start with './', did you mean './a'?");
    assert_eq!(exports_problem("{\"./a/\": \"./mod.ts\"}"), "export './a/' must not end with '/'");
    assert!(exports_problem("{\"./a*\": \"./mod.ts\"}").starts_with("export './a*' holds invalid characters"));
    assert!(exports_problem("{\"./a//b\": \"./mod.ts\"}").starts_with("export './a//b' must not hold double slashes"));
    assert_eq!(exports_problem("{\"./a\": null}"), "export './a' must be a string, invalid value: 'null'");
    assert_eq!(exports_problem("{\"./a\": {\"import\": 1}}"), "export './a' must be a string, invalid value: '{\"import\":1}'");
    assert_eq!(exports_problem("{\"./a\": \"mod\"}").split(" could").next(), Some("the path 'mod' for export './a'"));
    assert_eq!(exports_problem("\"./none.ts\""), "export '.' references entrypoint '/none.ts' which does not exist");
    let (_, findings) = jsr("\"license\": \"MIT\"", &[]);
    assert_eq!(codes(&findings), ["configFileExportsInvalid"]);
}

#[test]
fn says_every_problem_of_exports_at_its_place() {
    let (manifest, findings) = jsr(
        "\"exports\": {\n  \"./b\": \"./MOD.ts\",\n  \".\": \"./mod.ts\",\n  \"c\": \"./mod.ts\",\n  \"./d\": 1,\n  \"./e\": \"./a b.ts\"\n}",
        &[],
    );
    assert_eq!(shown(&manifest.unwrap()), [". ./mod.ts"]);
    let places: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.place.as_ref().unwrap().line)).collect();
    let invalid = "configFileExportsInvalid";
    assert_eq!(places, [(invalid, 4), (invalid, 6), (invalid, 7), ("invalidPath", 8)]);
    assert!(findings.iter().next().unwrap().to_string().contains("'/mod.ts', whose name differs in case alone"));
}

#[test]
fn endures_a_hundred_thousand_exports() {
    let list = |target: &str| (0..100_000).map(|number| format!("\"./e{number}\":\"{target}\"")).collect::<Vec<_>>().join(",");
    let (_, findings) = jsr(&format!("\"exports\": {{{}}}", list("./none.ts")), &[]);
    assert!(findings.has_errors());
    let (_, findings) = jsr(&format!("\"exports\": {{{}}}", list("./mod.ts")), &[]);
    assert!(findings.first_error().unwrap().message.contains("no more than 10000"));
}

#[test]
fn wants_a_license() {
    let license = |field: &str, more: &[(&str, &str)]| {
        let config = format!("{{ \"name\": \"@acme/kit\", \"exports\": \"./mod.ts\", {field} }}");
        let mut list = vec![("/jsr.json", config.as_str()), ("/mod.ts", "")];
        list.extend(more);
        let (manifest, findings) = read_all("/jsr.json", &list);
        (manifest.unwrap().license, codes(&findings).first().copied())
    };
    let mit = include_str!("../../../../LICENSE");
    assert_eq!(license("", &[]), (None, Some("missingLicense")));
    assert_eq!(license("", &[("/COPYING", mit)]), (Some("MIT".into()), None));
    assert_eq!(license("", &[("/LICENSE", "\u{0}\u{1}")]), (None, Some("invalidLicense")));
    assert_eq!(license("\"license\": \"\"", &[("/LICENSE", mit)]), (None, Some("invalidLicense")));
    assert_eq!(license("\"license\": 1", &[]), (None, Some("invalidLicense")));
    assert_eq!(license("\"license\": \"UNLICENSED\"", &[]), (None, Some("invalidLicense")));
    assert_eq!(license("\"license\": \"SEE LICENSE IN legal.txt\"", &[("/legal.txt", mit)]), (Some("MIT".into()), None));
    assert_eq!(license("\"license\": {\"type\": \"ISC\"}", &[]), (Some("ISC".into()), None));
    assert_eq!(license("\"licenses\": [{\"type\": \"ISC\"}]", &[]), (Some("ISC".into()), None));
}

#[test]
fn reads_permission_to_augment() {
    let read = |fields: &str| {
        let (manifest, findings) = jsr(&format!("\"exports\": \"./mod.ts\", {fields}"), &[]);
        (manifest.unwrap().augmentations, findings.has_errors())
    };
    assert_eq!(read("\"augmentations\": true"), (true, false));
    assert_eq!(read("\"slipway\": {\"augmentations\": true}"), (true, false));
    assert_eq!(read("\"augmentations\": false"), (false, false));
    assert_eq!(read("\"augmentations\": \"yes\""), (false, true));
    assert_eq!(read("\"slipway\": 1"), (false, false));
}

#[test]
fn cuts_a_description_to_a_line() {
    let text = |text: &str| description(serde_json::json!({ "description": text }).as_object().unwrap());
    assert_eq!(text(" a\n\tb\u{0}c ").as_deref(), Some("a b c"));
    assert_eq!(text(" \n "), None);
    assert_eq!(text(&"ä".repeat(100_000)).unwrap().chars().count(), MAX_DESCRIPTION);
    assert_eq!(description(serde_json::json!({ "description": 1 }).as_object().unwrap()), None);
}

#[test]
fn pairs_scripts_with_the_declarations_beside_them() {
    let (manifest, _) = jsr(
        "\"exports\": {\".\": \"./a.js\", \"./b\": \"./b.mjs\", \"./c\": \"./mod.ts\"}",
        &[("/a.js", ""), ("/a.d.ts", ""), ("/b.mjs", ""), ("/b.d.mts", ""), ("/mod.d.ts", "")],
    );
    let pairs: Vec<_> = manifest.unwrap().declarations.iter().map(|(script, types)| format!("{script} {types}")).collect();
    assert_eq!(pairs, ["/a.js /a.d.ts", "/b.mjs /b.d.mts"]);
}

#[test]
fn finds_settings_in_every_file_that_may_hold_them() {
    let tsconfig =
        r#"{ /* checks */ "extends": ["@tsconfig/node20/tsconfig.json", "./config/base"], "compilerOptions": { "jsx": "react-jsx", } }"#;
    let base = r#"{ "extends": "../tsconfig.json", "compilerOptions": { "jsx": "react", "jsxImportSource": "preact", "experimentalDecorators": true,
        "paths": { "@/*": ["../src/*", 1], "**": ["a"], "~": [] } } }"#;
    let (manifest, findings) = jsr(
        "\"exports\": \"./mod.ts\"",
        &[
            ("/deno.json", r#"{ "imports": { "a": "npm:a@1" }, "compilerOptions": { "jsxImportSource": "react" } }"#),
            ("/tsconfig.json", tsconfig),
            ("/config/base.json", base),
            (
                "/package.json",
                r#"{ "peerDependencies": {"a": "1", "b": "1"}, "dependencies": {"a": "2", "c": "workspace:*"}, "optionalDependencies": {"c": "3"} }"#,
            ),
        ],
    );
    assert!(findings.is_empty(), "{findings:?}");
    let resolution = manifest.unwrap().resolution;
    let map = resolution.import_map.unwrap();
    assert_eq!((map.base.as_str(), &map.json), ("/deno.json", &serde_json::json!({ "imports": { "a": "npm:a@1" }, "scopes": {} })));
    assert_eq!(resolution.jsx.runtime, Some(JsxRuntime::Automatic));
    assert_eq!(resolution.jsx.import_source.as_deref(), Some("react"));
    assert!(resolution.experimental_decorators);
    let paths = resolution.paths.unwrap();
    assert_eq!(paths.base, "/config/");
    assert_eq!(paths.patterns.into_iter().collect::<Vec<_>>(), [("@/*".into(), vec!["../src/*".into()]), ("~".to_owned(), vec![])]);
    let dependencies: Vec<_> = resolution.dependencies.iter().map(|(name, range)| format!("{name} {range}")).collect();
    assert_eq!(dependencies, ["a 2", "b 1", "c 3"]);
}

#[test]
fn takes_paths_from_the_base_that_is_set() {
    let (manifest, _) = jsr(
        "\"exports\": \"./mod.ts\"",
        &[("/tsconfig.json", r#"{ "compilerOptions": { "baseUrl": "./src", "paths": { "a": ["./b"] } } }"#)],
    );
    assert_eq!(manifest.unwrap().resolution.paths.unwrap().base, "/src/");
}

#[test]
fn reads_an_import_map_from_its_file() {
    let file = r#"{ "imports": { "a": "./a.ts" }, "scopes": { "./b/": {} } }"#;
    let (manifest, findings) = jsr("\"exports\": \"./mod.ts\", \"importMap\": \"./maps/map.json\"", &[("/maps/map.json", file)]);
    assert!(findings.is_empty());
    let map = manifest.unwrap().resolution.import_map.unwrap();
    assert_eq!((map.base.as_str(), map.json), ("/maps/map.json", serde_json::from_str(file).unwrap()));
    for map in ["\"./none.json\"", "\"https://x/y.json\"", "1", "\"../out.json\""] {
        let (manifest, findings) = jsr(&format!("\"exports\": \"./mod.ts\", \"importMap\": {map}"), &[]);
        assert!(manifest.unwrap().resolution.import_map.is_none());
        assert_eq!(findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning], "{map}");
    }
}

#[test]
fn settings_that_cannot_be_read_are_warnings() {
    let looping: Vec<(String, String)> =
        (0..30).map(|n| (format!("/t{n}.json"), format!("{{\"extends\": [\"./t{}.json\", \"./t{}.json\"]}}", n + 1, n + 2))).collect();
    let mut list =
        vec![("/package.json", "{,}"), ("/deno.json", "nonsense"), ("/tsconfig.json", "{\"extends\": [\"./t0.json\", \"./bad.json\", 1]}")];
    list.push(("/bad.json", "\u{1}"));
    list.extend(looping.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let (manifest, findings) = jsr("\"exports\": \"./mod.ts\"", &list);
    assert!(manifest.is_some() && !findings.has_errors());
    assert!(codes(&findings).len() >= 2, "{findings:?}");
}
