//! A registry with a compiler of the enemy, and an author who publishes for it.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use slipway_tests::package::PackageBuilder;
use tempfile::TempDir;

use super::compiler;
use crate::process::{NAME, Up, token};

/// What stands before the reason in a note.
const REFUSED: &str = "the compiler's are not used: ";

pub(super) struct Stage {
    up: Up,
    token: String,
    count: Cell<u32>,
    place: TempDir,
}

impl Stage {
    /// A registry whose compiler has these limits.
    pub(super) fn with(limits: &[(&str, &str)]) -> Self {
        Self::on(NAME, limits)
    }

    /// The same on a system that is called so.
    pub(super) fn on(system: &str, limits: &[(&str, &str)]) -> Self {
        let place = tempfile::tempdir().expect("a directory can be made");
        let environment = surroundings(place.path());
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).chain(limits.iter().copied()).collect();
        let up = Up::start_on(system, place.path(), &environment);
        let token = token(place.path());
        let stage = Self { up, token, count: Cell::new(0), place };
        assert_eq!(stage.call("/api/scopes", &json!({ "scope": "acme" })).0, 200);
        assert_eq!(stage.call("/api/scopes/acme/packages", &json!({ "package": "maths" })).0, 200);
        stage
    }

    /// A path of this test, which no compiler has anything to do with.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn call(&self, path: &str, body: &Value) -> (u16, Value) {
        self.up.call("POST", path, &self.token, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// A module that tells the compiler what to try, and leaves a type to it.
    pub(super) fn source(order: &str) -> String {
        format!("// {order}\nconst make = () => 1;\nexport const made = make();\n")
    }

    /// Publishes a package that tells the compiler what to try: the notes and their remedies.
    fn publish(&self, order: &str) -> String {
        self.count.set(self.count.get() + 1);
        let source = Self::source(order);
        let package = PackageBuilder::empty("@acme/maths", &format!("1.0.{}", self.count.get())).file("mod.ts", source);
        let (status, mut task) = self.up.call("POST", &package.address(), &self.token, &[("content-encoding", "gzip")], &package.tarball());
        assert_eq!(status, 200, "{order}: {task}");
        // Each question is held open for a moment.
        while task["status"] != "success" {
            assert_ne!(task["status"], "failure", "{order}: {task}");
            let id = task["id"].as_str().expect("a task has an id");
            task = self.up.call("GET", &format!("/api/publish_status/{id}"), &self.token, &[], b"").1;
        }
        let notes = task["findings"].as_array().into_iter().flatten().filter(|finding| finding["severity"] == "note");
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        notes.map(|note| format!("{}; {}\n", text(note, "message"), text(note, "hint"))).collect()
    }

    /// Why the author has placeholders.
    pub(super) fn reason(&self, order: &str) -> String {
        let notes = self.publish(order);
        let reason = notes.split_once(REFUSED).unwrap_or_else(|| panic!("{order}: nothing was refused: {notes}")).1;
        reason.trim_end().to_owned()
    }

    /// What the compiler says itself of what it tried.
    pub(super) fn report(&self, order: &str) -> String {
        let reason = self.reason(order);
        reason.strip_prefix("TS9001: ").unwrap_or_else(|| panic!("{order}: {reason}")).to_owned()
    }

    /// Demands that a compiler that does nothing else makes declarations.
    pub(super) fn compiles(&self) {
        let notes = self.publish("compile");
        assert!(notes.contains("the declarations of this module are made by typescript 9.9.9"), "{notes}");
    }

    /// Ends it. No run has left anything.
    pub(super) fn close(self) {
        let temporary = self.path("tmp");
        self.up.stop();
        let left: Vec<_> = fs::read_dir(temporary).expect("it is there").flatten().map(|entry| entry.file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("slipway-compile-")), "{left:?}");
    }
}

/// What a command is told of the compiler, which is there, and where temporary files go.
pub(super) fn surroundings(place: &Path) -> [(&'static str, String); 2] {
    let (compiler, temporary) = (place.join(compiler::NAME), place.join("tmp"));
    let own = std::env::current_exe().expect("the program knows where it is");
    symlink(own, &compiler).expect("a link can be made");
    fs::create_dir(&temporary).expect("a directory can be made");
    [("SLIPWAY_TYPESCRIPT_COMPILER", compiler.display().to_string()), ("TMPDIR", temporary.display().to_string())]
}
