//! Verifies a bundle that was taken in while the transparency log was away.
//!
//! The job is tried until the log answers. A bundle that holds then is kept as if it had been verified at once; one that does not is
//! dropped, and the step that it did not get past is kept in its place, for everybody to see. When another bundle was handed in meanwhile,
//! what became of this one is nobody's concern: the job waits once more for the other.

use serde_json::Value;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Version};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::job::{Claim, Job, Subject};
use slipway_common::model::provenance::{Failure, Provenance, Standing, Unverified};
use slipway_common::provenance::{About, Expected, Obstacle, Patience};

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// A bundle that waits, and what it has to be.
#[derive(Debug)]
pub(crate) struct Waiting {
    about: About,
    expected: Expected,
    unverified: Unverified,
    bundle: Value,
}

/// Reads what waits. Nothing when it was verified or refused meanwhile.
pub(crate) async fn start(tx: &mut WriteTx, package: &PackageName, version: &Version) -> Result<Option<Waiting>, JobError> {
    let Some(unverified) = tx.unverified(package, version).await? else { return Ok(None) };
    let Standing::Waiting(bundle) = unverified.standing.clone() else { return Ok(None) };
    let Some(row) = tx.version(package, version).await? else { return Ok(None) };
    let expected = Expected::of(tx, &row).await?;
    Ok(Some(Waiting { about: About::from(&row), expected, unverified, bundle }))
}

/// Verifies it.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, waiting: Waiting) -> Result<(), JobError> {
    let context = &workshop.context;
    let (package, version) = (waiting.about.package.clone(), waiting.about.version.clone());
    let now = context.clock.now();
    let outcome = match context.notary.verify(&waiting.bundle, waiting.about, &waiting.expected, now, Patience::OfJob).await {
        Ok(provenance) => Ok(provenance),
        Err(Obstacle::Failure(failure)) => Err(failure),
        Err(Obstacle::Away(error)) => return Err(JobError::Retry(AnyFault::later(error))),
    };
    let mut tx = context.db.write("attest.settle").await?;
    let record = match outcome {
        Ok(provenance) => {
            let job = keep(&mut tx, &provenance).await?;
            let deed = Deed::of_version(Act::ProvenanceAdd, &package, &version).with("repository", provenance.job.repository.as_str());
            tx.audit(context.ids.next(), &Doer::registry(), &deed).await?;
            Some((jobs::enqueue(&mut tx, &context.ids, &job).await?, job.lane()))
        }
        Err(failure) => {
            if refuse(&mut tx, &waiting.unverified, &failure).await? {
                let deed = Deed::of_version(Act::ProvenanceRefuse, &package, &version).because(failure.step.as_str());
                tx.audit(context.ids.next(), &Doer::registry(), &deed).await?;
            }
            None
        }
    };
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    tracing::info!(%package, %version, "a bundle that waited for the transparency log was looked at");
    ring(context, record).await;
    ring(context, twin).await;
    Ok(())
}

/// Keeps what was verified. The first bundle of a version stays.
async fn keep(tx: &mut WriteTx, provenance: &Provenance) -> Result<Job, JobError> {
    let (package, version) = (provenance.package.clone(), provenance.version.clone());
    tx.add_provenance(provenance).await?;
    tx.drop_unverified(&package, &version).await?;
    Ok(Job::Record { subject: Subject::Provenance(package, version) })
}

/// Keeps why it was not, unless another bundle waits by now.
async fn refuse(tx: &mut WriteTx, judged: &Unverified, failure: &Failure) -> Result<bool, JobError> {
    let is_refused = tx.refuse_unverified(judged, failure).await?;
    if is_refused {
        tracing::warn!(package = %judged.package, version = %judged.version, step = failure.step.as_str(), %failure, "provenance is refused");
    }
    Ok(is_refused)
}
