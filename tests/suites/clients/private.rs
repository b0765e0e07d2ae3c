//! A private package and the real clients: with a token they install and publish it, without one it does not exist.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::run::Run;
use crate::stock::{BASE, kit, printed, program, write};

/// The base and the kit, which needs it, both private.
fn publish_privately(bench: &Bench) {
    let scope = bench.registry.call("POST", "scopes", Some(&json!({ "scope": "acme", "visibility": "private" })));
    assert_eq!(scope.status, 200, "{scope:?}");
    let at = ["--private", "--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&bench.project("base", BASE)).arg("publish").args(at).ok().says("which is private");
    for version in ["1.0.0", "1.1.0"] {
        bench.slipway(&kit(bench, version)).arg("publish").args(at).ok();
    }
    for path in ["@acme/kit/meta.json", "@acme/kit/1.1.0/mod.ts", "npm/@jsr/acme__kit", "api/scopes/acme", "api/scopes/acme/packages/kit"] {
        assert_eq!(bench.registry.get(path).status, 404, "{path}");
    }
}

/// A project whose npm client sends the token, or none.
pub(crate) fn npm_project(bench: &Bench, client: Client, token: Option<&str>) -> PathBuf {
    let directory = project(bench, client);
    let Some(token) = token else { return directory };
    if let Client::Yarn = client {
        let settings = std::fs::read_to_string(directory.join(".yarnrc.yml")).expect("it was written");
        write(&directory.join(".yarnrc.yml"), &format!("{settings}    npmAuthToken: \"{token}\"\n    npmAlwaysAuth: true\n"));
    } else {
        let address = bench.registry.url().trim_start_matches("http:");
        let settings = std::fs::read_to_string(directory.join(".npmrc")).expect("it was written");
        let always = if let Client::OldYarn = client { "always-auth=true\n" } else { "" };
        write(&directory.join(".npmrc"), &format!("{settings}{address}npm/:_authToken={token}\n{always}"));
    }
    directory
}

fn installs(client: Client, arguments: &[&str]) {
    let Some(bench) = Bench::set_up() else { return };
    publish_privately(&bench);
    let stranger = npm_project(&bench, client, None);
    let said = client.command(&bench, &stranger).args(arguments).fails();
    assert!(said.all.contains("404") || said.all.contains("not found"), "{}", said.all);
    let directory = npm_project(&bench, client, Some(bench.registry.token()));
    client.command(&bench, &directory).args(arguments).ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.1.0", "{client:?}");
    assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.1.0"), "{client:?}");
    bench.close();
}

#[test]
fn npm_installs_it_with_a_token() {
    installs(Client::Npm, &["install", "@acme/kit@npm:@jsr/acme__kit"]);
}

#[test]
fn pnpm_adds_it_with_a_token() {
    installs(Client::Pnpm, &["add", "jsr:@acme/kit"]);
}

#[test]
fn yarn_adds_it_with_a_token() {
    installs(Client::Yarn, &["add", "jsr:@acme/kit"]);
}

#[test]
fn yarn_classic_adds_it_with_a_token() {
    installs(Client::OldYarn, &["add", "@acme/kit@npm:@jsr/acme__kit"]);
}

#[test]
fn bun_adds_it_with_a_token() {
    installs(Client::Bun, &["add", "@acme/kit@npm:@jsr/acme__kit"]);
}

/// The variable by which Deno is told whom to send a token.
pub(crate) fn with_token(bench: &Bench, run: Run, token: &str) -> Run {
    let host = bench.registry.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    run.env("DENO_AUTH_TOKENS", format!("{token}@{host}"))
}

/// Deno without a token. It remembers what it did not find, so it is given a memory of its own.
pub(crate) fn stranger(bench: &Bench, directory: &Path) -> Run {
    bench.deno(directory).env("DENO_DIR", directory.join("of-a-stranger"))
}

#[test]
fn deno_runs_it_with_a_token() {
    let Some(bench) = Bench::set_up() else { return };
    publish_privately(&bench);
    let (jsr, npm) = (program("jsr:@acme/kit@^1.0.0"), program("npm:@jsr/acme__kit@^1.0.0"));
    let project = bench.project("run", &[("deno.json", "{}"), ("jsr.ts", &jsr), ("npm.ts", &npm)]);
    let run = |file: &str| ["run".to_owned(), "--no-lock".to_owned(), file.to_owned()];
    stranger(&bench, &project).args(run("jsr.ts")).fails().says("JSR package not found: @acme/kit");
    let token = bench.registry.token();
    assert_eq!(with_token(&bench, bench.deno(&project), token).args(run("jsr.ts")).ok().last_line(), printed("1.1.0"));
    assert_eq!(with_token(&bench, bench.old_deno(&project), token).args(run("jsr.ts")).ok().last_line(), printed("1.1.0"));
    stranger(&bench, &project).args(run("npm.ts")).fails();
    let address = bench.registry.url().trim_start_matches("http:");
    write(&project.join(".npmrc"), &format!("@jsr:registry={}npm/\n{address}npm/:_authToken={token}\n", bench.registry.url()));
    assert_eq!(bench.deno(&project).args(run("npm.ts")).ok().last_line(), printed("1.1.0"));
    bench.close();
}

/// A package that needs a private one.
fn dependent(bench: &Bench) -> PathBuf {
    let config = json!({ "name": "@acme/more", "version": "1.0.0", "exports": "./mod.ts", "license": "MIT" }).to_string();
    let code = "import { answer } from \"jsr:@acme/kit@^1.0.0\";\n/** One more. */\nexport const more: number = answer + 1;\n";
    bench.project("more", &[("deno.json", &config), ("mod.ts", code)])
}

fn publishing(bench: &Bench, run: Run) -> Run {
    let token = bench.registry.token();
    with_token(bench, run, token).args(["publish", "--allow-dirty", "--token", token])
}

#[test]
fn deno_publishes_it_with_a_token() {
    let Some(bench) = Bench::set_up() else { return };
    publish_privately(&bench);
    let more = dependent(&bench);
    // What it needs is not there for whoever does not say who they are.
    stranger(&bench, &more).args(["publish", "--allow-dirty", "--token", bench.registry.token()]).fails().says("@acme/kit");
    let made = bench.registry.call("POST", "scopes/acme/packages", Some(&json!({ "package": "more" })));
    assert_eq!((made.status, &made.body["visibility"]), (200, &json!("private")));
    publishing(&bench, bench.deno(&more)).ok().says("Successfully published @acme/more@1.0.0");
    assert_eq!(bench.registry.get("@acme/more/meta.json").status, 404);
    let listed = bench.registry.call("GET", "scopes/acme/packages/more/versions", None);
    assert_eq!(listed.body["total"], 1, "{listed:?}");
    bench.close();
}

#[test]
fn an_older_deno_cannot_publish_it_and_says_why_in_its_words() {
    let Some(bench) = Bench::set_up() else { return };
    publish_privately(&bench);
    let made = bench.registry.call("POST", "scopes/acme/packages", Some(&json!({ "package": "more" })));
    assert_eq!(made.status, 200);
    let more = dependent(&bench);
    // It looks for the package without its token, and is told that there is none.
    let said = publishing(&bench, bench.old_deno(&more)).fails();
    assert!(said.all.contains("new?scope=acme"), "{}", said.all);
    publish_with_slipway(&bench, &more);
    bench.close();
}

/// Slipway's own command does all of it.
fn publish_with_slipway(bench: &Bench, directory: &Path) {
    let at = ["--private", "--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(directory).arg("publish").args(at).ok().says("published @acme/more@1.0.0");
}

#[test]
fn what_is_public_is_not_published_privately() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    let at = ["--private", "--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&bench.project("base", BASE)).arg("publish").args(at).fails().says("@acme/base is public");
    assert_eq!(bench.registry.get("@acme/base/meta.json").status, 404, "nothing was sent");
    bench.close();
}
