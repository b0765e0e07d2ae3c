//! What becomes of what the registry attests of versions, after they were published.

use serde_json::Value;

use super::on::{on, sql};
use super::{DbResult, WriteTx, rows};
use crate::ids::{PackageName, Version};
use crate::model::version::is_verified_by_npm;

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

    /// Adds that statement as a transparency log has it. False when it is there already, or there is no such version.
    pub async fn log_attestation(&mut self, at: &PackageName, version: &Version, logged: &Value) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE versions SET logged = $1, is_logged_for_npm = $5
             WHERE scope = $2 AND name = $3 AND version = $4 AND logged IS NULL"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(rows::document(logged))
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .bind(is_verified_by_npm(logged))
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
