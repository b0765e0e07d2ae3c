//! The clients of the npm side: install, import with node, compare what it prints.
//!
//! Every test asserts the version that was installed. Some clients hide versions that are younger than a day and install an
//! older one without a word; two are published so that this would be seen.

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::stock::{printed, program, publish_all, read_json};

/// Installs the kit with `arguments` and uses it.
fn installs(client: Client, arguments: &[&str]) {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let directory = project(&bench, client);
    client.command(&bench, &directory).args(arguments).ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.1.0", "{client:?}");
    assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.1.0"), "{client:?}");
    bench.close();
}

#[test]
fn npm_installs_it() {
    installs(Client::Npm, &["install", "@acme/kit@npm:@jsr/acme__kit"]);
}

#[test]
fn pnpm_adds_it_by_its_jsr_name() {
    installs(Client::Pnpm, &["add", "jsr:@acme/kit"]);
}

#[test]
fn an_older_pnpm_adds_it_by_its_jsr_name() {
    installs(Client::OldPnpm, &["add", "jsr:@acme/kit"]);
}

#[test]
fn yarn_adds_it_by_its_jsr_name() {
    installs(Client::Yarn, &["add", "jsr:@acme/kit"]);
}

#[test]
fn yarn_classic_adds_it() {
    installs(Client::OldYarn, &["add", "@acme/kit@npm:@jsr/acme__kit"]);
}

#[test]
fn bun_adds_it() {
    installs(Client::Bun, &["add", "@acme/kit@npm:@jsr/acme__kit"]);
}

#[test]
fn npm_ci_installs_what_the_lock_says() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let directory = project(&bench, Client::Npm);
    bench.command("npm", &directory).args(["install", "@acme/kit@npm:@jsr/acme__kit@1.0.0"]).ok();
    let lock = read_json(&directory.join("package-lock.json"));
    let locked = &lock["packages"]["node_modules/@acme/kit"];
    assert_eq!(locked["resolved"], format!("{}npm/@jsr/acme__kit/-/acme__kit-1.0.0.tgz", bench.registry.url()), "{locked}");
    // A machine that has never seen the tarball gets the same bytes, or npm refuses them.
    bench.command("npm", &directory).env("npm_config_cache", directory.join("cache")).arg("ci").ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.0.0");
    assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.0.0"));
    bench.close();
}

#[test]
fn the_jsr_command_adds_it() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    // The command always writes the public address into .npmrc, unless a line for the scope is there; project() wrote one.
    let directory = project(&bench, Client::Npm);
    bench.jsr(&directory).args(["add", "--npm", "@acme/kit"]).ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.1.0");
    assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.1.0"));
    bench.close();
}
