//! Users.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::{ScopeName, UserId};
use crate::model::user::User;

#[derive(FromRow)]
pub(super) struct UserRow {
    id: Uuid,
    login: String,
    name: String,
    email: Option<String>,
    avatar_url: String,
    is_staff: bool,
    is_blocked: bool,
    scope_limit: i64,
    created_at: Time,
    updated_at: Time,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            login: row.login,
            name: row.name,
            email: row.email,
            avatar_url: row.avatar_url,
            is_staff: row.is_staff,
            is_blocked: row.is_blocked,
            scope_limit: row.scope_limit,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ReadTx {
    /// The user with this identifier.
    pub async fn user(&mut self, id: UserId) -> DbResult<Option<User>> {
        const SQL: &str = sql!(
            "SELECT id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, created_at, updated_at
             FROM users WHERE id = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, UserRow>(SQL).bind(id.uuid()).fetch_optional(conn).await)?;
        Ok(row.map(User::from))
    }

    /// The users with these identifiers; one that does not exist is left out.
    pub async fn users(&mut self, ids: &BTreeSet<UserId>) -> DbResult<BTreeMap<UserId, User>> {
        let mut ids = ids.iter().map(|id| id.uuid());
        let Some(first) = ids.next() else { return Ok(BTreeMap::new()) };
        let rows: Vec<UserRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(
                "SELECT id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, created_at, updated_at
                 FROM users WHERE id IN (",
            );
            query.push_bind(first);
            for id in ids {
                query.push(", ").push_bind(id);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await
        })?;
        Ok(rows.into_iter().map(User::from).map(|user| (user.id, user)).collect())
    }

    /// The user with this login, in any case.
    pub async fn user_by_login(&mut self, login: &str) -> DbResult<Option<User>> {
        const SQL: &str = sql!(
            "SELECT id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, created_at, updated_at
             FROM users WHERE login = $1"
        );
        let login = login.to_lowercase();
        let login = rows::storable(&login);
        let row = on!(self, |conn| sqlx::query_as::<_, UserRow>(SQL).bind(&*login).fetch_optional(conn).await)?;
        Ok(row.map(User::from))
    }

    /// How many scopes a user has created and still answers for.
    pub async fn scopes_created(&mut self, user: UserId) -> DbResult<i64> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM scopes WHERE creator_id = $1");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(user.uuid()).fetch_one(conn).await)?)
    }

    /// The scopes a user belongs to, by name.
    pub async fn scopes_of(&mut self, user: UserId) -> DbResult<Vec<ScopeName>> {
        const SQL: &str = sql!("SELECT scope FROM scope_members WHERE user_id = $1 ORDER BY scope");
        let names = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(user.uuid()).fetch_all(conn).await)?;
        names.iter().map(|name| rows::name("scope_members", "scope", name)).collect()
    }
}

impl WriteTx {
    /// Adds a user. False when the login is taken.
    pub async fn create_user(&mut self, user: &User) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO users (id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, generation, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9)
             ON CONFLICT (login) DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(user.id.uuid())
            .bind(user.login.to_lowercase())
            .bind(&user.name)
            .bind(&user.email)
            .bind(&user.avatar_url)
            .bind(user.is_staff)
            .bind(user.is_blocked)
            .bind(user.scope_limit)
            .bind(user.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
