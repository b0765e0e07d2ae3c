//! Installing from us through others: a registry that has us as its uplink, and a cache that knows nothing of npm.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::Bench;
use crate::npm::{Client, installed_version, project};
use crate::proxy::Proxy;
use crate::registry::free_port;
use crate::stock::{BASE, read_json, write};

/// Two versions of a package and a prerelease, and another package that needs it.
fn publish(bench: &Bench) {
    bench.registry.open("@acme/base");
    bench.registry.open("@acme/more");
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        let directory = bench.project(&format!("base-{version}"), BASE);
        let config = format!(r#"{{ "name": "@acme/base", "version": "{version}", "license": "MIT", "exports": "./mod.ts" }}"#);
        write(&directory.join("deno.json"), &config);
        bench.registry.publish(&directory, "@acme/base", version, "deno.json");
    }
    let more = [
        ("deno.json", r#"{ "name": "@acme/more", "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }"#),
        ("mod.ts", "export { greet } from \"jsr:@acme/base@^1.0.0\";\n"),
    ];
    bench.registry.publish(&bench.project("more", &more), "@acme/more", "1.0.0", "deno.json");
}

/// What a registry says of a version.
fn dist(document: &Value, version: &str) -> Value {
    let dist = &document["versions"][version]["dist"];
    assert!(dist.is_object(), "{version} is not in {document}");
    dist.clone()
}

/// A project that has a version of the package, from a registry and with nothing cached.
fn install(bench: &Bench, client: Client, registry: &str, wanted: &str) -> PathBuf {
    let directory = project(bench, client);
    for left in ["node_modules", "package-lock.json", "pnpm-lock.yaml", "cache"] {
        bench.command("rm", &directory).args(["-rf", left]).ok();
    }
    write(&directory.join("package.json"), r#"{ "name": "project", "version": "1.0.0", "type": "module", "private": true }"#);
    write(&directory.join(".npmrc"), &format!("@jsr:registry={registry}\nregistry={registry}\n"));
    let (command, cache) = (if let Client::Pnpm = client { "add" } else { "install" }, directory.join("cache"));
    let run = client.command(bench, &directory).env("npm_config_cache", &cache).env("NPM_CONFIG_REGISTRY", registry);
    let run = run.env("XDG_CACHE_HOME", &cache).env("XDG_DATA_HOME", &cache);
    run.args([command, &format!("@jsr/acme__base@{wanted}"), "@jsr/acme__more@^1.0.0"]).ok();
    directory
}

fn version(directory: &Path) -> String {
    installed_version(directory, "@jsr/acme__base")
}

/// Asks a proxy for a document.
fn document(bench: &Bench, url: &str) -> Value {
    let said = bench.command("curl", bench.registry.data()).args(["-sSf", url]).ok();
    serde_json::from_str(&said.out).expect("it is JSON")
}

#[test]
fn verdaccio_has_us_as_its_uplink() {
    let Some(mut bench) = Bench::set_up() else { return };
    publish(&bench);
    let verdaccio = Proxy::verdaccio(&bench);
    // Ranges and tags are those of our document.
    for (wanted, found) in [("^1.0.0", "1.1.0"), ("latest", "1.1.0"), ("1.0.0", "1.0.0"), ("^2.0.0-0", "2.0.0-rc.1")] {
        assert_eq!(version(&install(&bench, Client::Npm, &verdaccio.url(), wanted)), found, "{wanted}");
    }
    assert_eq!(version(&install(&bench, Client::Pnpm, &verdaccio.url(), "^1.0.0")), "1.1.0");

    // Tarballs come through it, under its own address and with our digests and signatures.
    let directory = install(&bench, Client::Npm, &verdaccio.url(), "^1.0.0");
    let ours = bench.registry.get("npm/@jsr/acme__base").body;
    let theirs = document(&bench, &format!("{}@jsr/acme__base", verdaccio.url()));
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        let (ours, theirs) = (dist(&ours, version), dist(&theirs, version));
        for field in ["integrity", "shasum", "signatures"] {
            assert!(!ours[field].is_null());
            assert_eq!(theirs[field], ours[field], "{version} {field}");
        }
    }
    assert_eq!(theirs["dist-tags"], ours["dist-tags"]);
    let locked = read_json(&directory.join("package-lock.json"))["packages"]["node_modules/@jsr/acme__base"].clone();
    assert_eq!(locked["resolved"], format!("{}@jsr/acme__base/-/acme__base-1.1.0.tgz", verdaccio.url()));
    assert_eq!(locked["integrity"], dist(&ours, "1.1.0")["integrity"]);

    // And it goes on without us.
    bench.registry.halt();
    for client in [Client::Npm, Client::Pnpm] {
        assert_eq!(version(&install(&bench, client, &verdaccio.url(), "^1.0.0")), "1.1.0", "{client:?}");
    }
    drop(verdaccio);
    bench.close();
}

#[test]
fn a_cache_that_rewrites_nothing() {
    let Some(mut bench) = Bench::set_up() else { return };
    // Behind a cache the registry is known by the address of the cache.
    let port = free_port();
    bench.registry.halt();
    bench.registry.start_again(&["--public-url", &format!("http://127.0.0.1:{port}/")]);
    publish(&bench);
    let nginx = Proxy::nginx(&bench, port);
    let registry = format!("{}npm/", nginx.url());
    let directory = install(&bench, Client::Npm, &registry, "^1.0.0");
    assert_eq!(version(&directory), "1.1.0");
    let locked = read_json(&directory.join("package-lock.json"))["packages"]["node_modules/@jsr/acme__base"].clone();
    assert_eq!(locked["resolved"], format!("{registry}@jsr/acme__base/-/acme__base-1.1.0.tgz"));
    assert_eq!(version(&install(&bench, Client::Pnpm, &registry, "^1.0.0")), "1.1.0");

    // npm wants the full document and pnpm the short one, at one address: the cache keeps both apart, and has both.
    let address = format!("{registry}@jsr/acme__base");
    let ask = |accept: &str| {
        let run = bench.command("curl", bench.registry.data()).args(["-sSf", "-D", "-", "-H", &format!("accept: {accept}"), &address]);
        run.ok().out.to_lowercase()
    };
    let (full, short) = (ask("application/json"), ask("application/vnd.npm.install-v1+json"));
    assert!(full.contains("\"_id\"") && !short.contains("\"_id\""));
    let again = ask("application/vnd.npm.install-v1+json");
    assert!(again.contains("x-cache: hit") && !again.contains("\"_id\""), "{again}");

    bench.registry.halt();
    for client in [Client::Npm, Client::Pnpm] {
        assert_eq!(version(&install(&bench, client, &registry, "^1.0.0")), "1.1.0", "{client:?}");
    }
    drop(nginx);
    bench.close();
}
