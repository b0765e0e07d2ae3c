//! From directories on a disk to uploads, and a registry that is a few routes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use flate2::read::GzDecoder;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::*;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn looked(directory: &TempDir, all: bool) -> Looked {
    look(directory.path(), &identity::find(directory.path()).unwrap(), all).unwrap()
}

fn packed(looked: &Looked) -> Vec<&str> {
    let files = &looked.packed.as_ref().unwrap().files;
    files.iter().map(|file| file.path.relative()).collect()
}

fn messages(looked: &Looked) -> Vec<String> {
    looked.findings.iter().map(ToString::to_string).collect()
}

const MODULE: &str = "/** A. */\nexport const a: number = 1;\n";
const JSR: &str = r#"{ "name": "@own/pkg", "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }"#;

#[test]
fn the_first_config_with_a_name_counts() {
    let found =
        |files: &[(&str, &str)]| identity::find(directory(files).path()).map(|found| (found.shown(), found.target.config.to_string()));
    let package = r#"{ "name": "@own/npm", "version": "2.0.0" }"#;
    let both = found(&[("jsr.json", JSR), ("package.json", package)]).unwrap();
    assert_eq!(both, ("@own/pkg@1.0.0".to_owned(), "/jsr.json".to_owned()));
    let nameless = found(&[("deno.json", r#"{ "tasks": {} }"#), ("package.json", package)]).unwrap();
    assert_eq!(nameless, ("@own/npm@2.0.0".to_owned(), "/package.json".to_owned()));
    assert_eq!(found(&[("deno.jsonc", &format!("// c\n{JSR}"))]).unwrap().1, "/deno.jsonc");

    let refused = |files: &[(&str, &str)]| format!("{:#}", found(files).unwrap_err());
    let scopeless = refused(&[("package.json", r#"{ "name": "zod", "version": "1.0.0" }"#)]);
    assert_eq!(scopeless, "the name `zod` in package.json has no scope: set \"name\": \"@scope/zod\", with a scope of yours");
    assert!(refused(&[("package.json", r#"{ "name": "@own/a", "private": true }"#)]).contains("\"private\": true"));
    assert!(refused(&[("jsr.json", r#"{ "name": "@own/aa" }"#)]).contains("has no `version`"));
    assert!(refused(&[("jsr.json", r#"{ "name": "@own/AA", "version": "1.0.0" }"#)]).contains("lower-case"));
    assert!(refused(&[("jsr.json", r#"{ "name": "@own/aa", "version": "1" }"#)]).starts_with("the version in jsr.json cannot be used"));
    assert!(refused(&[("jsr.json", "{"), ("package.json", package)]).contains("/jsr.json"), "a broken config is not passed over");
    assert!(refused(&[("deno.json", "{}")]).contains("deno.json in"));
    assert!(refused(&[("mod.ts", "")]).starts_with("there is no jsr.json, deno.json or package.json"));
    assert!(identity::find(Path::new("/nowhere/at/all")).is_err());
}

#[test]
fn patterns_are_those_of_npm() {
    let fits = |patterns: &[&str], path: &str| {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let patterns = Patterns::read(&patterns).unwrap();
        (patterns.name(path), patterns.take_away(&PackagePath::try_from(path).unwrap()))
    };
    for (patterns, path, named, taken) in [
        (&["dist"][..], "/dist/a/b.js", true, false),
        (&["dist"], "/lib/dist/b.js", false, false),
        (&["./dist/"], "/dist/b.js", true, false),
        (&["/dist"], "/dist/b.js", true, false),
        (&["dist/"], "/dist", false, false),
        (&["*.js"], "/a.js", true, false),
        (&["*.js"], "/lib/a.js", false, false),
        (&["**/*.js"], "/lib/a.js", true, false),
        (&["lib/*.{js,ts}"], "/lib/a.ts", true, false),
        (&["lib/*"], "/lib/a/b.ts", true, false),
        (&["."], "/any/thing", true, false),
        (&["lib", "!lib/secret"], "/lib/secret/a.ts", false, true),
        (&["lib", "!lib/secret", "lib/secret/a.ts"], "/lib/secret/a.ts", true, false),
        (&["!**/*.test.ts"], "/lib/a.test.ts", false, true),
        (&["", " "], "/a", false, false),
    ] {
        assert_eq!(fits(patterns, path), (named, taken), "{patterns:?} {path}");
    }
    assert!(Patterns::read(&["a{b".to_owned()]).is_err());
}

#[test]
fn packs_what_belongs_to_the_package() {
    let config = JSR.replace('}', r#", "files": ["docs", "yarn.lock"], "exclude": ["**/*.test.ts"] }"#);
    let directory = directory(&[
        ("jsr.json", &config),
        ("mod.ts", "export * from \"./lib/a\";\n"),
        ("lib/a.ts", MODULE),
        ("lib/a.test.ts", ""),
        ("docs/guide.md", "# Guide"),
        ("docs/guide.test.ts", ""),
        ("README", "read"),
        ("license.md", "MIT"),
        ("docs/.env", "SECRET=1"),
        ("docs/.env.local", "SECRET=1"),
        (".npmrc", "//r/:_authToken=1"),
        ("yarn.lock", ""),
        ("notes.txt", ""),
        (".git/config", ""),
        ("node_modules/x/index.js", ""),
        ("lib/node_modules/x/index.js", ""),
        ("data/registry.db", ""),
        ("data/admin.token", "jsrp_"),
        ("data/objects/x", ""),
    ]);
    let some = looked(&directory, false);
    assert_eq!(messages(&some), [""; 0]);
    assert_eq!(packed(&some), ["README", "docs/guide.md", "jsr.json", "lib/a.ts", "license.md", "mod.ts"]);
    let all = looked(&directory, true);
    let more = ["docs/guide.test.ts", "lib/a.test.ts", "notes.txt", "yarn.lock"];
    assert_eq!(packed(&all).iter().filter(|path| !packed(&some).contains(path)).copied().collect::<Vec<_>>(), more);
}

#[test]
fn the_upload_is_read_as_the_directory_is() {
    let package = r##"{ "name": "@own/pkg", "version": "1.0.0", "license": "SEE LICENSE IN legal.txt", "bin": "cli.js", "imports": { "#x": "./src/x.ts" },
        "exports": { ".": "./dist/index.js", "./sub/*": { "types": "./dist/sub/*.d.ts", "default": "./dist/sub/*.js" } } }"##;
    let directory = directory(&[
        ("package.json", package),
        ("tsconfig.json", r#"{ "compilerOptions": { "paths": { "~/*": ["./src/*"] } } }"#),
        ("dist/index.js", "export const a = 1;\n//# sourceMappingURL=index.js.map\n"),
        ("dist/index.js.map", r#"{"version":3,"sources":["../src/main.ts"],"mappings":""}"#),
        ("dist/sub/one.js", "export const one = 1;\n"),
        ("dist/sub/one.d.ts", "export declare const one: number;\n"),
        ("dist/unused.js", "export {};\n"),
        (
            "src/main.ts",
            "export { y } from \"~/y\";\nexport { x } from \"#x\";\nexport const w: URL = new URL(\"./w.bin\", import.meta.url);\n",
        ),
        ("src/index.ts", "never"),
        ("src/x.ts", "/** X. */\nexport const x: number = 1;\n"),
        ("src/y/index.ts", "/** Y. */\nexport const y: number = 1;\n"),
        ("src/w.bin", "\0"),
        ("cli.js", "import \"./dist/index.js\";\n"),
        ("legal.txt", include_str!("../../../../LICENSE")),
    ]);
    let identity = identity::find(directory.path()).unwrap();
    let whole = reach(&identity.target, &Directory::list(directory.path()).unwrap().examined().unwrap()).unwrap();
    let looked = looked(&directory, false);
    assert!(!looked.findings.has_errors(), "{:?}", messages(&looked));
    let upload = unpack::unpack(&looked.packed.as_ref().unwrap().bytes, &UploadLimits::default()).unwrap();
    let uploaded = reach(&identity.target, &upload).unwrap();
    assert_eq!(uploaded, whole);
    let left_out = ["dist/unused.js", "src/index.ts"];
    assert!(left_out.iter().all(|path| !packed(&looked).contains(path)), "{:?}", packed(&looked));
    for kept in ["dist/index.js.map", "src/main.ts", "src/w.bin", "tsconfig.json", "cli.js", "legal.txt", "dist/sub/one.d.ts"] {
        assert!(packed(&looked).contains(&kept), "{kept}");
    }
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let long = format!("{}/{}.ts", "d".repeat(60), "f".repeat(60));
    let config = JSR.replace("./mod.ts", &format!("./{long}"));
    let files = [("jsr.json", config.as_str()), (long.as_str(), MODULE), ("README.md", "# p")];
    let first = looked(&directory(&files), false).packed.unwrap();
    let again = directory(&[files[2], files[1], files[0]]);
    #[cfg(unix)]
    fs::set_permissions(again.path().join("README.md"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let second = looked(&again, false).packed.unwrap();
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(first.summary(), format!("3 files, 242 bytes ({} bytes compressed)", first.bytes.len()));

    let mut tar = Vec::new();
    GzDecoder::new(first.bytes.as_ref()).read_to_end(&mut tar).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    for entry in archive.entries().unwrap() {
        let header = entry.unwrap().header().clone();
        assert_eq!((header.mode().unwrap(), header.mtime().unwrap(), header.uid().unwrap()), (0o644, 0, 0));
    }
}

#[test]
fn what_cannot_be_packed_is_said() {
    let config = JSR.replace('}', r#", "files": ["docs"] }"#);
    let directory =
        directory(&[("jsr.json", &config), ("mod.ts", MODULE), ("docs/a guide.md", ""), ("other/not ours.md", ""), ("real.md", "")]);
    std::os::unix::fs::symlink("real.md", directory.path().join("link.md")).unwrap();
    let some = looked(&directory, false);
    assert_eq!(packed(&some), ["jsr.json", "mod.ts"]);
    assert_eq!(some.remarks.len(), 2, "{:?}", some.remarks);
    assert!(some.remarks[0].starts_with("/link.md is a symbolic link"));
    assert!(some.remarks[1].starts_with("/docs/a guide.md is left out: a package path must not hold white space"), "{:?}", some.remarks);
    assert_eq!(looked(&directory, true).remarks.len(), 3);
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let config = JSR.replace("\"license\": \"MIT\", ", "").replace('}', r#", "exclude": ["internal"] }"#);
    let directory = directory(&[
        ("jsr.json", &config),
        ("mod.ts", "import \"./internal/x\";\nimport \"https://a/b.ts\";\nexport {};\n"),
        ("internal/x.ts", "export {};\n"),
        ("README.md", ""),
        ("readme.MD", ""),
    ]);
    let found = messages(&looked(&directory, false));
    assert_eq!(found.len(), 4, "{found:#?}");
    for (code, wanted) in
        ["differ in case alone", "declares no license", "takes '/internal/x.ts' away", "https://a/b.ts"].iter().enumerate()
    {
        assert!(found[code].contains(wanted), "{wanted}: {found:#?}");
    }
    fs::write(directory.path().join("jsr.json"), r#"{ "name": "@own/pkg", "version": "1.0.0" }"#).unwrap();
    assert!(looked(&directory, false).packed.is_none());
}

/// Answers by method and path, and the requests that came.
#[derive(Clone, Default)]
struct Desk {
    answers: Arc<BTreeMap<String, (u16, Value)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(desk): State<Desk>, method: Method, uri: Uri) -> axum::response::Response {
    let request = format!("{method} {uri}");
    let answer = desk.answers.get(&request).cloned();
    desk.asked.lock().unwrap().push(request);
    let (status, body) = answer.unwrap_or((404, json!({ "code": "notFound", "message": "there is nothing" })));
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

/// A registry with these answers.
async fn desk(answers: &[(&str, u16, Value)]) -> (Desk, Registry) {
    let answers = answers.iter().map(|(request, status, body)| ((*request).to_owned(), (*status, body.clone()))).collect();
    let desk = Desk { answers: Arc::new(answers), asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/prefix/", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().fallback(answer).with_state(desk.clone());
    #[expect(clippy::disallowed_methods, reason = "a stand-in that ends with its test")]
    let _serving = tokio::task::spawn(async move { axum::serve(listener, router).await });
    (desk, registry_at(url.as_str(), " jsrp_x\n").unwrap())
}

fn registry_at(url: &str, token: &str) -> anyhow::Result<Registry> {
    // The program does this once; tests may come in any order.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Registry::new(&Url::parse(url).unwrap(), Some(token))
}

fn upload() -> (Target, Packed) {
    let directory = directory(&[("jsr.json", JSR), ("mod.ts", MODULE)]);
    let packed = looked(&directory, false).packed.unwrap();
    (identity::find(directory.path()).unwrap().target, packed)
}

const TASK: &str = "019a0000-0000-7000-8000-000000000001";
const UPLOAD: &str = "POST /api/scopes/own/packages/pkg/versions/1.0.0?config=%2Fjsr.json";

#[tokio::test]
async fn scope_and_package_are_made_where_they_are_missing() {
    let (target, packed) = upload();
    let ok = |request| (request, 200, json!({}));
    let (asked, registry) = desk(&[ok("POST /api/scopes"), ok("POST /api/scopes/own/packages")]).await;
    assert!(registry.version(&target).await.unwrap().is_none());
    assert!(registry.page(&target).ends_with("/prefix/@own/pkg@1.0.0"));
    registry.admitted(&target, &packed, false).await.unwrap();
    assert_eq!(
        *asked.asked.lock().unwrap(),
        [
            "GET /api/scopes/own/packages/pkg/versions/1.0.0",
            "GET /api/scopes/own/packages/pkg",
            "GET /api/scopes/own",
            "POST /api/scopes",
            "POST /api/scopes/own/packages"
        ]
    );

    let (asked, registry) = desk(&[ok("GET /api/scopes/own/packages/pkg")]).await;
    registry.admitted(&target, &packed, false).await.unwrap();
    assert_eq!(asked.asked.lock().unwrap().len(), 1);

    let no = json!({ "code": "missingPermission", "message": "not with this" });
    let (_, registry) = desk(&[ok("GET /api/scopes/own"), ("POST /api/scopes/own/packages", 403, no)]).await;
    let refused = format!("{:#}", registry.admitted(&target, &packed, false).await.err().unwrap());
    assert!(refused.starts_with("there is no package @own/pkg yet") && refused.ends_with("not with this (missingPermission)"), "{refused}");
}

#[tokio::test]
async fn an_upload_ends_one_of_three_ways() {
    let (target, packed) = upload();
    let task = |status: &str| json!({ "id": TASK, "status": status, "error": null, "findings": [] });
    let (_, registry) = desk(&[(UPLOAD, 200, task("success"))]).await;
    assert!(matches!(task::publish(&registry, &target, &packed).await.unwrap(), Published::Now(findings) if findings.is_empty()));

    let duplicate = json!({ "code": "duplicateVersionPublish", "message": "again", "task": task("success") });
    let (_, registry) = desk(&[(UPLOAD, 400, duplicate)]).await;
    assert!(matches!(task::publish(&registry, &target, &packed).await.unwrap(), Published::Before));

    let duplicate = json!({ "code": "duplicateVersionPublish", "message": "again", "task": task("processing") });
    let failed = json!({ "id": TASK, "status": "failure", "error": { "code": "c", "message": "no good" },
                         "findings": [{ "code": "c", "severity": "error", "message": "no good", "file": "/mod.ts", "line": 1, "column": 1, "hint": null }] });
    let (asked, registry) = desk(&[(UPLOAD, 400, duplicate), (&format!("GET /api/publish_status/{TASK}"), 200, failed)]).await;
    let Published::Refused { findings, message } = task::publish(&registry, &target, &packed).await.unwrap() else { panic!("it failed") };
    assert_eq!((Tally::of(&findings).errors, message.as_str()), (1, "no good"));
    assert_eq!(asked.asked.lock().unwrap().len(), 2);

    let refusal = json!({ "code": "weeklyPublishAttemptsLimitExceeded", "message": "enough" });
    let (_, registry) = desk(&[(UPLOAD, 400, refusal)]).await;
    let refused = format!("{:#}", task::publish(&registry, &target, &packed).await.unwrap_err());
    assert!(refused.ends_with("the registry refuses: enough (weeklyPublishAttemptsLimitExceeded)"), "{refused}");
}

#[tokio::test]
async fn what_is_no_registry_is_told_apart() {
    let (target, _) = upload();
    let path = "GET /api/scopes/own/packages/pkg/versions/1.0.0";
    let (_, registry) = desk(&[(path, 302, json!(null))]).await;
    let strange = registry.version(&target).await.err().unwrap().to_string();
    assert!(strange.contains("redirects are not followed"), "{strange}");
    let (_, registry) = desk(&[(path, 404, json!("no such page"))]).await;
    assert!(registry.version(&target).await.err().unwrap().to_string().contains("does not answer as a registry does"));

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let registry = registry_at(&format!("http://{closed}/"), "x").unwrap();
    let unreachable = registry.version(&target).await.err().unwrap().to_string();
    assert!(unreachable.starts_with(&format!("cannot reach the registry at http://{closed}/: ")), "{unreachable}");
    assert!(registry_at("http://x/", "a\nb").is_err());
    assert!(!registry_at("http://x/", " ").unwrap().has_token());
}
