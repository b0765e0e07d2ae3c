//! The rules of a deployment: three URLs and what else there is to set.
//!
//! Sources, later ones win: built-in defaults, what `--data DIR` implies, one TOML file, the environment, flags. Every setting is
//! declared once, in `settings`, with its environment variable and its documentation. This room is the only reader of the
//! environment.

mod attestation;
mod ci;
mod edge;
mod identity;
mod layers;
mod rates;
mod secret;
mod settings;
mod sigstore;

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::model::limits::UploadLimits;
use crate::model::scope::Quotas;

pub use attestation::{Attestation, Edition, Keyless, Log, TokenSource};
pub use ci::CiIssuer;
pub use edge::{Credential, Edge};
pub use identity::IdentityProvider;
pub use layers::{Layers, Values};
pub use rates::Rates;
pub use secret::Secret;
pub use settings::{SETTINGS, Setting, reference};
pub use sigstore::{Sigstore, Updates};

/// Why a configuration cannot be used. The text names the setting and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// The rules of a deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:FILE` or `postgres://…`.
    pub database: Secret,
    /// A copy of the database to read from.
    pub database_replica: Option<Secret>,
    /// Connections of this process to each server.
    pub database_connections: u32,
    /// The public store.
    pub objects: String,
    /// The private store.
    pub objects_private: String,
    /// `in-process:` or `amqp://…`.
    pub queue: Secret,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// The registry's own address, with a trailing slash.
    pub public_url: Url,
    /// The address npm clients install from, with a trailing slash.
    pub npm_url: Url,
    /// The key that signs npm versions, or the name of the file it is in.
    pub signing_key: Option<Secret>,
    /// How long a client may keep us waiting.
    pub timeouts: Timeouts,
    /// How much of a package is accepted.
    pub limits: UploadLimits,
    /// How much comes in at once.
    pub intake: Intake,
    /// What a new scope may do.
    pub quotas: Quotas,
    /// How many scopes a new user may create.
    pub scope_limit: i64,
    /// How many devices may wait for a decision at once.
    pub open_authorizations: i64,
    /// How often somebody may do something.
    pub rates: Rates,
    /// Scope names that only staff gives out, compared by what they look like.
    pub reserved_names: Vec<String>,
    /// How the analysis is bounded.
    pub analysis: Analysis,
    /// The compiler that finds out what sources do not say.
    pub typescript: TypeScript,
    /// Who keeps copies in front of the registry and has to be told what changed.
    pub edge: Edge,
    /// CI systems whose jobs publish without a token.
    pub ci_issuers: Vec<CiIssuer>,
    /// Where people have the accounts with which they sign in.
    pub identity_providers: Vec<IdentityProvider>,
    /// Whom the registry believes about where versions came from.
    pub sigstore: Sigstore,
    /// What becomes of what the registry attests.
    pub attestation: Attestation,
    /// The default filter of the log, in the syntax of `RUST_LOG`.
    pub log: String,
}

/// How long a client may keep us waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the head of a request, from the first moment of the connection or the end of the answer before.
    pub head: Duration,
    /// For the next bytes of a body.
    pub body: Duration,
}

/// How much comes in at once, whoever sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// Bytes of uploads that one process takes in at once.
    pub incoming_bytes: u64,
    /// Publishes that may wait for a worker.
    pub waiting_publishes: i64,
}

/// How the analysis of packages is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysis {
    /// Warm child processes; zero means one for each core, at most four.
    pub children: u64,
    /// Memory of one child in bytes.
    pub memory_bytes: u64,
    /// Processor time for one package in seconds.
    pub cpu_seconds: u64,
    /// Time for one package in seconds, waiting included.
    pub wall_seconds: u64,
    /// Processor time for the documentation of a package in seconds, on top.
    pub documentation_seconds: u64,
    /// How often a package that kills its child is tried.
    pub attempts: u64,
}

/// The compiler that finds out what sources do not say, and its bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeScript {
    /// The native compiler, or the script of the other one. There is none by default.
    pub compiler: Option<PathBuf>,
    /// The interpreter of a compiler that is a script.
    pub node: Option<PathBuf>,
    /// Unpacked npm packages, laid out as in `node_modules`.
    pub packages: Option<PathBuf>,
    /// Memory of one run in bytes.
    pub memory_bytes: u64,
    /// Processor time of one run in seconds.
    pub cpu_seconds: u64,
    /// Time of one run in seconds.
    pub wall_seconds: u64,
}

impl TypeScript {
    fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let path = |key| values.get(key).filter(|path| !path.is_empty()).map(PathBuf::from);
        let (compiler, node) = (path("typescript.compiler"), path("typescript.node"));
        let is_script = compiler.as_deref().and_then(Path::extension).is_some_and(|extension| extension == "js" || extension == "cjs");
        if is_script && node.is_none() {
            return Err(ConfigError("`typescript.compiler` is a script: set `typescript.node` to the program that runs it".into()));
        }
        Ok(Self {
            compiler,
            node: node.filter(|_| is_script),
            packages: path("typescript.packages"),
            memory_bytes: values.parse("typescript.memory_bytes")?,
            cpu_seconds: values.parse("typescript.cpu_seconds")?,
            wall_seconds: values.parse("typescript.wall_seconds")?,
        })
    }
}

impl Config {
    /// Puts a configuration together.
    ///
    /// # Errors
    /// When a setting is unknown, malformed or missing.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        Self::from_values(&layers.values()?)
    }

    fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let listen: SocketAddr = values.parse("listen")?;
        let public_url = match values.get("public_url") {
            Some(text) => address("public_url", text)?,
            None => address("public_url", &format!("http://{listen}/"))?,
        };
        if public_url.path() != "/" {
            let origin = public_url.origin().ascii_serialization();
            return Err(ConfigError(format!(
                "`public_url` has the path `{}`, but the registry answers at the root of its host only: give it a host name of its own, \
                 and write `{origin}/`",
                public_url.path()
            )));
        }
        let npm_url = match values.get("npm_url") {
            Some(text) => address("npm_url", text)?,
            None => public_url.join("npm/").map_err(|error| ConfigError(format!("`public_url` cannot carry `npm/`: {error}")))?,
        };
        let objects = values.required("objects")?;
        let objects_private = values.get("objects_private").map_or_else(|| sibling(&objects), ToOwned::to_owned);
        if objects == objects_private && objects != "memory:" {
            return Err(ConfigError("`objects_private` must not be the public store: give it a prefix or bucket of its own".into()));
        }
        let edge = Edge::from_values(values, &public_url)?;
        Ok(Self {
            edge,
            ci_issuers: ci::issuers(values)?,
            identity_providers: identity::providers(values)?,
            sigstore: Sigstore::from_values(values)?,
            attestation: Attestation::from_values(values)?,
            database: Secret::new(values.required("database")?),
            database_connections: connections(values)?,
            database_replica: values.get("database_replica").map(|url| Secret::new(url.to_owned())),
            objects,
            objects_private,
            queue: Secret::new(values.required("queue")?),
            listen,
            trusted_proxies: edge::proxies(values)?,
            public_url,
            npm_url,
            signing_key: values.get("signing_key").map(|key| Secret::new(key.to_owned())),
            timeouts: Timeouts { head: seconds(values, "timeouts.head_seconds")?, body: seconds(values, "timeouts.body_seconds")? },
            limits: UploadLimits {
                compressed_bytes: values.parse("limits.compressed_bytes")?,
                file_bytes: values.parse("limits.file_bytes")?,
                unpacked_bytes: values.parse("limits.unpacked_bytes")?,
                entries: values.parse("limits.entries")?,
                ratio: values.parse("limits.ratio")?,
            },
            intake: Intake {
                incoming_bytes: values.parse("limits.incoming_bytes")?,
                waiting_publishes: values.parse("limits.waiting_publishes")?,
            },
            quotas: Quotas {
                packages: values.parse("quotas.packages")?,
                new_packages_per_week: values.parse("quotas.new_packages_per_week")?,
                publishes_per_week: values.parse("quotas.publishes_per_week")?,
            },
            scope_limit: values.parse("quotas.scopes_per_user")?,
            open_authorizations: values.parse("quotas.open_authorizations")?,
            rates: Rates::from_values(values)?,
            reserved_names: values.list("reserved_names"),
            analysis: Analysis {
                children: values.parse("analysis.children")?,
                memory_bytes: values.parse("analysis.memory_bytes")?,
                cpu_seconds: values.parse("analysis.cpu_seconds")?,
                wall_seconds: values.parse("analysis.wall_seconds")?,
                documentation_seconds: values.parse("analysis.documentation_seconds")?,
                attempts: values.parse("analysis.attempts")?,
            },
            typescript: TypeScript::from_values(values)?,
            log: values.required("log")?,
        })
    }

    /// Whether the private store lies beside the public one, under the same name with `-private` at its end.
    #[must_use]
    pub fn private_is_sibling(&self) -> bool {
        self.objects_private == sibling(&self.objects)
    }

    /// The addresses that public documents state, as one text: two configurations with another text state other addresses.
    #[must_use]
    pub fn addresses(&self) -> String {
        format!("{} {}", self.public_url, self.npm_url)
    }

    /// Whether the queue lives and dies with this process.
    #[must_use]
    pub fn queue_is_in_process(&self) -> bool {
        self.queue.expose().starts_with("in-process:")
    }
}

/// A pool without connections would wait for one for ever.
fn connections(values: &Values) -> Result<u32, ConfigError> {
    let count = values.parse("database_connections")?;
    if count == 0 { Err(ConfigError("`database_connections` is 0: give it at least 1".into())) } else { Ok(count) }
}

/// The step at which this process is to stop, for the crash suite. Not a setting: a release build has no such thing.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
#[must_use]
pub fn crash_at() -> Option<String> {
    std::env::var("SLIPWAY_CRASH_AT").ok()
}

/// The file with the key that signs npm versions, in the directory of a registry in one process.
#[must_use]
pub fn signing_key(directory: &Path) -> String {
    format!("{}/signing.key", directory.display())
}

/// What `--data DIR` implies: the doors of a registry in one process.
#[must_use]
pub fn preset(directory: &Path) -> Vec<(&'static str, String)> {
    let (key, directory) = (signing_key(directory), directory.display());
    vec![
        ("database", format!("sqlite:{directory}/registry.db")),
        ("objects", format!("file:{directory}/objects")),
        ("objects_private", format!("file:{directory}/private")),
        ("queue", "in-process:".to_owned()),
        ("signing_key", key),
    ]
}

/// A span of at least a second: with none at all nobody would ever be answered.
fn seconds(values: &Values, key: &str) -> Result<Duration, ConfigError> {
    match values.parse(key)? {
        0 => Err(ConfigError(format!("`{key}` must be at least 1"))),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

fn address(key: &str, text: &str) -> Result<Url, ConfigError> {
    let mut url = Url::parse(text).map_err(|error| ConfigError(format!("`{key}` is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConfigError(format!("`{key}` must start with `http://` or `https://`")));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError(format!("`{key}` is an address that others are appended to: write it without user, `?…` and `#…`")));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The private store beside a public one: the same place with `-private` at its end.
fn sibling(objects: &str) -> String {
    if objects.starts_with("memory:") { objects.to_owned() } else { format!("{}-private", objects.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
        let flags = pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() })
    }

    #[test]
    fn defaults_follow_each_other() {
        let config = load(&[("listen", "127.0.0.1:9000")]).unwrap();
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:9000/");
        assert_eq!(config.npm_url.as_str(), "http://127.0.0.1:9000/npm/");
        assert_eq!(config.database.expose(), "sqlite:/d/registry.db");
        assert!(config.queue_is_in_process());
        let config = load(&[
            ("public_url", "https://r.example"),
            ("npm_url", "https://r.example/x"),
            ("objects", "s3://b/p"),
            ("objects_private", "s3://b/q"),
        ])
        .unwrap();
        assert_eq!(config.npm_url.as_str(), "https://r.example/x/");
        assert_eq!(sibling("s3://b/p/"), "s3://b/p-private");
    }

    #[test]
    fn refuses_nonsense() {
        assert!(load(&[("listen", "nowhere")]).unwrap_err().to_string().contains("`listen`"));
        assert!(load(&[("public_url", "ftp://x")]).is_err());
        let path = load(&[("public_url", "https://r.example/registry")]).unwrap_err().to_string();
        assert!(path.contains("`/registry/`") && path.contains("`https://r.example/`"), "{path}");
        for (key, bad) in [
            ("public_url", "https://r.example/?a"),
            ("public_url", "https://r.example/#a"),
            ("public_url", "https://u:p@r.example/"),
            ("npm_url", "https://r.example/npm/?a"),
        ] {
            assert!(load(&[(key, bad)]).unwrap_err().to_string().contains(key), "{bad}");
        }
        assert!(load(&[("limits.entries", "many")]).is_err());
        assert!(load(&[("timeouts.body_seconds", "0")]).unwrap_err().to_string().contains("at least 1"));
        assert!(load(&[("objects", "s3://b/p"), ("objects_private", "s3://b/p")]).is_err());
        assert!(load(&[("typescript.compiler", "/t/tsc.js")]).unwrap_err().to_string().contains("`typescript.node`"));
    }

    #[test]
    fn an_interpreter_is_for_scripts() {
        let node = ("typescript.node", "/usr/bin/node");
        let settings = |compiler| load(&[("typescript.compiler", compiler), node]).unwrap().typescript;
        assert_eq!(settings("/t/tsc.js").node.as_deref(), Some(Path::new("/usr/bin/node")));
        assert_eq!(settings("/t/tsc").node, None);
        assert_eq!(load(&[]).unwrap().typescript.compiler, None);
    }

    #[test]
    fn secrets_do_not_print() {
        let config = load(&[("database", "postgres://u:hunter2@h/d")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
