//! A registry of real processes: one of `slipway up`, or any number of `slipway api` and `slipway worker` between a PostgreSQL, a
//! RabbitMQ and a bucket, which are of this registry alone.
//!
//! Suites that use it have a `main` of their own, since their program is the binary as well; see [`program`].

mod caller;
pub mod observer;
mod picture;
pub mod program;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::FutureExt as _;
use slipway_common::ids::IdSource;
use slipway_common::shutdown::aside;
use slipway_common::signing::SigningKey;
use slipway_common::storage::Storage;
use tempfile::TempDir;

use crate::broker::Broker;
use crate::database::TestDatabase;
use crate::engines::{Engine, told};

pub use caller::{Caller, Reply};
pub use picture::Picture;
pub use program::Process;

/// Where the registry says it is, whatever port a process listens on.
pub const PUBLIC_URL: &str = "http://registry.test/";
/// Who publishes, and in which scope.
pub const OWNER: &str = "ada";
/// The scope of the owner.
pub const SCOPE: &str = "acme";

/// How a registry is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One process, a file and directories.
    Embedded,
    /// Several processes between three services.
    Scaled,
}

/// What a process of a registry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Up,
    /// Answers requests.
    Api,
    /// Does the work.
    Worker,
}

/// A registry that is set up, with an owner, a scope and a token, and of which nothing runs yet.
#[derive(Debug)]
pub struct Fleet {
    /// How it is put together.
    pub mode: Mode,
    /// Its objects.
    pub storage: Storage,
    /// The virtual host, where there are several processes.
    pub broker: Option<Broker>,
    token: String,
    environment: Vec<(String, String)>,
    place: TempDir,
    // The last to go: the others hold connections to it.
    database: TestDatabase,
}

/// What a registry of several processes has instead of what all suites share.
#[derive(Debug, Default)]
pub struct Own {
    /// Its bucket.
    pub bucket: Option<Bucket>,
    /// Its broker, as its processes find it. It has no virtual host then.
    pub queue: Option<String>,
    /// Settings, by their variables.
    pub settings: Vec<(&'static str, String)>,
}

/// Runs a test on a registry of its own, unless it takes services that are not there.
pub async fn with(mode: Mode, case: impl AsyncFnOnce(&mut Fleet)) {
    with_own(mode, Own::default(), case).await;
}

/// The same, with its objects in another bucket than the one that the suites have.
pub async fn with_objects(mode: Mode, objects: Option<Bucket>, case: impl AsyncFnOnce(&mut Fleet)) {
    with_own(mode, Own { bucket: objects, ..Own::default() }, case).await;
}

/// The same, with what is its own.
pub async fn with_own(mode: Mode, own: Own, case: impl AsyncFnOnce(&mut Fleet)) {
    let Some(mut fleet) = Fleet::make(mode, own).await else { return };
    let outcome = AssertUnwindSafe(case(&mut fleet)).catch_unwind().await;
    let Fleet { broker, place, .. } = fleet;
    if let Some(broker) = broker {
        broker.remove().await;
    }
    if let Err(panic) = outcome {
        let kept = place.keep();
        eprintln!("the logs are in {}", kept.display());
        resume_unwind(panic);
    }
}

/// Where a bucket is, and what a client of it needs in its environment.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// `s3://NAME/PREFIX`, without a slash at the end.
    pub url: String,
    /// Variables of the client.
    pub environment: Vec<(String, String)>,
    /// Where the suite reads it, whose own environment names the bucket of all suites: the same URL, or a way past the server.
    pub read_at: String,
}

/// Variables by which `tests/run` says where the bucket is.
const BUCKET_VARIABLES: [&str; 5] = ["AWS_ENDPOINT", "AWS_ALLOW_HTTP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

impl Bucket {
    /// A part of the bucket that `SLIPWAY_TEST_OBJECTS` names.
    fn of_suites(name: &str) -> Option<Self> {
        let Some(bucket) = told("SLIPWAY_TEST_OBJECTS") else {
            let why = "SLIPWAY_TEST_OBJECTS names no bucket; `./tests/run` starts a server with one";
            assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
            eprintln!("not run: {why}");
            return None;
        };
        let environment = BUCKET_VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), told(name)?))).collect();
        let url = format!("{bucket}fleet/{name}");
        Some(Self { read_at: url.clone(), url, environment })
    }
}

impl Fleet {
    async fn make(mode: Mode, own: Own) -> Option<Self> {
        // The HTTP clients want a provider even though they speak to loopback in the clear. Another test may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = TempDir::with_prefix("slipway-fleet-").expect("a temporary directory can be made");
        let mut environment = vec![("SLIPWAY_PUBLIC_URL".to_owned(), PUBLIC_URL.to_owned())];
        // The same key for all: what two registries say of the same package is compared, signatures and all.
        environment.push(("SLIPWAY_SIGNING_KEY".to_owned(), SigningKey::generate(&IdSource::counting()).to_pem()));
        let mut set = |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
        let (engine, broker, stores, read_at) = match mode {
            Mode::Embedded => {
                let store = |name: &str| format!("file:{}", place.path().join("data").join(name).display());
                set("SLIPWAY_QUEUE", "in-process:");
                let stores = [store("objects"), store("private")];
                (Engine::Sqlite, None, stores.clone(), stores)
            }
            Mode::Scaled => {
                let name = place.path().file_name().expect("a directory has a name").to_string_lossy().into_owned();
                let bucket = match own.bucket {
                    Some(bucket) => bucket,
                    None => Bucket::of_suites(&name)?,
                };
                let broker = match &own.queue {
                    Some(_) => None,
                    None => Some(Broker::make().await?),
                };
                let queue = own.queue.as_deref().or(broker.as_ref().map(|broker| &*broker.url));
                set("SLIPWAY_QUEUE", queue.expect("one of them is there"));
                set("SLIPWAY_DATABASE_CONNECTIONS", "6");
                bucket.environment.iter().for_each(|(name, value)| set(name, value));
                let stores = |url: &str| ["public", "private"].map(|store| format!("{url}/{store}"));
                (Engine::Postgres, broker, stores(&bucket.url), stores(&bucket.read_at))
            }
        };
        own.settings.iter().for_each(|(name, value)| set(name, value));
        let database = TestDatabase::of(engine).await?;
        set("SLIPWAY_DATABASE", database.url());
        set("SLIPWAY_OBJECTS", &stores[0]);
        set("SLIPWAY_OBJECTS_PRIVATE", &stores[1]);
        let storage = Storage::open(&read_at[0], &read_at[1]).expect("the stores can be opened");
        let mut fleet = Self { mode, storage, broker, token: String::new(), environment, place, database };
        fleet.set_up();
        Some(fleet)
    }

    fn set_up(&mut self) {
        self.run(&["migrate"]);
        self.run(&["admin", "user", "create", OWNER, "--staff"]);
        self.run(&["admin", "scope", "assign", SCOPE, "--user", OWNER]);
        self.token = self.run(&["admin", "token", "create", "--user", OWNER]);
    }

    /// Runs a command to its end and returns what it says.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = program::command(self.place.path(), arguments, &self.environment).output().expect("the program can be started");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts a process and waits until it is ready.
    ///
    /// # Panics
    /// When it ends before it is.
    #[must_use]
    pub fn start(&self, role: Role, environment: &[(&str, &str)]) -> Process {
        let (command, log) = self.command(role, environment);
        Process::start(command, &log).unwrap_or_else(|status| panic!("{role:?} ended before it was ready: {status}"))
    }

    /// Starts a process while others go on. None when it ended before it was ready, as it may where services are away.
    pub fn start_aside(&self, role: Role) -> impl Future<Output = Option<Process>> + use<> {
        let (command, log) = self.command(role, &[]);
        aside(move || Process::start(command, &log).ok())
    }

    fn command(&self, role: Role, environment: &[(&str, &str)]) -> (Command, PathBuf) {
        let arguments: &[&str] = match role {
            Role::Up => &["up", "--data", "data", "--listen", "127.0.0.1:0"],
            Role::Api => &["api", "--listen", "127.0.0.1:0"],
            Role::Worker => &["worker"],
        };
        let own = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let all: Vec<_> = self.environment.iter().cloned().chain(own).collect();
        (program::command(self.place.path(), arguments, &all), self.log_of(role))
    }

    fn log_of(&self, role: Role) -> PathBuf {
        self.place.path().join(format!("{role:?}.log").to_lowercase())
    }

    /// What the processes of a role have logged.
    ///
    /// # Panics
    /// When there was none.
    #[must_use]
    pub fn log(&self, role: Role) -> String {
        std::fs::read_to_string(self.log_of(role)).expect("there was a process of this role")
    }

    /// A directory of this registry, gone with it.
    #[must_use]
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// The token of the owner.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Starts one process for each role that this registry is made of: `up` alone, or an API and a worker.
    #[must_use]
    pub fn start_all(&self) -> Vec<Process> {
        self.roles().iter().map(|role| self.start(*role, &[])).collect()
    }

    /// The roles that this registry is made of. The first one listens.
    #[must_use]
    pub fn roles(&self) -> &'static [Role] {
        match self.mode {
            Mode::Embedded => &[Role::Up],
            Mode::Scaled => &[Role::Api, Role::Worker],
        }
    }

    /// The owner, who asks whoever listens at an address.
    #[must_use]
    pub fn owner(&self, process: &Process) -> Caller {
        self.owner_at(process.address())
    }

    /// The owner, who asks whoever listens there.
    #[must_use]
    pub fn owner_at(&self, address: SocketAddr) -> Caller {
        Caller::new(address, &self.token)
    }

    /// The database, for looking past the house.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }
}
