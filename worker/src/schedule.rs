//! What recurs without being asked for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::jobs::{self, RELAY_PERIOD};
use slipway_common::model::job::Job;
use slipway_common::shutdown::Shutdown;

use crate::jobs::readdress;

/// How often the house is swept. What it removes was kept for a day or longer, so an hour is often enough.
const HOUSEKEEPING_PERIOD: Duration = Duration::from_hours(1);

/// How old the catalogue may be. Searching for what was published a moment ago is rare; a registry in which something is announced every
/// second writes the catalogue once for all of it.
const CATALOGUE_PERIOD: Duration = Duration::from_mins(1);

/// How long it takes to try again what is done once at the start, when the database does not answer.
const TAKE_UP_AGAIN: Duration = Duration::from_secs(5);

/// Rings what was not heard. Every process does this: a job is found as long as any of them lives.
pub async fn relay(context: Context, shutdown: Shutdown) {
    every(RELAY_PERIOD, &shutdown, || async {
        if let Err(fault) = jobs::relay(&context).await {
            tracing::warn!(fault = fault.chain(), "the relay could not look for work");
        }
    })
    .await;
}

/// Takes up what was parked: a start is often the remedy, or comes after it. Tries until the database answers.
pub(crate) async fn take_up(context: Context, shutdown: Shutdown) {
    let take_up = async || {
        let mut tx = context.db.write("jobs.take_up").await?;
        let taken = jobs::take_up(&mut tx, None).await?;
        tx.commit().await?;
        Ok::<_, AnyFault>(taken)
    };
    let taken = loop {
        match take_up().await {
            Ok(taken) => break taken,
            Err(fault) => tracing::warn!(fault = fault.chain(), "what was parked could not be taken up"),
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(TAKE_UP_AGAIN) => {}
        }
    };
    for (job, lane) in taken {
        tracing::info!(%job, "a parked job is taken up");
        context.ring(lane, job).await;
    }
}

/// Has every package announced anew if the registry was given another address. Tries until the database answers.
pub(crate) async fn addresses(context: Context, shutdown: Shutdown) {
    while let Err(fault) = readdress::state_addresses(&context).await {
        tracing::warn!(fault = fault.chain(), "the addresses of the registry could not be compared");
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(TAKE_UP_AGAIN) => {}
        }
    }
}

/// Asks for the catalogue when anything was announced since the last time.
pub(crate) async fn catalogue(context: Context, shutdown: Shutdown) {
    let asked = AtomicI64::new(0);
    every(CATALOGUE_PERIOD, &shutdown, || async {
        let outcome = async {
            let announcements = context.db.browse().await?.announcements().await?;
            if announcements != asked.load(Ordering::Relaxed) {
                ask(&context, &Job::Catalogue).await?;
                asked.store(announcements, Ordering::Relaxed);
            }
            Ok::<_, AnyFault>(())
        };
        if let Err(fault) = outcome.await {
            tracing::warn!(fault = fault.chain(), "the catalogue could not be asked for");
        }
    })
    .await;
}

/// Asks for housekeeping, and for a part of the comparison of rows and objects. Several processes may ask: their jobs are one.
pub(crate) async fn housekeeping(context: Context, shutdown: Shutdown) {
    every(HOUSEKEEPING_PERIOD, &shutdown, || async {
        for job in [Job::Housekeep, Job::Reconcile] {
            if let Err(fault) = ask(&context, &job).await {
                tracing::warn!(kind = job.kind(), fault = fault.chain(), "what recurs could not be asked for");
            }
        }
    })
    .await;
}

async fn ask(context: &Context, job: &Job) -> Result<(), AnyFault> {
    let mut tx = context.db.write("schedule.ask").await?;
    let id = jobs::enqueue(&mut tx, &context.ids, job).await?;
    tx.commit().await?;
    context.ring(job.lane(), id).await;
    Ok(())
}

async fn every<F: Future<Output = ()>>(period: Duration, shutdown: &Shutdown, mut act: impl FnMut() -> F) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = ticks.tick() => act().await,
        }
    }
}
