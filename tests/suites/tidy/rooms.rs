//! Who may know whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::demand;
use crate::source::{Source, shipped};

/// The mentions, in files that `inside` picks, of paths that `forbidden` picks.
fn offences(sources: &[&Source], inside: impl Fn(&Source) -> bool, forbidden: impl Fn(&[&str]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| inside(source)) {
        for (line, path) in source.mentions() {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            if forbidden(&path) {
                found.push(source.offence(line, &path.join("::")));
            }
        }
    }
    found
}

#[test]
fn the_pipeline_does_no_io() {
    let io = |path: &[&str]| match path {
        ["std", "fs" | "net" | "process" | "env", ..] | ["std", "time", "Instant" | "SystemTime", ..] => true,
        ["tokio", "fs" | "net" | "process" | "time" | "spawn", ..] => true,
        [first, ..] => ["sqlx", "object_store", "reqwest", "rand", "lapin"].contains(first),
        [] => false,
    };
    demand(
        "The pipeline is pure: it reads no file, database, object, clock, network, environment or randomness. Whatever it must \
         know about the world goes into Facts, loaded by worker::jobs before it is called.",
        &offences(&shipped(), |source| source.is_in("worker/src/pipeline/"), io),
    );
}

#[test]
fn the_pipeline_knows_nouns_only() {
    let other = |path: &[&str]| match path {
        ["slipway_common", room, ..] => !["ids", "model", "formats"].contains(room),
        ["slipway_worker", room, ..] => *room != "pipeline",
        _ => false,
    };
    demand(
        "Of the house the pipeline imports common::{ids, model, formats} and itself, nothing else: it would not be a function of \
         its input any more.",
        &offences(&shipped(), |source| source.is_in("worker/src/pipeline/"), other),
    );
}

#[test]
fn only_commands_know_the_worker() {
    let may = ["api/src/main.rs", "api/src/cli/up.rs", "api/src/cli/worker.rs", "api/src/cli/publish/mod.rs"];
    demand(
        "Of api only main.rs and cli/{up,worker,publish}.rs may name the worker: compilers have no place in the web process. What \
         both sides need belongs into common.",
        &offences(
            &shipped(),
            |source| source.room() != "worker" && !may.contains(&source.path.as_str()),
            |path| path[0] == "slipway_worker",
        ),
    );
}

#[test]
fn only_the_worker_knows_the_compilers() {
    // One of them reads versions and ranges, and nothing else.
    let compilers = |word: &str| (word.starts_with("deno_") && word != "deno_semver") || word.starts_with("swc_");
    let mut found = Vec::new();
    for source in shipped().iter().filter(|source| source.room() != "worker") {
        found.extend(source.identifiers().into_iter().filter(|(_, word)| compilers(word)).map(|(line, word)| source.offence(line, word)));
    }
    demand("Nothing outside the worker names a compiler crate (deno_*, swc_*). Give the worker a type of the house to hand out.", &found);
}

#[test]
fn the_read_path_has_no_database() {
    let database = |path: &[&str]| matches!(path, ["slipway_common", "db", ..] | ["sqlx", ..]);
    demand(
        "api::registry serves bytes from objects only, so that a reader never waits for a database. Store what it needs when the \
         version is announced.",
        &offences(&shipped(), |source| source.is_in("api/src/registry/"), database),
    );
}

#[test]
fn sql_stays_in_the_database_room() {
    let mut found = offences(&shipped(), |source| !source.is_in("common/src/db/"), |path| path[0] == "sqlx");
    for source in shipped().iter().filter(|source| !source.is_in("common/src/db/")) {
        for (line, text) in &source.strings {
            let words: Vec<&str> = text.split_whitespace().collect();
            let statement = match words[..] {
                ["SELECT", ..] => words.contains(&"FROM"),
                ["INSERT", "INTO", ..] | ["DELETE", "FROM", ..] | ["CREATE" | "ALTER" | "DROP", "TABLE" | "INDEX", ..] => true,
                ["UPDATE", _, "SET", ..] => true,
                _ => false,
            };
            if statement {
                found.push(source.offence(*line, text.lines().next().unwrap_or_default()));
            }
        }
    }
    demand("SQL and sqlx exist in common::db only. Add a method to ReadTx or WriteTx there, with a contract test.", &found);
}

#[test]
fn amqp_stays_in_the_queue_room() {
    demand(
        "AMQP is spoken in common::queue only; everybody else rings bells through the Queue trait.",
        &offences(&shipped(), |source| !source.is_in("common/src/queue/"), |path| path[0] == "lapin"),
    );
}

#[test]
fn only_config_reads_the_environment() {
    let variables = ["var", "var_os", "vars", "vars_os", "set_var", "remove_var"];
    let reads = |path: &[&str]| path.windows(2).any(|pair| pair[0] == "env" && variables.contains(&pair[1]));
    demand(
        "Environment variables are read by common::config alone, where each is declared once with its documentation. Take the \
         value from the configuration.",
        &offences(&shipped(), |source| !source.is_in("common/src/config/"), reads),
    );
}

#[test]
fn there_is_no_mode_flag() {
    let mut found = Vec::new();
    for source in shipped().iter().filter(|source| !source.is_in("common/src/config/") && !source.is_in("api/src/cli/")) {
        let named = source.identifiers().into_iter().filter(|(_, word)| word.to_lowercase().contains("embedded"));
        found.extend(named.map(|(line, word)| source.offence(line, word)));
    }
    demand(
        "A deployment is described by its URLs; only the configuration and the commands know the word `embedded`. Ask the door for \
         the property that matters instead.",
        &found,
    );
}

/// The rooms of common and how deep they lie. A room may import what lies above it.
const LEVELS: [(&str, u8); 16] = [
    ("ids", 0),
    ("clock", 0),
    ("fault", 0),
    ("model", 1),
    ("formats", 1),
    ("config", 2),
    ("telemetry", 2),
    ("shutdown", 2),
    ("db", 3),
    ("storage", 3),
    ("queue", 3),
    ("steps", 3),
    ("jobs", 4),
    ("signing", 4),
    ("provenance", 4),
    ("context", 4),
];

#[test]
fn rooms_of_common_keep_their_order() {
    let levels = BTreeMap::from(LEVELS);
    let mut edges = BTreeSet::new();
    let mut found = Vec::new();
    for source in shipped().iter().filter(|source| source.is_in("common/src/") && !source.is_in("common/src/lib.rs")) {
        let from = source.path["common/src/".len()..].split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some(level) = levels.get(from.as_str()) else {
            found.push(source.offence(1, "a room without a level; give it one in LEVELS, here and in common/README.md"));
            continue;
        };
        for (line, path) in source.mentions() {
            let Some(to) = path.get(1).filter(|to| path[0] == "slipway_common" && **to != from) else { continue };
            let Some(target) = levels.get(to.as_str()) else { continue };
            let edge = format!("{from} (level {level}) imports {to} (level {target})");
            if target > level || (target == level && *level == 3) {
                found.push(source.offence(line, &edge));
            } else if edges.contains(&(to.clone(), from.clone())) {
                found.push(source.offence(line, &format!("{from} and {to} import each other")));
            }
            edges.insert((from.clone(), to.clone()));
        }
    }
    demand("A room of common imports only what lies above it, the doors (level 3) never each other, and no two each other.", &found);
}

#[test]
fn routes_pages_and_services_keep_apart() {
    let sources = shipped();
    let mut found = offences(&sources, |s| s.is_in("api/src/routes/"), |path| matches!(path, ["slipway_api", "web", ..]));
    found.extend(offences(&sources, |s| s.is_in("api/src/web/"), |path| matches!(path, ["slipway_api", "routes", ..])));
    found.extend(offences(&sources, |s| s.is_in("api/src/service/"), |path| path[0] == "axum"));
    demand("Routes and pages never import each other, and what the desk can do (api::service) does not know HTTP.", &found);
}
