//! What the records in the private store show.

use std::collections::BTreeMap;

use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, List, Time};
use super::{DbResult, ReadTx};
use crate::formats::record::{
    IdentityRecord, MemberRecord, PublishRecord, PublisherRecord, PublishersRecord, ScopeRecord, UserRecord, VersionRecord,
};
use crate::ids::{PackageName, ScopeName, UserId};
use crate::model::artefact::ArtefactKind;
use crate::model::dependency::{Dependency, DependencyKind};
use crate::model::version::ArtefactRecord;

#[derive(FromRow)]
struct RecordRow {
    version: String,
    user_id: Option<Uuid>,
    task_id: Uuid,
    license: Option<String>,
    readme_path: Option<String>,
    uses_npm: bool,
    npm_manifest: String,
    npm_revision: i64,
    artefacts: Json<List<ArtefactRecord>>,
    attestation: Option<String>,
    stored_generation: i64,
    stored_at: Option<Time>,
    created_at: Time,
    config: Option<String>,
    upload_id: Option<Uuid>,
    upload_sha256: Option<Vec<u8>>,
    upload_bytes: Option<i64>,
    plan_attempt: Option<i64>,
    planned_at: Option<Time>,
    committed_at: Option<Time>,
    asked_at: Option<Time>,
    job: Option<Json<serde_json::Value>>,
}

impl RecordRow {
    fn publish(&self) -> DbResult<Option<PublishRecord>> {
        const TABLE: &str = "publishes";
        let (Some(config), Some(upload_id), Some(upload), Some(upload_bytes), Some(created_at)) =
            (&self.config, self.upload_id, &self.upload_sha256, self.upload_bytes, self.asked_at)
        else {
            return Ok(None);
        };
        Ok(Some(PublishRecord {
            config: rows::name(TABLE, "config", config)?,
            upload_id: upload_id.into(),
            upload: rows::digest(TABLE, "upload_sha256", upload)?,
            upload_bytes: rows::size(TABLE, "upload_bytes", upload_bytes)?,
            plan_attempt: self.plan_attempt,
            planned_at: self.planned_at,
            committed_at: self.committed_at,
            created_at,
        }))
    }

    fn record(self, dependencies: Vec<Dependency>) -> DbResult<VersionRecord> {
        const TABLE: &str = "versions";
        let publish = self.publish()?;
        Ok(VersionRecord {
            version: rows::name(TABLE, "version", &self.version)?,
            user_id: self.user_id.map(UserId::from),
            task_id: self.task_id.into(),
            publish,
            ci: self.job.map(|Json(job)| rows::shape("ci_publishes", "job", job)).transpose()?,
            license: self.license,
            readme: self.readme_path.map(|path| rows::name(TABLE, "readme_path", &path)).transpose()?,
            uses_npm: self.uses_npm,
            npm_manifest: rows::read_document(TABLE, "npm_manifest", &self.npm_manifest)?,
            npm_revision: self.npm_revision,
            artefacts: self.artefacts.0.list.into_iter().filter(|artefact| !matches!(artefact.kind, ArtefactKind::Module(_))).collect(),
            attestation: self.attestation.map(|text| rows::read_document(TABLE, "attestation", &text)).transpose()?,
            dependencies,
            stored_generation: self.stored_generation,
            stored_at: self.stored_at,
            created_at: self.created_at,
        })
    }
}

impl ReadTx {
    /// What is to be remembered of a user.
    pub async fn user_record(&mut self, id: UserId) -> DbResult<Option<UserRecord>> {
        const SQL: &str = sql!("SELECT generation FROM users WHERE id = $1");
        let Some(user) = self.user(id).await? else { return Ok(None) };
        let generation = on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(id.uuid()).fetch_one(conn).await)?;
        Ok(Some(UserRecord {
            id: user.id,
            login: user.login,
            name: user.name,
            email: user.email,
            avatar_url: user.avatar_url,
            is_staff: user.is_staff,
            is_blocked: user.is_blocked,
            scope_limit: user.scope_limit,
            identities: self.identities_of(id).await?.into_iter().map(IdentityRecord::from).collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
            generation,
        }))
    }

    /// What is to be remembered of a scope.
    pub async fn scope_record(&mut self, name: &ScopeName) -> DbResult<Option<ScopeRecord>> {
        const GENERATION: &str = sql!("SELECT generation FROM scopes WHERE scope = $1");
        const MEMBERS: &str = sql!("SELECT user_id, is_admin, created_at, updated_at FROM scope_members WHERE scope = $1 ORDER BY user_id");
        // The generation first: what is read after it is at least as new on an engine that looks statement by statement.
        let generation = on!(self, |conn| sqlx::query_scalar::<_, i64>(GENERATION).bind(name.as_str()).fetch_optional(conn).await)?;
        let (Some(generation), Some(scope)) = (generation, self.scope(name).await?) else { return Ok(None) };
        let members = on!(self, |conn| sqlx::query_as::<_, (Uuid, bool, Time, Time)>(MEMBERS).bind(name.as_str()).fetch_all(conn).await)?;
        let member = |(user_id, is_admin, created_at, updated_at): (Uuid, bool, Time, Time)| MemberRecord {
            user_id: user_id.into(),
            is_admin,
            created_at,
            updated_at,
        };
        Ok(Some(ScopeRecord {
            scope: scope.name,
            description: scope.description,
            creator_id: scope.creator_id,
            package_limit: scope.quotas.packages,
            new_package_per_week_limit: scope.quotas.new_packages_per_week,
            publish_attempts_per_week_limit: scope.quotas.publishes_per_week,
            verify_oidc_actor: scope.verify_oidc_actor,
            require_publishing_from_ci: scope.require_publishing_from_ci,
            is_private: scope.is_private,
            upload_limits: scope.upload_limits,
            frozen: scope.frozen,
            members: members.into_iter().map(member).collect(),
            created_at: scope.created_at,
            updated_at: scope.updated_at,
            generation,
        }))
    }

    /// What is to be remembered of whom a package trusts in CI. Nothing when it never trusted anybody.
    pub async fn publishers_record(&mut self, at: &PackageName) -> DbResult<Option<PublishersRecord>> {
        const SQL: &str = sql!("SELECT trust_generation, created_at FROM packages WHERE scope = $1 AND name = $2 AND trust_generation > 0");
        // The generation first: what is read after it is at least as new on an engine that looks statement by statement.
        let row =
            on!(self, |conn| sqlx::query_as::<_, (i64, Time)>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_optional(conn).await)?;
        let Some((generation, created_at)) = row else { return Ok(None) };
        let publishers = self.publishers_of(at).await?.into_iter().map(PublisherRecord::from).collect();
        Ok(Some(PublishersRecord { package: at.clone(), publishers, created_at, generation }))
    }

    /// What is to be remembered of the versions of a package that were stored after a generation, highest first. `-1` is before the
    /// first.
    pub async fn version_records(&mut self, at: &PackageName, after: i64) -> DbResult<Vec<VersionRecord>> {
        const SQL: &str = sql!(
            "SELECT versions.version, versions.user_id, versions.task_id, versions.license, versions.readme_path,
                    versions.uses_npm, versions.npm_manifest, versions.npm_revision, versions.artefacts, versions.attestation,
                    versions.stored_generation, versions.stored_at, versions.created_at, publishes.config, publishes.upload_id,
                    publishes.upload_sha256, publishes.upload_bytes, publishes.plan_attempt, publishes.planned_at,
                    publishes.committed_at, publishes.created_at AS asked_at, ci_publishes.job
             FROM versions LEFT JOIN publishes ON publishes.id = versions.task_id
                           LEFT JOIN ci_publishes ON ci_publishes.task_id = versions.task_id
             WHERE versions.scope = $1 AND versions.name = $2 AND versions.stored_generation > $3
             ORDER BY versions.sort_key DESC"
        );
        let found = on!(self, |conn| sqlx::query_as::<_, RecordRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(after)
            .fetch_all(conn)
            .await)?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut dependencies = self.dependencies_stored_after(at, after).await?;
        found
            .into_iter()
            .map(|row| {
                let dependencies = dependencies.remove(&row.version).unwrap_or_default();
                row.record(dependencies)
            })
            .collect()
    }

    async fn dependencies_stored_after(&mut self, at: &PackageName, after: i64) -> DbResult<BTreeMap<String, Vec<Dependency>>> {
        const SQL: &str = sql!(
            "SELECT version, kind, dependency, version_range, sub_path FROM version_dependencies
             WHERE scope = $1 AND name = $2
               AND version IN (SELECT version FROM versions WHERE scope = $1 AND name = $2 AND stored_generation > $3)
             ORDER BY version, kind, dependency, version_range, sub_path"
        );
        let found = on!(self, |conn| sqlx::query_as::<_, (String, String, String, String, String)>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(after)
            .fetch_all(conn)
            .await)?;
        let mut dependencies: BTreeMap<String, Vec<Dependency>> = BTreeMap::new();
        for (version, kind, name, constraint, path) in found {
            let kind = rows::word("version_dependencies", "kind", &kind, DependencyKind::parse)?;
            dependencies.entry(version).or_default().push(Dependency { kind, name, constraint, path });
        }
        Ok(dependencies)
    }
}
