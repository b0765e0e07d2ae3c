//! CI identities: whom packages trust, who asked for which publish, and what their tokens were used for.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::{on, sql};
use super::packages::package_name;
use super::rows::{self, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::{PackageName, PublisherId, TaskId, UserId};
use crate::model::ci::{CiIdentity, Demands, TrustedPublisher};

#[derive(FromRow)]
struct PublisherRow {
    id: Uuid,
    scope: String,
    name: String,
    issuer: String,
    repository: String,
    repository_id: String,
    workflow: String,
    reference: String,
    environment: String,
    created_by: Option<Uuid>,
    created_at: Time,
}

impl TryFrom<PublisherRow> for TrustedPublisher {
    type Error = super::DbError;

    fn try_from(row: PublisherRow) -> DbResult<Self> {
        let demanded = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Self {
            id: row.id.into(),
            package: package_name("trusted_publishers", &row.scope, &row.name)?,
            demands: Demands {
                issuer: row.issuer,
                repository: row.repository,
                repository_id: row.repository_id,
                workflow: demanded(row.workflow),
                reference: demanded(row.reference),
                environment: demanded(row.environment),
            },
            created_by: row.created_by.map(UserId::from),
            created_at: row.created_at,
        })
    }
}

impl ReadTx {
    /// The CI identities that a package trusts, oldest first.
    pub async fn publishers_of(&mut self, at: &PackageName) -> DbResult<Vec<TrustedPublisher>> {
        const SQL: &str = sql!(
            "SELECT id, scope, name, issuer, repository, repository_id, workflow, reference, environment, created_by, created_at
             FROM trusted_publishers WHERE scope = $1 AND name = $2 ORDER BY created_at, id"
        );
        let rows =
            on!(self, |conn| sqlx::query_as::<_, PublisherRow>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_all(conn).await)?;
        rows.into_iter().map(TrustedPublisher::try_from).collect()
    }

    /// The CI job that asked for a publish, if one did.
    pub async fn ci_identity(&mut self, task: TaskId) -> DbResult<Option<CiIdentity>> {
        const SQL: &str = sql!("SELECT job FROM ci_publishes WHERE task_id = $1");
        let row = on!(self, |conn| sqlx::query_scalar::<_, Json<serde_json::Value>>(SQL).bind(task.uuid()).fetch_optional(conn).await)?;
        row.map(|Json(value)| rows::shape("ci_publishes", "job", value)).transpose()
    }

    /// The CI jobs that asked for these publishes; one that no job asked for is left out.
    pub async fn ci_identities(&mut self, tasks: &BTreeSet<TaskId>) -> DbResult<BTreeMap<TaskId, CiIdentity>> {
        let mut tasks = tasks.iter().map(|task| task.uuid());
        let Some(first) = tasks.next() else { return Ok(BTreeMap::new()) };
        let rows: Vec<(Uuid, Json<serde_json::Value>)> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT task_id, job FROM ci_publishes WHERE task_id IN (");
            query.push_bind(first);
            for task in tasks {
                query.push(", ").push_bind(task);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await
        })?;
        rows.into_iter().map(|(task, Json(value))| Ok((task.into(), rows::shape("ci_publishes", "job", value)?))).collect()
    }
}

impl WriteTx {
    /// Lets a package trust a CI identity. False when it trusts the same already.
    pub async fn add_publisher(&mut self, publisher: &TrustedPublisher) -> DbResult<bool> {
        let is_new = self.insert_publisher(publisher).await?;
        if is_new {
            self.count_trust(&publisher.package).await?;
        }
        Ok(is_new)
    }

    /// Notes that it has changed whom a package trusts.
    async fn count_trust(&mut self, at: &PackageName) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE packages SET trust_generation = trust_generation + 1 WHERE scope = $1 AND name = $2");
        on!(self, |conn| sqlx::query(SQL).bind(at.scope().as_str()).bind(at.name()).execute(conn).await.map(drop))?;
        Ok(())
    }

    pub(super) async fn insert_publisher(&mut self, publisher: &TrustedPublisher) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO trusted_publishers (id, scope, name, issuer, repository, repository_id, workflow, reference, environment,
                                             created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (scope, name, issuer, repository_id, workflow, reference, environment) DO NOTHING"
        );
        let demands = &publisher.demands;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(publisher.id.uuid())
            .bind(publisher.package.scope().as_str())
            .bind(publisher.package.name())
            .bind(&demands.issuer)
            .bind(&demands.repository)
            .bind(&demands.repository_id)
            .bind(demands.workflow.as_deref().unwrap_or_default())
            .bind(demands.reference.as_deref().unwrap_or_default())
            .bind(demands.environment.as_deref().unwrap_or_default())
            .bind(publisher.created_by.map(UserId::uuid))
            .bind(publisher.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Takes trust back. False when the package has no such publisher.
    pub async fn remove_publisher(&mut self, at: &PackageName, id: PublisherId) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM trusted_publishers WHERE id = $1 AND scope = $2 AND name = $3");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(id.uuid())
            .bind(at.scope().as_str())
            .bind(at.name())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 1 {
            self.count_trust(at).await?;
        }
        Ok(rows == 1)
    }

    /// Notes which CI job asked for a publish.
    pub async fn note_ci_publish(&mut self, task: TaskId, identity: &CiIdentity) -> DbResult<()> {
        const SQL: &str = sql!("INSERT INTO ci_publishes (task_id, job) VALUES ($1, $2)");
        on!(self, |conn| sqlx::query(SQL).bind(task.uuid()).bind(Json(identity)).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Uses a permission of a CI token up, for as long as the token could be shown again. False when it was used before.
    pub async fn use_ci_token(&mut self, issuer: &str, token: &str, subject: &str, void_at: Instant) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO ci_uses (issuer, token, subject, void_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (issuer, token, subject) DO NOTHING"
        );
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(issuer)
            .bind(token)
            .bind(subject)
            .bind(void_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
