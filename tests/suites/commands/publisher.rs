//! `slipway admin publisher`: the operator trusts a CI job, while the registry runs.

use std::fs;

use crate::process::{Test, Up, run, token};

pub(crate) const TESTS: &[Test] = &[("publisher::the_operator_trusts_a_job", the_operator_trusts_a_job)];

const ADD: [&str; 10] =
    ["admin", "publisher", "add", "@acme/hello", "--repository", "acme/widgets", "--repository-id", "1", "--data", "data"];

fn the_operator_trusts_a_job() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let token = token(place.path());
    let add = |more: &[&str]| run(place.path(), &[&ADD[..], more].concat(), &[]);

    let said = add(&["--issuer", "github"]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.err.contains("`github` is no CI issuer") && said.err.contains("[[ci_issuer]]"), "{}", said.err);
    let table = "[[ci_issuer]]\nname = \"github\"\nissuer = \"https://token.actions.githubusercontent.com\"\n";
    fs::write(place.path().join("slipway.toml"), table).expect("a file can be written");
    let said = add(&["--issuer", "github"]);
    assert!(said.err.contains("there is no scope @acme") && said.err.contains("slipway admin scope assign acme"), "{}", said.err);
    assert_eq!(run(place.path(), &["admin", "scope", "assign", "acme", "--user", "admin", "--data", "data"], &[]).code, Some(0));

    assert_eq!(up.status("/api/scopes/acme/packages/hello", &token), 404);
    let said = add(&["--issuer", "github", "--workflow", "publish.yml", "--ref", "refs/tags/v*", "--environment", "release"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert_eq!(said.out, "@acme/hello trusts acme/widgets of https://token.actions.githubusercontent.com\n");
    assert_eq!(up.status("/api/scopes/acme/packages/hello", &token), 200, "the package is there for the client that asks");
    let again = add(&["--issuer", "github", "--workflow", "publish.yml", "--ref", "refs/tags/v*", "--environment", "release"]);
    assert!(again.code == Some(1) && again.err.contains("trusts this publisher already"), "{}", again.err);
    let odd = add(&["--issuer", "github", "--ref", "main"]);
    assert!(odd.code == Some(1) && odd.err.contains("`refs/heads/main`"), "{}", odd.err);
    assert_eq!(add(&[]).code, Some(2), "an issuer has to be named");
    up.stop();
}
