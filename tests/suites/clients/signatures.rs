//! Whether clients believe our signatures, and notice when somebody tampered with what we said.
//!
//! pnpm asks the registry for its keys. npm first asks Sigstore on the internet which keys it knows of the registry, by an address that
//! no setting changes and a root of trust that it carries; only when Sigstore knows none it asks the registry. The test gives it that
//! answer of Sigstore's in place of the internet, and has it do everything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use slipway_tests::sigstore::{self, Sigstore};

use crate::bench::Bench;
use crate::npm::{Client, installed_version, project};
use crate::run::Run;
use crate::shelf::{self, Lie};
use crate::stock::{BASE, write};

/// Sigstore's answer about a registry that it does not know, and the root of trust of a log, where one is asked for.
const UNKNOWN_TO_SIGSTORE: &str = r#"const Module = require("node:module");
const { readFileSync } = require("node:fs");
const load = Module._load;
Module._load = function (request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request !== "@sigstore/tuf") return loaded;
  const getTarget = async (name) => {
    throw Object.assign(new Error(`no target ${name}`), { code: "TUF_FIND_TARGET_ERROR" });
  };
  const { TrustedRoot } = load.call(this, "@sigstore/protobuf-specs", ...rest);
  const getTrustedRoot = async () => TrustedRoot.fromJSON(JSON.parse(readFileSync(process.env.ROOT_OF_TRUST, "utf8")));
  return { ...loaded, getTrustedRoot, initTUF: async () => ({ getTarget }) };
};
"#;

/// How long it may take until what was published is entered in a log on loopback.
const PATIENCE: Duration = Duration::from_secs(30);

/// Publishes the package that others depend on.
fn publish_base(bench: &Bench) {
    bench.registry.open("@acme/base");
    bench.registry.publish(&bench.project("base", BASE), "@acme/base", "1.0.0", "deno.json");
}

/// Publishes a version of a package that depends on it.
fn publish_more(bench: &Bench, version: &str) {
    bench.registry.publish(&more(bench, version), "@acme/more", version, "deno.json");
}

/// That package in one version, in a new project directory.
pub(crate) fn more(bench: &Bench, version: &str) -> PathBuf {
    let config = format!(r#"{{ "name": "@acme/more", "version": "{version}", "license": "MIT", "exports": "./mod.ts" }}"#);
    let module = "export { greet } from \"jsr:@acme/base@^1.0.0\";\n/** Which. */\nexport const which: string = \"more\";\n";
    bench.project(&format!("more-{version}"), &[("deno.json", &config), ("mod.ts", module)])
}

/// A registry with two packages, one of which needs the other.
fn published() -> Option<Bench> {
    let bench = Bench::set_up()?;
    publish_base(&bench);
    bench.registry.open("@acme/more");
    publish_more(&bench, "1.0.0");
    Some(bench)
}

/// Puts another key in the place of the one that the registry signs with.
fn replace_key(bench: &mut Bench) {
    bench.registry.halt();
    let key = bench.slipway(bench.registry.data()).args(["admin", "key", "new"]).ok();
    fs::write(bench.registry.data().join("signing.key"), key.out).expect("it is ours");
    bench.registry.start_again(&[]);
}

/// A project with both packages in `node_modules`, by their npm names, and this version of the one that needs the other.
pub(crate) fn installed(bench: &Bench, client: Client, version: &str) -> PathBuf {
    let directory = project(bench, client);
    let command = if let Client::Pnpm = client { "add" } else { "install" };
    // What a client saw a moment ago it believes for a minute.
    let cache = directory.join(format!("cache-{version}"));
    client
        .command(bench, &directory)
        .env("npm_config_cache", cache)
        .args([command, &format!("@jsr/acme__more@{version}"), "@jsr/acme__base@1.0.0"])
        .ok();
    assert_eq!(installed_version(&directory, "@jsr/acme__more"), version);
    directory
}

/// Has a client judge what is installed, or only say how.
pub(crate) fn audit(bench: &Bench, client: Client, directory: &Path) -> Run {
    let cache = directory.join("cache-audit");
    bench.command("rm", directory).arg("-rf").arg(&cache).ok();
    let run = client.command(bench, directory).env("npm_config_cache", cache).args(["audit", "signatures"]);
    match client {
        Client::Npm => {
            let answer = directory.join("sigstore.cjs");
            write(&answer, UNKNOWN_TO_SIGSTORE);
            run.env("NODE_OPTIONS", format!("--require {}", answer.display()))
        }
        _ => run,
    }
}

/// A registry that enters what it attests in a log with these settings, and has npm told of it. Both packages are entered.
fn logged(entering: &[(&'static str, String)]) -> Option<Bench> {
    let settings = |_: &Path| {
        let told = entering.iter().cloned().chain([("attestation.in_npm_documents", "true".to_owned())]);
        told.map(|(key, value)| (format!("SLIPWAY_{}", key.replace('.', "_").to_uppercase()), value)).collect()
    };
    let bench = Bench::set_up_with(settings)?;
    publish_base(&bench);
    bench.registry.open("@acme/more");
    publish_more(&bench, "1.0.0");
    // A publish does not wait for the log.
    let end = Instant::now() + PATIENCE;
    for name in ["base", "more"] {
        let document = || bench.registry.get(&format!("npm/@jsr/acme__{name}")).body;
        while document().pointer("/versions/1.0.0/dist/attestations").is_none() {
            assert!(Instant::now() < end, "{}", document());
            std::thread::yield_now();
        }
    }
    Some(bench)
}

/// Writes down what is trusted, for npm.
fn root_of_trust(sigstore: &Sigstore, directory: &Path) -> PathBuf {
    let file = directory.join("root.json");
    write(&file, &sigstore.root().to_string());
    file
}

/// Has npm verify what a registry with these settings attests, by the root of trust that it is right by, and by another one.
fn is_verified_by_npm(sigstore: &Sigstore, entering: &[(&'static str, String)]) {
    let Some(bench) = logged(entering) else { return };
    let directory = installed(&bench, Client::Npm, "1.0.0");
    let root = root_of_trust(sigstore, &directory);
    let said = audit(&bench, Client::Npm, &directory).env("ROOT_OF_TRUST", root.display().to_string()).ok();
    said.says("2 packages have verified registry signatures").says("2 packages have verified attestations");
    // Somebody who believes another log believes none of it.
    let other = root_of_trust(&Sigstore::start(), &directory);
    audit(&bench, Client::Npm, &directory).env("ROOT_OF_TRUST", other.display().to_string()).fails().says("invalid attestation");
    bench.close();
}

#[test]
fn npm_verifies_what_the_registry_attests_of_the_tarballs() {
    let sigstore = Sigstore::start();
    is_verified_by_npm(&sigstore, &sigstore.entering());
}

#[test]
fn npm_verifies_what_is_signed_with_certified_keys() {
    let sigstore = Sigstore::start();
    let token = sigstore::token("https://accounts.example.org", "worker@slipway.example.org", 600);
    let certified = [sigstore.entering(), vec![sigstore.timing()], sigstore.certifying(&sigstore.platform(&token)).to_vec()].concat();
    is_verified_by_npm(&sigstore, &certified);
}

#[test]
fn pnpm_verifies_versions_whose_attestations_are_named() {
    let sigstore = Sigstore::start();
    let Some(bench) = logged(&sigstore.entering()) else { return };
    let directory = installed(&bench, Client::Pnpm, "1.0.0");
    audit(&bench, Client::Pnpm, &directory).ok().says("2 packages have verified registry signatures");
    bench.close();
}

fn believes_every_version_whatever_the_key(client: Client) {
    let Some(mut bench) = published() else { return };
    let directory = installed(&bench, client, "1.0.0");
    audit(&bench, client, &directory).ok().says("2 packages have verified registry signatures");
    replace_key(&mut bench);
    publish_more(&bench, "1.1.0");
    // One package by the key of before, one by that of today.
    let directory = installed(&bench, client, "1.1.0");
    audit(&bench, client, &directory).ok().says("2 packages have verified registry signatures");
    bench.close();
}

#[test]
fn pnpm_believes_every_version_whatever_the_key() {
    believes_every_version_whatever_the_key(Client::Pnpm);
}

#[test]
fn npm_believes_every_version_whatever_the_key() {
    believes_every_version_whatever_the_key(Client::Npm);
}

/// Installs from the registry, ends it, and has what is installed compared with what `lie` makes of its objects. pnpm holds a
/// signature against the bytes that it installs, which its lock names: where those are to be others, they are others there.
fn is_judged(client: Client, lie: Lie, has_other_bytes: bool) -> (Bench, Run) {
    let mut bench = published().expect("the clients are there");
    let directory = installed(&bench, client, "1.0.0");
    bench.registry.halt();
    let shelf = shelf::serve(bench.registry.data(), lie);
    let lock = directory.join("pnpm-lock.yaml");
    if has_other_bytes && lock.exists() {
        let text = fs::read_to_string(&lock).expect("it is text");
        write(&lock, &text.replacen("integrity: sha512-", "integrity: sha512-AAAA", 1));
    }
    write(&directory.join(".npmrc"), &format!("@jsr:registry={shelf}\nregistry={}\n", bench.upstream()));
    // What is in the cache was not tampered with.
    let run = audit(&bench, client, &directory).env("XDG_CACHE_HOME", directory.join("cache"));
    (bench, run)
}

/// Whether there is anybody to ask.
fn has_clients() -> bool {
    let bench = Bench::set_up();
    bench.map(Bench::close).is_some()
}

fn honest(_: &str, text: String) -> String {
    text
}

/// Other bytes in the place of a package that is installed.
fn other_bytes(key: &str, text: String) -> String {
    if key.contains("acme__base") { text.replacen("\"integrity\":\"sha512-", "\"integrity\":\"sha512-AAAA", 1) } else { text }
}

/// The signature of one version with the other's.
fn other_signature(key: &str, text: String) -> String {
    let Some(at) = text.find("\"sig\":\"").filter(|_| key.contains("acme__base")) else { return text };
    let (head, tail) = text.split_at(at + 20);
    let swapped: String = tail.chars().take(1).map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    format!("{head}{swapped}{}", &tail[1..])
}

/// A list of keys in which ours is not.
fn other_key(key: &str, text: String) -> String {
    if key.ends_with("v1/keys") { text.replace("SHA256:", "SHA256:x") } else { text }
}

/// A version whose signature was taken away.
fn no_signature(key: &str, text: String) -> String {
    if key.contains("acme__base") { text.replace("\"signatures\":", "\"were\":") } else { text }
}

fn notices_what_is_wrong(client: Client) {
    if !has_clients() {
        return;
    }
    let (bench, run) = is_judged(client, honest, false);
    run.ok().says("2 packages have verified registry signatures");
    bench.close();
    let lies = [(other_bytes as Lie, true, "invalid"), (other_signature, false, "invalid"), (no_signature, false, "missing")];
    for (lie, has_other_bytes, word) in lies {
        let (bench, run) = is_judged(client, lie, has_other_bytes);
        let said = run.fails();
        said.says(word).says("@jsr/acme__base");
        bench.close();
    }
    let (bench, run) = is_judged(client, other_key, false);
    drop(run.fails());
    bench.close();
}

#[test]
fn pnpm_notices_what_is_wrong_while_nothing_of_ours_runs() {
    notices_what_is_wrong(Client::Pnpm);
}

#[test]
fn npm_notices_what_is_wrong_while_nothing_of_ours_runs() {
    notices_what_is_wrong(Client::Npm);
}
