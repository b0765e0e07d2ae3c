#![doc = include_str!("../README.md")]

mod analyser;
pub mod analysis;
mod attestation;
pub mod cdn;
pub mod compiler;
mod error;
mod jobs;
pub mod pipeline;
pub mod rebuild;
pub mod reconcile;
mod records;
mod runner;
mod schedule;
mod setback;
mod view;
mod workshop;

use std::time::Duration;

use slipway_common::fault::AnyFault;
use slipway_common::ids::JobId;
use slipway_common::model::job::Lane;
use slipway_common::shutdown::Shutdown;

pub use analyser::{Analyser, Pipeline};
pub use jobs::Documents;
pub use jobs::readdress::state_addresses;
pub use schedule::relay;
pub use workshop::Workshop;

/// Jobs that a process works on at once, by lane. Publishing is bounded by the children; a permit more than there are children
/// keeps them busy while another publish waits for its objects.
const fn permits(lane: Lane) -> u16 {
    match lane {
        Lane::Publish | Lane::Announce => 8,
        Lane::Derive | Lane::Housekeeping => 1,
    }
}

/// How long a lane that went silent is left alone before it is listened to again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Works until the shutdown begins. Returns at once; the work goes on in tasks that [`Shutdown::finish`] waits for.
pub fn start(workshop: &Workshop, shutdown: &Shutdown) {
    for lane in Lane::ALL {
        let (workshop, end) = (workshop.clone(), shutdown.clone());
        shutdown.spawn(async move {
            while !end.has_begun() {
                if let Err(fault) = runner::serve(workshop.clone(), lane, permits(lane), end.clone()).await {
                    tracing::warn!(lane = lane.as_str(), fault = fault.chain(), "the lane is silent");
                    tokio::select! {
                        () = end.begun() => {}
                        () = tokio::time::sleep(LISTEN_AGAIN) => {}
                    }
                }
            }
        });
    }
    shutdown.spawn(schedule::take_up(workshop.context.clone(), shutdown.clone()));
    shutdown.spawn(schedule::addresses(workshop.context.clone(), shutdown.clone()));
    shutdown.spawn(schedule::catalogue(workshop.context.clone(), shutdown.clone()));
    shutdown.spawn(schedule::housekeeping(workshop.context.clone(), shutdown.clone()));
}

/// Does one job now, whoever rang it; for tests that want to see every step.
pub async fn answer(workshop: &Workshop, job: JobId) {
    runner::answer(workshop, job).await;
}

/// Does everything that is due, and what follows from it, until nothing is. For tests and tools.
///
/// # Errors
/// When the database fails.
pub async fn drain(workshop: &Workshop) -> Result<(), AnyFault> {
    loop {
        let mut tx = workshop.context.db.write("drain").await?;
        let due = tx.due_jobs().await?;
        tx.commit().await?;
        if due.is_empty() {
            return Ok(());
        }
        for job in due {
            runner::answer(workshop, job).await;
        }
    }
}
