//! Names, sizes and comments: what makes every file look written by one hand.

use crate::demand;
use crate::source::{ROOMS, Source, files_below, read, shipped, sources};

/// Longest file in lines. Longer ones are two rooms; they are read by nobody from top to bottom.
const LONGEST: usize = 400;

/// Files that may be longer, each with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

#[test]
fn files_fit_in_a_head() {
    let mut found = Vec::new();
    let sources = sources();
    for source in sources {
        let lines = source.text.lines().count();
        if lines > LONGEST && !LONG_FILES.iter().any(|(path, _)| source.path == *path) {
            found.push(format!("{}: {lines} lines", source.path));
        }
    }
    for (path, reason) in LONG_FILES {
        if !sources.iter().any(|source| source.path == path && source.text.lines().count() > LONGEST) {
            found.push(format!("{path}: is not long any more; take it off the list (it said: {reason})"));
        }
    }
    demand("A file has at most 400 lines. Split it along its nouns, or add it to LONG_FILES with the reason.", &found);
}

#[test]
fn modules_introduce_themselves() {
    let speaks = |text: &str| {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        first.starts_with("//!") || first.starts_with("#![doc = include_str!(")
    };
    // A file of unit tests is introduced by the file that it tests.
    let silent = |source: &&Source| !source.is_test && !speaks(&source.text);
    let found: Vec<_> = sources().iter().filter(silent).map(|source| source.path.clone()).collect();
    demand("A module opens with `//!`: what the room is for, its invariants, what is deliberately not here.", &found);
}

/// Words that name no thing. `service` is a room of api.
const EMPTY_WORDS: [&str; 20] = [
    "manager",
    "managers",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "util",
    "utils",
    "utility",
    "misc",
    "types",
    "shared",
    "processor",
    "processors",
    "data",
    "info",
    "service",
    "services",
    "common",
    "stuff",
];

#[test]
fn modules_are_named_after_things() {
    let may = ["api/src/service"];
    let mut found = Vec::new();
    for source in sources() {
        let inside = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let mut words = inside.split('/').skip(1);
        if words.any(|word| EMPTY_WORDS.contains(&word)) && !may.iter().any(|place| inside.starts_with(place)) {
            found.push(source.path.clone());
        }
        let identifiers = source.identifiers();
        for pair in identifiers.windows(2).filter(|pair| pair[0].1 == "mod" && EMPTY_WORDS.contains(&pair[1].1)) {
            if !(source.path == "api/src/lib.rs" && pair[1].1 == "service") {
                found.push(source.offence(pair[1].0, &format!("mod {}", pair[1].1)));
            }
        }
    }
    demand(
        "A module is named after the thing that is in it, never after its shape: no helpers, utils, types, shared and the like.",
        &found,
    );
}

#[test]
fn types_are_named_after_things() {
    let suffixes = ["Manager", "Handler", "Helper", "Util", "Utils", "Processor"];
    let mut found = Vec::new();
    for source in sources() {
        for pair in source.identifiers().windows(2).filter(|pair| ["struct", "enum", "trait", "type"].contains(&pair[0].1)) {
            if suffixes.iter().any(|suffix| pair[1].1.ends_with(suffix)) {
                found.push(source.offence(pair[1].0, pair[1].1));
            }
        }
    }
    demand("A type is a noun of the domain; managers, handlers and helpers are verbs in disguise.", &found);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not offend.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat(), ["HA", "CK"].concat()];
    let mut found = Vec::new();
    let rooms = ROOMS.into_iter().chain(["migrations", "terraform"]);
    let plain = |path: &String| [".rs", ".md", ".sql", ".html", ".tf", ".sh", ".toml"].iter().any(|end| path.ends_with(end));
    for path in rooms.flat_map(files_below).filter(plain).chain(["README.md", "CHANGELOG.md"].map(str::to_owned)) {
        for (number, line) in read(&path).lines().enumerate() {
            if line.split(|c: char| !c.is_alphanumeric()).any(|word| marks.iter().any(|mark| mark == word)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    for source in sources() {
        let left = ["todo", "unimplemented", "dbg"];
        found.extend(source.code.lines().enumerate().filter_map(|(number, line)| {
            let called =
                left.iter().any(|name| line.split(|c: char| !(c.is_alphanumeric() || "_!".contains(c))).any(|w| w == format!("{name}!")));
            (called || line.contains("#[ignore")).then(|| source.offence(number + 1, line.trim()))
        }));
    }
    demand(
        "Nothing is left for later in a file: do it, or open an issue. No test is ignored: a flaky one is a bug in the seam it exposes.",
        &found,
    );
}

#[test]
fn the_list_of_rooms_is_only_a_list() {
    let list = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with("#!") || line.starts_with("//") || (line.starts_with("pub mod ") && line.ends_with(';'))
    };
    let text = read("common/src/lib.rs");
    let found: Vec<_> =
        text.lines().enumerate().filter(|(_, line)| !list(line)).map(|(n, line)| format!("common/src/lib.rs:{}: {line}", n + 1)).collect();
    demand("common/src/lib.rs is the list of its rooms and nothing else; an item belongs into a room.", &found);
}

#[test]
fn every_database_method_has_a_contract_test() {
    let suites: String = sources().iter().filter(|source| source.room() == "tests").map(|source| source.code.as_str()).collect();
    let mut found = Vec::new();
    for source in shipped().iter().filter(|source| source.is_in("common/src/db/")) {
        let words = source.identifiers();
        for window in words.windows(4) {
            let [(_, "pub"), (_, "async"), (_, "fn"), (line, name)] = window else { continue };
            // Opening and ending a transaction is part of every contract test.
            let called = suites.contains(&format!(".{name}(")) || suites.contains(&format!("::{name}("));
            if !called {
                found.push(source.offence(*line, name));
            }
        }
    }
    demand(
        "Every method of the database has a contract test that runs on both engines (tests/suites). Write one for each of these.",
        &found,
    );
}
