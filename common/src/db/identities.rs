//! Accounts that people have elsewhere.

use sqlx::FromRow;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::ids::{IdentityId, UserId};
use crate::model::identity::{Identity, ProviderKind};

#[derive(FromRow)]
struct IdentityRow {
    id: Uuid,
    user_id: Uuid,
    kind: String,
    issuer: String,
    subject: String,
    login: Option<String>,
    email: Option<String>,
    created_at: Time,
    seen_at: Time,
}

impl TryFrom<IdentityRow> for Identity {
    type Error = DbError;

    fn try_from(row: IdentityRow) -> DbResult<Self> {
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            kind: rows::word("identities", "kind", &row.kind, ProviderKind::parse)?,
            issuer: row.issuer,
            subject: row.subject,
            login: row.login,
            email: row.email,
            created_at: row.created_at,
            seen_at: row.seen_at,
        })
    }
}

impl ReadTx {
    /// The identity that an issuer knows as this subject.
    pub async fn identity(&mut self, issuer: &str, subject: &str) -> DbResult<Option<Identity>> {
        const SQL: &str = sql!(
            "SELECT id, user_id, kind, issuer, subject, login, email, created_at, seen_at
             FROM identities WHERE issuer = $1 AND subject = $2"
        );
        let subject = rows::storable(subject);
        let row = on!(self, |conn| sqlx::query_as::<_, IdentityRow>(SQL).bind(issuer).bind(&*subject).fetch_optional(conn).await)?;
        row.map(Identity::try_from).transpose()
    }

    /// The identities of a user, those first that are known the longest.
    pub async fn identities_of(&mut self, user: UserId) -> DbResult<Vec<Identity>> {
        const SQL: &str = sql!(
            "SELECT id, user_id, kind, issuer, subject, login, email, created_at, seen_at
             FROM identities WHERE user_id = $1 ORDER BY created_at, id"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, IdentityRow>(SQL).bind(user.uuid()).fetch_all(conn).await)?;
        rows.into_iter().map(Identity::try_from).collect()
    }

    /// The identities that were last seen with this login, in any case, at providers of a kind; one for each provider at most.
    pub async fn identities_called(&mut self, kind: ProviderKind, login: &str) -> DbResult<Vec<Identity>> {
        const SQL: &str = sql!(
            "SELECT id, user_id, kind, issuer, subject, login, email, created_at, seen_at
             FROM identities WHERE login = $1 AND kind = $2 ORDER BY created_at, id"
        );
        let login = login.to_ascii_lowercase();
        let login = rows::storable(&login);
        let rows = on!(self, |conn| sqlx::query_as::<_, IdentityRow>(SQL).bind(&*login).bind(kind.as_str()).fetch_all(conn).await)?;
        rows.into_iter().map(Identity::try_from).collect()
    }
}

impl WriteTx {
    /// Adds an identity to a user. False when it belongs to somebody already. Whoever had its login there before has it no longer.
    pub async fn create_identity(&mut self, identity: &Identity) -> DbResult<bool> {
        let is_new = self.insert_identity(identity).await?;
        if is_new {
            self.take_login(identity).await?;
            self.count_user(identity.user_id).await?;
        }
        Ok(is_new)
    }

    pub(super) async fn insert_identity(&mut self, identity: &Identity) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO identities (id, user_id, kind, issuer, subject, login, email, created_at, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(identity.id.uuid())
            .bind(identity.user_id.uuid())
            .bind(identity.kind.as_str())
            .bind(&identity.issuer)
            .bind(&identity.subject)
            .bind(&identity.login)
            .bind(&identity.email)
            .bind(identity.created_at)
            .bind(identity.seen_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Notes what an identity is called now, its address, and that it was seen. `has_changed` says whether that is anything but the time, so
    /// that the user's record has to be written anew. False when it is gone.
    pub async fn see_identity(&mut self, identity: &Identity, has_changed: bool) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE identities SET login = $1, email = $2, seen_at = $3 WHERE id = $4 AND user_id = $5");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(&identity.login)
            .bind(&identity.email)
            .bind(identity.seen_at)
            .bind(identity.id.uuid())
            .bind(identity.user_id.uuid())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 1 && has_changed {
            self.take_login(identity).await?;
            self.count_user(identity.user_id).await?;
        }
        Ok(rows == 1)
    }

    /// A login is one account's at a time: who was seen with it last has it.
    async fn take_login(&mut self, identity: &Identity) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE identities SET login = NULL WHERE login = $1 AND issuer = $2 AND id <> $3");
        on!(self, |conn| sqlx::query(SQL)
            .bind(&identity.login)
            .bind(&identity.issuer)
            .bind(identity.id.uuid())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Takes an identity from a user. False when they have no such one.
    pub async fn remove_identity(&mut self, user: UserId, id: IdentityId) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM identities WHERE id = $1 AND user_id = $2");
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(id.uuid()).bind(user.uuid()).execute(conn).await.map(|done| done.rows_affected()))?;
        if rows == 1 {
            self.count_user(user).await?;
        }
        Ok(rows == 1)
    }

    /// Gives a user another address for mail, or none. Whoever calls this knows that it is theirs.
    pub async fn set_email(&mut self, user: UserId, email: Option<&str>) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE users SET email = $1, generation = generation + 1, updated_at = $2 WHERE id = $3");
        let now = self.now;
        on!(self, |conn| sqlx::query(SQL).bind(email).bind(now).bind(user.uuid()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that something about a user has changed that their record shows.
    async fn count_user(&mut self, user: UserId) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE users SET generation = generation + 1 WHERE id = $1");
        on!(self, |conn| sqlx::query(SQL).bind(user.uuid()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
