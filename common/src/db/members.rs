//! Who belongs to a scope, and who answers for it.

use sqlx::FromRow;

use super::accounts::UserRow;
use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::ids::{ScopeName, UserId};
use crate::model::member::Member;
use crate::model::user::User;

#[derive(FromRow)]
struct MemberRow {
    scope: String,
    is_admin: bool,
    joined_at: Time,
    changed_at: Time,
    #[sqlx(flatten)]
    user: UserRow,
}

impl TryFrom<MemberRow> for Member {
    type Error = DbError;

    fn try_from(row: MemberRow) -> DbResult<Self> {
        Ok(Self {
            scope: rows::name("scope_members", "scope", &row.scope)?,
            user: User::from(row.user),
            is_admin: row.is_admin,
            created_at: row.joined_at,
            updated_at: row.changed_at,
        })
    }
}

impl ReadTx {
    /// Who belongs to a scope, those first who have for longest.
    pub async fn members_of(&mut self, scope: &ScopeName) -> DbResult<Vec<Member>> {
        const SQL: &str = sql!(
            "SELECT members.scope, members.is_admin, members.created_at AS joined_at, members.updated_at AS changed_at,
                    users.id, users.login, users.name, users.email, users.avatar_url, users.is_staff, users.is_blocked, users.scope_limit,
                    users.created_at, users.updated_at
             FROM scope_members AS members JOIN users ON users.id = members.user_id
             WHERE members.scope = $1 ORDER BY members.created_at, members.user_id"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, MemberRow>(SQL).bind(scope.as_str()).fetch_all(conn).await)?;
        rows.into_iter().map(Member::try_from).collect()
    }

    /// A member of a scope.
    pub async fn member(&mut self, scope: &ScopeName, user: UserId) -> DbResult<Option<Member>> {
        const SQL: &str = sql!(
            "SELECT members.scope, members.is_admin, members.created_at AS joined_at, members.updated_at AS changed_at,
                    users.id, users.login, users.name, users.email, users.avatar_url, users.is_staff, users.is_blocked, users.scope_limit,
                    users.created_at, users.updated_at
             FROM scope_members AS members JOIN users ON users.id = members.user_id
             WHERE members.scope = $1 AND members.user_id = $2"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, MemberRow>(SQL).bind(scope.as_str()).bind(user.uuid()).fetch_optional(conn).await)?;
        row.map(Member::try_from).transpose()
    }
}

impl WriteTx {
    /// Has a member run a scope, or no longer. False when they do not belong to it.
    pub async fn set_admin(&mut self, scope: &ScopeName, user: UserId, is_admin: bool) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE scope_members SET is_admin = $1, updated_at = $2 WHERE scope = $3 AND user_id = $4");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(is_admin)
            .bind(now)
            .bind(scope.as_str())
            .bind(user.uuid())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        self.count_members_change(scope).await?;
        Ok(rows == 1)
    }

    /// Takes somebody out of a scope. False when they do not belong to it.
    pub async fn remove_member(&mut self, scope: &ScopeName, user: UserId) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM scope_members WHERE scope = $1 AND user_id = $2");
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(scope.as_str()).bind(user.uuid()).execute(conn).await.map(|done| done.rows_affected()))?;
        self.count_members_change(scope).await?;
        Ok(rows == 1)
    }

    /// Has somebody else answer for a scope: it counts against their limit from now on. False when there is no such scope.
    pub async fn set_creator(&mut self, scope: &ScopeName, user: UserId) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE scopes SET creator_id = $1, generation = generation + 1, updated_at = $2 WHERE scope = $3");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(user.uuid())
            .bind(now)
            .bind(scope.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// The record of a scope shows its members, so it is another one when they are.
    async fn count_members_change(&mut self, scope: &ScopeName) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE scopes SET generation = generation + 1 WHERE scope = $1");
        on!(self, |conn| sqlx::query(SQL).bind(scope.as_str()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
