//! Announces every package anew when the registry was given another address, a few at a time.
//!
//! A worker that starts compares the addresses of its configuration with those that were stated last, and asks for this job when they
//! differ: once, however many start. The job goes on where it came to, gives way between packages, and is over at once when the
//! addresses were changed again meanwhile. A package whose documents say already what they should is only read.

use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::PackageName;
use slipway_common::jobs;
use slipway_common::model::job::{Claim, Job};

use super::{ring, settle};
use crate::error::JobError;
use crate::reconcile;
use crate::workshop::Workshop;

/// Packages of one run. Between two runs a process can end, and whatever else waits in the lane has its turn.
const PACKAGES_PER_RUN: i64 = 20;

/// Notes the addresses that public documents are to state, and asks for the job if they are others than before. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn state_addresses(context: &Context) -> Result<bool, AnyFault> {
    let urls = context.config.addresses();
    let mut tx = context.db.write("addresses.state").await?;
    if !tx.state_addresses(&urls).await? {
        return Ok(false);
    }
    if tx.packages_after(None, 1).await?.is_empty() {
        tx.note_addresses(&urls, None, true).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let job = Job::Readdress { urls };
    let id = jobs::enqueue(&mut tx, &context.ids, &job).await?;
    tx.commit().await?;
    tracing::info!(public_url = %context.config.public_url, npm_url = %context.config.npm_url, "the registry has another address; every package is announced anew");
    context.ring(job.lane(), id).await;
    Ok(true)
}

/// Reads which packages are next. Nothing when other addresses are stated by now, or all packages state these.
pub(crate) async fn start(tx: &mut WriteTx, urls: &str) -> Result<Option<Vec<PackageName>>, JobError> {
    match tx.addresses().await? {
        Some(stated) if stated.urls == urls && !stated.is_done => {
            Ok(Some(tx.packages_after(stated.after.as_ref(), PACKAGES_PER_RUN).await?))
        }
        _ => Ok(None),
    }
}

/// Announces them.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, packages: Vec<PackageName>) -> Result<(), JobError> {
    let context = &workshop.context;
    let urls = context.config.addresses();
    if claim.job != (Job::Readdress { urls: urls.clone() }) {
        // A process that was not restarted yet. What it announced would have to be announced again.
        return Err(JobError::Retry(AnyFault::later(
            "this process has other addresses than the registry: restart it with those of the others",
        )));
    }
    for package in &packages {
        reconcile::mend(workshop, package).await?;
    }
    let is_done = packages.is_empty();
    let mut tx = context.db.write("readdress").await?;
    tx.note_addresses(&urls, packages.last(), is_done).await?;
    if !is_done {
        jobs::enqueue(&mut tx, &context.ids, &claim.job).await?;
    }
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    if is_done {
        tracing::info!("every package states the addresses of the registry");
    }
    ring(context, twin).await;
    Ok(())
}
