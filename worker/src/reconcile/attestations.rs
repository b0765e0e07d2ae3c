//! What the registry attests of versions: that every version has a statement, that its readers find it, and that it is in the log. Who
//! signed it is looked at with the other signatures.
//!
//! A version that was published before there were statements gets its own here: all that it says stands in the rows. One that was
//! published before a log was configured, or while its package was private, is entered. That is work, not damage, so nobody is told.

use slipway_common::fault::AnyFault;
use slipway_common::jobs;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;

use super::{Problem, Repair, have_done, people, repair};
use crate::attestation;
use crate::jobs::record::write_version;
use crate::workshop::Workshop;

/// What is wrong with what is attested of a version.
pub(super) async fn compare(
    workshop: &Workshop,
    row: &PackageVersion,
    (publish, visibility): (Option<&Publish>, Visibility),
    wanted: Repair,
) -> Result<Option<Problem>, AnyFault> {
    let context = &workshop.context;
    if row.content.attestation.is_none() {
        if let Some(publish) = publish.filter(|_| wanted >= Repair::Documents) {
            attest(workshop, row, publish).await?;
        }
        return Ok(None);
    }
    let is_to_be_logged = context.config.attestation.log.is_some() && visibility.is_public() && row.content.logged.is_none();
    if is_to_be_logged && wanted >= Repair::Documents {
        let mut tx = context.db.write("reconcile.log").await?;
        let job = Job::Log { package: row.package.clone(), version: row.version.clone() };
        let id = jobs::enqueue(&mut tx, &context.ids, &job).await?;
        tx.commit().await?;
        context.ring(job.lane(), id).await;
    }
    // With its record, where there is one, it is compared in a round of its own.
    if context.db.read().await?.provenance(&row.package, &row.version).await?.is_some() {
        return Ok(None);
    }
    people::one(workshop, &Subject::Provenance(row.package.clone(), row.version.clone()), wanted).await
}

/// Attests a version of before, and writes that down where it is told and remembered.
async fn attest(workshop: &Workshop, row: &PackageVersion, publish: &Publish) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let Some(statement) = attestation::statement(row, publish, &repair::called(workshop, row)) else { return Ok(()) };
    let mut tx = context.db.write("reconcile.attest").await?;
    tx.attest_version(&row.package, &row.version, &workshop.signing.attest(statement)).await?;
    tx.commit().await?;
    let before = row.stored_generation.unwrap_or_default() - 1;
    let records = context.db.read().await?.version_records(&row.package, before).await?;
    if let Some(record) = records.iter().find(|record| record.version == row.version) {
        write_version(context, &row.package, record).await?;
    }
    have_done(workshop, &Job::Record { subject: Subject::Provenance(row.package.clone(), row.version.clone()) }).await?;
    tracing::info!(package = %row.package, version = %row.version, "a version of before is attested");
    Ok(())
}
