//! Projects for the clients of the npm side.

use std::path::{Path, PathBuf};

use crate::bench::Bench;
use crate::run::Run;
use crate::stock::{read_json, write};

/// A client that installs packages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Client {
    Npm,
    Pnpm,
    OldPnpm,
    Yarn,
    OldYarn,
    Bun,
}

impl Client {
    /// The command, in a project that [`project`] made for it.
    pub(crate) fn command(self, bench: &Bench, directory: &Path) -> Run {
        match self {
            Self::Npm => bench.command("npm", directory),
            Self::Pnpm => bench.command(bench.installed("@pnpm/exe.linux-x64/pnpm"), directory),
            Self::OldPnpm => bench.script("pnpm-10/bin/pnpm.cjs", directory),
            Self::Yarn => bench.script("@yarnpkg/cli-dist/bin/yarn.js", directory),
            Self::OldYarn => bench.script("yarn-1/bin/yarn.js", directory),
            Self::Bun => bench.command(bench.installed("@oven/bun-linux-x64/bin/bun"), directory),
        }
    }
}

/// A project that takes `@jsr` packages from the registry under test and all others from the npm registry.
pub(crate) fn project(bench: &Bench, client: Client) -> PathBuf {
    let directory = bench.project(&format!("{client:?}").to_lowercase(), &[]);
    write(&directory.join("package.json"), r#"{ "name": "project", "version": "1.0.0", "type": "module", "private": true }"#);
    let (registry, upstream) = (bench.registry.url(), bench.upstream());
    if let Client::Yarn = client {
        // The scope has an age gate of its own, which the global setting leaves on. An empty lock makes this a project.
        let settings = format!(
            "nodeLinker: node-modules\nenableTelemetry: false\nenableGlobalCache: false\nunsafeHttpWhitelist: [\"127.0.0.1\"]\n\
             npmRegistryServer: \"{upstream}\"\nnpmMinimalAgeGate: 0\n\
             npmScopes:\n  jsr:\n    npmRegistryServer: \"{registry}npm\"\n    npmMinimalAgeGate: 0\n"
        );
        write(&directory.join(".yarnrc.yml"), &settings);
        write(&directory.join("yarn.lock"), "");
    } else {
        write(&directory.join(".npmrc"), &format!("@jsr:registry={registry}npm/\nregistry={upstream}\n"));
    }
    directory
}

/// Runs a program with node and returns what it printed last.
pub(crate) fn node(bench: &Bench, directory: &Path, program: &str) -> String {
    write(&directory.join("main.mjs"), program);
    bench.command("node", directory).arg("main.mjs").ok().last_line().to_owned()
}

/// The version of a dependency that lies in `node_modules`.
pub(crate) fn installed_version(directory: &Path, name: &str) -> String {
    let manifest = read_json(&directory.join("node_modules").join(name).join("package.json"));
    manifest["version"].as_str().unwrap_or_default().to_owned()
}
