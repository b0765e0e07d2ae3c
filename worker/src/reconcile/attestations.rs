//! What the registry attests of versions: that every version has a statement, that its readers find it, that it is in the log, and that what
//! the log has of it holds. The signature that each was committed with is looked at with the others.
//!
//! A version that was published before there were statements gets its own here: all that it says stands in the rows. One that was
//! published before a log was configured, or while its package was private, is entered. That is work, not damage, so nobody is told.

use slipway_common::fault::AnyFault;
use slipway_common::formats::npm_keys::NpmKeys;
use slipway_common::jobs;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;

use super::{Code, Problem, Repair, have_done, people, repair};
use crate::attestation;
use crate::jobs::record::write_version;
use crate::workshop::Workshop;

/// What is wrong with what is attested of a version: with what a log has, and with what readers find.
pub(super) async fn compare(
    workshop: &Workshop,
    row: &PackageVersion,
    (publish, visibility): (Option<&Publish>, Visibility),
    keys: Option<&NpmKeys>,
    wanted: Repair,
) -> Result<Vec<Problem>, AnyFault> {
    let context = &workshop.context;
    if row.content.attestation.is_none() {
        if let Some(publish) = publish.filter(|_| wanted >= Repair::Documents) {
            attest(workshop, row, publish).await?;
        }
        return Ok(Vec::new());
    }
    let is_to_be_logged = context.config.attestation.log.is_some() && visibility.is_public() && row.content.logged.is_none();
    if is_to_be_logged && wanted >= Repair::Documents {
        log(workshop, row).await?;
    }
    let mut problems = Vec::from_iter(of_log(workshop, row, keys).await);
    // With its record, where there is one, the document is compared in a round of its own.
    if context.db.read().await?.provenance(&row.package, &row.version).await?.is_none() {
        problems.extend(people::one(workshop, &Subject::Provenance(row.package.clone(), row.version.clone()), wanted).await?);
    }
    Ok(problems)
}

/// Has a version entered in the log, unless that was given up: every further try may leave another entry there.
async fn log(workshop: &Workshop, row: &PackageVersion) -> Result<(), AnyFault> {
    let context = &workshop.context;
    let job = Job::Log { package: row.package.clone(), version: row.version.clone() };
    let mut tx = context.db.write("reconcile.log").await?;
    if tx.is_known(&job).await? {
        return Ok(());
    }
    let id = jobs::enqueue(&mut tx, &context.ids, &job).await?;
    tx.commit().await?;
    context.ring(job.lane(), id).await;
    Ok(())
}

/// What is wrong with what a log has of a version, which readers find in the place of what we signed. Without the list of keys nothing can be
/// said, and that it is missing is told elsewhere.
async fn of_log(workshop: &Workshop, row: &PackageVersion, keys: Option<&NpmKeys>) -> Option<Problem> {
    let context = &workshop.context;
    let (logged, tarball) = (row.content.logged.as_ref()?, attestation::tarball(row)?);
    let key = attestation::key_of(keys?, logged);
    let judged = context.notary.examine_entered(logged, key.as_deref(), tarball, context.clock.now()).await;
    let what = format!("what a log has of it does not hold: {}", judged.err()?);
    Some(Problem::new(Code::SignatureInvalid, format!("{}@{}", row.package, row.version), what))
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
