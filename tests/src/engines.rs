//! The databases that suites run on: SQLite in a temporary file always, PostgreSQL where there is a server.
//!
//! A [`Scratch`] is an empty database for one test. On PostgreSQL it is one of its own in the server that
//! `SLIPWAY_TEST_DATABASE` names, with the `C` collation; it is dropped after the test, also when the test fails. Without a
//! server those variants say so and pass, or fail where `SLIPWAY_TEST_REQUIRE` promises one.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};
use tempfile::TempDir;
use url::Url;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Makes two tests of one body, one for each engine: `on_both_engines!(name, async |scratch| { … })` becomes `name::sqlite`
/// and `name::postgres`. The body is a [`Scratch`]'s only user.
#[macro_export]
macro_rules! on_both_engines {
    ($name:ident, $case:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the body sees what the file around it sees")]
            use super::*;

            #[test]
            fn sqlite() {
                $crate::engines::run($crate::engines::Engine::Sqlite, $case);
            }

            #[test]
            fn postgres() {
                $crate::engines::run($crate::engines::Engine::Postgres, $case);
            }
        }
    };
}

/// Runs a test on an empty database of this kind.
pub fn run(engine: Engine, case: impl AsyncFnOnce(&Scratch)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let Some(scratch) = Scratch::make(engine).await else { return };
        let outcome = AssertUnwindSafe(case(&scratch)).catch_unwind().await;
        scratch.remove().await;
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "tests/run tells the suites here which services there are")]
/// What `tests/run` says of a service, if it says anything.
pub fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The server to make databases in, or `None`, with a word of why.
#[expect(clippy::print_stdout, reason = "a suite that does not run says so")]
fn server() -> Option<Url> {
    let Some(text) = told("SLIPWAY_TEST_DATABASE") else {
        let why = "SLIPWAY_TEST_DATABASE names no PostgreSQL in which databases may be made; `./tests/run` starts one";
        assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
        println!("not run: {why}");
        return None;
    };
    Some(Url::parse(&text).expect("SLIPWAY_TEST_DATABASE is a URL"))
}

/// An empty database.
#[derive(Debug)]
pub struct Scratch {
    /// Its kind.
    pub engine: Engine,
    /// Its address, as the configuration has it.
    pub url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(TempDir),
    Server { url: Url, name: String },
}

impl Scratch {
    /// An empty database of this kind. `None` where there is no server and none was promised.
    pub async fn make(engine: Engine) -> Option<Self> {
        match engine {
            Engine::Sqlite => {
                let directory = TempDir::with_prefix("slipway-database-").expect("a temporary directory can be made");
                let url = format!("sqlite:{}", directory.path().join("registry.db").display());
                Some(Self { engine, url, place: Place::Directory(directory) })
            }
            Engine::Postgres => {
                static COUNT: AtomicU64 = AtomicU64::new(0);
                let server = server()?;
                let name = format!("slipway_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                let settings = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";
                administer(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                administer(&server, &format!("CREATE DATABASE {name} {settings}")).await;
                let mut url = server.clone();
                url.set_path(&name);
                Some(Self { engine, url: url.into(), place: Place::Server { url: server, name } })
            }
        }
    }

    /// A connection beside those of the house, for looking and for doing damage.
    pub async fn connect(&self) -> Connection {
        match self.engine {
            Engine::Sqlite => Connection::Sqlite(SqliteConnection::connect(&self.url).await.expect("the file can be opened")),
            Engine::Postgres => Connection::Postgres(PgConnection::connect(&self.url).await.expect("the server can be reached")),
        }
    }

    /// Takes the database away. [`run`] does it for the one that it made.
    pub async fn remove(self) {
        match self.place {
            Place::Directory(directory) => directory.close().expect("a temporary directory can be removed"),
            Place::Server { url, name } => administer(&url, &format!("DROP DATABASE {name} WITH (FORCE)")).await,
        }
    }
}

async fn administer(server: &Url, statement: &str) {
    let options = PgConnectOptions::from_url(server).expect("SLIPWAY_TEST_DATABASE is a PostgreSQL URL");
    let mut connection = PgConnection::connect_with(&options).await.expect("the PostgreSQL of SLIPWAY_TEST_DATABASE can be reached");
    connection.execute(AssertSqlSafe(statement)).await.expect("SLIPWAY_TEST_DATABASE may make and drop databases");
    connection.close().await.expect("a connection can be closed");
}

/// A connection of either kind.
#[derive(Debug)]
pub enum Connection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

impl Connection {
    /// Runs a statement without parameters and returns how many rows it changed.
    pub async fn execute(&mut self, statement: &str) -> u64 {
        self.attempt(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The same, for a statement that may be refused.
    ///
    /// # Errors
    /// What the engine says against it.
    pub async fn attempt(&mut self, statement: &str) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.execute(AssertSqlSafe(statement)).await.map(|done| done.rows_affected()),
            Self::Postgres(connection) => connection.execute(AssertSqlSafe(statement)).await.map(|done| done.rows_affected()),
        }
    }

    /// The first column of every row, as text.
    pub async fn texts(&mut self, query: &str) -> Vec<Option<String>> {
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(connection).await,
        }
        .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Lets the engine read a statement without running it.
    ///
    /// # Errors
    /// What the engine says against it.
    pub async fn prepare(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let statement = AssertSqlSafe(statement).into_sql_str();
        match self {
            Self::Sqlite(connection) => connection.prepare(statement).await.map(drop),
            Self::Postgres(connection) => connection.prepare(statement).await.map(drop),
        }
    }
}
