//! What `doctor` wants to know of the engine itself, which only the engine can tell. The texts differ by engine, side by side.

use chrono::TimeDelta;

use super::on::{postgres, sqlite};
use super::{Db, DbResult, Pools};
use crate::clock::Instant;

/// An engine, as it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its name and version.
    pub version: String,
    /// Its version as one number, PostgreSQL's `server_version_num`; `None` for the file, whose engine is part of this build.
    pub release: Option<i32>,
    /// How the database sorts text. The registry wants bytes: `C`.
    pub collation: String,
    /// Whether this user may create tables, which migrations do.
    pub may_migrate: bool,
    /// How far the engine's clock is ahead of ours.
    pub ahead: TimeDelta,
}

/// The oldest PostgreSQL that is tested. Older ones are out of support.
pub const OLDEST_POSTGRES: i32 = 13_00_00;

impl Db {
    /// Asks the primary about itself.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn engine(&self) -> DbResult<Engine> {
        match &self.pools {
            Pools::Postgres { primary, .. } => {
                const TEXT: &str = postgres!(
                    "SELECT version(), CAST(current_setting('server_version_num') AS INTEGER),
                       (SELECT datcollate FROM pg_database WHERE datname = current_database()),
                       has_schema_privilege(current_schema(), 'CREATE'), clock_timestamp()"
                );
                let before = self.clock.now();
                let row: (String, i32, String, Option<bool>, Instant) = sqlx::query_as(TEXT).fetch_one(primary).await?;
                let after = self.clock.now();
                let (version, release, collation, may_migrate, theirs) = row;
                // The answer was made somewhere between the two looks at our own clock.
                let ours = before + (after - before) / 2;
                let version = version.split(" on ").next().unwrap_or_default().to_owned();
                Ok(Engine { version, release: Some(release), collation, may_migrate: may_migrate == Some(true), ahead: theirs - ours })
            }
            Pools::Sqlite { readers, .. } => {
                const TEXT: &str = sqlite!("SELECT sqlite_version()");
                let version: String = sqlx::query_scalar(TEXT).fetch_one(readers).await?;
                Ok(Engine {
                    version: format!("SQLite {version}"),
                    release: None,
                    collation: "C".to_owned(),
                    may_migrate: true,
                    ahead: TimeDelta::zero(),
                })
            }
        }
    }
}
