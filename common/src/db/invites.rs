//! Who is asked to belong to a scope.

use sqlx::FromRow;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::ids::{ScopeName, UserId};
use crate::model::member::{Invite, Invitee};
use crate::model::user::User;

#[derive(FromRow)]
struct InviteRow {
    id: Uuid,
    scope: String,
    user_id: Option<Uuid>,
    email: Option<String>,
    requested_by: Uuid,
    created_at: Time,
}

impl TryFrom<InviteRow> for Invite {
    type Error = DbError;

    fn try_from(row: InviteRow) -> DbResult<Self> {
        let invitee = match (row.user_id, row.email) {
            (Some(id), None) => Invitee::Account(id.into()),
            (None, Some(email)) => Invitee::Email(email),
            _ => return Err(DbError::corrupt("scope_invites", "user_id", "an invite is for an account or for an address")),
        };
        Ok(Self {
            id: row.id.into(),
            scope: rows::name("scope_invites", "scope", &row.scope)?,
            invitee,
            requested_by: row.requested_by.into(),
            created_at: row.created_at,
        })
    }
}

/// The address of a user as invites have it, ASCII in lower case: more would make one address of two. Nobody has the empty one.
fn address(user: &User) -> String {
    let address = user.email.as_deref().unwrap_or_default().to_ascii_lowercase();
    rows::storable(&address).into_owned()
}

impl ReadTx {
    /// Who is asked to belong to a scope, those first who were asked first.
    pub async fn invites_of(&mut self, scope: &ScopeName) -> DbResult<Vec<Invite>> {
        const SQL: &str =
            sql!("SELECT id, scope, user_id, email, requested_by, created_at FROM scope_invites WHERE scope = $1 ORDER BY created_at, id");
        let rows = on!(self, |conn| sqlx::query_as::<_, InviteRow>(SQL).bind(scope.as_str()).fetch_all(conn).await)?;
        rows.into_iter().map(Invite::try_from).collect()
    }

    /// What a user is asked to belong to, by their account or their address, the latest first; at most `most`.
    pub async fn invites_for(&mut self, user: &User, most: i64) -> DbResult<Vec<Invite>> {
        const SQL: &str = sql!(
            "SELECT id, scope, user_id, email, requested_by, created_at FROM scope_invites
             WHERE user_id = $1 OR email = $2 ORDER BY created_at DESC, id LIMIT $3"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, InviteRow>(SQL)
            .bind(user.id.uuid())
            .bind(address(user))
            .bind(most)
            .fetch_all(conn)
            .await)?;
        rows.into_iter().map(Invite::try_from).collect()
    }

    /// How many scopes a user is asked to belong to.
    pub async fn count_invites_for(&mut self, user: &User) -> DbResult<i64> {
        const SQL: &str = sql!("SELECT COUNT(DISTINCT scope) FROM scope_invites WHERE user_id = $1 OR email = $2");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(user.id.uuid()).bind(address(user)).fetch_one(conn).await)?)
    }
}

impl WriteTx {
    /// Asks somebody to belong to a scope. False when they were asked already.
    pub async fn create_invite(&mut self, invite: &Invite) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO scope_invites (id, scope, user_id, email, requested_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT DO NOTHING"
        );
        let (user, email) = match &invite.invitee {
            Invitee::Account(id) => (Some(id.uuid()), None),
            Invitee::Email(email) => (None, Some(email)),
        };
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(invite.id.uuid())
            .bind(invite.scope.as_str())
            .bind(user)
            .bind(email)
            .bind(invite.requested_by.uuid())
            .bind(invite.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Takes what a user is asked by a scope off the table: it was answered. False when they are not asked.
    pub async fn answer_invites(&mut self, scope: &ScopeName, user: &User) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM scope_invites WHERE scope = $1 AND (user_id = $2 OR email = $3)");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(scope.as_str())
            .bind(user.id.uuid())
            .bind(address(user))
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows > 0)
    }

    /// Withdraws an invite, which is named by itself or by the account that it asks. False when there is none.
    pub async fn withdraw_invite(&mut self, scope: &ScopeName, named: Uuid) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM scope_invites WHERE scope = $1 AND (id = $2 OR user_id = $2)");
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(scope.as_str()).bind(named).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows > 0)
    }

    /// Withdraws everything that somebody has asked for any scope. Returns how many invites that were.
    pub async fn withdraw_all_invites_by(&mut self, user: UserId) -> DbResult<u64> {
        const SQL: &str = sql!("DELETE FROM scope_invites WHERE requested_by = $1");
        Ok(on!(self, |conn| sqlx::query(SQL).bind(user.uuid()).execute(conn).await.map(|done| done.rows_affected()))?)
    }

    /// Withdraws what somebody has asked for a scope who speaks for it no longer. Returns how many invites that were.
    pub async fn withdraw_invites_by(&mut self, scope: &ScopeName, user: UserId) -> DbResult<u64> {
        const SQL: &str = sql!("DELETE FROM scope_invites WHERE scope = $1 AND requested_by = $2");
        Ok(on!(self, |conn| sqlx::query(SQL).bind(scope.as_str()).bind(user.uuid()).execute(conn).await.map(|done| done.rows_affected()))?)
    }
}
