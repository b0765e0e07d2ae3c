//! Every difference between the engines. If it outgrows a screen, stop and talk.

use std::str::FromStr;
use std::time::Duration;

use sqlx::error::ErrorKind;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, Postgres, SqlitePool, Transaction};

use super::{Conn, DbError, DbResult, Pools, Source, file};
use crate::shutdown::to_the_end;

/// Connections of one process to PostgreSQL. Two processes on a small server leave room below its default of a hundred.
pub(super) const POSTGRES_CONNECTIONS: u32 = 16;
/// The longest that PostgreSQL works on one statement, in milliseconds. The longest of ours, a listing of a large scope, takes
/// tens of them; one that takes this long waits for a lock that somebody forgot.
const STATEMENT_MILLIS: &str = "30000";
/// The longest that a transaction may lie open with nothing to do, in milliseconds: a process that was frozen in the middle of
/// one gives its locks back. No transaction of ours waits for anything but the database.
const IDLE_MILLIS: &str = "60000";
/// Readers of the SQLite file. Reads are short and a second core is the most a small machine has to give.
const SQLITE_READERS: u32 = 4;
/// How long a caller waits for a connection before it is told that the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process, such as `slipway admin`, to finish its write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long whoever opens the file waits before they try again: as long as the other one takes.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// How a write begins on SQLite: with its lock, so that it cannot fail half-way for want of it.
pub(super) const SQLITE_WRITE: &str = "BEGIN IMMEDIATE";
/// The memory that each SQLite connection keeps for pages, in KiB.
const SQLITE_CACHE_KIB: &str = "-4000";

pub(super) async fn open(url: &str, replica: Option<&str>, connections: u32, make: bool) -> DbResult<Pools> {
    if url.starts_with("sqlite:") {
        let mut options = SqliteConnectOptions::from_str(url)
            .map_err(|error| DbError::Url(format!("cannot read the database URL: {error}")))?
            .create_if_missing(false)
            // A commit that was acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", SQLITE_CACHE_KIB);
        if make {
            file::prepare(options.get_filename())?;
            // The file remembers it.
            options = options.journal_mode(SqliteJournalMode::Wal);
        } else {
            file::expect(options.get_filename())?;
        }
        let (writer, readers) = (open_sqlite(&options, 1).await?, open_sqlite(&options, SQLITE_READERS).await?);
        return Ok(Pools::Sqlite { writer, readers });
    }
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        let replica = match replica {
            Some(url) => Some(open_postgres(url, connections).await?),
            None => None,
        };
        return Ok(Pools::Postgres { primary: open_postgres(url, connections).await?, replica });
    }
    let scheme = url.split(':').next().unwrap_or_default();
    Err(DbError::Url(format!("a database URL starts with `sqlite:` or `postgres://`, not with `{scheme}:`")))
}

/// Opens the file. Two that make it at once each want it to write a log from now on, and SQLite tells one of them that it is busy without
/// letting it wait, since they would wait for each other. A moment later the other one has done it.
async fn open_sqlite(options: &SqliteConnectOptions, connections: u32) -> DbResult<SqlitePool> {
    let pool = || SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
    let end = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        match pool().connect_with(options.clone()).await.map_err(classify) {
            Err(DbError::Unavailable(sqlx::Error::Database(_))) if tokio::time::Instant::now() < end => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

async fn open_postgres(url: &str, connections: u32) -> DbResult<PgPool> {
    // The text of a URL that does not parse may hold a password: it is not repeated.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| DbError::Url("cannot read the database URL".into()))?
        .application_name("slipway")
        .options([("statement_timeout", STATEMENT_MILLIS), ("idle_in_transaction_session_timeout", IDLE_MILLIS)]);
    Ok(PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options).await?)
}

/// A read sees one moment of the database, whatever is written meanwhile.
pub(super) async fn begin_read(source: Source<'_>) -> DbResult<Conn> {
    Ok(match source {
        Source::Postgres(pool) => Conn::Postgres(begin(pool, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?),
        Source::Sqlite(pool) => Conn::Sqlite(pool.begin().await?),
    })
}

/// A write sees what others have committed, statement by statement on PostgreSQL.
pub(super) async fn begin_write(pools: &Pools) -> DbResult<Conn> {
    Ok(match pools {
        Pools::Postgres { primary, .. } => Conn::Postgres(begin(primary, "BEGIN").await?),
        Pools::Sqlite { writer, .. } => Conn::Sqlite(writer.begin_with(SQLITE_WRITE).await?),
    })
}

/// Begins on PostgreSQL, to the end: the driver counts a transaction as open once the server has said so, so one whose caller goes
/// away in between is never rolled back, and whoever is given the connection next finds themselves in it. The file's driver does
/// not have this gap.
async fn begin(pool: &PgPool, statement: &'static str) -> sqlx::Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    to_the_end(async move { pool.begin_with(statement).await }).await
}

/// Sorts a driver's error into the few kinds that callers can act on.
pub(super) fn classify(error: sqlx::Error) -> DbError {
    match &error {
        sqlx::Error::Database(reported) => match reported.kind() {
            ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation => DbError::Conflict(error),
            _ if is_transient(reported.code().as_deref()) => DbError::Unavailable(error),
            _ => DbError::Driver(error),
        },
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            DbError::Unavailable(error)
        }
        _ => DbError::Driver(error),
    }
}

/// PostgreSQL's classes 08 (connection), 53 (resources), 57 (operator intervention) and 40 (rollback); SQLite's busy (5) and
/// locked (6) in all their variants.
fn is_transient(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    if code.len() == 5 {
        return ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
}
