//! The npm packages of all specs, as TypeScript, Node and the linters of npm packages see them.
//!
//! Every spec in `specs/npm` is planned, its tarball unpacked where an installer has it, and a program written that imports all
//! of its exports; the spec may add programs and dependencies of its own (`== use FILE`). TypeScript's compilers then read
//! everything in one run for each setting: strictly, with every declaration file checked, and once more with the check of
//! declaration files off, where an expected error that does not come shows what is silently `any`.
//!
//! The suite needs the clients, which `tests/run` installs. Without them each test says so and returns; with
//! `SLIPWAY_TEST_REQUIRE` it fails.

mod corpus;
mod tools;

use corpus::Corpus;
use tools::Tools;

/// The settings of a compiler run: how modules are found.
const RESOLUTIONS: [(&str, &str); 2] = [("nodenext", "nodenext"), ("bundler", "esnext")];

fn compiles(test: &str, typescript: &str) {
    let Some(tools) = Tools::installed() else { return };
    let corpus = Corpus::lay_out(test);
    let mut complaints = String::new();
    for (resolution, module) in RESOLUTIONS {
        for skips_declarations in [false, true] {
            let settings = corpus.settings(resolution, module, skips_declarations);
            let said = tools.node(corpus.root(), &[&tools.client(typescript), "--project", &settings, "--pretty", "false"]);
            if !said.is_empty() {
                complaints.push_str(&format!("\n{resolution}, skipLibCheck {skips_declarations}:\n{said}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn typescript_5_reads_every_package() {
    compiles("typescript-5", "typescript-5/bin/tsc");
}

#[test]
fn typescript_7_reads_every_package() {
    compiles("typescript-7", "typescript-7/bin/tsc");
}

#[test]
fn node_loads_every_package() {
    let Some(tools) = Tools::installed() else { return };
    let corpus = Corpus::lay_out("node");
    let said = tools.node(corpus.root(), &["load.mjs"]);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn the_linters_find_nothing() {
    let Some(tools) = Tools::installed() else { return };
    let corpus = Corpus::lay_out("linters");
    corpus.write("lint.mjs", include_str!("lint.mjs"));
    let said = tools.node(
        corpus.root(),
        &[
            "lint.mjs",
            &tools.client("publint/src/index-node.js"),
            &tools.client("publint/src/utils.js"),
            &tools.client("@arethetypeswrong/core/dist/index.js"),
        ],
    );
    assert!(said.is_empty(), "{said}");
}
