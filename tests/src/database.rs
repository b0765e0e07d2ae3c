//! The database of a registry under test: taken away with its owner, and open to a look past the house's own statements. An
//! inspector who asked the clerk what is in the drawer would only learn what the clerk thinks.

use sqlx::{AssertSqlSafe, query_scalar};

use crate::engines::{Connection, Engine, Scratch, told};

/// An empty database that goes with its owner.
#[derive(Debug)]
pub struct TestDatabase {
    /// `None` only while it is dropped.
    scratch: Option<Scratch>,
}

impl TestDatabase {
    /// A database on the server, where there is one, or in a file.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn fresh() -> Self {
        let engine = if told("SLIPWAY_TEST_DATABASE").is_some() { Engine::Postgres } else { Engine::Sqlite };
        Self::of(engine).await.expect("the engine is there")
    }

    /// A database of this kind. `None` where there is no server and none was promised.
    pub async fn of(engine: Engine) -> Option<Self> {
        let scratch = Scratch::make(engine).await?;
        Some(Self { scratch: Some(scratch) })
    }

    fn scratch(&self) -> &Scratch {
        self.scratch.as_ref().expect("it is there until it is dropped")
    }

    /// Its URL, as the configuration takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.scratch().url
    }

    /// A connection past the house.
    pub async fn connect(&self) -> Connection {
        self.scratch().connect().await
    }

    /// Runs a statement past the house: the only way to a state that the house would never make.
    ///
    /// # Panics
    /// When the engine does not take it.
    pub async fn execute(&self, statement: &str) {
        self.connect().await.execute(statement).await;
    }

    /// Counts past the house. Blocks, and needs no runtime, so that a test that is over can still be judged.
    ///
    /// # Panics
    /// When the statement is not a count.
    #[must_use]
    pub fn count_blocking(&self, statement: &str) -> i64 {
        blocking(async {
            match self.connect().await {
                Connection::Sqlite(mut connection) => query_scalar(AssertSqlSafe(statement)).fetch_one(&mut connection).await,
                Connection::Postgres(mut connection) => query_scalar(AssertSqlSafe(statement)).fetch_one(&mut connection).await,
            }
            .expect("the statement counts")
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(scratch) = self.scratch.take() {
            blocking(scratch.remove());
        }
    }
}

/// Runs a future to its end where no runtime may be entered: on a thread of its own.
fn blocking<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(future);
        scope.spawn(run).join().expect("the thread does not panic")
    })
}
