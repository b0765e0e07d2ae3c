//! Bell → claim → work under a lease → settle.
//!
//! The runner knows no package. It claims a job in one transaction together with what the job needs to start, keeps the lease
//! alive, and decides what becomes of a job that failed. A worker that lost its lease is a zombie: it says so once and writes
//! nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{JobId, TaskId};
use slipway_common::jobs::{self, LEASE};
use slipway_common::model::finding::Findings;
use slipway_common::model::job::{Claim, Job, Lane};
use slipway_common::model::publish::{PublishError, PublishState};
use slipway_common::shutdown::Shutdown;
use tokio::sync::Semaphore;

use crate::error::JobError;
use crate::jobs::announce::{self, Snapshot};
use crate::jobs::publish::{self, Committed, Started};
use crate::jobs::{housekeep, settle, store};
use crate::workshop::Workshop;

/// How often a publish is tried before it is given up for a fault of ours. With the growing waits that is some minutes of a
/// supplier being down, after which a person should look.
const PUBLISH_ATTEMPTS: i64 = 12;

/// A job with all that its claim transaction read for it.
enum Work {
    Publish(Started),
    Store(Committed),
    Announce(Snapshot),
    Housekeep,
}

/// Serves a lane until the shutdown begins. At most `permits` jobs are held at once.
pub(crate) async fn serve(workshop: Workshop, lane: Lane, permits: u16, shutdown: Shutdown) -> Result<(), AnyFault> {
    let mut bells = workshop.context.queue.listen(lane, permits).await?;
    let free = Arc::new(Semaphore::new(usize::from(permits)));
    loop {
        // The permit first: a bell that is heard is answered at once.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return Ok(()) };
        let bell = tokio::select! {
            () = shutdown.begun() => return Ok(()),
            bell = bells.next() => bell,
        };
        let Some(bell) = bell else { return Err(AnyFault::later("the queue went silent")) };
        let (workshop, hard) = (workshop.clone(), shutdown.clone());
        shutdown.spawn(async move {
            tokio::select! {
                () = answer(&workshop, bell.job) => {}
                () = hard.aborted() => tracing::warn!(job = %bell.job, "dropped; it stands in its row"),
            }
            drop((bell, permit));
        });
    }
}

/// Answers a bell: does the job, and what follows from it.
pub(crate) async fn answer(workshop: &Workshop, job: JobId) {
    match claim(workshop, job).await {
        Ok(Some((claim, _))) if is_poison(&claim) => {
            let fault = AnyFault::never(format!("{} attempts ended without a word, the last workers died of it", claim.attempt - 1));
            fail(workshop, &claim, JobError::Abandon(fault)).await;
        }
        Ok(Some((claim, work))) => attend(workshop, claim, work).await,
        Ok(None) => tracing::debug!(%job, "a stale bell"),
        Err(JobError::Retry(fault) | JobError::Abandon(fault)) => {
            tracing::warn!(%job, fault = fault.chain(), "the job could not be claimed, the relay rings again");
        }
        Err(JobError::Zombie) => {}
    }
}

/// Whether a publish brought down, or outlived, every worker that tried it. What is right of the hinge is never given up.
fn is_poison(claim: &Claim) -> bool {
    matches!(claim.job, Job::Publish { .. }) && claim.attempt > PUBLISH_ATTEMPTS
}

/// Takes a job and reads what it needs, in one transaction. A job that has nothing left to do is settled at once.
#[tracing::instrument(level = "debug", name = "job.claim", skip_all, fields(job = %id))]
async fn claim(workshop: &Workshop, id: JobId) -> Result<Option<(Claim, Work)>, JobError> {
    let mut tx = workshop.context.db.write("job.claim").await?;
    let Some(claim) = jobs::claim(&mut tx, id, &workshop.name).await? else { return Ok(None) };
    let work = load(&mut tx, workshop, &claim.job).await?;
    if work.is_none() {
        settle(&mut tx, &claim).await?;
    }
    tx.commit().await?;
    Ok(work.map(|work| (claim, work)))
}

async fn load(tx: &mut WriteTx, workshop: &Workshop, job: &Job) -> Result<Option<Work>, JobError> {
    Ok(match job {
        Job::Publish { task } => publish::start(tx, workshop, *task).await?.map(Work::Publish),
        Job::Store { task, plan } => store::start(tx, *task, *plan).await?.map(Work::Store),
        Job::Announce { package } => announce::start(tx, package).await?.map(Work::Announce),
        Job::Housekeep => Some(Work::Housekeep),
    })
}

/// Does a job under its lease, and then the one that it led to, as long as there is one.
async fn attend(workshop: &Workshop, claim: Claim, work: Work) {
    let mut next = Some((claim, work));
    while let Some((claim, work)) = next.take() {
        let step = AssertUnwindSafe(step(workshop, &claim, work)).catch_unwind();
        let outcome = tokio::select! {
            outcome = step => outcome.unwrap_or_else(|panic| Err(JobError::Retry(AnyFault::later(describe(&*panic))))),
            () = keep_alive(workshop, &claim) => Err(JobError::Zombie),
        };
        match outcome {
            Ok(following) => next = following,
            Err(error) => fail(workshop, &claim, error).await,
        }
    }
}

async fn step(workshop: &Workshop, claim: &Claim, work: Work) -> Result<Option<(Claim, Work)>, JobError> {
    Ok(match work {
        Work::Publish(started) => publish::run(workshop, claim, started).await?.map(|(committed, claim)| (claim, Work::Store(committed))),
        Work::Store(committed) => store::run(workshop, claim, committed).await?.map(|(snapshot, claim)| (claim, Work::Announce(snapshot))),
        Work::Announce(snapshot) => {
            announce::run(workshop, claim, snapshot).await?;
            None
        }
        Work::Housekeep => {
            housekeep::run(workshop, claim).await?;
            None
        }
    })
}

/// Extends the lease three times as often as needed. Ends only when the job was taken from us.
async fn keep_alive(workshop: &Workshop, claim: &Claim) {
    let period = (LEASE / 3).to_std().expect("the lease is positive");
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    loop {
        beat.tick().await;
        let extended = async {
            let mut tx = workshop.context.db.write("job.heartbeat").await?;
            let is_ours = jobs::heartbeat(&mut tx, claim).await?;
            tx.commit().await?;
            Ok::<_, AnyFault>(is_ours)
        };
        match extended.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => tracing::warn!(job = %claim.id, fault = fault.chain(), "the lease could not be extended"),
        }
    }
}

/// Decides what becomes of a job that was not done.
async fn fail(workshop: &Workshop, claim: &Claim, error: JobError) {
    let (fault, may_retry) = match error {
        JobError::Retry(fault) => (fault, true),
        JobError::Abandon(fault) => (fault, false),
        JobError::Zombie => return tracing::warn!(job = %claim.id, attempt = claim.attempt, "the job was taken over by another worker"),
    };
    let written = match claim.job {
        Job::Publish { task } if !may_retry || claim.attempt >= PUBLISH_ATTEMPTS => give_up(workshop, claim, task, &fault).await,
        _ => put_back(workshop, claim, &fault).await,
    };
    if let Err(error) = written {
        tracing::warn!(job = %claim.id, error = error.chain(), "the failed job could not be put back, its lease will run out");
    }
}

async fn put_back(workshop: &Workshop, claim: &Claim, fault: &AnyFault) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let mut tx = context.db.write("job.put_back").await?;
    let not_before = tx.now() + jobs::backoff(claim.attempt, &context.ids);
    if let Job::Publish { task } = claim.job {
        tx.move_publish(task, PublishState::Checking, PublishState::Queued).await?;
    }
    if jobs::put_back(&mut tx, claim, not_before, &fault.chain()).await? {
        tx.commit().await?;
        if claim.job.is_promised() {
            tracing::error!(job = %claim.id, kind = claim.job.kind(), attempt = claim.attempt, fault = fault.chain(), "a promised job failed, it is tried again");
        } else {
            tracing::warn!(job = %claim.id, kind = claim.job.kind(), attempt = claim.attempt, fault = fault.chain(), "a job failed, it is tried again");
        }
    }
    Ok(())
}

/// Ends a publish that we could not do. The author gets an incident number, the log gets the reason under the same number.
async fn give_up(workshop: &Workshop, claim: &Claim, task: TaskId, fault: &AnyFault) -> Result<(), AnyFault> {
    let mut incident = [0; 4];
    workshop.context.ids.fill(&mut incident);
    let incident = format!("{:08x}", u32::from_be_bytes(incident));
    let error = PublishError {
        code: "internalServerError".to_owned(),
        message: format!("the registry could not publish this version, through no fault of the package; incident {incident}"),
    };
    let mut tx = workshop.context.db.write("job.give_up").await?;
    tx.end_publish(task, PublishState::Checking, PublishState::Failed, &error, &Findings::default()).await?;
    if let jobs::Settled::Ours(_) = jobs::give_up(&mut tx, claim, &fault.chain()).await? {
        tx.commit().await?;
        tracing::error!(%task, incident, fault = fault.chain(), "a publish was given up");
        workshop.context.tell(task).await;
    }
    Ok(())
}

fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
