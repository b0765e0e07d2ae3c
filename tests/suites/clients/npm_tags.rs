//! Tags, ranges and yanked versions, as the clients of the npm side see and change them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::stock::{printed, program, publish_all, read_json, write};

const PACKAGE: &str = "@jsr/acme__kit";

/// How often readers are asked whether they see a change. It takes some milliseconds, and each question is a process.
const ASKED: usize = 500;

/// Waits until readers see these tags.
fn until_tags(bench: &Bench, tags: &Value) {
    let seen = |_| bench.registry.get("npm/-/package/@jsr%2facme__kit/dist-tags").body == *tags;
    assert!((0..ASKED).any(seen), "the tags do not come to be {tags}");
}

/// Lets the client of a project write to the registry.
fn sign_in(bench: &Bench, directory: &Path) {
    let settings = directory.join(".npmrc");
    let before = fs::read_to_string(&settings).expect("a project has settings");
    let place = bench.registry.url().strip_prefix("http:").expect("it is on loopback").to_owned();
    write(&settings, &format!("{before}{place}npm/:_authToken={}\n", bench.registry.token()));
}

fn yank(bench: &Bench, version: &str) {
    let answer = bench.registry.call("PATCH", &format!("scopes/acme/packages/kit/versions/{version}"), Some(&json!({ "yanked": true })));
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[test]
fn npm_sets_lists_and_removes_tags() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let directory = project(&bench, Client::Npm);
    let npm = |words: &[&str]| bench.command("npm", &directory).arg("dist-tag").args(words);
    npm(&["ls", PACKAGE]).ok().says("latest: 1.1.0");
    npm(&["add", &format!("{PACKAGE}@1.0.0"), "stable"]).fails().says("401");
    sign_in(&bench, &directory);
    npm(&["add", &format!("{PACKAGE}@1.0.0"), "stable"]).ok().says(&format!("+stable: {PACKAGE}@1.0.0"));
    until_tags(&bench, &json!({ "latest": "1.1.0", "stable": "1.0.0" }));
    npm(&["ls", PACKAGE]).ok().says("stable: 1.0.0").says("latest: 1.1.0");
    npm(&["add", &format!("{PACKAGE}@1.0.0"), "latest"]).fails().says("follows the highest stable version by itself");
    bench.command("npm", &directory).args(["install", &format!("@acme/kit@npm:{PACKAGE}@stable")]).ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.0.0");
    npm(&["rm", PACKAGE, "stable"]).ok().says(&format!("-stable: {PACKAGE}@1.0.0"));
    until_tags(&bench, &json!({ "latest": "1.1.0" }));
    npm(&["rm", PACKAGE, "stable"]).fails().says("stable is not a dist-tag");
    bench.close();
}

#[test]
fn other_clients_install_by_tag() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let set = bench.registry.call("PUT", "scopes/acme/packages/kit/dist-tags/stable", Some(&json!({ "version": "1.0.0" })));
    assert_eq!(set.status, 204, "{set:?}");
    until_tags(&bench, &json!({ "latest": "1.1.0", "stable": "1.0.0" }));
    for client in [Client::Pnpm, Client::Yarn, Client::OldYarn, Client::Bun] {
        let directory = project(&bench, client);
        client.command(&bench, &directory).args(["add", &format!("@acme/kit@npm:{PACKAGE}@stable")]).ok();
        assert_eq!(installed_version(&directory, "@acme/kit"), "1.0.0", "{client:?}");
    }
    bench.close();
}

#[test]
fn npm_views_a_range() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let directory = project(&bench, Client::Npm);
    let view = |wanted: &str| {
        let said = bench.command("npm", &directory).args(["view", &format!("{PACKAGE}@{wanted}"), "version", "--json"]).ok().out;
        serde_json::from_str::<Value>(&said).unwrap_or_else(|_| panic!("npm view {wanted} says {said}"))
    };
    assert_eq!(view("^1"), json!(["1.0.0", "1.1.0"]));
    assert_eq!(view("latest"), json!("1.1.0"));
    // What the registry chooses for a range is what npm installs for it.
    for (range, encoded) in [("^1.0.0", "%5E1.0.0"), ("~1.0", "%7E1.0"), ("<1.1", "%3C1.1"), ("*", "*")] {
        bench.command("npm", &directory).args(["install", &format!("@acme/kit@npm:{PACKAGE}@{range}")]).ok();
        let manifest = bench.registry.get(&format!("npm/@jsr%2facme__kit/{encoded}"));
        assert_eq!((manifest.status, &manifest.body["version"]), (200, &json!(installed_version(&directory, "@acme/kit"))), "{range}");
    }
    bench.close();
}

#[test]
fn a_yanked_version_is_installed_by_who_has_it_locked() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let clients: [(Client, &str, &[&str]); 5] = [
        (Client::Npm, "install", &["ci"]),
        (Client::Pnpm, "add", &["install", "--frozen-lockfile"]),
        (Client::Yarn, "add", &["install", "--immutable"]),
        (Client::OldYarn, "add", &["install", "--frozen-lockfile"]),
        (Client::Bun, "add", &["install", "--frozen-lockfile"]),
    ];
    let locked = clients.map(|(client, add, again)| {
        let directory = project(&bench, client);
        client.command(&bench, &directory).args([add, &format!("@acme/kit@npm:{PACKAGE}@1.1.0")]).ok();
        fs::remove_dir_all(directory.join("node_modules")).expect("it was installed");
        (client, directory, again)
    });
    yank(&bench, "1.1.0");
    until_tags(&bench, &json!({ "latest": "1.0.0" }));
    for (client, directory, again) in locked {
        client.command(&bench, &directory).args(again).ok();
        assert_eq!(installed_version(&directory, "@acme/kit"), "1.1.0", "{client:?}");
        assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.1.0"), "{client:?}");
    }
    // Who asks anew gets the one before, and who insists is warned.
    let fresh = bench.project("fresh", &[("package.json", r#"{ "name": "fresh", "version": "1.0.0", "type": "module" }"#)]);
    write(&fresh.join(".npmrc"), &format!("@jsr:registry={}npm/\nregistry={}\n", bench.registry.url(), bench.upstream()));
    let npm = |wanted: &str| {
        bench
            .command("npm", &fresh)
            .env("npm_config_cache", fresh.join("cache"))
            .args(["install", &format!("@acme/kit@npm:{PACKAGE}{wanted}")])
    };
    npm("").ok();
    assert_eq!(installed_version(&fresh, "@acme/kit"), "1.0.0");
    npm("@1.1.0").ok().says("deprecated").says("yanked");
    assert_eq!(read_json(&fresh.join("package-lock.json"))["packages"]["node_modules/@acme/kit"]["version"], "1.1.0");
    bench.close();
}
