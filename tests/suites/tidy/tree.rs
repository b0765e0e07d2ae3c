//! What lies where.

use std::fs;

use crate::demand;
use crate::source::{ROOMS, files_below, read, root};

#[test]
fn the_top_level_is_complete_and_nothing_else() {
    let must = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "CHANGELOG.md", "api", "worker", "common", "tests", "migrations"];
    let may = ["terraform"];
    // What .gitignore names is not part of the tree.
    let ignored = ["target", "data", "node_modules"];
    let entries = fs::read_dir(root()).expect("the root can be listed");
    let names: Vec<String> = entries.map(|entry| entry.expect("an entry can be read").file_name().to_string_lossy().into_owned()).collect();
    let known = |name: &str| name.starts_with('.') || must.contains(&name) || may.contains(&name) || ignored.contains(&name);
    let mut found: Vec<_> = names.iter().filter(|name| !known(name)).map(|name| format!("{name} does not belong here")).collect();
    found.extend(must.iter().filter(|name| !names.iter().any(|n| n == *name)).map(|name| format!("{name} is missing")));
    demand(
        "The top level holds what README.md shows and nothing else: configuration of tools goes into dot-files, the rest into a room.",
        &found,
    );
}

#[test]
fn every_room_has_a_sign() {
    let mut found = Vec::new();
    for room in ROOMS {
        if !root().join(room).join("README.md").exists() {
            found.push(format!("{room}/README.md is missing"));
        }
        if !read(&format!("{room}/src/lib.rs")).contains("#![doc = include_str!(\"../README.md\")]") {
            found.push(format!("{room}/src/lib.rs does not include its README.md"));
        }
    }
    for room in ["migrations", "terraform"] {
        if root().join(room).exists() && !root().join(room).join("README.md").exists() {
            found.push(format!("{room}/README.md is missing"));
        }
    }
    demand("Each room has a README.md that is also its crate documentation: purpose, invariants, map, known quirks.", &found);
}

#[test]
fn there_is_one_binary() {
    let mains: Vec<_> = ROOMS
        .iter()
        .flat_map(|room| files_below(room))
        .filter(|path| path.contains("/src/") && (path.ends_with("/src/main.rs") || path.contains("/src/bin/")))
        .filter(|path| path != "api/src/main.rs")
        .collect();
    demand("There is one binary, `slipway`, in api. Load drivers are examples or tests.", &mains);
}

#[test]
fn the_readme_shows_the_two_commands() {
    let text = read("README.md");
    let found: Vec<_> =
        ["cargo run --release -- up", "./tests/run"].iter().filter(|command| !text.contains(**command)).map(ToString::to_string).collect();
    demand("README.md says how to run the registry and how to test it, each with one command.", &found);
}

#[test]
fn the_commands_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |path: &str| fs::metadata(root().join(path)).is_ok_and(|file| file.permissions().mode() & 0o111 != 0);
    let found: Vec<_> = ["tests/run", ".ci/run"].into_iter().filter(|path| !runs(path)).map(str::to_owned).collect();
    demand("These are commands: they exist and have the run bit.", &found);
}

#[test]
fn the_pinned_clients_name_no_host() {
    let text = read("tests/clients/package-lock.json");
    let found: Vec<_> = text.lines().filter(|line| line.contains("\"resolved\"")).map(|line| line.trim().to_owned()).collect();
    demand(
        "The lock of the clients pins bytes, not the registry that they came from. Write it with npm in tests/clients, whose \
         .npmrc leaves that out.",
        &found,
    );
}
