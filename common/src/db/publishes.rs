//! Publishes and their way through the states.

use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::on::{on, sql};
use super::packages::package_name;
use super::rows::{self, List, Time};
use super::scopes::WEEK;
use super::{DbResult, Listing, Page, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::{PackageName, TaskId, UserId, Version};
use crate::model::finding::{Finding, Findings, Place};
use crate::model::package::Visibility;
use crate::model::publish::{Publish, PublishError, PublishState, Room, Stage, Taken};

#[derive(FromRow)]
pub(super) struct PublishRow {
    id: Uuid,
    scope: String,
    name: String,
    version: String,
    user_id: Option<Uuid>,
    config: String,
    state: String,
    upload_id: Uuid,
    upload_sha256: Vec<u8>,
    upload_bytes: i64,
    error_code: Option<String>,
    error_message: Option<String>,
    findings: Json<serde_json::Value>,
    created_at: Time,
    updated_at: Time,
}

#[derive(FromRow)]
struct TakenRow {
    #[sqlx(flatten)]
    publish: PublishRow,
    visibility: String,
    upload_limits: Option<Json<serde_json::Value>>,
    job: Option<Json<serde_json::Value>>,
}

#[derive(FromRow)]
struct StagesRow {
    created_at: Time,
    claimed_at: Option<Time>,
    planned_at: Option<Time>,
    committed_at: Option<Time>,
    stored_at: Option<Time>,
    state: String,
    updated_at: Time,
}

impl TryFrom<PublishRow> for Publish {
    type Error = super::DbError;

    fn try_from(row: PublishRow) -> DbResult<Self> {
        const TABLE: &str = "publishes";
        let findings: List<Finding> = rows::shape(TABLE, "findings", row.findings.0)?;
        Ok(Self {
            id: row.id.into(),
            package: package_name(TABLE, &row.scope, &row.name)?,
            version: rows::name(TABLE, "version", &row.version)?,
            user_id: row.user_id.map(UserId::from),
            config: rows::name(TABLE, "config", &row.config)?,
            state: rows::word(TABLE, "state", &row.state, PublishState::parse)?,
            upload_id: row.upload_id.into(),
            upload: rows::digest(TABLE, "upload_sha256", &row.upload_sha256)?,
            upload_bytes: rows::size(TABLE, "upload_bytes", row.upload_bytes)?,
            error: row.error_code.map(|code| PublishError { code, message: row.error_message.unwrap_or_default() }),
            findings: findings.list.into_iter().collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Findings quote what authors wrote, which may be anything.
fn storable(findings: &Findings) -> Vec<Finding> {
    let plain = |text: String| rows::storable(&text).into_owned();
    let place = |place: Place| Place { path: plain(place.path), ..place };
    let finding = |finding: Finding| Finding {
        message: plain(finding.message),
        place: finding.place.map(place),
        hint: finding.hint.map(plain),
        ..finding
    };
    findings.iter().cloned().map(finding).collect()
}

impl ReadTx {
    /// The publish with this identifier.
    pub async fn publish(&mut self, id: TaskId) -> DbResult<Option<Publish>> {
        const SQL: &str = sql!(
            "SELECT id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, error_code, error_message,
                    findings, created_at, updated_at
             FROM publishes WHERE id = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, PublishRow>(SQL).bind(id.uuid()).fetch_optional(conn).await)?;
        row.map(Publish::try_from).transpose()
    }

    /// The publish that keeps a version from being published: a live one, or the one that succeeded. One that differs in build
    /// metadata alone keeps it, too.
    pub async fn blocking_publish(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<Publish>> {
        const SQL: &str = sql!(
            "SELECT id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, error_code, error_message,
                    findings, created_at, updated_at
             FROM publishes
             WHERE scope = $1 AND name = $2 AND precedence = $3 AND state IN ('queued', 'checking', 'committed', 'published')"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, PublishRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.precedence().as_bytes())
            .fetch_optional(conn)
            .await)?;
        row.map(Publish::try_from).transpose()
    }

    /// What speaks for or against another publish of a package, in one look; how many wait for a worker is counted up to `most`. Nothing
    /// when there is no such package.
    pub async fn room_for_publish(&mut self, at: &PackageName, version: &Version, most: i64) -> DbResult<Option<Room>> {
        const SQL: &str = sql!(
            "SELECT is_archived, visibility,
                    (SELECT id FROM publishes AS live WHERE live.scope = $1 AND live.name = $2 AND live.precedence = $3
                     AND live.state IN ('queued', 'checking', 'committed', 'published')) AS blocking,
                    (SELECT COUNT(*) FROM publishes AS recent WHERE recent.scope = $1 AND recent.created_at > $4) AS this_week,
                    (SELECT COUNT(*) FROM (SELECT id FROM jobs WHERE state = 'queued' AND kind = 'publish' LIMIT $5) AS open) AS waiting
             FROM packages WHERE scope = $1 AND name = $2"
        );
        let since = self.now - WEEK;
        let row = on!(self, |conn| sqlx::query_as::<_, (bool, String, Option<Uuid>, i64, i64)>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.precedence().as_bytes())
            .bind(since)
            .bind(most)
            .fetch_optional(conn)
            .await)?;
        row.map(|(is_archived, visibility, blocking, this_week, waiting)| {
            let visibility = rows::word("packages", "visibility", &visibility, Visibility::parse)?;
            Ok(Room { is_archived, visibility, blocking: blocking.map(TaskId::from), this_week, waiting })
        })
        .transpose()
    }

    /// The stages that a publish has come to, with when it did, in order. None when there is no such publish.
    pub async fn publish_stages(&mut self, id: TaskId) -> DbResult<Vec<(Stage, Instant)>> {
        const SQL: &str = sql!(
            "SELECT publishes.created_at, claimed_at, planned_at, committed_at, stored_at, state, publishes.updated_at
             FROM publishes LEFT JOIN versions ON versions.scope = publishes.scope AND versions.name = publishes.name
                                               AND versions.version = publishes.version AND versions.task_id = publishes.id
             WHERE publishes.id = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, StagesRow>(SQL).bind(id.uuid()).fetch_optional(conn).await)?;
        let Some(row) = row else { return Ok(Vec::new()) };
        let last = Stage::last(rows::word("publishes", "state", &row.state, PublishState::parse)?);
        let stages = [
            (Some(Stage::Accepted), Some(row.created_at)),
            (Some(Stage::Claimed), row.claimed_at),
            (Some(Stage::Planned), row.planned_at),
            (Some(Stage::Committed), row.committed_at),
            (Some(Stage::Stored), row.stored_at),
            (last, Some(row.updated_at)),
        ];
        Ok(stages.into_iter().filter_map(|(stage, at)| stage.zip(at)).collect())
    }

    /// A page of the publishes of a package, newest first.
    pub async fn publishes_of(&mut self, at: &PackageName, page: Page) -> DbResult<Listing<Publish>> {
        const ITEMS: &str = sql!(
            "SELECT id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, error_code, error_message,
                    findings, created_at, updated_at
             FROM publishes WHERE scope = $1 AND name = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
        );
        const TOTAL: &str = sql!("SELECT COUNT(*) FROM publishes WHERE scope = $1 AND name = $2");
        let rows = on!(self, |conn| sqlx::query_as::<_, PublishRow>(ITEMS)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).bind(at.scope().as_str()).bind(at.name()).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(Publish::try_from).collect::<DbResult<_>>()?, total })
    }
}

impl WriteTx {
    /// Adds a publish. False when the version is being published, or was.
    pub async fn create_publish(&mut self, publish: &Publish) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO publishes (id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, findings,
                                    created_at, updated_at, precedence)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)
             ON CONFLICT DO NOTHING"
        );
        let upload_bytes = i64::try_from(publish.upload_bytes).unwrap_or(i64::MAX);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(publish.id.uuid())
            .bind(publish.package.scope().as_str())
            .bind(publish.package.name())
            .bind(publish.version.to_string())
            .bind(publish.user_id.map(UserId::uuid))
            .bind(publish.config.as_str())
            .bind(publish.state.as_str())
            .bind(publish.upload_id.uuid())
            .bind(publish.upload.as_bytes())
            .bind(upload_bytes)
            .bind(rows::list::<Finding>(&[]))
            .bind(publish.created_at)
            .bind(publish.version.precedence().as_bytes())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Moves a publish on. False when it is not in state `from` any more.
    ///
    /// # Panics
    /// When the table of transitions does not know this one: that is a mistake in this build.
    pub async fn move_publish(&mut self, id: TaskId, from: PublishState, to: PublishState) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE publishes SET state = $1, updated_at = $2,
                                  claimed_at = CASE WHEN $1 = 'checking' AND claimed_at IS NULL THEN $2 ELSE claimed_at END
             WHERE id = $3 AND state = $4"
        );
        assert!(from.may_become(to), "{from:?} cannot become {to:?}");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(to.as_str())
            .bind(now)
            .bind(id.uuid())
            .bind(from.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Takes a publish up, one that waits or one that a worker had who lost its lease. `None` when there is nothing to judge any
    /// more.
    pub async fn take_publish(&mut self, id: TaskId) -> DbResult<Option<Taken>> {
        const SQL: &str = sql!(
            "UPDATE publishes SET state = 'checking', claimed_at = COALESCE(claimed_at, $1), updated_at = $1
             WHERE id = $2 AND state IN ('queued', 'checking')
             RETURNING id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, error_code, error_message,
                       findings, created_at, updated_at,
                       (SELECT visibility FROM packages
                        WHERE packages.scope = publishes.scope AND packages.name = publishes.name) AS visibility,
                       (SELECT upload_limits FROM scopes WHERE scopes.scope = publishes.scope) AS upload_limits,
                       (SELECT job FROM ci_publishes WHERE ci_publishes.task_id = publishes.id) AS job"
        );
        let now = self.now;
        let row = on!(self, |conn| sqlx::query_as::<_, TakenRow>(SQL).bind(now).bind(id.uuid()).fetch_optional(conn).await)?;
        let taken = |row: TakenRow| {
            Ok(Taken {
                publish: Publish::try_from(row.publish)?,
                visibility: rows::word("packages", "visibility", &row.visibility, Visibility::parse)?,
                upload_limits: row.upload_limits.map(|Json(limits)| limits),
                ci: row.job.map(|Json(job)| rows::shape("ci_publishes", "job", job)).transpose()?,
            })
        };
        row.map(taken).transpose()
    }

    /// Ends a publish that came to nothing. False when it is not in state `from` any more.
    ///
    /// # Panics
    /// When the table of transitions does not know this one: that is a mistake in this build.
    pub async fn end_publish(
        &mut self,
        id: TaskId,
        from: PublishState,
        to: PublishState,
        error: &PublishError,
        findings: &Findings,
    ) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE publishes SET state = $1, error_code = $2, error_message = $3, findings = $4, updated_at = $5
             WHERE id = $6 AND state = $7"
        );
        assert!(from.may_become(to), "{from:?} cannot become {to:?}");
        let now = self.now;
        let (findings, message) = (storable(findings), rows::storable(&error.message));
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(to.as_str())
            .bind(&error.code)
            .bind(&*message)
            .bind(rows::list(&findings))
            .bind(now)
            .bind(id.uuid())
            .bind(from.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Commits a publish: the state, when its plan was ready, and what was found that did not stop it. False when it is not being
    /// checked any more, or its scope was frozen meanwhile.
    pub async fn commit_publish(&mut self, id: TaskId, attempt: i64, planned_at: Instant, findings: &Findings) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE publishes SET state = 'committed', findings = $1, updated_at = $2, committed_at = $2, plan_attempt = $4,
                                  planned_at = $5
             WHERE id = $3 AND state = 'checking'
             AND NOT EXISTS (SELECT 1 FROM scopes WHERE scopes.scope = publishes.scope AND scopes.frozen IS NOT NULL)"
        );
        let now = self.now;
        let findings = storable(findings);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(rows::list(&findings))
            .bind(now)
            .bind(id.uuid())
            .bind(attempt)
            .bind(planned_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Ends every committed publish of a package whose version was stored by `generation`, and returns them.
    pub async fn finish_publishes(&mut self, at: &PackageName, generation: i64) -> DbResult<Vec<TaskId>> {
        const SQL: &str = sql!(
            "UPDATE publishes SET state = 'published', updated_at = $1
             WHERE scope = $2 AND name = $3 AND state = 'committed'
             AND version IN (SELECT version FROM versions WHERE scope = $2 AND name = $3 AND stored_generation <= $4)
             RETURNING id"
        );
        let now = self.now;
        let ids = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL)
            .bind(now)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(generation)
            .fetch_all(conn)
            .await)?;
        Ok(ids.into_iter().map(TaskId::from).collect())
    }
}
