//! Sign-ins that must not happen twice, links that sign in once, and sessions that end together.

use uuid::Uuid;

use super::on::{on, sql};
use super::{DbResult, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::{Sha256, TokenId, UserId};

impl ReadTx {
    /// Whom a link signs in that was not used and is not void.
    pub async fn sign_in_link(&mut self, hash: &Sha256) -> DbResult<Option<UserId>> {
        const SQL: &str = sql!("SELECT user_id FROM sign_in_links WHERE hash = $1 AND expires_at > $2");
        let now = self.now;
        let row = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(hash.as_bytes()).bind(now).fetch_optional(conn).await)?;
        Ok(row.map(UserId::from))
    }
}

impl WriteTx {
    /// Notes that a sign-in was finished, for as long as it could be shown again. False when it was before.
    pub async fn use_sign_in(&mut self, state: &Sha256, void_at: Instant) -> DbResult<bool> {
        const SQL: &str = sql!("INSERT INTO sign_in_uses (state_hash, void_at) VALUES ($1, $2) ON CONFLICT (state_hash) DO NOTHING");
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(state.as_bytes()).bind(void_at).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Adds a link, known by the digest of its secret.
    pub async fn create_sign_in_link(&mut self, hash: &Sha256, user: UserId, expires_at: Instant) -> DbResult<()> {
        const SQL: &str = sql!("INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES ($1, $2, $3)");
        on!(self, |conn| sqlx::query(SQL).bind(hash.as_bytes()).bind(user.uuid()).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Uses a link up, and tells whom it signs in. `None` when it was used, is void, or never was.
    pub async fn take_sign_in_link(&mut self, hash: &Sha256) -> DbResult<Option<UserId>> {
        const SQL: &str = sql!("DELETE FROM sign_in_links WHERE hash = $1 AND expires_at > $2 RETURNING user_id");
        let now = self.now;
        let row = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(hash.as_bytes()).bind(now).fetch_optional(conn).await)?;
        Ok(row.map(UserId::from))
    }

    /// Ends the browser sessions of a user, but for this one. Returns how many there were.
    pub async fn end_sessions(&mut self, user: UserId, but: Option<TokenId>) -> DbResult<u64> {
        const SQL: &str = sql!("DELETE FROM tokens WHERE user_id = $1 AND kind = 'web' AND id <> $2");
        // No row has this identifier.
        let but = but.map_or(Uuid::nil(), TokenId::uuid);
        Ok(on!(self, |conn| sqlx::query(SQL).bind(user.uuid()).bind(but).execute(conn).await.map(|done| done.rows_affected()))?)
    }
}
