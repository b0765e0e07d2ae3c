//! Rows made from the records of the private store, in a database that has lost them.

use sqlx::types::Json;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows;
use super::{DbResult, ReadTx, WriteTx};
use crate::formats::record::{HeldRecord, PackageRecord, PublishersRecord, ScopeRecord, UserRecord, VersionRecord};
use crate::ids::{PackageName, PackagePath, UserId};
use crate::model::finding::Finding;
use crate::model::version::PackageVersion;

impl ReadTx {
    /// Whether nobody has used this database yet.
    pub async fn is_unused(&mut self) -> DbResult<bool> {
        const SQL: &str = sql!(
            "SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM scopes) + (SELECT COUNT(*) FROM packages)
                  + (SELECT COUNT(*) FROM publishes) + (SELECT COUNT(*) FROM jobs)"
        );
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).fetch_one(conn).await)? == 0)
    }
}

impl WriteTx {
    /// Makes a user again, with their accounts elsewhere. False when there is one of this identifier or login.
    pub async fn restore_user(&mut self, user: &UserRecord) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO users (id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, generation, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(user.id.uuid())
            .bind(&user.login)
            .bind(&user.name)
            .bind(&user.email)
            .bind(&user.avatar_url)
            .bind(user.is_staff)
            .bind(user.is_blocked)
            .bind(user.scope_limit)
            .bind(user.generation)
            .bind(user.created_at)
            .bind(user.updated_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 0 {
            return Ok(false);
        }
        for identity in &user.identities {
            self.insert_identity(&identity.of(user.id)).await?;
        }
        Ok(true)
    }

    /// Makes a scope and its memberships again. False when there is one of this name.
    pub async fn restore_scope(&mut self, scope: &ScopeRecord) -> DbResult<bool> {
        const SCOPE: &str = sql!(
            "INSERT INTO scopes (scope, skeleton, description, creator_id, package_limit, new_package_per_week_limit,
                                 publish_attempts_per_week_limit, verify_oidc_actor, require_publishing_from_ci,
                                 upload_limits, generation, created_at, updated_at, likeness, is_private, frozen)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     CASE WHEN EXISTS (SELECT 1 FROM scopes WHERE likeness = $14) THEN NULL ELSE $14 END, $15, $16)
             ON CONFLICT DO NOTHING"
        );
        const MEMBER: &str = sql!(
            "INSERT INTO scope_members (scope, user_id, is_admin, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, user_id) DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SCOPE)
            .bind(scope.scope.as_str())
            .bind(scope.scope.skeleton())
            .bind(&scope.description)
            .bind(scope.creator_id.uuid())
            .bind(scope.package_limit)
            .bind(scope.new_package_per_week_limit)
            .bind(scope.publish_attempts_per_week_limit)
            .bind(scope.verify_oidc_actor)
            .bind(scope.require_publishing_from_ci)
            .bind(scope.upload_limits.as_ref().map(Json))
            .bind(scope.generation)
            .bind(scope.created_at)
            .bind(scope.updated_at)
            .bind(scope.scope.likeness())
            .bind(scope.is_private)
            .bind(&scope.frozen)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 0 {
            return Ok(false);
        }
        for member in &scope.members {
            on!(self, |conn| sqlx::query(MEMBER)
                .bind(scope.scope.as_str())
                .bind(member.user_id.uuid())
                .bind(member.is_admin)
                .bind(member.created_at)
                .bind(member.updated_at)
                .execute(conn)
                .await
                .map(drop))?;
        }
        Ok(true)
    }

    /// Makes a package again, without its versions, that was announced as `announced` and goes on as the record's generation. False
    /// when there is one of this name.
    pub async fn restore_package(&mut self, package: &PackageRecord, announced: i64) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO packages (scope, name, skeleton, description, repository_owner, repository_name, repository_id, is_archived,
                                   readme_source, runtime_compat, dist_tags, generation, announced, trust_generation, created_at, updated_at,
                                   visibility, likeness)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15, $17,
                     CASE WHEN EXISTS (SELECT 1 FROM packages WHERE scope = $1 AND likeness = $16) THEN NULL ELSE $16 END)
             ON CONFLICT DO NOTHING"
        );
        let repository = package.repository.as_ref();
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(package.package.scope().as_str())
            .bind(package.package.name())
            .bind(package.package.skeleton())
            .bind(&package.description)
            .bind(repository.map(|repository| &repository.owner))
            .bind(repository.map(|repository| &repository.name))
            .bind(repository.map(|repository| repository.id))
            .bind(package.is_archived)
            .bind(package.readme_source.as_str())
            .bind(Json(&package.runtime_compat))
            .bind(Json(&package.tags))
            .bind(package.generation)
            .bind(announced)
            .bind(package.created_at)
            .bind(package.updated_at)
            .bind(package.package.likeness())
            .bind(package.visibility.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Has a package trust again whom it trusted. False when it is another package than the one that is remembered, or has been told
    /// anew whom to trust.
    pub async fn restore_publishers(&mut self, remembered: &PublishersRecord) -> DbResult<bool> {
        const SQL: &str =
            sql!("UPDATE packages SET trust_generation = $1 WHERE scope = $2 AND name = $3 AND created_at = $4 AND trust_generation = 0");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(remembered.generation)
            .bind(remembered.package.scope().as_str())
            .bind(remembered.package.name())
            .bind(remembered.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 0 {
            return Ok(false);
        }
        for publisher in &remembered.publishers {
            self.insert_publisher(&publisher.of(&remembered.package)).await?;
        }
        Ok(true)
    }

    /// Makes a version again with what it depends on and, as far as it is remembered, its publish. False when there is one.
    pub async fn restore_version(&mut self, version: &PackageVersion, remembered: &VersionRecord) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE versions SET stored_at = $1, updated_at = $2 WHERE scope = $3 AND name = $4 AND version = $5");
        if !self.create_version(version, &remembered.dependencies).await? {
            return Ok(false);
        }
        if let Some(generation) = version.stored_generation {
            self.mark_stored(&version.package, &version.version, generation).await?;
        }
        on!(self, |conn| sqlx::query(SQL)
            .bind(remembered.stored_at)
            .bind(version.updated_at)
            .bind(version.package.scope().as_str())
            .bind(version.package.name())
            .bind(version.version.to_string())
            .execute(conn)
            .await
            .map(drop))?;
        self.restore_publish(version, remembered).await?;
        Ok(true)
    }

    /// Keeps a version from everybody again, which was made again without being in its place.
    pub async fn restore_quarantine(&mut self, package: &PackageName, held: &HeldRecord) -> DbResult<()> {
        self.insert_quarantine(package, &held.version, &held.reason, (0, held.since)).await
    }

    async fn restore_publish(&mut self, version: &PackageVersion, remembered: &VersionRecord) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO publishes (id, scope, name, version, precedence, user_id, config, state, upload_id, upload_sha256, upload_bytes,
                                    plan_attempt, planned_at, committed_at, findings, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'published', $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT DO NOTHING"
        );
        let Some(publish) = &remembered.publish else { return Ok(()) };
        let user: Option<Uuid> = version.user_id.map(UserId::uuid);
        let ended = remembered.stored_at.unwrap_or(publish.created_at);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(version.task_id.uuid())
            .bind(version.package.scope().as_str())
            .bind(version.package.name())
            .bind(version.version.to_string())
            .bind(version.version.precedence().as_bytes())
            .bind(user)
            .bind(PackagePath::as_str(&publish.config))
            .bind(publish.upload_id.uuid())
            .bind(publish.upload.as_bytes())
            .bind(i64::try_from(publish.upload_bytes).unwrap_or(i64::MAX))
            .bind(publish.plan_attempt)
            .bind(publish.planned_at)
            .bind(publish.committed_at)
            .bind(rows::list::<Finding>(&[]))
            .bind(publish.created_at)
            .bind(ended)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        match &remembered.ci {
            Some(identity) if rows == 1 => self.note_ci_publish(version.task_id, identity).await,
            _ => Ok(()),
        }
    }
}
