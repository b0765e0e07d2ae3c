//! The rows behind the bells: enqueue, claim, settle. The rules stand in `crate::jobs`.

use chrono::TimeDelta;
use sqlx::types::Json;
use sqlx::{Connection as _, FromRow};
use uuid::Uuid;

use super::on::{on, sql};
use super::rows;
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::JobId;
use crate::model::job::{Claim, Job, Lane};

#[derive(FromRow)]
struct ClaimRow {
    id: Uuid,
    payload: Json<serde_json::Value>,
    attempt: i64,
    crashes: i64,
}

impl TryFrom<ClaimRow> for Claim {
    type Error = DbError;

    fn try_from(row: ClaimRow) -> DbResult<Self> {
        Ok(Self { id: row.id.into(), job: rows::shape("jobs", "payload", row.payload.0)?, attempt: row.attempt, crashes: row.crashes })
    }
}

impl ReadTx {
    /// Whether any job waits or works, due or not.
    pub async fn has_open_jobs(&mut self) -> DbResult<bool> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'running')");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).fetch_one(conn).await)? > 0)
    }

    /// When the next job that waits is due, or the next lease runs out.
    pub async fn next_job_due(&mut self) -> DbResult<Option<Instant>> {
        const SQL: &str = sql!(
            "SELECT MIN(CASE WHEN state = 'queued' THEN not_before ELSE lease_until END) FROM jobs WHERE state IN ('queued', 'running')"
        );
        Ok(on!(self, |conn| sqlx::query_scalar::<_, Option<Instant>>(SQL).fetch_one(conn).await)?)
    }
}

impl WriteTx {
    /// The jobs that could be claimed now, oldest first.
    pub async fn due_jobs(&mut self) -> DbResult<Vec<JobId>> {
        const SQL: &str = sql!(
            "SELECT id FROM jobs
             WHERE (state = 'queued' AND not_before <= $1) OR (state = 'running' AND lease_until < $1)
             ORDER BY created_at, id"
        );
        let now = self.now;
        let ids = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(now).fetch_all(conn).await)?;
        Ok(ids.into_iter().map(JobId::from).collect())
    }

    /// Adds a job, or touches the one of the same key that waits already: the touch makes a worker that claims it see what
    /// this transaction changed. Returns the job that will do the work.
    pub(crate) async fn put_job(&mut self, id: JobId, job: &Job, not_before: Instant) -> DbResult<JobId> {
        const SQL: &str = sql!(
            "INSERT INTO jobs (id, kind, lane, payload, state, dedup_key, attempt, crashes, not_before, rung_at, created_at,
                               updated_at)
             VALUES ($1, $2, $3, $4, 'queued', $5, 0, 0, $6, $7, $7, $7)
             ON CONFLICT (dedup_key) WHERE state = 'queued'
             DO UPDATE SET not_before = CASE WHEN jobs.not_before < $6 THEN jobs.not_before ELSE $6 END, updated_at = $7
             RETURNING id"
        );
        let now = self.now;
        let id = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL)
            .bind(id.uuid())
            .bind(job.kind())
            .bind(job.lane().as_str())
            .bind(Json(job))
            .bind(job.dedup_key())
            .bind(not_before)
            .bind(now)
            .fetch_one(conn)
            .await)?;
        Ok(id.into())
    }

    /// Adds a job that is ours from the start, with what it carries. False when one of its key is being worked on: then it has to wait
    /// like any other.
    pub(crate) async fn put_running_job(
        &mut self,
        id: JobId,
        job: &Job,
        parcel: Option<&[u8]>,
        lease_until: Instant,
        worker: &str,
    ) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO jobs (id, kind, lane, payload, state, dedup_key, attempt, crashes, not_before, lease_until, worker,
                               rung_at, created_at, updated_at, parcel)
             VALUES ($1, $2, $3, $4, 'running', $5, 1, 0, $6, $7, $8, $6, $6, $6, $9)
             ON CONFLICT (dedup_key) WHERE state = 'running' DO NOTHING"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(id.uuid())
            .bind(job.kind())
            .bind(job.lane().as_str())
            .bind(Json(job))
            .bind(job.dedup_key())
            .bind(now)
            .bind(lease_until)
            .bind(worker)
            .bind(parcel)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// What a job carries.
    pub(crate) async fn job_parcel(&mut self, id: JobId) -> DbResult<Option<Vec<u8>>> {
        const SQL: &str = sql!("SELECT parcel FROM jobs WHERE id = $1");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, Option<Vec<u8>>>(SQL).bind(id.uuid()).fetch_optional(conn).await)?.flatten())
    }

    /// Takes a job that is due, or whose worker has not been heard of for too long, which counts as a crash. `None` when there is nothing to take: the
    /// bell was stale, or somebody else was first. A conflict error means that a job of the same key is being worked on.
    pub(crate) async fn take_job(&mut self, id: JobId, lease_until: Instant, worker: &str) -> DbResult<Option<Claim>> {
        const SQL: &str = sql!(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_until = $1, worker = $2, updated_at = $3,
                             crashes = CASE WHEN state = 'running' THEN crashes + 1 ELSE crashes END
             WHERE id = $4 AND kind IN ('publish', 'store', 'announce', 'record', 'attest', 'log', 'open', 'quarantine', 'readdress', 'catalogue',
                          'housekeep', 'reconcile')
             AND ((state = 'queued' AND not_before <= $3) OR (state = 'running' AND lease_until < $3))
             RETURNING id, payload, attempt, crashes"
        );
        let now = self.now;
        let row = on!(self, |conn| sqlx::query_as::<_, ClaimRow>(SQL)
            .bind(lease_until)
            .bind(worker)
            .bind(now)
            .bind(id.uuid())
            .fetch_optional(conn)
            .await)?;
        row.map(Claim::try_from).transpose()
    }

    /// Lets every lease run out. Returns how many there were.
    pub(crate) async fn expire_leases(&mut self) -> DbResult<u64> {
        const SQL: &str = sql!("UPDATE jobs SET lease_until = $1, rung_at = $1 WHERE state = 'running'");
        let before = self.now - TimeDelta::days(1);
        Ok(on!(self, |conn| sqlx::query(SQL).bind(before).execute(conn).await.map(|done| done.rows_affected()))?)
    }

    /// Says that the worker is alive. False when the job is not ours any more.
    pub(crate) async fn extend_lease(&mut self, claim: &Claim, lease_until: Instant) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE jobs SET lease_until = $1 WHERE id = $2 AND attempt = $3 AND state = 'running'");
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(lease_until)
            .bind(claim.id.uuid())
            .bind(claim.attempt)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Ends a job that is in state `from`; one that is done carries nothing any more. False when it is not ours any more: whatever else this transaction did must then be
    /// rolled back.
    pub(crate) async fn end_job(&mut self, claim: &Claim, from: &'static str, to: &'static str, fault: Option<&str>) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE jobs SET state = $1, lease_until = NULL, last_fault = COALESCE($2, last_fault), updated_at = $3,
                             parcel = CASE WHEN $1 = 'done' THEN NULL ELSE parcel END
             WHERE id = $4 AND attempt = $5 AND state = $6"
        );
        let now = self.now;
        let fault = fault.map(rows::storable);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(to)
            .bind(fault.as_deref())
            .bind(now)
            .bind(claim.id.uuid())
            .bind(claim.attempt)
            .bind(from)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Makes a job that is in state `from` wait until `not_before`. False when it is not ours any more. When a twin waits already,
    /// the job is ended instead, since the twin does the same work.
    pub(crate) async fn requeue_job(
        &mut self,
        claim: &Claim,
        from: &'static str,
        not_before: Instant,
        fault: Option<&str>,
        crashes: i64,
    ) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, not_before = $1, last_fault = COALESCE($2, last_fault),
                             crashes = $3, updated_at = $4
             WHERE id = $5 AND attempt = $6 AND state = $7"
        );
        let now = self.now;
        let text = fault.map(rows::storable);
        // The index tells whether a twin waits, one that is being put at this moment included. Its refusal would be the end of
        // the transaction on PostgreSQL, so this statement has one of its own.
        let requeued = on!(self, |conn| {
            let mut inner = conn.begin().await?;
            let done = sqlx::query(SQL)
                .bind(not_before)
                .bind(text.as_deref())
                .bind(crashes)
                .bind(now)
                .bind(claim.id.uuid())
                .bind(claim.attempt)
                .bind(from)
                .execute(&mut *inner)
                .await
                .map(|done| done.rows_affected());
            match done {
                Ok(_) => inner.commit().await?,
                Err(_) => inner.rollback().await?,
            }
            done
        });
        match requeued.map_err(DbError::from) {
            Ok(rows) => Ok(rows == 1),
            Err(DbError::Conflict(_)) => self.end_job(claim, from, "done", fault).await,
            Err(error) => Err(error),
        }
    }

    /// The jobs that are parked and that this build can do, oldest first: all, or those of one key.
    pub(crate) async fn parked_jobs(&mut self, key: Option<&str>) -> DbResult<Vec<Claim>> {
        const SQL: &str = sql!(
            "SELECT id, payload, attempt, crashes FROM jobs
             WHERE state = 'parked' AND kind IN ('publish', 'store', 'announce', 'record', 'attest', 'log', 'open', 'quarantine', 'readdress', 'catalogue',
                          'housekeep', 'reconcile')
             AND (CAST($1 AS TEXT) IS NULL OR dedup_key = $1)
             ORDER BY created_at, id"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, ClaimRow>(SQL).bind(key).fetch_all(conn).await)?;
        rows.into_iter().map(Claim::try_from).collect()
    }

    /// The job of the same key that waits, if there is one.
    pub(crate) async fn waiting_twin(&mut self, job: &Job) -> DbResult<Option<JobId>> {
        const SQL: &str = sql!("SELECT id FROM jobs WHERE dedup_key = $1 AND state = 'queued'");
        let key = job.dedup_key();
        let id = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(&key).fetch_optional(conn).await)?;
        Ok(id.map(JobId::from))
    }

    /// Up to `limit` jobs that could be claimed now and were not rung since `rung_before`, or not since they became due. They
    /// count as rung now.
    pub(crate) async fn take_unrung(&mut self, rung_before: Instant, limit: i64) -> DbResult<Vec<(JobId, Lane)>> {
        const SQL: &str = sql!(
            "UPDATE jobs SET rung_at = $1
             WHERE id IN (SELECT id FROM jobs
                          WHERE (state = 'queued' AND not_before <= $1 AND (rung_at <= $2 OR rung_at < not_before))
                             OR (state = 'running' AND lease_until < $1 AND rung_at <= $2)
                          ORDER BY rung_at LIMIT $3)
             RETURNING id, lane"
        );
        let now = self.now;
        let rows =
            on!(self, |conn| sqlx::query_as::<_, (Uuid, String)>(SQL).bind(now).bind(rung_before).bind(limit).fetch_all(conn).await)?;
        rows.into_iter().map(|(id, lane)| Ok((JobId::from(id), rows::word("jobs", "lane", &lane, Lane::parse)?))).collect()
    }
}
