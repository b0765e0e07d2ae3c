//! Where versions came from, and bundles about that which are not verified.

use sqlx::FromRow;
use sqlx::types::Json;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::{PackageName, Version};
use crate::model::provenance::{Failure, Provenance, Standing, Step, TimeFrom, Unverified};

const TABLE: &str = "provenances";
const UNVERIFIED: &str = "unverified_provenances";

#[derive(FromRow)]
struct ProvenanceRow {
    predicate_type: String,
    job: Json<serde_json::Value>,
    time_from: String,
    log_index: Option<String>,
    logged_at: Option<Time>,
    bundle: String,
    created_at: Time,
}

#[derive(FromRow)]
struct UnverifiedRow {
    bundle: Option<String>,
    step: Option<String>,
    why: Option<String>,
    updated_at: Time,
}

impl UnverifiedRow {
    fn standing(self) -> DbResult<Standing> {
        match (self.bundle, self.step, self.why) {
            (Some(bundle), None, None) => Ok(Standing::Waiting(rows::read_document(UNVERIFIED, "bundle", &bundle)?)),
            (None, Some(step), Some(why)) => {
                Ok(Standing::Refused(Failure { step: rows::word(UNVERIFIED, "step", &step, Step::parse)?, why }))
            }
            _ => Err(super::DbError::corrupt(UNVERIFIED, "step", "neither waiting nor refused")),
        }
    }
}

impl ReadTx {
    /// Where a version came from, if that was ever shown.
    pub async fn provenance(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<Provenance>> {
        const SQL: &str = sql!(
            "SELECT predicate_type, job, time_from, log_index, logged_at, bundle, created_at FROM provenances
             WHERE scope = $1 AND name = $2 AND version = $3"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, ProvenanceRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .fetch_optional(conn)
            .await)?;
        row.map(|row| {
            Ok(Provenance {
                package: at.clone(),
                version: version.clone(),
                predicate_type: row.predicate_type,
                job: rows::shape(TABLE, "job", row.job.0)?,
                time_from: rows::word(TABLE, "time_from", &row.time_from, TimeFrom::parse)?,
                log_index: row.log_index,
                logged_at: row.logged_at,
                bundle: rows::read_document(TABLE, "bundle", &row.bundle)?,
                created_at: row.created_at,
            })
        })
        .transpose()
    }

    /// The next versions of which it is known where they came from.
    pub async fn provenances_after(&mut self, after: Option<&(PackageName, Version)>, limit: i64) -> DbResult<Vec<(PackageName, Version)>> {
        const SQL: &str = sql!(
            "SELECT scope, name, version FROM provenances WHERE (scope, name, version) > ($1, $2, $3)
             ORDER BY scope, name, version LIMIT $4"
        );
        self.next_versions(SQL, TABLE, after, limit).await
    }

    /// What has become of a bundle that could not be verified when it was handed in.
    pub async fn unverified(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<Unverified>> {
        const SQL: &str =
            sql!("SELECT bundle, step, why, updated_at FROM unverified_provenances WHERE scope = $1 AND name = $2 AND version = $3");
        let row = on!(self, |conn| sqlx::query_as::<_, UnverifiedRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .fetch_optional(conn)
            .await)?;
        row.map(|row| {
            let updated_at = row.updated_at;
            Ok(Unverified { package: at.clone(), version: version.clone(), standing: row.standing()?, updated_at })
        })
        .transpose()
    }
}

impl WriteTx {
    /// Notes where a version came from. False when that is known already.
    pub async fn add_provenance(&mut self, provenance: &Provenance) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO provenances (scope, name, version, predicate_type, job, time_from, log_index, logged_at, bundle, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (scope, name, version) DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(provenance.package.scope().as_str())
            .bind(provenance.package.name())
            .bind(provenance.version.to_string())
            .bind(&provenance.predicate_type)
            .bind(Json(&provenance.job))
            .bind(provenance.time_from.as_str())
            .bind(&provenance.log_index)
            .bind(provenance.logged_at)
            .bind(rows::document(&provenance.bundle))
            .bind(provenance.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Keeps a bundle until it can be verified, in place of what was known of the one before.
    pub async fn keep_unverified(&mut self, at: &PackageName, version: &Version, bundle: &serde_json::Value) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO unverified_provenances (scope, name, version, bundle, updated_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, name, version) DO UPDATE SET
                 bundle = excluded.bundle, step = NULL, why = NULL, updated_at = excluded.updated_at"
        );
        let now = self.now;
        on!(self, |conn| sqlx::query(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .bind(rows::document(bundle))
            .bind(now)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Drops a bundle that was judged, and keeps why. False when it is not the one that waits any more.
    pub async fn refuse_unverified(&mut self, judged: &Unverified, failure: &Failure) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE unverified_provenances SET bundle = NULL, step = $1, why = $2, updated_at = $3
             WHERE scope = $4 AND name = $5 AND version = $6 AND updated_at = $7 AND step IS NULL"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(failure.step.as_str())
            .bind(rows::storable(&failure.why))
            .bind(now)
            .bind(judged.package.scope().as_str())
            .bind(judged.package.name())
            .bind(judged.version.to_string())
            .bind(judged.updated_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Forgets a bundle that was not verified, because another one was.
    pub async fn drop_unverified(&mut self, at: &PackageName, version: &Version) -> DbResult<()> {
        const SQL: &str = sql!("DELETE FROM unverified_provenances WHERE scope = $1 AND name = $2 AND version = $3");
        on!(self, |conn| sqlx::query(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }
}
