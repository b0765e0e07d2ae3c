//! Work that outlives the request: enqueue, claim, settle, ring.
//!
//! The row is the truth, the bell only saves time. A job is put into the database in the transaction of the fact that causes
//! it, so there is no work without its fact and no fact without its work. Losing, doubling or reordering bells changes
//! nothing but latency.

mod backoff;
mod relay;

use chrono::TimeDelta;

use crate::clock::Instant;
use crate::db::{DbError, DbResult, WriteTx};
use crate::ids::{IdSource, JobId};
use crate::model::job::{Claim, Job, Lane};

pub use backoff::backoff;
pub use relay::{RELAY_PERIOD, relay};

/// How long a worker may be silent before its job is taken from it. Three heartbeats fit in, and a person who waits for a
/// publish after a crash waits no longer than this.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Puts a job into the database, to be done as soon as this transaction is committed. When one of the same key waits already
/// it is touched instead. Ring the returned job after the commit.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(tx: &mut WriteTx, ids: &IdSource, job: &Job) -> DbResult<JobId> {
    let now = tx.now();
    tx.put_job(ids.next(), job, now).await
}

/// The same for a job that has time. Nobody rings it: the relay does when it is due.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_for_later(tx: &mut WriteTx, ids: &IdSource, job: &Job, delay: TimeDelta) -> DbResult<JobId> {
    let due = tx.now() + delay;
    tx.put_job(ids.next(), job, due).await
}

/// Puts a job into the database that the caller goes on to do itself. `None` when one of the same key is being worked on:
/// then it was enqueued, and whoever works on the other rings it.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_claimed(tx: &mut WriteTx, ids: &IdSource, job: Job, worker: &str) -> DbResult<Option<Claim>> {
    let claim = put_claimed(tx, ids, job, None, worker).await?;
    if let Err(job) = &claim {
        enqueue(tx, ids, job).await?;
    }
    Ok(claim.ok())
}

/// The same for a job that carries bytes, as a rule few, because it is a row: whoever takes it up later finds them with [`parcel`].
/// `None` when one of the same key is being worked on; nothing was enqueued then, since the bytes would be lost on the way.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_claimed_with(
    tx: &mut WriteTx,
    ids: &IdSource,
    job: Job,
    parcel: Option<&[u8]>,
    worker: &str,
) -> DbResult<Option<Claim>> {
    Ok(put_claimed(tx, ids, job, parcel, worker).await?.ok())
}

/// A claim on a new job, or the job when one of its key is being worked on.
async fn put_claimed(tx: &mut WriteTx, ids: &IdSource, job: Job, parcel: Option<&[u8]>, worker: &str) -> DbResult<Result<Claim, Job>> {
    let id = ids.next();
    let lease_until = tx.now() + LEASE;
    let is_ours = tx.put_running_job(id, &job, parcel, lease_until, worker).await?;
    Ok(if is_ours { Ok(Claim { id, job, attempt: 1, crashes: 0 }) } else { Err(job) })
}

/// What a job carries that is not done yet.
///
/// # Errors
/// When the database fails.
pub async fn parcel(tx: &mut WriteTx, job: JobId) -> DbResult<Option<Vec<u8>>> {
    tx.job_parcel(job).await
}

/// Takes a job on hearing its bell. `None` when the bell was stale.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut WriteTx, id: JobId, worker: &str) -> DbResult<Option<Claim>> {
    let lease_until = tx.now() + LEASE;
    match tx.take_job(id, lease_until, worker).await {
        // A job of the same key is being worked on. Whoever settles it rings this one.
        Err(DbError::Conflict(_)) => Ok(None),
        other => other,
    }
}

/// Says that the worker is alive. False when the job was taken from it.
///
/// # Errors
/// When the database fails.
pub async fn heartbeat(tx: &mut WriteTx, claim: &Claim) -> DbResult<bool> {
    let lease_until = tx.now() + LEASE;
    tx.extend_lease(claim, lease_until).await
}

/// Takes every job from whoever had it. Only for the one process of a registry, before it begins to work: what runs now is held
/// by a process that is dead.
///
/// # Errors
/// When the database fails.
pub async fn outlive(tx: &mut WriteTx) -> DbResult<u64> {
    tx.expire_leases().await
}

/// How a job was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a zombie must roll back"]
pub enum Settled {
    /// It is done. The twin that waited for it, if any, has to be rung after the commit.
    Ours(Option<(JobId, Lane)>),
    /// The job was taken from us: roll back.
    Zombie,
}

/// Ends a job that was done, in the transaction of its last effect.
///
/// # Errors
/// When the database fails.
pub async fn settle(tx: &mut WriteTx, claim: &Claim) -> DbResult<Settled> {
    end(tx, claim, "done", None).await
}

/// Puts a job aside that was promised and cannot be done as things are, until a start or the operator has it tried again.
///
/// # Errors
/// When the database fails.
pub async fn park(tx: &mut WriteTx, claim: &Claim, fault: &str) -> DbResult<Settled> {
    end(tx, claim, "parked", Some(fault)).await
}

/// Ends a job that will never succeed.
///
/// # Errors
/// When the database fails.
pub async fn give_up(tx: &mut WriteTx, claim: &Claim, fault: &str) -> DbResult<Settled> {
    end(tx, claim, "failed", Some(fault)).await
}

async fn end(tx: &mut WriteTx, claim: &Claim, state: &'static str, fault: Option<&str>) -> DbResult<Settled> {
    if !tx.end_job(claim, "running", state, fault).await? {
        return Ok(Settled::Zombie);
    }
    let twin = match claim.job {
        // The keys of these name one publish, which is enqueued once. Should the operator ask for a second time, the relay rings.
        Job::Publish { .. } | Job::Store { .. } => None,
        Job::Announce { .. } | Job::Record { .. } | Job::Attest { .. } => tx.waiting_twin(&claim.job).await?,
        Job::Log { .. } | Job::Open { .. } | Job::Quarantine { .. } | Job::Readdress { .. } => tx.waiting_twin(&claim.job).await?,
        Job::Catalogue | Job::Housekeep | Job::Reconcile => tx.waiting_twin(&claim.job).await?,
    };
    Ok(Settled::Ours(twin.map(|id| (id, claim.job.lane()))))
}

/// Puts a job back to be tried again at `not_before`. False when it was taken from us.
///
/// # Errors
/// When the database fails.
pub async fn put_back(tx: &mut WriteTx, claim: &Claim, not_before: Instant, fault: &str, is_crash: bool) -> DbResult<bool> {
    let crashes = claim.crashes + i64::from(is_crash);
    tx.requeue_job(claim, "running", not_before, Some(fault), crashes).await
}

/// Has parked jobs tried again, as if they had never crashed: all, or those of one key. What waits for them now is returned, to be
/// rung after the commit.
///
/// # Errors
/// When the database fails.
pub async fn take_up(tx: &mut WriteTx, key: Option<&str>) -> DbResult<Vec<(JobId, Lane)>> {
    let mut taken = Vec::new();
    for parked in tx.parked_jobs(key).await? {
        let now = tx.now();
        // Of several with one key the first does the work of all.
        if tx.requeue_job(&parked, "parked", now, None, 0).await?
            && let Some(id) = tx.waiting_twin(&parked.job).await?
            && !taken.contains(&(id, parked.job.lane()))
        {
            taken.push((id, parked.job.lane()));
        }
    }
    Ok(taken)
}
