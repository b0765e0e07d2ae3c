//! The addresses that public documents state, and how far packages have been announced under them.

use super::on::{on, sql};
use super::rows;
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::PackageName;

/// The addresses that were stated last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The addresses, as one text.
    pub urls: String,
    /// The package behind which announcing goes on.
    pub after: Option<PackageName>,
    /// Whether every package states them.
    pub is_done: bool,
}

impl ReadTx {
    /// The addresses that were stated last, if any were.
    pub async fn addresses(&mut self) -> DbResult<Option<Addresses>> {
        const SQL: &str = sql!("SELECT urls, after_key, is_done FROM addresses WHERE name = 'stated'");
        let row = on!(self, |conn| sqlx::query_as::<_, (String, Option<String>, bool)>(SQL).fetch_optional(conn).await)?;
        row.map(|(urls, after, is_done)| {
            let after = after.map(|after| rows::name("addresses", "after_key", &after)).transpose()?;
            Ok(Addresses { urls, after, is_done })
        })
        .transpose()
    }
}

impl WriteTx {
    /// Notes other addresses, under which no package has been announced yet. False when these were stated before.
    pub async fn state_addresses(&mut self, urls: &str) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO addresses (name, urls, is_done, updated_at) VALUES ('stated', $1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET urls = $1, after_key = NULL, is_done = $2, updated_at = $3 WHERE addresses.urls <> $1"
        );
        let now = self.now;
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(urls).bind(false).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Notes how far packages have been announced under these addresses. False when others are stated by now.
    pub async fn note_addresses(&mut self, urls: &str, after: Option<&PackageName>, is_done: bool) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE addresses SET after_key = $1, is_done = $2, updated_at = $3 WHERE name = 'stated' AND urls = $4");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(after.map(ToString::to_string))
            .bind(is_done)
            .bind(now)
            .bind(urls)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
