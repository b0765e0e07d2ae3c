//! Where versions came from.

use sqlx::FromRow;
use sqlx::types::Json;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::{PackageName, Version};
use crate::model::provenance::Provenance;

#[derive(FromRow)]
struct ProvenanceRow {
    predicate_type: String,
    job: Json<serde_json::Value>,
    log_index: Option<String>,
    logged_at: Option<Time>,
    bundle: Json<serde_json::Value>,
    created_at: Time,
}

impl ReadTx {
    /// Where a version came from, if that was ever shown.
    pub async fn provenance(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<Provenance>> {
        const SQL: &str = sql!(
            "SELECT predicate_type, job, log_index, logged_at, bundle, created_at FROM provenances
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
                job: rows::shape("provenances", "job", row.job.0)?,
                log_index: row.log_index,
                logged_at: row.logged_at,
                bundle: row.bundle.0,
                created_at: row.created_at,
            })
        })
        .transpose()
    }
}

impl WriteTx {
    /// Notes where a version came from. False when that is known already.
    pub async fn add_provenance(&mut self, provenance: &Provenance) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO provenances (scope, name, version, predicate_type, job, log_index, logged_at, bundle, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (scope, name, version) DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(provenance.package.scope().as_str())
            .bind(provenance.package.name())
            .bind(provenance.version.to_string())
            .bind(&provenance.predicate_type)
            .bind(Json(&provenance.job))
            .bind(&provenance.log_index)
            .bind(provenance.logged_at)
            .bind(Json(&provenance.bundle))
            .bind(provenance.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
