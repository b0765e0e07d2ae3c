//! What becomes of a job that was not done.
//!
//! A fault that passes is waited for. What does not pass ends a publish, whose author is told an incident number; a job right of the
//! hinge was promised, so it is parked with its incident number instead: a person should look, and the next start of a worker or
//! `slipway admin retry` has it tried again.

use slipway_common::fault::AnyFault;
use slipway_common::ids::TaskId;
use slipway_common::jobs::{self, Settled};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::finding::Findings;
use slipway_common::model::job::{Claim, Job};
use slipway_common::model::publish::{PublishError, PublishState};

use crate::error::JobError;
use crate::workshop::Workshop;

/// How often a publish is tried before it is given up for a fault of ours. With the growing waits that is some minutes of a
/// supplier being down, after which a person should look.
const PUBLISH_ATTEMPTS: i64 = 12;

/// How many crashes a job may cost. One is bad luck, a worker that was killed; the third is the job's own, and each takes
/// down everything else that its worker was doing.
pub(crate) const CRASHES: i64 = 3;

/// Decides what becomes of a job that was not done.
pub(crate) async fn after(workshop: &Workshop, claim: &Claim, error: JobError) {
    let (fault, is_crash) = match error {
        JobError::Retry(fault) => (fault, false),
        JobError::Abandon(fault) if left_of_hinge(claim).is_some() => return stop(workshop, claim, &fault).await,
        JobError::Abandon(fault) | JobError::Crash(fault) => (fault, true),
        JobError::Zombie => return tracing::warn!(job = %claim.id, attempt = claim.attempt, "the job was taken over by another worker"),
    };
    let is_enough = claim.crashes + i64::from(is_crash) >= CRASHES || (left_of_hinge(claim).is_some() && claim.attempt >= PUBLISH_ATTEMPTS);
    if is_enough {
        return stop(workshop, claim, &fault).await;
    }
    if let Err(error) = put_back(workshop, claim, &fault, is_crash).await {
        tracing::warn!(job = %claim.id, error = error.chain(), "the failed job could not be put back, its lease will run out");
    }
}

/// The publish that a job can still refuse.
fn left_of_hinge(claim: &Claim) -> Option<TaskId> {
    match claim.job {
        Job::Publish { task } => Some(task),
        _ => None,
    }
}

async fn put_back(workshop: &Workshop, claim: &Claim, fault: &AnyFault, is_crash: bool) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let mut tx = context.db.write("job.put_back").await?;
    let not_before = tx.now() + jobs::backoff(claim.attempt, &context.ids);
    if let Some(task) = left_of_hinge(claim) {
        tx.move_publish(task, PublishState::Checking, PublishState::Queued).await?;
    }
    if jobs::put_back(&mut tx, claim, not_before, &fault.chain(), is_crash).await? {
        tx.commit().await?;
        let (kind, attempt, fault) = (claim.job.kind(), claim.attempt, fault.chain());
        if claim.job.is_promised() {
            tracing::error!(job = %claim.id, kind, attempt, fault, "a promised job failed, it is tried again");
        } else {
            tracing::warn!(job = %claim.id, kind, attempt, fault, "a job failed, it is tried again");
        }
    }
    Ok(())
}

/// Stops trying. The log gets the reason, once, under a number that the row and, of a publish, the author get too.
pub(crate) async fn stop(workshop: &Workshop, claim: &Claim, fault: &AnyFault) {
    let mut incident = [0; 4];
    workshop.context.ids.fill(&mut incident);
    let incident = format!("{:08x}", u32::from_be_bytes(incident));
    if let Err(error) = write_off(workshop, claim, fault, &incident).await {
        tracing::warn!(job = %claim.id, error = error.chain(), "the failed job could not be stopped, its lease will run out");
    }
}

async fn write_off(workshop: &Workshop, claim: &Claim, fault: &AnyFault, incident: &str) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let reason = format!("incident {incident}: {}", fault.chain());
    let mut tx = context.db.write("job.stop").await?;
    if let Some(task) = left_of_hinge(claim) {
        let error = PublishError {
            code: "internalServerError".to_owned(),
            message: format!("the registry could not publish this version, through no fault of the package; incident {incident}"),
        };
        let is_ended = tx.end_publish(task, PublishState::Checking, PublishState::Failed, &error, &Findings::default()).await?;
        if is_ended && let Some(publish) = tx.publish(task).await? {
            let deed = Deed::of_version(Act::PublishFail, &publish.package, &publish.version).with("task", task.to_string());
            tx.audit(context.ids.next(), &Doer::registry(), &deed.because(&error.code).with("incident", incident)).await?;
        }
    }
    let settled =
        if claim.job.is_promised() { jobs::park(&mut tx, claim, &reason).await? } else { jobs::give_up(&mut tx, claim, &reason).await? };
    let Settled::Ours(twin) = settled else { return Ok(()) };
    tx.commit().await?;
    let (kind, attempt, fault) = (claim.job.kind(), claim.attempt, fault.chain());
    if claim.job.is_promised() {
        tracing::error!(job = %claim.id, kind, attempt, incident, fault, "a promised job is parked; `slipway admin retry` or a restart takes it up");
    } else {
        tracing::error!(job = %claim.id, kind, attempt, incident, fault, "a job was given up");
    }
    if let Some(task) = left_of_hinge(claim) {
        context.tell(task).await;
    }
    if let Some((job, lane)) = twin {
        context.ring(lane, job).await;
    }
    Ok(())
}
