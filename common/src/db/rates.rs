//! How often somebody does something, for all processes alike.

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbResult, WriteTx};
use crate::clock::Instant;

impl WriteTx {
    /// Counts an act of a subject. Returns how many there were since the first one, this one included, and when that was. A first one that
    /// is not after `since` is forgotten, and counting begins anew. Of two that count at once the second waits for the first.
    pub async fn count_use(&mut self, subject: &str, since: Instant) -> DbResult<(i64, Instant)> {
        const SQL: &str = sql!(
            "INSERT INTO rates (subject, began_at, used) VALUES ($1, $2, 1)
             ON CONFLICT (subject) DO UPDATE SET used = CASE WHEN rates.began_at <= $3 THEN 1 ELSE rates.used + 1 END,
                                                 began_at = CASE WHEN rates.began_at <= $3 THEN $2 ELSE rates.began_at END
             RETURNING used, began_at"
        );
        let now = self.now;
        let subject = rows::storable(subject);
        Ok(on!(self, |conn| sqlx::query_as::<_, (i64, Time)>(SQL).bind(&*subject).bind(now).bind(since).fetch_one(conn).await)?)
    }
}
