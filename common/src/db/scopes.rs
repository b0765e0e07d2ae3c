//! Scopes and who belongs to them.

use chrono::TimeDelta;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::ids::{ScopeName, UserId};
use crate::model::scope::{Quotas, Scope, Usage};

/// The window of the weekly quotas.
pub(super) const WEEK: TimeDelta = TimeDelta::days(7);

#[derive(FromRow)]
pub(super) struct ScopeRow {
    scope: String,
    description: String,
    creator_id: Uuid,
    package_limit: i64,
    new_package_per_week_limit: i64,
    publish_attempts_per_week_limit: i64,
    verify_oidc_actor: bool,
    require_publishing_from_ci: bool,
    is_private: bool,
    upload_limits: Option<Json<serde_json::Value>>,
    frozen: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl TryFrom<ScopeRow> for Scope {
    type Error = DbError;

    fn try_from(row: ScopeRow) -> DbResult<Self> {
        Ok(Self {
            name: rows::name("scopes", "scope", &row.scope)?,
            description: row.description,
            creator_id: row.creator_id.into(),
            quotas: Quotas {
                packages: row.package_limit,
                new_packages_per_week: row.new_package_per_week_limit,
                publishes_per_week: row.publish_attempts_per_week_limit,
            },
            verify_oidc_actor: row.verify_oidc_actor,
            require_publishing_from_ci: row.require_publishing_from_ci,
            is_private: row.is_private,
            upload_limits: row.upload_limits.map(|Json(limits)| limits),
            frozen: row.frozen,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl ReadTx {
    /// The scope of this name.
    pub async fn scope(&mut self, name: &ScopeName) -> DbResult<Option<Scope>> {
        const SQL: &str = sql!(
            "SELECT scope, description, creator_id, package_limit, new_package_per_week_limit, publish_attempts_per_week_limit,
                    verify_oidc_actor, require_publishing_from_ci, is_private, upload_limits, frozen, created_at, updated_at
             FROM scopes WHERE scope = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, ScopeRow>(SQL).bind(name.as_str()).fetch_optional(conn).await)?;
        row.map(Scope::try_from).transpose()
    }

    /// The scope that keeps others from being called so: it differs in hyphens alone, or looks like the name.
    pub async fn scope_like(&mut self, name: &ScopeName) -> DbResult<Option<ScopeName>> {
        const SQL: &str = sql!(
            "SELECT scope FROM scopes WHERE skeleton = $1 OR likeness = $2
             ORDER BY CASE WHEN skeleton = $1 THEN 0 ELSE 1 END, scope LIMIT 1"
        );
        let found =
            on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(name.skeleton()).bind(name.likeness()).fetch_optional(conn).await)?;
        found.map(|scope| rows::name("scopes", "scope", &scope)).transpose()
    }

    /// Whether a user belongs to a scope; `Some(true)` as an admin.
    pub async fn membership(&mut self, scope: &ScopeName, user: UserId) -> DbResult<Option<bool>> {
        const SQL: &str = sql!("SELECT is_admin FROM scope_members WHERE scope = $1 AND user_id = $2");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, bool>(SQL).bind(scope.as_str()).bind(user.uuid()).fetch_optional(conn).await)?)
    }

    /// How much of its quotas a scope has used.
    pub async fn scope_usage(&mut self, scope: &ScopeName) -> DbResult<Usage> {
        const SQL: &str = sql!(
            "SELECT (SELECT COUNT(*) FROM packages WHERE scope = $1),
                    (SELECT COUNT(*) FROM packages WHERE scope = $1 AND created_at > $2),
                    (SELECT COUNT(*) FROM publishes WHERE scope = $1 AND created_at > $2)"
        );
        let since = self.now - WEEK;
        let (packages, new_packages_per_week, publishes_per_week) =
            on!(self, |conn| sqlx::query_as::<_, (i64, i64, i64)>(SQL).bind(scope.as_str()).bind(since).fetch_one(conn).await)?;
        Ok(Usage { packages, new_packages_per_week, publishes_per_week })
    }
}

impl WriteTx {
    /// Adds a scope. False when the name is taken, or one that differs in hyphens alone or looks like it.
    pub async fn create_scope(&mut self, scope: &Scope) -> DbResult<bool> {
        self.insert_scope(scope, false).await
    }

    /// The same at somebody's word who has seen which scopes look like it. False when the name, or one that differs in hyphens alone,
    /// is taken.
    pub async fn assign_scope(&mut self, scope: &Scope) -> DbResult<bool> {
        self.insert_scope(scope, true).await
    }

    async fn insert_scope(&mut self, scope: &Scope, is_beside: bool) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO scopes (scope, skeleton, likeness, description, creator_id, package_limit, new_package_per_week_limit,
                                 publish_attempts_per_week_limit, verify_oidc_actor, require_publishing_from_ci,
                                 upload_limits, is_private, generation, created_at, updated_at)
             VALUES ($1, $2, CASE WHEN $3 AND EXISTS (SELECT 1 FROM scopes WHERE likeness = $4) THEN NULL ELSE $4 END,
                     $5, $6, $7, $8, $9, $10, $11, $12, $14, 0, $13, $13)
             ON CONFLICT DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(scope.name.as_str())
            .bind(scope.name.skeleton())
            .bind(is_beside)
            .bind(scope.name.likeness())
            .bind(&scope.description)
            .bind(scope.creator_id.uuid())
            .bind(scope.quotas.packages)
            .bind(scope.quotas.new_packages_per_week)
            .bind(scope.quotas.publishes_per_week)
            .bind(scope.verify_oidc_actor)
            .bind(scope.require_publishing_from_ci)
            .bind(scope.upload_limits.as_ref().map(Json))
            .bind(scope.created_at)
            .bind(scope.is_private)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Adds a member to a scope. False when they belong to it already.
    pub async fn add_member(&mut self, scope: &ScopeName, user: UserId, is_admin: bool) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO scope_members (scope, user_id, is_admin, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $4)
             ON CONFLICT (scope, user_id) DO NOTHING"
        );
        const COUNT: &str = sql!("UPDATE scopes SET generation = generation + 1 WHERE scope = $1");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(scope.as_str())
            .bind(user.uuid())
            .bind(is_admin)
            .bind(now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        on!(self, |conn| sqlx::query(COUNT).bind(scope.as_str()).execute(conn).await.map(drop))?;
        Ok(rows == 1)
    }

    /// Changes the quotas and upload limits of a scope to what `scope` has. False when there is no such scope.
    pub async fn limit_scope(&mut self, scope: &Scope) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE scopes SET package_limit = $1, new_package_per_week_limit = $2, publish_attempts_per_week_limit = $3,
                               upload_limits = $4, updated_at = $5, generation = generation + 1
             WHERE scope = $6"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(scope.quotas.packages)
            .bind(scope.quotas.new_packages_per_week)
            .bind(scope.quotas.publishes_per_week)
            .bind(scope.upload_limits.as_ref().map(Json))
            .bind(now)
            .bind(scope.name.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Lets nobody publish or change anything in a scope any more, for a reason, or everybody again. False when there is no such scope.
    pub async fn freeze_scope(&mut self, scope: &ScopeName, reason: Option<&str>) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE scopes SET frozen = $1, updated_at = $2, generation = generation + 1 WHERE scope = $3");
        let now = self.now;
        let reason = reason.map(rows::storable);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(reason.as_deref())
            .bind(now)
            .bind(scope.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Deletes a scope that has no packages, with its memberships. False, and nothing is left to commit, when it has some, is
    /// being given one, or does not exist.
    pub async fn delete_scope(&mut self, scope: &ScopeName) -> DbResult<bool> {
        const MEMBERS: &str = sql!("DELETE FROM scope_members WHERE scope = $1 AND NOT EXISTS (SELECT 1 FROM packages WHERE scope = $1)");
        const SCOPE: &str = sql!("DELETE FROM scopes WHERE scope = $1 AND NOT EXISTS (SELECT 1 FROM packages WHERE scope = $1)");
        on!(self, |conn| sqlx::query(MEMBERS).bind(scope.as_str()).execute(conn).await.map(drop))?;
        let deleted = on!(self, |conn| sqlx::query(SCOPE).bind(scope.as_str()).execute(conn).await.map(|done| done.rows_affected()));
        match deleted.map_err(DbError::from) {
            Ok(rows) => Ok(rows == 1),
            // A package that was not committed when we looked refers to the scope now.
            Err(DbError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The scope of this name, which nobody else changes until this transaction ends: what is written back is built on what is there.
    pub async fn scope_to_change(&mut self, name: &ScopeName) -> DbResult<Option<Scope>> {
        // An update that changes nothing is a lock that both engines have.
        const LOCK: &str = sql!("UPDATE scopes SET updated_at = updated_at WHERE scope = $1");
        on!(self, |conn| sqlx::query(LOCK).bind(name.as_str()).execute(conn).await.map(drop))?;
        self.scope(name).await
    }

    /// Changes what its admins may change about a scope, as `scope` has it. False when there is no such scope.
    pub async fn update_scope(&mut self, scope: &Scope) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE scopes SET description = $1, verify_oidc_actor = $2, require_publishing_from_ci = $3, is_private = $4, updated_at = $5,
                               generation = generation + 1
             WHERE scope = $6"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(&scope.description)
            .bind(scope.verify_oidc_actor)
            .bind(scope.require_publishing_from_ci)
            .bind(scope.is_private)
            .bind(now)
            .bind(scope.name.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
