use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use slipway_common::ids::Version;
use slipway_common::model::finding::{FindingCode, Severity};
use slipway_common::model::limits::UploadLimits;
use url::Url;

use super::*;
use crate::pipeline::fixture::{lines, name, path_named, version};
use crate::pipeline::{PublishedVersion, unpack};

pub(super) fn upload(files: &[(&str, &str)]) -> Upload {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, path.trim_start_matches('/'), text.as_bytes()).unwrap();
    }
    let mut gzip = archive.into_inner().unwrap();
    gzip.flush().unwrap();
    Upload {
        package: name(),
        version: version(),
        config: path_named("/jsr.json"),
        tarball: gzip.finish().unwrap().into(),
        limits: UploadLimits::default(),
    }
}

pub(super) fn facts() -> Facts {
    let versions = ["1.0.0", "1.1.0"].map(|version| PublishedVersion {
        version: Version::try_from(version).unwrap(),
        yanked: false,
        exports: vec![ExportKey::root()],
    });
    let packages = BTreeMap::from([(PackageName::try_from("@aa/bb").unwrap(), versions.to_vec())]);
    Facts { public_url: Url::parse("https://registry.example/").unwrap(), packages, hidden: BTreeSet::new(), inferred: None }
}

const CONFIG: &str = r#"{ "name": "@own/pkg", "version": "1.2.3", "license": "MIT", "exports": "./mod.ts" }"#;

fn small() -> Upload {
    upload(&[
        ("/jsr.json", CONFIG),
        (
            "/mod.ts",
            "import { b } from \"jsr:@aa/bb@^1\";\nimport \"npm:chalk@^5\";\nexport const a: number = b;\nexport function slow() { return a; }\n",
        ),
        ("/README.md", "# p\n"),
    ])
}

fn both(upload: &Upload) -> Result<Plan, Findings> {
    examine(upload)?.plan_whole(&facts())
}

#[test]
fn a_package_becomes_a_plan() {
    let draft = examine(&small()).ok().unwrap();
    assert_eq!(draft.references(), [PackageName::try_from("@aa/bb").unwrap()]);
    let plan = draft.plan_whole(&facts()).unwrap();
    let kinds: Vec<_> = plan.artefacts.iter().map(|artefact| artefact.kind.clone()).collect();
    let docs = |name: &str| ArtefactKind::Docs { revision: crate::pipeline::docs::DOCS_REVISION, name: name.to_owned() };
    assert_eq!(
        kinds,
        [
            ArtefactKind::Module(path_named("/README.md")),
            ArtefactKind::Module(path_named("/jsr.json")),
            ArtefactKind::Module(path_named("/mod.ts")),
            ArtefactKind::VersionMeta,
            ArtefactKind::NpmTarball,
            docs("index.json"),
        ]
    );
    assert_eq!(
        plan.files.iter().map(|file| (file.path.as_str(), file.size)).collect::<Vec<_>>(),
        [("/README.md", 4), ("/jsr.json", CONFIG.len() as u64), ("/mod.ts", 123)]
    );
    assert_eq!(plan.dependencies.len(), 2);
    assert!(plan.uses_npm && !plan.augmentations);
    assert_eq!(plan.slow_exports, [ExportKey::root()]);
    let said: Vec<_> = plan.findings.iter().map(|finding| (finding.severity, finding.code)).collect();
    assert_eq!(said, [(Severity::Warning, FindingCode::SlowTypes), (Severity::Note, FindingCode::SlowTypes)]);
}

#[test]
fn plans_travel_and_are_the_same_every_time() {
    let plan = both(&small()).unwrap();
    for _ in 0..3 {
        assert_eq!(both(&small()).unwrap(), plan);
    }
    let named = rmp_serde::to_vec_named(&plan).unwrap();
    assert_eq!(rmp_serde::from_slice::<Plan>(&named).unwrap(), plan);
    let compact = rmp_serde::to_vec(&plan).unwrap();
    assert_eq!(rmp_serde::from_slice::<Plan>(&compact).unwrap(), plan);
    // Bytes are bytes, not arrays of numbers.
    let content: usize = plan.artefacts.iter().map(|artefact| artefact.bytes.len()).sum();
    assert!(named.len() < content + 4_096, "{} for {content}", named.len());
}

#[test]
fn mistakes_of_both_steps_are_reported_together() {
    let upload = upload(&[
        ("/jsr.json", r#"{ "name": "@own/pkg", "version": "1.2.3", "exports": "./mod.ts" }"#),
        (
            "/mod.ts",
            "import \"https://a/b.ts\";\nimport \"jsr:@aa/bb@^2\";\nimport \"jsr:@aa/bb@^1/x\";\nimport \"./Nope.ts\";\ndeclare global {}\n\
             import \"npm:chalk\";\nimport a from \"./a.json\" assert { type: \"json\" };\nexport const = a;\n",
        ),
        ("/use.ts", ""),
        ("/a.json", "{}"),
    ]);
    // The syntax error hides the rest of that file, so it is put right for the second look.
    let codes = |findings: Findings| findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>();
    assert_eq!(codes(both(&upload).unwrap_err()), ["missingLicense", "graphError"]);
    let mut files: Vec<(String, String)> = Vec::new();
    for (path, bytes) in unpack::unpack(&upload.tarball, &upload.limits).unwrap().iter() {
        files.push((path.to_string(), String::from_utf8_lossy(bytes).replace("export const = a", "export const b: unknown = a")));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let upload = super::tests::upload(&files);
    let draft = examine(&upload).ok().unwrap();
    assert_eq!(draft.references().len(), 1);
    let findings = draft.plan_whole(&facts()).unwrap_err();
    assert_eq!(
        codes(findings),
        [
            "missingLicense",
            "graphError",
            "missingConstraint",
            "invalidExternalImport",
            "globalTypeAugmentation",
            "bannedImportAssertion",
            "unresolvableJsrDependency",
            "invalidJsrDependencySubPath",
        ]
    );
}

#[test]
fn nothing_to_look_up_ends_the_first_step() {
    let upload = upload(&[("/jsr.json", CONFIG), ("/mod.ts", "import \"./nope.ts\";")]);
    assert_eq!(lines(&examine(&upload).err().unwrap()).len(), 1);
    let broken = Upload { tarball: Bytes::from_static(b"not gzip"), ..small() };
    assert_eq!(examine(&broken).err().unwrap().first_error().unwrap().code, FindingCode::InvalidTarball);
    let elsewhere = Upload { config: path_named("/deno.json"), ..small() };
    assert_eq!(examine(&elsewhere).err().unwrap().first_error().unwrap().code, FindingCode::MissingConfigFile);
}

#[test]
fn augmentations_are_recorded() {
    let config = CONFIG.replace("\"license\"", "\"augmentations\": true, \"license\"");
    let plan =
        both(&upload(&[("/jsr.json", &config), ("/mod.ts", "declare global { var a: number; }\nexport const b: number = 1;\n")])).unwrap();
    assert!(plan.augmentations);
    assert!(plan.findings.iter().any(|finding| finding.code == FindingCode::Augmentations));
    let meta = plan.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::VersionMeta).unwrap();
    assert!(String::from_utf8_lossy(&meta.bytes).ends_with("\"augmentations\":true}"));
}

#[test]
fn deep_files_matter_only_where_they_are_reached() {
    let deep = "[".repeat(50_000);
    let quiet = both(&upload(&[("/jsr.json", CONFIG), ("/mod.ts", "export {};"), ("/deep.ts", &deep)]));
    assert!(quiet.is_ok());
    let loud = both(&upload(&[("/jsr.json", CONFIG), ("/mod.ts", "import \"./deep.ts\";"), ("/deep.ts", &deep)])).unwrap_err();
    assert_eq!(loud.first_error().unwrap().code, FindingCode::NestingTooDeep);
}

/// Each of these is published by Deno's client (with `--no-check`, where the compiler would complain) and accepted by JSR.
#[test]
fn what_need_not_be_there_to_run_is_a_warning() {
    let more = [
        ("/x.js", "export const b = 1;\n"),
        ("/doc.js", "/** @type {import(\"./nope.ts\").A} */\nexport const b = 1;\n"),
        ("/self.js", "// @ts-self-types=\"./nope.d.ts\"\nexport const b = 1;\n"),
        ("/broken.ts", "import \"./nope.ts\";\nimport \"chalk\";\n"),
        ("/d.ts", "export const d: unknown = 1;\n"),
    ];
    let cases = [
        ("import type { A } from \"./nope.ts\";\n", 1),
        ("import type { A } from \"chalk\";\n", 1),
        ("export type * from \"./nope\";\n", 1),
        ("export const f = (): Promise<unknown> => import(\"./nope.ts\");\n", 1),
        ("export const f = (): Promise<unknown> => import(\"chalk\");\n", 1),
        ("export const f = (): Promise<unknown> => import(\"/nope.ts\");\n", 1),
        ("export const f = (): Promise<unknown> => import(\"../nope.ts\");\n", 1),
        ("export const f = (): Promise<unknown> => import(\"./x.js\", { with: { type: \"yaml\" } });\n", 1),
        ("export const f = (): Promise<unknown> => import(\"./broken.ts\");\n", 2),
        ("import type { A } from \"./broken.ts\";\n", 2),
        ("import \"./doc.js\";\n", 1),
        ("import \"./self.js\";\n", 1),
        ("/// <reference path=\"./nope.d.ts\" />\nexport {};\n", 1),
        ("/// <reference types=\"./nope.d.ts\" />\nexport {};\n", 1),
        ("/// <reference types=\"nope\" />\nexport {};\n", 1),
        ("// @ts-types=\"./nope.d.ts\"\nimport { b } from \"./x.js\";\nexport const a: unknown = b;\n", 1),
        ("export const a: import(\"./nope.ts\").A = 1;\n", 1),
    ];
    for (text, count) in cases {
        let mut files = vec![("/jsr.json", CONFIG), ("/mod.ts", text)];
        files.extend(more);
        let plan = both(&upload(&files)).unwrap_or_else(|findings| panic!("{text}: {:?}", lines(&findings)));
        let found: Vec<_> =
            lines(&plan.findings).into_iter().filter(|line| !line.contains("slow types") && !line.contains("docError")).collect();
        assert_eq!(found.len(), count, "{text}: {found:?}");
        assert!(found.iter().all(|line| line.starts_with("warning ") && !line.contains("failed to build")), "{text}: {found:?}");
    }
    for text in [
        "import \"./nope.ts\";\n",
        "import { A } from \"chalk\";\n",
        "export * from \"./broken.ts\";\n",
        "import \"./d.ts\";\nimport \"./D.ts\";\n",
    ] {
        let mut files = vec![("/jsr.json", CONFIG), ("/mod.ts", text)];
        files.extend(more);
        assert_eq!(both(&upload(&files)).unwrap_err().first_error().unwrap().code, FindingCode::GraphError, "{text}");
    }
    let files = [("/jsr.json", CONFIG), ("/mod.ts", "import \"./nope\";\n")];
    assert_eq!(
        lines(&both(&upload(&files)).unwrap_err()),
        ["error graphError /mod.ts:1:8: failed to build module graph: Module not found \"file:///nope\". | tried \
          /nope{,.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json}, /nope/index{.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json}; \
          is the file excluded from publishing?"]
    );
    // A module that cannot be read is refused by Deno's client, whoever loads it.
    let files =
        [("/jsr.json", CONFIG), ("/mod.ts", "export const f = (): Promise<unknown> => import(\"./x.ts\");\n"), ("/x.ts", "const = 1;")];
    assert!(both(&upload(&files)).is_err());
}
