//! The files that the rules look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::lexer::{identifiers, lex, paths, test_modules, without_tests};

/// The rooms that hold Rust.
pub(crate) const ROOMS: [&str; 4] = ["common", "api", "worker", "tests"];

/// One Rust file.
pub(crate) struct Source {
    /// Where it is, from the root of the house, with forward slashes.
    pub(crate) path: String,
    /// As it is written.
    pub(crate) text: String,
    /// Without comments, strings and unit tests.
    pub(crate) code: String,
    /// The string literals outside unit tests, with their lines.
    pub(crate) strings: Vec<(usize, String)>,
    /// Whether the whole file is unit tests, declared by another file under `#[cfg(test)]`.
    pub(crate) is_test: bool,
}

impl Source {
    fn read(path: String, text: String, is_test: bool) -> Self {
        let lexed = lex(&text);
        let code = if is_test { String::new() } else { without_tests(&lexed.code) };
        let shipped = |line: usize| code.lines().nth(line - 1).is_some_and(|line| !line.trim().is_empty());
        let strings = lexed.strings.into_iter().filter(|(line, _)| shipped(*line)).collect();
        Self { path, text, code, strings, is_test }
    }

    /// The room the file is in.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Whether the file is this one, or below it when it ends with a slash.
    pub(crate) fn is_in(&self, place: &str) -> bool {
        if place.ends_with('/') { self.path.starts_with(place) } else { self.path == place }
    }

    /// Every path the code names, from the crate down: `crate`, `self` and `super` are spelled out.
    pub(crate) fn mentions(&self) -> Vec<(usize, Vec<String>)> {
        let module = self.module();
        let spell = |path: Vec<String>| {
            let up = path.iter().take_while(|segment| *segment == "super" || *segment == "self").count();
            match path[0].as_str() {
                "crate" => module[..1].iter().cloned().chain(path[1..].iter().cloned()).collect(),
                "super" | "self" => {
                    let levels = path[..up].iter().filter(|segment| *segment == "super").count();
                    let kept = module.len().saturating_sub(levels).max(1);
                    module[..kept].iter().cloned().chain(path[up..].iter().cloned()).collect()
                }
                _ => path,
            }
        };
        paths(&self.code).into_iter().map(|(line, path)| (line, spell(path))).collect()
    }

    /// Every identifier in the code.
    pub(crate) fn identifiers(&self) -> Vec<(usize, &str)> {
        identifiers(&self.code)
    }

    /// `path:line`, followed by what is there.
    pub(crate) fn offence(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// The module path of the file: `slipway_common`, `db`, `users`.
    fn module(&self) -> Vec<String> {
        let inside = self.path.split_once("/src/").map_or(self.path.as_str(), |(_, inside)| inside);
        let mut path = vec![format!("slipway_{}", self.room())];
        path.extend(inside.trim_end_matches(".rs").split('/').map(str::to_owned));
        if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            path.pop();
        }
        path
    }
}

/// The root of the house.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a room of the house").to_owned()
}

/// Every Rust file of every room, read once for all rules.
pub(crate) fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let files = ROOMS
            .iter()
            .flat_map(|room| files_below(room))
            .filter(|path| std::path::Path::new(path).extension().is_some_and(|extension| extension == "rs"));
        let texts: Vec<(String, String)> = files.map(|path| (path.clone(), read(&path))).collect();
        let tests: Vec<String> = texts.iter().flat_map(|(path, text)| test_files(path, text)).collect();
        let is_test = |path: &str| tests.iter().any(|test| path == test || (test.ends_with('/') && path.starts_with(test)));
        texts.into_iter().map(|(path, text)| Source::read(path.clone(), text, is_test(&path))).collect()
    });
    &SOURCES
}

/// The files and directories in which a file keeps its unit tests.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let (parent, name) = stem.rsplit_once('/').unwrap_or_default();
    let directory = if ["mod", "lib", "main"].contains(&name) { parent } else { stem };
    let lexed = lex(text);
    test_modules(&lexed.code).iter().flat_map(|name| [format!("{directory}/{name}.rs"), format!("{directory}/{name}/")]).collect()
}

/// The Rust files that ship: those of the rooms other than `tests`.
pub(crate) fn shipped() -> Vec<&'static Source> {
    sources().iter().filter(|source| source.room() != "tests" && source.path.contains("/src/")).collect()
}

/// Every file below a directory of the house, sorted. Build output and dependencies of other languages are left out.
pub(crate) fn files_below(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(root().join(&directory)) else { continue };
        for entry in entries.map(|entry| entry.expect("a directory of the house can be listed")) {
            let name = entry.file_name().into_string().expect("files of the house have plain names");
            if ["target", "node_modules"].contains(&name.as_str()) {
                continue;
            }
            let path = format!("{directory}/{name}");
            if entry.path().is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The text of a file of the house.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

#[test]
fn spells_out_relative_paths() {
    let source = Source::read(
        "common/src/db/users.rs".to_owned(),
        "use super::on;\nuse crate::ids::X;\nuse super::super::queue::Q;\n".to_owned(),
        false,
    );
    let text: Vec<_> = source.mentions().into_iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(text, ["slipway_common::db::on", "slipway_common::ids::X", "slipway_common::queue::Q"]);
}

#[test]
fn finds_the_files_of_unit_tests() {
    let text = "#[cfg(test)]\nmod tests;\n";
    assert_eq!(test_files("worker/src/pipeline/mod.rs", text)[0], "worker/src/pipeline/tests.rs");
    assert_eq!(test_files("worker/src/pipeline/npm/mod.rs", text)[1], "worker/src/pipeline/npm/tests/");
    assert_eq!(test_files("worker/src/pipeline/graph.rs", text)[0], "worker/src/pipeline/graph/tests.rs");
}

#[test]
fn sees_the_house() {
    let seen = sources();
    for room in ROOMS {
        assert!(seen.iter().any(|source| source.room() == room && !source.code.trim().is_empty()), "no source of {room} was found");
    }
}
