//! Node, and what is installed for it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the suite runs.
pub(crate) struct Tools {
    modules: PathBuf,
}

#[expect(clippy::disallowed_methods, reason = "tests/run tells the suite here where the clients are")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Tools {
    /// The tools, or `None`, with a word of why, where nobody installed them.
    #[expect(clippy::print_stdout, reason = "a suite that does not run says so")]
    pub(crate) fn installed() -> Option<Self> {
        let Some(clients) = told("SLIPWAY_CLIENTS") else {
            let why = "SLIPWAY_CLIENTS says where the clients are; `./tests/run` installs them and sets it";
            assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
            println!("not run: {why}");
            return None;
        };
        Some(Self { modules: PathBuf::from(clients).join("node_modules") })
    }

    /// Where something is installed.
    pub(crate) fn client(&self, path: &str) -> String {
        let path = self.modules.join(path);
        assert!(path.exists(), "{} is not installed", path.display());
        path.display().to_string()
    }

    /// Runs a program and returns what it says, which is nothing when all is well.
    pub(crate) fn node(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = Command::new("node").args(arguments).current_dir(directory).output().expect("node is installed");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() || !said.trim().is_empty() { said } else { format!("it ended with {}", output.status) }
    }
}
