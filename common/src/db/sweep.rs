//! What nobody needs any more.

use chrono::TimeDelta;

use super::on::{on, sql};
use super::{DbResult, WriteTx};

/// How long void authorizations stay, so that a late device still hears "expired" and not "unknown". Anybody may ask for one, so
/// they do not stay longer.
const VOID: TimeDelta = TimeDelta::hours(1);
/// How long expired tokens stay, for people who look for the one that stopped working.
const EXPIRED: TimeDelta = TimeDelta::days(1);
/// How long it is remembered how often somebody did something: longer than it is asked for, whoever's clock is slow.
const COUNTED: TimeDelta = TimeDelta::hours(2);
/// How long finished jobs stay for people who look into what happened.
const FINISHED: TimeDelta = TimeDelta::days(7);

impl WriteTx {
    /// Deletes void authorizations, expired tokens, the uses of void CI tokens and sign-ins, void links, what was counted long ago, and jobs
    /// that are long done. Returns how many rows went.
    pub async fn sweep(&mut self) -> DbResult<u64> {
        const AUTHORIZATIONS: &str = sql!("DELETE FROM authorizations WHERE expires_at < $1");
        const TOKENS: &str = sql!("DELETE FROM tokens WHERE expires_at < $1");
        const USES: &str = sql!("DELETE FROM ci_uses WHERE void_at < $1");
        const SIGN_INS: &str = sql!("DELETE FROM sign_in_uses WHERE void_at < $1");
        const LINKS: &str = sql!("DELETE FROM sign_in_links WHERE expires_at < $1");
        const RATES: &str = sql!("DELETE FROM rates WHERE began_at < $1");
        const JOBS: &str = sql!("DELETE FROM jobs WHERE state = 'done' AND updated_at < $1");
        let now = self.now;
        let mut swept = 0;
        let over = [
            (AUTHORIZATIONS, now - VOID),
            (TOKENS, now - EXPIRED),
            (USES, now),
            (SIGN_INS, now),
            (LINKS, now),
            (RATES, now - COUNTED),
            (JOBS, now - FINISHED),
        ];
        for (text, before) in over {
            swept += on!(self, |conn| sqlx::query(text).bind(before).execute(conn).await.map(|done| done.rows_affected()))?;
        }
        Ok(swept)
    }
}
