//! How far rounds have come that are too long to be made at once.

use super::on::{on, sql};
use super::{DbResult, ReadTx, WriteTx};

impl ReadTx {
    /// The key behind which a round goes on; nothing when it begins anew.
    pub async fn round(&mut self, name: &str) -> DbResult<Option<String>> {
        const SQL: &str = sql!("SELECT after_key FROM rounds WHERE name = $1");
        let row = on!(self, |conn| sqlx::query_scalar::<_, Option<String>>(SQL).bind(name).fetch_optional(conn).await)?;
        Ok(row.flatten())
    }
}

impl WriteTx {
    /// Notes how far a round has come; nothing when it came to its end.
    pub async fn note_round(&mut self, name: &str, after: Option<&str>) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO rounds (name, after_key, updated_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET after_key = $2, updated_at = $3"
        );
        let now = self.now;
        on!(self, |conn| sqlx::query(SQL).bind(name).bind(after).bind(now).execute(conn).await.map(drop))?;
        Ok(())
    }
}
