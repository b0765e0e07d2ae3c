//! No method without a test: every public function of the database and of the jobs is named in this suite.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a room of the house").to_owned()
}

/// The text of every Rust file of a directory, without unit tests.
fn texts(directory: &str) -> Vec<(String, String)> {
    let mut texts: Vec<_> = fs::read_dir(root().join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            (path.file_name().unwrap().to_string_lossy().into_owned(), shipped)
        })
        .collect();
    texts.sort();
    texts
}

/// The names of the functions that begin with one of these words.
fn functions(text: &str, words: &[&str]) -> Vec<String> {
    let starts = text.lines().filter_map(|line| words.iter().find_map(|word| line.trim_start().strip_prefix(word)));
    starts.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default().to_owned()).collect()
}

/// The functions of a room that no line calls, as a method or from its module.
fn uncalled(room: &str, words: &[&str], callers: &[(String, String)]) -> (usize, Vec<String>) {
    let mut count = 0;
    let mut missing = Vec::new();
    for (file, text) in texts(room) {
        for name in functions(&text, words) {
            count += 1;
            let calls = [format!(".{name}("), format!("::{name}(")];
            if !callers.iter().any(|(_, text)| calls.iter().any(|call| text.contains(call.as_str()))) {
                missing.push(format!("{room}/{file}: {name}"));
            }
        }
    }
    (count, missing)
}

#[test]
fn every_method_is_exercised() {
    let suite = [texts("tests/suites/contract"), texts("tests/suites/contract/storage")].concat();
    let (methods, mut missing) = uncalled("common/src/db", &["pub async fn "], &suite);
    let (acts, without) = uncalled("common/src/jobs", &["pub async fn "], &suite);
    let (objects, unseen) = uncalled("common/src/storage", &["pub async fn "], &suite);
    missing.extend(without);
    missing.extend(unseen);
    assert!(methods > 40 && acts > 6 && objects > 8, "the sources are read: {methods} methods, {acts} acts, {objects} ways to objects");
    assert_eq!(missing, [""; 0], "write a contract test, on both engines, for each of these");
}

#[test]
fn every_inner_method_is_reached_through_the_jobs() {
    let callers = texts("common/src/jobs");
    let (methods, missing) = uncalled("common/src/db", &["pub(crate) async fn "], &callers);
    assert!(methods > 6, "the sources are read: {methods} methods");
    assert_eq!(missing, [""; 0], "nothing reaches these methods, so no contract test can");
}
