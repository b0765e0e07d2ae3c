//! What becomes of what the registry attests of versions, after they were published.

use serde_json::Value;

use super::on::{on, sql};
use super::{DbResult, WriteTx, rows};
use crate::ids::{PackageName, Version};

impl WriteTx {
    /// Adds the statement by which the registry vouches for a version. False when it has one, or there is no such version.
    pub async fn attest_version(&mut self, at: &PackageName, version: &Version, bundle: &Value) -> DbResult<bool> {
        const SQL: &str =
            sql!("UPDATE versions SET attestation = $1 WHERE scope = $2 AND name = $3 AND version = $4 AND attestation IS NULL");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(rows::document(bundle))
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Adds the entry of a transparency log about that statement. False when there is one, or there is no such version.
    pub async fn log_attestation(&mut self, at: &PackageName, version: &Version, entry: &Value) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE versions SET log_entry = $1 WHERE scope = $2 AND name = $3 AND version = $4 AND log_entry IS NULL");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(rows::document(entry))
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
