//! Every code a package can be refused with, by the front door: the code on the task, the message as clients print it, and the
//! findings as data with file, line and column.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};
use slipway_tests::package::{Entry, gzip};
use slipway_tests::{PackageBuilder, TestRegistry};
use tar::EntryType;

/// An upload that is refused with a code: the address, and what is sent.
struct Case(&'static str, String, Bytes);

fn case(code: &'static str, package: PackageBuilder) -> Case {
    Case(code, package.address(), package.tarball())
}

fn small() -> PackageBuilder {
    PackageBuilder::small("@acme/maths", "1.0.0")
}

/// A package whose only module is this text.
fn module(text: &'static str) -> PackageBuilder {
    small().file("mod.ts", text)
}

fn archives() -> Vec<Case> {
    let bytes = |bytes: Bytes| Case("invalidTarball", small().address(), bytes);
    vec![
        bytes(Bytes::from_static(b"this is no gzip")),
        bytes(gzip(&[7; 700])),
        bytes(small().tarball().slice(..100)),
        case("linkInTarball", small().entry(Entry::link(EntryType::Symlink, "link.ts", "mod.ts"))),
        case("linkInTarball", small().entry(Entry::link(EntryType::Link, "link.ts", "mod.ts"))),
        case("invalidEntryType", small().entry(Entry::of(EntryType::Char, "null"))),
        case("invalidEntryType", small().entry(Entry::of(EntryType::Fifo, "pipe"))),
        case("invalidPath", small().file("../escape.ts", "")),
        case("invalidPath", small().file("a b.ts", "")),
        case("invalidPath", small().file("aux.ts", "")),
        case("invalidGitPath", small().file(".git/config", "")),
        case("caseInsensitiveDuplicatePath", small().file("a.ts", "").file("A.ts", "")),
        case("pathIsFileAndDirectory", small().file("a", "").file("a/b.ts", "")),
    ]
}

fn configs() -> Vec<Case> {
    vec![
        case("missingConfigFile", small().file("jsr.json", "{}").config("/deno.json").without_config()),
        case("invalidConfigFile", small().file("jsr.json", "{ \"name\": ")),
        case("invalidConfigFile", small().file("jsr.json", "")),
        case("invalidConfigFile", small().file("jsr.json", &[0xff, 0xfe, 0x00][..])),
        case("invalidConfigFile", small().key("name", json!(7))),
        case("configFileNameMismatch", small().key("name", json!("@acme/others"))),
        case("configFileVersionMismatch", small().key("version", json!("1.0.1"))),
        case("configFileExportsInvalid", small().key("exports", Value::Null)),
        case("configFileExportsInvalid", small().key("exports", json!("mod.ts"))),
        case("configFileExportsInvalid", small().key("exports", json!(["./mod.ts"]))),
        case("configFileExportsInvalid", small().key("exports", json!({ ".": "./mod.ts", "table": "./mod.ts" }))),
        case("configFileExportsInvalid", small().key("exports", json!({ ".": { "default": "./mod.ts" } }))),
        case("configFileExportsInvalid", small().key("exports", json!("./nope.ts"))),
        case("configFileExportsInvalid", small().key("exports", json!("./Mod.ts"))),
        case("missingLicense", small().key("license", Value::Null)),
        case("invalidLicense", small().key("license", json!("Nonsense-1.0"))),
        case("invalidLicense", small().key("license", Value::Null).file("LICENSE", "Do what you like, but tell me.")),
    ]
}

fn modules() -> Vec<Case> {
    let deep = format!("export const a = {}0{};", "(".repeat(3_000), ")".repeat(3_000));
    let assertion = "import a from \"./a.json\" assert { type: \"json\" };\nexport const b: unknown = a;\n";
    vec![
        case("nestingTooDeep", small().file("mod.ts", deep)),
        case("graphError", module("import \"./nope.ts\";\n")),
        case("graphError", module("export const = 1;\n")),
        case("graphError", module("import { a } from \"left-pad\";\nexport const b: unknown = a;\n")),
        case("invalidNpmSpecifier", module("import \"npm:\";\n")),
        case("invalidJsrSpecifier", module("import \"jsr:@acme\";\n")),
        case("missingConstraint", module("import \"npm:chalk\";\n")),
        case("missingConstraint", module("import \"jsr:@acme/other\";\n")),
        case("invalidExternalImport", module("import \"https://example.com/mod.ts\";\n")),
        case("invalidExternalImport", module("import \"ftp://example.com/mod.ts\";\n")),
        case("globalTypeAugmentation", module("export {};\ndeclare global {\n  interface Array<T> { last(): T }\n}\n")),
        case("globalTypeAugmentation", module("export {};\ndeclare module \"npm:a@1\" {\n  const a: number;\n}\n")),
        case(
            "globalTypeAugmentation",
            module("export {};\nexport as namespace Maths;\n").key("exports", json!("./mod.d.ts")).renamed("mod.ts", "mod.d.ts"),
        ),
        case("commonJs", module("import fs = require(\"node:fs\");\nexport const a: unknown = fs;\n")),
        case("commonJs", small().key("exports", json!("./mod.cts")).renamed("mod.ts", "mod.cts")),
        case("bannedImportAssertion", module(assertion).file("a.json", "{}")),
        case("bannedTripleSlashDirectives", module("/// <reference lib=\"dom\" />\nexport const a = 1;\n")),
        case("bannedTripleSlashDirectives", module("/// <reference no-default-lib=\"true\" />\nexport const a = 1;\n")),
        case("invalidJsrScopedPackageName", module("import \"jsr:@Acme/Other@1\";\n")),
        case("unresolvableJsrDependency", module("import \"jsr:@acme/other@1\";\n")),
        case("unresolvableJsrDependency", module("import \"jsr:@acme/base@^2\";\n")),
        case("invalidJsrDependencySubPath", module("import \"jsr:@acme/base@^1/nope\";\n")),
    ]
}

/// What a client reads of a task, in short.
fn report(task: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut report = format!("== {} {}\n{}\n", text(&task["status"]), text(&task["error"]["code"]), text(&task["error"]["message"]));
    for finding in task["findings"].as_array().expect("a task has findings") {
        let place = match (&finding["file"], &finding["line"], &finding["column"]) {
            (Value::Null, ..) => String::new(),
            (file, Value::Null, Value::Null) => text(file),
            (file, line, column) => format!("{}:{line}:{column}", text(file)),
        };
        writeln!(report, "- {} {} {place}", text(&finding["severity"]), text(&finding["code"])).expect("a string can be written");
    }
    report
}

#[tokio::test]
async fn every_code_has_its_words_and_its_place() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "base" })).await.expect(200));
    author.publish_through(&PackageBuilder::small("@acme/base", "1.0.0")).await;
    let mut reports = String::new();
    for Case(code, address, tarball) in archives().into_iter().chain(configs()).chain(modules()) {
        let task = author.follow(author.upload(&address, tarball).await.expect(200).json()).await;
        let report = report(&task);
        assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failure"), &json!(code)), "{report}");
        let first = &task["findings"][0];
        assert_eq!((&first["code"], &first["severity"]), (&json!(code), &json!("error")), "{report}");
        let message = first["message"].as_str().expect("a finding has a message");
        assert!(task["error"]["message"].as_str().is_some_and(|text| text.starts_with(message)), "{report}");
        reports.push_str(&report);
    }
    insta::assert_snapshot!(reports);
    // Sixty refusals later the version is still free.
    assert_eq!(author.publish_through(&small()).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn three_mistakes_are_told_at_once() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = small()
        .key("license", Value::Null)
        .file("mod.ts", "import \"npm:chalk\";\nexport * from \"./other.ts\";\n")
        .file("other.ts", "export const a = 1;\ndeclare global {}\n");
    let task = author.publish_through(&package).await;
    let codes: Vec<_> = task["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes[..3], ["missingLicense", "missingConstraint", "globalTypeAugmentation"], "{task}");
    assert_eq!(task["error"]["code"], "missingLicense");
    assert_eq!(task["error"]["message"].as_str().unwrap().lines().count(), 3);
    registry.drain().await;
}
