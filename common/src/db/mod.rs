//! The database: one concrete [`Db`], one SQL text for both engines.
//!
//! Everything is read and written inside a transaction that has a name and an explicit end. Methods live on the transaction,
//! one file for each aggregate. Rows are private; what leaves the room is `model`. The differences between the engines are in
//! `dialect`, and nowhere else.
//!
//! Deliberately not here: traits, pools for callers to borrow from, and any statement that asks the engine for the time or an id.

mod accounts;
mod addresses;
mod attestations;
mod audit;
mod authorizations;
mod ci;
mod dialect;
mod engine;
mod error;
mod file;
mod identities;
mod inventory;
mod invites;
mod jobs;
mod listing;
mod members;
mod migrate;
mod on;
mod packages;
mod provenances;
mod publishes;
mod quarantines;
mod rates;
mod records;
mod restore;
mod rounds;
mod rows;
mod scopes;
mod sign_ins;
mod staff;
mod sweep;
mod tickets;
mod tokens;
mod uploads;
mod versions;
mod visibility;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::clock::{Clock, Instant};

pub use addresses::Addresses;
pub use audit::AuditFilter;
pub use engine::{Engine, OLDEST_POSTGRES};
pub use error::{DbError, DbResult};
pub use listing::{Listing, Page};

/// The database of a registry.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone)]
enum Pools {
    Postgres {
        primary: PgPool,
        replica: Option<PgPool>,
    },
    /// One connection writes, so that writers queue in the pool and never meet `SQLITE_BUSY`; readers have their own.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

/// Where a read goes.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Postgres(&'a PgPool),
    Sqlite(&'a SqlitePool),
}

impl Pools {
    fn primary(&self) -> Source<'_> {
        match self {
            Self::Postgres { primary, .. } => Source::Postgres(primary),
            Self::Sqlite { readers, .. } => Source::Sqlite(readers),
        }
    }

    fn nearest(&self) -> Source<'_> {
        match self {
            Self::Postgres { replica: Some(replica), .. } => Source::Postgres(replica),
            _ => self.primary(),
        }
    }
}

impl Db {
    /// Opens the database a URL names (`sqlite:FILE` or `postgres://…`). A missing file is made, without a schema.
    ///
    /// # Errors
    /// When the URL is of neither kind, or the database cannot be reached.
    pub async fn open(url: &str, replica: Option<&str>, clock: Arc<dyn Clock>) -> DbResult<Self> {
        Self::open_sized(url, replica, dialect::POSTGRES_CONNECTIONS, clock).await
    }

    /// The same, with at most so many connections to each server.
    ///
    /// # Errors
    /// When the URL is of neither kind, or the database cannot be reached.
    pub async fn open_sized(url: &str, replica: Option<&str>, connections: u32, clock: Arc<dyn Clock>) -> DbResult<Self> {
        Ok(Self { pools: dialect::open(url, replica, connections, true).await?, clock })
    }

    /// The same for a database that is there: nothing is made or changed.
    ///
    /// # Errors
    /// When the URL is of neither kind, or the database is missing or cannot be reached.
    pub async fn open_existing(url: &str, replica: Option<&str>, clock: Arc<dyn Clock>) -> DbResult<Self> {
        Ok(Self { pools: dialect::open(url, replica, dialect::POSTGRES_CONNECTIONS, false).await?, clock })
    }

    /// Brings the schema up to date. Safe to call from several processes at once.
    ///
    /// # Errors
    /// When the schema is newer than this build, or a migration fails.
    pub async fn migrate(&self) -> DbResult<()> {
        migrate::run(&self.pools).await
    }

    /// Checks that the schema is the one this build knows.
    ///
    /// # Errors
    /// When migrations are missing, or the schema is newer than this build.
    pub async fn check_schema(&self) -> DbResult<()> {
        migrate::check(&self.pools).await
    }

    /// A snapshot to look at, with everything that was committed before.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self) -> DbResult<ReadTx> {
        Ok(ReadTx { conn: dialect::begin_read(self.pools.primary()).await?, now: self.clock.now() })
    }

    /// A snapshot to browse: from the replica where there is one, so it may be moments old. Not for decisions, and not for
    /// what somebody has just been told.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn browse(&self) -> DbResult<ReadTx> {
        Ok(ReadTx { conn: dialect::begin_read(self.pools.nearest()).await?, now: self.clock.now() })
    }

    /// A transaction that changes things. Every row it writes carries the instant at which it began. Dropped without
    /// [`WriteTx::commit`], it never happened. `name` labels it in traces.
    ///
    /// # Errors
    /// When the database cannot be reached.
    #[tracing::instrument(level = "debug", skip(self))]
    pub async fn write(&self, name: &'static str) -> DbResult<WriteTx> {
        let conn = dialect::begin_write(&self.pools).await?;
        Ok(WriteTx { read: ReadTx { conn, now: self.clock.now() }, name })
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres { primary, replica } => {
                primary.close().await;
                if let Some(replica) = replica {
                    replica.close().await;
                }
            }
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

#[derive(Debug)]
enum Conn {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// A snapshot of the database.
#[derive(Debug)]
#[must_use = "a transaction that is dropped at once did nothing"]
pub struct ReadTx {
    conn: Conn,
    now: Instant,
}

impl ReadTx {
    /// The instant at which this transaction began.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }
}

/// A transaction that changes things. It can also look.
#[derive(Debug)]
#[must_use = "a transaction that is not committed never happened"]
pub struct WriteTx {
    read: ReadTx,
    name: &'static str,
}

impl WriteTx {
    /// Makes everything that was written in this transaction true, all at once.
    ///
    /// # Errors
    /// When the database does not confirm; the outcome is then unknown to us, as with any database.
    #[tracing::instrument(level = "debug", skip_all, fields(tx = self.name))]
    pub async fn commit(self) -> DbResult<()> {
        match self.read.conn {
            Conn::Postgres(tx) => tx.commit().await?,
            Conn::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut ReadTx {
        &mut self.read
    }
}
