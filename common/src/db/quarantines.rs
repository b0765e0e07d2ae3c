//! Versions that staff keeps from everybody.

use sqlx::FromRow;

use super::on::{on, sql};
use super::packages::package_name;
use super::rows::{self, Time};
use super::{DbError, DbResult, Listing, Page, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::{PackageName, Version};
use crate::model::quarantine::{Custody, Quarantine};

#[derive(FromRow)]
struct QuarantineRow {
    scope: String,
    name: String,
    version: String,
    state: String,
    reason: String,
    generation: i64,
    created_at: Time,
}

impl TryFrom<QuarantineRow> for Quarantine {
    type Error = DbError;

    fn try_from(row: QuarantineRow) -> DbResult<Self> {
        const TABLE: &str = "quarantines";
        Ok(Self {
            package: package_name(TABLE, &row.scope, &row.name)?,
            version: rows::name(TABLE, "version", &row.version)?,
            custody: rows::word(TABLE, "state", &row.state, Custody::parse)?,
            reason: row.reason,
            generation: row.generation,
            created_at: row.created_at,
        })
    }
}

impl ReadTx {
    /// Whether and why a version is kept from everybody.
    pub async fn quarantine(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<Quarantine>> {
        const SQL: &str = sql!(
            "SELECT scope, name, version, state, reason, generation, created_at FROM quarantines
             WHERE scope = $1 AND name = $2 AND version = $3"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, QuarantineRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .fetch_optional(conn)
            .await)?;
        row.map(Quarantine::try_from).transpose()
    }

    /// The versions of a package that are kept from everybody.
    pub async fn quarantined_versions(&mut self, at: &PackageName) -> DbResult<Vec<Version>> {
        const SQL: &str = sql!("SELECT version FROM quarantines WHERE scope = $1 AND name = $2 ORDER BY version");
        let found = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_all(conn).await)?;
        found.iter().map(|version| rows::name("quarantines", "version", version)).collect()
    }

    /// A page of everything that is kept from everybody, the latest first.
    pub async fn quarantines(&mut self, page: Page) -> DbResult<Listing<Quarantine>> {
        const ITEMS: &str = sql!(
            "SELECT scope, name, version, state, reason, generation, created_at FROM quarantines
             ORDER BY created_at DESC, scope, name, version LIMIT $1 OFFSET $2"
        );
        const TOTAL: &str = sql!("SELECT COUNT(*) FROM quarantines");
        let rows =
            on!(self, |conn| sqlx::query_as::<_, QuarantineRow>(ITEMS).bind(page.limit()).bind(page.offset()).fetch_all(conn).await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(Quarantine::try_from).collect::<DbResult<_>>()?, total })
    }
}

impl WriteTx {
    /// Keeps a version from everybody, from this generation of its package on. One that is kept already, or about to be let go, is kept
    /// for this reason. False when there is no such version, or it is not in its place yet.
    pub async fn hold_version(&mut self, at: &PackageName, version: &Version, reason: &str, generation: i64) -> DbResult<bool> {
        const HIDE: &str = sql!(
            "UPDATE versions SET stored_generation = NULL
             WHERE scope = $1 AND name = $2 AND version = $3 AND stored_generation IS NOT NULL"
        );
        const KEEP: &str = sql!("UPDATE quarantines SET state = 'held', reason = $1 WHERE scope = $2 AND name = $3 AND version = $4");
        let hidden = on!(self, |conn| sqlx::query(HIDE)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if hidden == 1 {
            let now = self.now();
            self.insert_quarantine(at, version, reason, (generation, now)).await?;
            return Ok(true);
        }
        let kept = on!(self, |conn| sqlx::query(KEEP)
            .bind(reason)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(kept == 1)
    }

    /// Notes that a version is to be let go. False when it is not kept.
    pub async fn begin_release(&mut self, at: &PackageName, version: &Version) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE quarantines SET state = 'releasing' WHERE scope = $1 AND name = $2 AND version = $3");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Lets everybody have a version again, from this generation of its package on, whose objects are in their places. False when it is
    /// not to be let go any more.
    pub async fn end_release(&mut self, at: &PackageName, version: &Version, generation: i64) -> DbResult<bool> {
        const FORGET: &str = sql!("DELETE FROM quarantines WHERE scope = $1 AND name = $2 AND version = $3 AND state = 'releasing'");
        const SHOW: &str = sql!(
            "UPDATE versions SET stored_generation = $1
             WHERE scope = $2 AND name = $3 AND version = $4 AND stored_generation IS NULL"
        );
        let forgotten = on!(self, |conn| sqlx::query(FORGET)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if forgotten == 0 {
            return Ok(false);
        }
        on!(self, |conn| sqlx::query(SHOW)
            .bind(generation)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(true)
    }

    /// Writes that a version is kept from everybody, which is not known to be in its place.
    pub(super) async fn insert_quarantine(
        &mut self,
        at: &PackageName,
        version: &Version,
        reason: &str,
        (generation, since): (i64, Instant),
    ) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO quarantines (scope, name, version, state, reason, generation, created_at)
             VALUES ($1, $2, $3, 'held', $4, $5, $6)"
        );
        Ok(on!(self, |conn| sqlx::query(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .bind(reason)
            .bind(generation)
            .bind(since)
            .execute(conn)
            .await
            .map(drop))?)
    }
}
