//! Bell → claim → work under a lease → settle.
//!
//! The runner knows no package. It claims a job in one transaction together with what the job needs to start, and keeps the lease
//! alive. A worker that lost its lease is a zombie: it says so once and writes nothing. What becomes of a job that failed is decided
//! in `setback`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{JobId, PackageName};
use slipway_common::jobs::{self, LEASE};
use slipway_common::model::job::{Claim, Job, Lane};
use slipway_common::model::package::Package;
use slipway_common::shutdown::Shutdown;
use slipway_common::steps::{self, Step};
use tokio::sync::Semaphore;

use crate::error::JobError;
use crate::jobs::announce::{self, News};
use crate::jobs::attest::{self, Waiting};
use crate::jobs::publish::{self, Committed, Started};
use crate::jobs::quarantine::{self, Ward};
use crate::jobs::record::{self, Entry};
use crate::jobs::{catalogue, housekeep, log, open, readdress, reconcile, settle, store};
use crate::setback;
use crate::workshop::Workshop;

/// A job with all that its claim transaction read for it.
enum Work {
    Publish(Box<Started>),
    Store(Committed),
    Announce(News),
    Record(Entry),
    Attest(Box<Waiting>),
    Log(Box<log::Unlogged>),
    Open(Box<Package>),
    Quarantine(Box<Ward>),
    Readdress(Vec<PackageName>),
    Catalogue,
    Housekeep,
    Reconcile,
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
        Ok(Some((claim, _))) if claim.crashes >= setback::CRASHES => {
            let fault = AnyFault::never(format!("{} attempts crashed, the last without a word", claim.crashes));
            setback::stop(workshop, &claim, &fault).await;
        }
        Ok(Some((claim, work))) => Box::pin(attend(workshop, claim, work)).await,
        Ok(None) => tracing::debug!(%job, "a stale bell"),
        Err(JobError::Retry(fault) | JobError::Abandon(fault) | JobError::Crash(fault)) => {
            tracing::warn!(%job, fault = fault.chain(), "the job could not be claimed, the relay rings again");
        }
        Err(JobError::Zombie) => {}
    }
}

/// Takes a job and reads what it needs, in one transaction. A job that has nothing left to do is settled at once.
#[tracing::instrument(level = "debug", name = "job.claim", skip_all, fields(job = %id))]
async fn claim(workshop: &Workshop, id: JobId) -> Result<Option<(Claim, Work)>, JobError> {
    let mut tx = workshop.context.db.write("job.claim").await?;
    let Some(claim) = jobs::claim(&mut tx, id, &workshop.name).await? else { return Ok(None) };
    let work = load(&mut tx, workshop, &claim).await?;
    if work.is_none() {
        settle(&mut tx, &claim).await?;
    }
    tx.commit().await?;
    if let Some(Work::Publish(_)) = work {
        steps::reached(Step::Claimed);
    }
    Ok(work.map(|work| (claim, work)))
}

async fn load(tx: &mut WriteTx, workshop: &Workshop, claim: &Claim) -> Result<Option<Work>, JobError> {
    Ok(match &claim.job {
        Job::Publish { task } => publish::start(tx, workshop, *task).await?.map(|started| Work::Publish(Box::new(started))),
        Job::Store { task, plan } => store::start(tx, claim.id, *task, *plan).await?.map(Work::Store),
        Job::Announce { package } => Some(Work::Announce(announce::start(tx, package, None).await?)),
        Job::Record { subject } => Some(Work::Record(record::start(tx, subject, &workshop.context.config.attestation).await?)),
        Job::Attest { package, version } => attest::start(tx, package, version).await?.map(|waiting| Work::Attest(Box::new(waiting))),
        Job::Log { package, version } => log::start(tx, package, version).await?.map(|unlogged| Work::Log(Box::new(unlogged))),
        Job::Open { package } => open::start(tx, package).await?.map(|package| Work::Open(Box::new(package))),
        Job::Quarantine { package, version } => quarantine::start(tx, package, version).await?.map(|ward| Work::Quarantine(Box::new(ward))),
        Job::Readdress { urls } => readdress::start(tx, urls).await?.map(Work::Readdress),
        Job::Catalogue => Some(Work::Catalogue),
        Job::Housekeep => Some(Work::Housekeep),
        Job::Reconcile => Some(Work::Reconcile),
    })
}

/// Does a job under its lease, and then the one that it led to, as long as there is one.
async fn attend(workshop: &Workshop, claim: Claim, work: Work) {
    let mut next = Some((claim, work));
    while let Some((claim, work)) = next.take() {
        // What a step keeps while it waits is large; here it is moved once.
        let step = AssertUnwindSafe(Box::pin(step(workshop, &claim, work))).catch_unwind();
        let outcome = tokio::select! {
            outcome = step => outcome.unwrap_or_else(|panic| Err(JobError::Crash(AnyFault::later(describe(&*panic))))),
            () = keep_alive(workshop, &claim) => Err(JobError::Zombie),
        };
        match outcome {
            Ok(following) => next = following,
            Err(error) => setback::after(workshop, &claim, error).await,
        }
    }
}

async fn step(workshop: &Workshop, claim: &Claim, work: Work) -> Result<Option<(Claim, Work)>, JobError> {
    Ok(match work {
        Work::Publish(started) => publish::run(workshop, claim, *started).await?.map(|(committed, claim)| (claim, Work::Store(committed))),
        Work::Store(committed) => store::run(workshop, claim, committed).await?.map(|(news, claim)| (claim, Work::Announce(news))),
        Work::Announce(news) => {
            announce::run(workshop, claim, news).await?;
            None
        }
        Work::Record(entry) => {
            record::run(workshop, claim, entry).await?;
            None
        }
        Work::Attest(waiting) => {
            attest::run(workshop, claim, *waiting).await?;
            None
        }
        Work::Log(unlogged) => {
            log::run(workshop, claim, *unlogged).await?;
            None
        }
        Work::Open(package) => {
            open::run(workshop, claim, *package).await?;
            None
        }
        Work::Quarantine(ward) => {
            quarantine::run(workshop, claim, *ward).await?;
            None
        }
        Work::Readdress(packages) => {
            readdress::run(workshop, claim, packages).await?;
            None
        }
        Work::Catalogue => {
            catalogue::run(workshop, claim).await?;
            None
        }
        Work::Housekeep => {
            housekeep::run(workshop, claim).await?;
            None
        }
        Work::Reconcile => {
            reconcile::run(workshop, claim).await?;
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

fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
