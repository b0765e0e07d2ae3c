//! `slipway doctor`, and other commands that only look.

use std::fs;
use std::path::Path;

use slipway_tests::identity::{Manner, Provider, SECRET};
use slipway_tests::sigstore::updates::{Edition, Repository, variable};
use slipway_tests::sigstore::{self, Sigstore};

use crate::process::{NAME, Test, Up, run};

pub(crate) const TESTS: &[Test] = &[
    ("doctor::it_makes_nothing_and_names_remedies", it_makes_nothing_and_names_remedies),
    ("doctor::it_is_content_with_a_registry_that_runs", it_is_content_with_a_registry_that_runs),
    ("doctor::a_root_of_trust_that_cannot_be_used_is_told", a_root_of_trust_that_cannot_be_used_is_told),
    ("doctor::a_root_of_trust_that_stands_still_is_told", a_root_of_trust_that_stands_still_is_told),
    ("doctor::whom_a_token_names_is_told", whom_a_token_names_is_told),
    ("doctor::a_provider_that_cannot_be_asked_is_told", a_provider_that_cannot_be_asked_is_told),
    ("doctor::the_operator_makes_no_registry_by_mistake", the_operator_makes_no_registry_by_mistake),
];

/// Everything below a directory.
fn contents(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("an entry can be read").path();
        found.push(path.display().to_string());
        if path.is_dir() {
            found.extend(contents(&path));
        }
    }
    found.sort();
    found
}

fn it_makes_nothing_and_names_remedies() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let said = run(place.path(), &["doctor", "--data", "data"], &[]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert_eq!(contents(place.path()), [""; 0]);
    let problems: Vec<_> = said.out.lines().filter(|line| line.starts_with("problem")).collect();
    assert_eq!(problems.len(), 3, "{}", said.out);
    assert!(problems[0].contains("database") && problems[0].contains("slipway migrate"), "{}", problems[0]);
    assert!(problems[1].contains("objects") && problems[1].contains("slipway up"), "{}", problems[1]);
    assert!(problems[2].contains("signing key") && problems[2].contains("slipway up"), "{}", problems[2]);
    assert_eq!(said.err.trim(), "error: 3 problems");

    let elsewhere = ["--database", "postgres://nobody@127.0.0.1:1/x", "--objects", "memory:", "--queue", "bell:"];
    let said = run(place.path(), &[&["doctor"], &elsewhere[..]].concat(), &[]);
    for (door, remedy) in [("database", "set `database`"), ("queue", "amqp://"), ("signing key", "slipway admin key new")] {
        let line = said.out.lines().find(|line| line.starts_with(&format!("problem  {door}:")));
        assert!(line.is_some_and(|line| line.contains(remedy)), "{door}: {}", said.out);
    }
    assert_eq!(contents(place.path()), [""; 0]);
}

fn it_is_content_with_a_registry_that_runs() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let during = run(place.path(), &["doctor", "--data", "data"], &[]);
    assert_eq!(during.code, Some(0), "{}{}", during.out, during.err);
    up.stop();
    let before = contents(place.path());
    let after = run(place.path(), &["doctor", "--data", "data"], &[]);
    assert_eq!(after.code, Some(0), "{}{}", after.out, after.err);
    assert_eq!(contents(place.path()), before);
}

fn a_root_of_trust_that_cannot_be_used_is_told() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    up.stop();
    let good = run(place.path(), &["doctor", "--data", "data"], &[]);
    assert!(good.out.contains("ok       trust root: the public-good root of this build"), "{}", good.out);
    let root = place.path().join("root.json");
    let root = root.to_str().expect("a path is text");
    for (text, word) in [(None, "cannot read it"), (Some("{}"), "is no Sigstore TrustedRoot"), (Some("[1]"), "is no Sigstore TrustedRoot")]
    {
        if let Some(text) = text {
            std::fs::write(root, text).expect("a file can be written");
        }
        let environment = [("SLIPWAY_SIGSTORE_TRUSTED_ROOT", root)];
        let doctor = run(place.path(), &["doctor", "--data", "data"], &environment);
        let line = doctor.out.lines().find(|line| line.starts_with("problem  trust root: `sigstore.trusted_root`"));
        assert!(doctor.code == Some(1) && line.is_some_and(|line| line.contains(word)), "{}", doctor.out);
        let start = run(place.path(), &["up", "--data", "data", "--listen", "127.0.0.1:0"], &environment);
        assert!(start.code == Some(1) && start.err.contains("`sigstore.trusted_root`") && start.err.contains(word), "{}", start.err);
    }
}

fn whom_a_token_names_is_told() {
    let place = tempfile::tempdir().expect("a directory can be made");
    Up::start(place.path()).stop();
    let sigstore = Sigstore::start();
    let file = place.path().join("token");
    let settings = [sigstore.entering(), sigstore.certifying(file.to_str().expect("a path is text")).to_vec()].concat();
    let environment: Vec<_> = settings.iter().map(|(key, value)| (variable(key), value.as_str())).collect();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let examined = || {
        let doctor = run(place.path(), &["doctor", "--data", "data"], &environment);
        (doctor.code, doctor.out.lines().find(|line| line.contains("attestations")).unwrap_or_default().to_owned())
    };
    let (code, line) = examined();
    assert!(code == Some(1) && line.contains("cannot read") && line.contains("`attestation.identity_token`"), "{line}");
    let token = |seconds| sigstore::token("https://accounts.example.org", "worker@example.org", seconds);
    std::fs::write(&file, token(0)).expect("a file can be written");
    let (code, line) = examined();
    assert!(code == Some(1) && line.contains("the token of `worker@example.org` from https://accounts.example.org is over"), "{line}");
    std::fs::write(&file, token(600)).expect("a file can be written");
    let (code, line) = examined();
    let told = "ok       attestations: signed by `worker@example.org` from https://accounts.example.org, if http://127.0.0.1:";
    assert!(code == Some(0) && line.starts_with(told), "{line}");
    assert_eq!(sigstore.entries(), 0, "nothing is certified for it");
}

fn a_root_of_trust_that_stands_still_is_told() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (sigstore, updates) = (Sigstore::start(), Repository::start("2049-01-01T00:00:00Z"));
    updates.publish(&Edition::new(1, &sigstore.trusted_root()));
    let settings = updates.settings(&sigstore);
    let environment: Vec<_> = settings.iter().map(|(key, value)| (variable(key), value.as_str())).collect();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    // Nobody is asked when it starts, and whoever is not there keeps nobody from it.
    updates.go_down(true);
    Up::start_on(NAME, place.path(), &environment).stop();
    assert_eq!(updates.asked(), 0);
    let before = contents(place.path());
    let examined = || {
        let doctor = run(place.path(), &["doctor", "--data", "data"], &environment);
        (doctor.code, doctor.out.lines().find(|line| line.contains("trust root")).unwrap_or_default().to_owned())
    };
    let (code, line) = examined();
    let told = format!("problem  trust root: the root is not kept up to date from {}/: ", updates.url());
    assert!(code == Some(1) && line.starts_with(&told) && line.contains("503") && line.contains("`sigstore.tuf_url`"), "{line}");
    updates.go_down(false);
    let (code, line) = examined();
    assert!(code == Some(0) && line.starts_with(&format!("ok       trust root: the root of {}/; authorities", updates.url())), "{line}");
    updates.publish(&Edition::new(2, &serde_json::json!({})));
    let (code, line) = examined();
    assert!(code == Some(1) && line.contains("is no Sigstore TrustedRoot"), "{line}");
    assert_eq!(contents(place.path()), before, "it looks, and makes nothing");
}

fn a_provider_that_cannot_be_asked_is_told() {
    let place = tempfile::tempdir().expect("a directory can be made");
    Up::start(place.path()).stop();
    let provider = Provider::start();
    let examined = |setting: &str| {
        let doctor = run(place.path(), &["doctor", "--data", "data"], &[("SLIPWAY_IDENTITY_PROVIDER", setting)]);
        assert!(!doctor.out.contains(SECRET) && !doctor.err.contains(SECRET));
        (doctor.code, doctor.out.lines().find(|line| line.contains("sign-in with")).unwrap_or_default().to_owned())
    };
    let (code, line) = examined(&provider.setting("work", "oidc"));
    let expected = format!("ok       sign-in with The work: people are sent to {}; the callback address is http://", provider.url());
    assert!(code == Some(0) && line.starts_with(&expected) && line.ends_with("/login/callback/work"), "{line}");
    provider.behave(Manner { shut: vec!["/.well-known/openid-configuration"], ..Manner::default() });
    let (code, line) = examined(&provider.setting("work", "oidc"));
    assert!(code == Some(1) && line.starts_with("problem  sign-in with The work:") && line.contains("`issuer`"), "{line}");
    let (code, line) = examined(&provider.setting("hub", "github"));
    assert!(code == Some(0) && line.contains("ok       sign-in with The hub"), "{line}");
}

fn the_operator_makes_no_registry_by_mistake() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let said = run(place.path(), &["admin", "user", "create", "ada", "--data", "dada"], &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("dada/registry.db") && said.err.contains("slipway up"), "{}", said.err);
    assert_eq!(contents(place.path()), [""; 0]);
}
