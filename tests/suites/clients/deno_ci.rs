//! `deno publish` in a job of a CI system, without a token.

use std::path::Path;

use serde_json::json;
use slipway_tests::issuer::{Issuer, REQUEST_TOKEN};
use slipway_tests::sigstore::Sigstore;
use slipway_tests::sigstore::updates::variable;

use crate::bench::Bench;
use crate::run::Run;

/// The client puts sixteen packages into a token; with two more it asks for a second one.
const MEMBERS: usize = 18;
/// What the job builds.
pub(crate) const COMMIT: &str = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

fn config(name: &str) -> String {
    json!({"name": name, "version": "1.0.0", "license": "MIT", "exports": "./mod.ts"}).to_string()
}

/// The settings with which a registry believes a CI system, and what is certified for its jobs.
pub(crate) fn settings(issuer: &Issuer, sigstore: &Sigstore) -> Vec<(String, String)> {
    let root = sigstore.settings().map(|(key, value)| (variable(key), value));
    root.into_iter().chain([("SLIPWAY_CI_ISSUER".to_owned(), issuer.setting("github"))]).collect()
}

/// A client with what a job finds in its environment.
pub(crate) fn in_job(client: Run, issuer: &Issuer) -> Run {
    let request = format!("{}/token?api-version=2.0", issuer.url());
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("CI", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", request.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN),
        ("GITHUB_REPOSITORY", "acme/widgets"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", COMMIT),
    ];
    environment.into_iter().fold(client, |run, (name, value)| run.env(name, value))
}

/// Deno as a job runs it.
fn job(client: Run, issuer: &Issuer) -> Run {
    in_job(client, issuer).args(["publish", "--allow-dirty"])
}

/// The same without saying where the package came from.
fn plain_job(bench: &Bench, issuer: &Issuer, directory: &Path) -> Run {
    job(bench.deno(directory), issuer).args(["--no-provenance"])
}

/// Deno as a job runs it that has certified where the package came from.
pub(crate) fn certified_job(client: Run, issuer: &Issuer, sigstore: &Sigstore) -> Run {
    certifying(job(client, issuer), sigstore)
}

/// A job with what it needs to say where a package came from.
pub(crate) fn certifying(job: Run, sigstore: &Sigstore) -> Run {
    let environment = [
        ("FULCIO_URL", sigstore.url()),
        ("REKOR_URL", sigstore.url()),
        ("RUNNER_ENVIRONMENT", "github-hosted"),
        ("GITHUB_RUN_ID", "77"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_WORKFLOW_REF", "acme/widgets/.github/workflows/publish.yml@refs/heads/main"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REPOSITORY_ID", "1"),
        ("GITHUB_REPOSITORY_OWNER_ID", "2"),
    ];
    environment.into_iter().fold(job, |run, (name, value)| run.env(name, value))
}

/// Has the CI system give out tokens for a job on a branch.
pub(crate) fn employ(issuer: &Issuer, reference: &str) {
    issuer.employ(json!({
        "repository": "acme/widgets", "repository_id": "1", "ref": reference, "actor": "ada", "actor_id": "7", "run_id": "77",
        "workflow_ref": format!("acme/widgets/.github/workflows/publish.yml@{reference}"),
        "sub": format!("repo:acme/widgets:ref:{reference}"), "sha": COMMIT,
    }));
}

/// Whoever has the token links a package to the repository, as far as its main branch goes.
pub(crate) fn trust(bench: &Bench, token: &str, package: &str) {
    let trusted = json!({
        "issuer": "github", "repository": "acme/widgets", "repositoryId": "1", "workflow": "publish.yml", "ref": "refs/heads/main",
    });
    let added = bench.registry.call_with(token, "POST", &format!("scopes/acme/packages/{package}/publishers"), Some(&trusted));
    assert_eq!(added.status, 200, "{added:?}");
}

/// A version is shown to come from the job.
pub(crate) fn came_from_the_job(bench: &Bench, package: &str, version: &str) {
    let shown = bench.registry.get(&format!("api/scopes/acme/packages/{package}/versions/{version}/provenance")).body;
    let job = &shown["job"];
    assert_eq!((&job["repository"], &job["workflow"]), (&json!("acme/widgets"), &json!("publish.yml")), "{shown}");
    assert_eq!((&job["commit"], &shown["timeFrom"]), (&json!(COMMIT), &json!("log")), "{shown}");
}

#[test]
fn a_workspace_of_eighteen_is_published_without_a_token() {
    let issuer = Issuer::with_rsa();
    let Some(bench) = Bench::set_up_with(|_| vec![("SLIPWAY_CI_ISSUER".to_owned(), issuer.setting("github"))]) else { return };
    employ(&issuer, "refs/heads/main");
    let made = bench.registry.call("POST", "scopes", Some(&json!({"scope": "acme", "description": ""})));
    assert_eq!(made.status, 200, "{made:?}");
    let names: Vec<String> = (0..MEMBERS).map(|number| format!("part{number}")).collect();
    let mut files = vec![(
        "deno.json".to_owned(),
        json!({ "workspace": names.iter().map(|name| format!("./{name}")).collect::<Vec<_>>() }).to_string(),
    )];
    for name in &names {
        trust(&bench, bench.registry.token(), name);
        files.push((format!("{name}/deno.json"), config(&format!("@acme/{name}"))));
        files.push((format!("{name}/mod.ts"), format!("/** A part. */\nexport const name: string = \"{name}\";\n")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let workspace = bench.project("workspace", &files);
    let said = plain_job(&bench, &issuer, &workspace).ok();
    for name in &names {
        said.says(&format!("Successfully published @acme/{name}@1.0.0"));
    }
    assert_eq!(issuer.given(), 2, "sixteen packages and two more");
    let version = bench.registry.get("api/scopes/acme/packages/part17/versions/1.0.0").body;
    assert_eq!((&version["ci"]["repository"], &version["ci"]["workflow"]), (&json!("acme/widgets"), &json!("publish.yml")), "{version}");
    bench.close();
}

#[test]
fn a_job_that_is_not_trusted_is_told_why() {
    let issuer = Issuer::start();
    let Some(bench) = Bench::set_up_with(|_| vec![("SLIPWAY_CI_ISSUER".to_owned(), issuer.setting("github"))]) else { return };
    bench.registry.open("@acme/base");
    let base = bench.project("base", &[("deno.json", &config("@acme/base")), ("mod.ts", "/** One. */\nexport const one: number = 1;\n")]);
    employ(&issuer, "refs/heads/evil");
    plain_job(&bench, &issuer, &base).fails().says("@acme/base trusts no CI job").says("(actorNotAuthorized)");
    trust(&bench, bench.registry.token(), "base");
    plain_job(&bench, &issuer, &base).fails().says("`ref` is `refs/heads/evil`, expected `refs/heads/main`");
    employ(&issuer, "refs/heads/main");
    plain_job(&bench, &issuer, &base).ok().says("Successfully published @acme/base@1.0.0");
    bench.close();
}

#[test]
fn a_job_says_where_its_package_came_from() {
    let (issuer, sigstore) = (Issuer::start(), Sigstore::start());
    let Some(bench) = Bench::set_up_with(|_| settings(&issuer, &sigstore)) else { return };
    bench.registry.open("@acme/base");
    trust(&bench, bench.registry.token(), "base");
    employ(&issuer, "refs/heads/main");
    let base = bench.project("base", &[("deno.json", &config("@acme/base")), ("mod.ts", "/** One. */\nexport const one: number = 1;\n")]);
    certified_job(bench.deno(&base), &issuer, &sigstore).ok().says("Successfully published @acme/base@1.0.0");
    came_from_the_job(&bench, "base", "1.0.0");
    bench.close();
}
