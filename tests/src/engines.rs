//! A database of one's own for each test, on the engines that there are.
//!
//! SQLite is always there: a file in a directory that goes with the test. PostgreSQL is there when `SLIPWAY_TEST_DATABASE` names
//! a server in which databases may be made; each test gets one, and drops it. Both start empty: the schema is for the test to
//! make, since some tests are about that.
//!
//! The harness also looks into the tables by hand, past the house's own statements: an inspector who asked the clerk what is in
//! the drawer would only learn what the clerk thinks.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

/// Names a PostgreSQL in which databases may be made.
const VARIABLE: &str = "SLIPWAY_TEST_DATABASE";

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The engines there are: the contract suite runs on each of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let postgres = server().map(|_| Self::Postgres);
        std::iter::once(Self::Sqlite).chain(postgres).collect()
    }

    /// The engine for a suite that runs once: the server where there is one.
    #[must_use]
    pub fn preferred() -> Self {
        if server().is_some() { Self::Postgres } else { Self::Sqlite }
    }
}

#[expect(clippy::disallowed_methods, reason = "the suites are told by the environment what services there are")]
fn server() -> Option<Url> {
    let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    text.map(|text| Url::parse(&text).unwrap_or_else(|error| panic!("{VARIABLE} is not a URL: {error}")))
}

/// An empty database that goes with its owner.
#[derive(Debug)]
pub struct TestDatabase {
    engine: Engine,
    url: String,
    /// The directory of a file; `None` for a database on a server, which is dropped by name.
    directory: Option<TempDir>,
}

/// A connection past the house.
#[derive(Debug)]
pub enum Connected {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

impl TestDatabase {
    /// An empty database on the preferred engine.
    pub async fn fresh() -> Self {
        Self::on(Engine::preferred()).await
    }

    /// An empty database on an engine.
    ///
    /// # Panics
    /// When it cannot be made: a test that was promised an engine fails without it.
    pub async fn on(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory can be made");
                let url = format!("sqlite:{}", directory.path().join("registry.db").display());
                Self { engine, url, directory: Some(directory) }
            }
            Engine::Postgres => {
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let mut url = server().unwrap_or_else(|| panic!("{VARIABLE} names no PostgreSQL"));
                let name = format!("slipway_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                // Names sort by their bytes, as they do in production.
                let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
                administer(&url, &[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), create]).await;
                url.set_path(&name);
                Self { engine, url: url.into(), directory: None }
            }
        }
    }

    /// The kind of database it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Its URL, as the configuration takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection past the house.
    ///
    /// # Panics
    /// When the engine does not answer.
    pub async fn connect(&self) -> Connected {
        match self.engine {
            Engine::Sqlite => {
                let options: SqliteConnectOptions = self.url.parse().expect("we wrote the URL");
                Connected::Sqlite(options.create_if_missing(true).connect().await.expect("the directory is ours"))
            }
            Engine::Postgres => Connected::Postgres(PgConnection::connect(&self.url).await.expect("the database exists")),
        }
    }

    /// Runs a statement past the house: the only way to a state that the house would never make.
    ///
    /// # Panics
    /// When the engine does not take it.
    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        let done = match self.connect().await {
            Connected::Sqlite(mut connection) => sqlx::query(statement).execute(&mut connection).await.map(drop),
            Connected::Postgres(mut connection) => sqlx::query(statement).execute(&mut connection).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("the statement was not taken: {error}"));
    }

    /// Counts past the house. Blocks, and needs no runtime, so that a test that is over can still be judged.
    ///
    /// # Panics
    /// When the statement is not a count.
    #[must_use]
    pub fn count_blocking(&self, statement: &'static str) -> i64 {
        blocking(async {
            match self.connect().await {
                Connected::Sqlite(mut connection) => sqlx::query_scalar(statement).fetch_one(&mut connection).await,
                Connected::Postgres(mut connection) => sqlx::query_scalar(statement).fetch_one(&mut connection).await,
            }
            .expect("the statement counts")
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.directory.is_some() {
            return;
        }
        let name = self.url.rsplit('/').next().unwrap_or_default().to_owned();
        let Some(server) = server() else { return };
        blocking(administer(&server, &[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]));
    }
}

async fn administer(server: &Url, statements: &[String]) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the PostgreSQL that was promised answers");
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement.as_str())).execute(&mut connection).await.expect("databases may be made and dropped there");
    }
    drop(connection.close().await);
}

/// Runs a future to its end where no runtime may be entered: on a thread of its own.
fn blocking<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(future);
        scope.spawn(run).join().expect("the thread does not panic")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn databases_are_apart() {
        for engine in Engine::all() {
            let (one, two) = (TestDatabase::on(engine).await, TestDatabase::on(engine).await);
            assert_ne!(one.url(), two.url());
            one.execute("CREATE TABLE t (a BIGINT)").await;
            assert_eq!(one.count_blocking("SELECT COUNT(*) FROM t"), 0);
            two.execute("CREATE TABLE t (a BIGINT)").await;
        }
    }
}
