//! Enters what the registry attests of a version in a transparency log.
//!
//! Only public packages: whatever a log has, everybody reads. A log that is away holds nothing up: the version is published, and this is
//! tried until the log answers. Only then is it named in the npm documents, whose readers believe nothing that is in no log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use slipway_common::config::Log;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Version};
use slipway_common::jobs;
use slipway_common::model::job::{Claim, Job, Subject};
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;
use slipway_common::provenance::{Obstacle, Own};
use slipway_common::signing;

use super::{ring, settle};
use crate::attestation;
use crate::error::JobError;
use crate::workshop::Workshop;

/// What is to be entered, and what it was made of.
#[derive(Debug)]
pub(crate) struct Unlogged {
    row: PackageVersion,
    publish: Option<Publish>,
}

/// Reads what is to be entered. Nothing when there is nothing, or it is not for everybody, or is entered already.
pub(crate) async fn start(tx: &mut WriteTx, package: &PackageName, version: &Version) -> Result<Option<Unlogged>, JobError> {
    if tx.package(package).await?.is_none_or(|package| !package.visibility.is_public()) {
        return Ok(None);
    }
    let row = tx.version(package, version).await?;
    // What is in quarantine is told nobody of; the comparison asks again for whatever is not entered.
    let row = row.filter(|row| row.stored_generation.is_some());
    let Some(row) = row.filter(|row| row.content.attestation.is_some() && row.content.logged.is_none()) else { return Ok(None) };
    let publish = tx.publish(row.task_id).await?;
    Ok(Some(Unlogged { row, publish }))
}

/// Enters it.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, unlogged: Unlogged) -> Result<(), JobError> {
    let context = &workshop.context;
    let logged = match &context.config.attestation.log {
        Some(log) => Some(enter(context, log, &unlogged).await?),
        // Whoever asked for it was configured otherwise.
        None => None,
    };
    let row = unlogged.row;
    let mut tx = context.db.write("log.settle").await?;
    let mut next = Vec::new();
    if let Some(logged) = logged {
        let mut work = vec![Job::Record { subject: Subject::Provenance(row.package.clone(), row.version.clone()) }];
        if context.config.attestation.is_shown_to_npm {
            tx.bump_generation(&row.package).await?;
            work.push(Job::Announce { package: row.package.clone() });
        }
        tx.log_attestation(&row.package, &row.version, &logged).await?;
        for job in &work {
            next.push((jobs::enqueue(&mut tx, &context.ids, job).await?, job.lane()));
        }
    }
    next.extend(settle(&mut tx, claim).await?);
    tx.commit().await?;
    for job in next {
        ring(context, Some(job)).await;
    }
    Ok(())
}

/// Enters what we signed, or the same statement signed by whom an authority certified. Only what our key signed, and signed of this version,
/// is: whoever can write rows cannot have it certified.
async fn enter(context: &Context, log: &Log, Unlogged { row, publish }: &Unlogged) -> Result<Value, JobError> {
    let unfit = |what: &str| AnyFault::never(format!("{}@{}: {what}", row.package, row.version));
    let bundle = row.content.attestation.clone().ok_or_else(|| unfit("nothing is attested of it"))?;
    let tarball = attestation::tarball(row).ok_or_else(|| unfit("its npm manifest has no integrity"))?;
    let keys = signing::listed(&context.storage).await?.unwrap_or_default();
    let statement = signing::open(&keys, &bundle, row.created_at).map_err(|_| unfit("what is attested of it is not signed by us"))?;
    if !attestation::is_about(&statement, row, publish.as_ref()) {
        return Err(unfit("what is attested of it is about something else").into());
    }
    let now = context.clock.now();
    let entered = match &log.keyless {
        None => {
            let key = attestation::key_of(&keys, &bundle).ok_or_else(|| unfit("the key that it was signed with is not listed"))?;
            context.notary.enter(log, Own { bundle, key, tarball }, now).await
        }
        Some(keyless) => {
            let statement = attestation::payload(&bundle).and_then(|payload| STANDARD.decode(payload).ok());
            let statement = statement.ok_or_else(|| unfit("what is attested of it cannot be read"))?;
            context.notary.enter_certified((log, keyless), statement, tarball, now).await
        }
    };
    entered.map_err(|obstacle| match obstacle {
        Obstacle::Away(error) => JobError::Retry(AnyFault::later(error)),
        Obstacle::Failure(failure) => JobError::Abandon(AnyFault::never(failure.to_string())),
    })
}
