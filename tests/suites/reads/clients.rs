//! Deno and npm, with nothing in their environment from the person who runs the tests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use slipway_tests::engines::told;
use tempfile::TempDir;

/// The clients, and a place to use them in.
pub(crate) struct Clients {
    modules: PathBuf,
    place: TempDir,
    registry: String,
}

impl Clients {
    /// Clients of a registry at an address, or `None`, with a word of why, where nobody installed them.
    pub(crate) fn of(registry: &str) -> Option<Self> {
        let Some(clients) = told("SLIPWAY_CLIENTS") else {
            let why = "SLIPWAY_CLIENTS says where the clients are; `./tests/run` installs them";
            assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
            eprintln!("not run: {why}");
            return None;
        };
        let place = TempDir::with_prefix("slipway-readers-").expect("a temporary directory can be made");
        Some(Self { modules: PathBuf::from(clients).join("node_modules"), place, registry: registry.to_owned() })
    }

    /// The address of the registry, without a slash at its end.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// A new project with these files.
    pub(crate) fn project(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let directory = self.place.path().join(name);
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        for (path, text) in files {
            std::fs::write(directory.join(path), text).expect("a file can be written");
        }
        directory
    }

    /// Runs deno, which must succeed, and returns what it printed last.
    pub(crate) fn deno(&self, directory: &Path, arguments: &[&str]) -> String {
        self.run(self.modules.join("@deno/linux-x64-glibc/deno"), directory, arguments)
    }

    /// Runs a program that lies in the path.
    pub(crate) fn program(&self, name: &str, directory: &Path, arguments: &[&str]) -> String {
        self.run(name, directory, arguments)
    }

    fn run(&self, program: impl AsRef<OsStr>, directory: &Path, arguments: &[&str]) -> String {
        let home = self.place.path().join("home");
        std::fs::create_dir_all(&home).expect("a home can be made");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", told("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("DENO_DIR", home.join("deno"))
            .env("DENO_NO_UPDATE_CHECK", "1")
            .env("NO_COLOR", "1")
            .env("JSR_URL", format!("{}/", self.registry))
            .env("JSR_NPM_URL", format!("{}/npm/", self.registry))
            .env("npm_config_cache", home.join("npm"))
            .env("npm_config_update_notifier", "false")
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false")
            // There is no other registry, and nothing needs one.
            .env("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
            // Clients hide versions that are younger than a day; everything here is younger than a minute.
            .env("NPM_CONFIG_MIN_RELEASE_AGE", "0");
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let [out, said] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{arguments:?} failed:\n{out}{said}");
        out.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }
}
