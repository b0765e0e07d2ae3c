//! What every test stands on: a registry, the clients, and a clean place to use them in.
//!
//! A client gets an environment of its own, with nothing in it from the person who runs the tests: its home, its caches and its
//! settings lie in a temporary directory, because several clients answer from caches that they keep across projects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::registry::Registry;
use crate::run::Run;

/// A registry that runs, and the clients to use it with.
pub(crate) struct Bench {
    /// The registry under test.
    pub(crate) registry: Registry,
    binary: PathBuf,
    modules: PathBuf,
    upstream: String,
    place: TempDir,
}

#[expect(clippy::disallowed_methods, reason = "tests/run tells the suite here where the clients and the binary are")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Bench {
    /// A fresh registry and fresh places for clients, or `None`, with a word of why, where nobody installed the clients.
    pub(crate) fn set_up() -> Option<Self> {
        Self::set_up_with(|_| Vec::new())
    }

    /// The same with settings of the registry, as variables, which may name what is installed.
    #[expect(clippy::print_stdout, reason = "a suite that does not run says so")]
    pub(crate) fn set_up_with(settings: impl Fn(&Path) -> Vec<(String, String)>) -> Option<Self> {
        let (Some(clients), Some(binary)) = (told("SLIPWAY_CLIENTS"), told("SLIPWAY_BIN")) else {
            let why =
                "SLIPWAY_CLIENTS and SLIPWAY_BIN say where the clients and the binary are; `./tests/run` installs, builds and sets them";
            assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
            println!("not run: {why}");
            return None;
        };
        let modules = PathBuf::from(clients).join("node_modules");
        assert!(modules.is_dir(), "no clients are installed in {}", modules.display());
        let place = TempDir::with_prefix("slipway-clients-").expect("a temporary directory can be made");
        let registry = Registry::start(Path::new(&binary), &place.path().join("registry"), &settings(&modules));
        Some(Self { registry, binary: binary.into(), modules, upstream: upstream(), place })
    }

    /// A new project directory with these files.
    pub(crate) fn project(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let directory = self.place.path().join(name);
        fs::create_dir_all(&directory).expect("a project directory can be made");
        for (path, text) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("a directory can be made");
            fs::write(path, text).expect("a project file can be written");
        }
        directory
    }

    /// A package of the npm registry, unpacked where it may be changed.
    pub(crate) fn unpacked(&self, installed: &str) -> PathBuf {
        let directory = self.place.path().join("unpacked").join(installed);
        fs::create_dir_all(directory.parent().expect("it lies in the bench's place")).expect("a directory can be made");
        self.command("cp", self.place.path()).arg("-r").args([&self.modules.join(installed), &directory]).ok();
        directory
    }

    /// The deno of today, in a directory.
    pub(crate) fn deno(&self, directory: &Path) -> Run {
        self.command(self.installed("@deno/linux-x64-glibc/deno"), directory)
    }

    /// A deno from before the release-age gate and the authorization that comes first.
    pub(crate) fn old_deno(&self, directory: &Path) -> Run {
        self.command(self.installed("deno-2.3/deno"), directory)
    }

    /// The `jsr` command, told to use the deno of today instead of downloading one.
    pub(crate) fn jsr(&self, directory: &Path) -> Run {
        self.script("jsr/dist/bin.js", directory).env("DENO_BIN_PATH", self.installed("@deno/linux-x64-glibc/deno"))
    }

    /// A JavaScript client of the npm registry, run by node.
    pub(crate) fn script(&self, path: &str, directory: &Path) -> Run {
        self.command("node", directory).arg(self.installed(path))
    }

    /// Slipway's own command.
    pub(crate) fn slipway(&self, directory: &Path) -> Run {
        self.command(&self.binary, directory)
    }

    /// Where a client lies.
    pub(crate) fn installed(&self, path: &str) -> PathBuf {
        let file = self.modules.join(path);
        assert!(file.exists(), "{} is not installed", file.display());
        file
    }

    /// The npm registry that packages of other people come from.
    pub(crate) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Any command, in the clean environment.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Run {
        let home = self.place.path().join("home");
        fs::create_dir_all(&home).expect("a home can be made");
        let mut run = Run::new(program, directory)
            .env("HOME", &home)
            .env("DENO_DIR", home.join("deno"))
            .env("npm_config_cache", home.join("npm"))
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .env("BROWSER", "/bin/true")
            .env("DENO_NO_UPDATE_CHECK", "1")
            .env("DENO_TLS_CA_STORE", "system")
            .env("JSR_URL", self.registry.url())
            .env("JSR_NPM_URL", format!("{}npm/", self.registry.url()))
            .env("NPM_CONFIG_REGISTRY", &self.upstream)
            // Clients hide versions that are younger than a day; everything here is younger than a minute.
            .env("NPM_CONFIG_MIN_RELEASE_AGE", "0")
            .env("pnpm_config_minimum_release_age", "0")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false");
        // Where the npm registry is reached through a mirror, its certificate is one that the machine was told to trust.
        for name in ["PATH", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            if let Some(value) = told(name) {
                run = run.env(name, value);
            }
        }
        run
    }

    /// Stops the registry, which must leave in good order.
    pub(crate) fn close(self) {
        self.registry.stop();
    }
}

/// Asked of npm at run time: which registry it is set up for is the machine's business.
fn upstream() -> String {
    let output = Command::new("npm").args(["config", "get", "registry"]).output().expect("npm is installed");
    assert!(output.status.success(), "npm cannot say which registry it uses");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
