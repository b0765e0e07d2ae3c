//! Pragmas that compiler options imply, and those that are there.

use serde_json::json;

use super::{Package, path, text};
use crate::pipeline::manifest::{JsxOptions, JsxRuntime};

fn automatic(source: &str) -> JsxOptions {
    JsxOptions { runtime: Some(JsxRuntime::Automatic), import_source: Some(source.to_owned()), ..JsxOptions::default() }
}

fn package(module: &str, source: &str, options: JsxOptions) -> Package {
    Package::new(&[(module, source)])
        .package_json(json!({"name": "@me/pkg", "dependencies": {"react": "^18.2.0"}, "devDependencies": {"@types/react": "^18.0.0"}}))
        .import_map(json!({"preact": "npm:preact@^10", "hono/jsx": "jsr:@hono/hono@^4/jsx", "local/": "./local/"}))
        .jsx(options)
}

#[track_caller]
fn becomes(module: &str, source: &str, options: JsxOptions, expected: &str) {
    let package = package(module, source, options);
    assert_eq!(package.text_of(module), expected);
    let again = Package { files: package.rewrite().files, manifest: package.manifest }.rewrite();
    assert!(again.changed.is_empty());
}

#[test]
fn options_become_pragmas() {
    let source = "export const x = <a />;\n";
    let types = JsxOptions { import_source_types: Some("@types/react".to_owned()), ..automatic("react") };
    for (options, pragmas) in [
        (JsxOptions::default(), ""),
        (automatic("react"), "/** @jsxRuntime automatic *//** @jsxImportSource npm:react@^18.2.0 */"),
        (automatic("preact"), "/** @jsxRuntime automatic *//** @jsxImportSource npm:preact@^10 */"),
        (automatic("npm:react@19"), "/** @jsxRuntime automatic *//** @jsxImportSource npm:react@19 */"),
        (automatic("hono/jsx"), "/** @jsxRuntime automatic *//** @jsxImportSource jsr:@hono/hono@^4/jsx */"),
        (automatic("@me/pkg"), "/** @jsxRuntime automatic *//** @jsxImportSource jsr:@me/pkg@^1.2.3 */"),
        (
            types,
            "/** @jsxRuntime automatic *//** @jsxImportSource npm:react@^18.2.0 *//** @jsxImportSourceTypes npm:@types/react@^18.0.0 */",
        ),
        (
            JsxOptions { runtime: Some(JsxRuntime::Automatic), ..JsxOptions::default() },
            "/** @jsxRuntime automatic *//** @jsxImportSource npm:react@^18.2.0 */",
        ),
        (JsxOptions { runtime: Some(JsxRuntime::Classic), ..JsxOptions::default() }, "/** @jsxRuntime classic */"),
        (
            JsxOptions { factory: Some("h".into()), fragment_factory: Some("Fragment".into()), ..JsxOptions::default() },
            "/** @jsxRuntime classic *//** @jsx h *//** @jsxFrag Fragment */",
        ),
        (JsxOptions { factory: Some("h */ evil()".into()), ..JsxOptions::default() }, "/** @jsxRuntime classic */"),
    ] {
        for module in ["/m.tsx", "/m.jsx"] {
            becomes(module, source, options.clone(), &format!("{pragmas}{source}"));
        }
        becomes("/m.js", "export {};", options, "export {};");
    }
}

#[test]
fn a_file_that_says_it_itself_is_left_to() {
    for source in [
        "/** @jsxImportSource npm:preact@^10 */\nexport const x = <a />;\n",
        "/** @jsx h */ export const x = <a />;\n",
        "/*\n * @jsxRuntime classic\n */\nexport const x = <a />;\n",
        "// first\n/* @jsxFrag F */\nexport const x = <></>;\n",
    ] {
        becomes("/m.tsx", source, automatic("react"), source);
    }
}

#[test]
fn sources_in_pragmas_are_resolved() {
    for (pragma, expected) in [
        ("/** @jsxImportSource preact */", "/** @jsxImportSource npm:preact@^10 */"),
        ("/* @jsxImportSource react*/", "/* @jsxImportSource npm:react@^18.2.0*/"),
        ("/** @jsxImportSource https://esm.sh/preact */", "/** @jsxImportSource https://esm.sh/preact */"),
        (
            "/** @jsxImportSource react */\n/** @jsxImportSourceTypes @types/react */",
            "/** @jsxImportSource npm:react@^18.2.0 */\n/** @jsxImportSourceTypes npm:@types/react@^18.0.0 */",
        ),
    ] {
        becomes(
            "/m.tsx",
            &format!("{pragma}\nexport const x = <a />;"),
            JsxOptions::default(),
            &format!("{expected}\nexport const x = <a />;"),
        );
    }
}

#[test]
fn pragmas_stand_behind_marks_and_shebangs() {
    let pragmas = "/** @jsxRuntime automatic *//** @jsxImportSource npm:react@^18.2.0 */";
    becomes("/m.tsx", "\u{feff}export const x = <a />;", automatic("react"), &format!("\u{feff}{pragmas}export const x = <a />;"));
    becomes(
        "/m.tsx",
        "#!/usr/bin/env deno\nexport const x = <a />;",
        automatic("react"),
        &format!("#!/usr/bin/env deno\n{pragmas}export const x = <a />;"),
    );
    becomes(
        "/m.tsx",
        "/// <reference lib=\"dom\" />\nexport {};",
        automatic("react"),
        &format!("{pragmas}/// <reference lib=\"dom\" />\nexport {{}};"),
    );
}

#[test]
fn a_source_that_is_nowhere_matters_where_there_is_jsx() {
    let with = package("/m.tsx", "export const x = <a />;", automatic("solid-js")).rewrite();
    let finding = &with.unresolved[&path("/m.tsx")][0];
    assert_eq!(finding.code.as_str(), "unresolvedSpecifier");
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "/m.tsx:1:1");
    assert!(finding.message.starts_with("'solid-js/jsx-runtime' cannot be resolved; tried "), "{}", finding.message);
    let without = package("/m.tsx", "export const x = 1;", automatic("solid-js")).rewrite();
    assert!(without.unresolved.is_empty());
    assert_eq!(text(&without, "/m.tsx"), "/** @jsxRuntime automatic */export const x = 1;");
    let own = package("/m.tsx", "/** @jsxImportSource ./local */export const x = <a />;", JsxOptions::default()).rewrite();
    assert_eq!(own.unresolved.len(), 1);
}
