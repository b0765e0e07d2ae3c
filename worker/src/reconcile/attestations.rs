//! What the registry attests of versions: that every version has a statement, and that its readers find it. Who signed it is looked at with
//! the other signatures.
//!
//! A version that was published before there were statements gets its own here: all that it says stands in the rows.

use slipway_common::fault::AnyFault;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;

use super::{Code, Problem, Repair, have_done, people, repair};
use crate::attestation;
use crate::jobs::record::write_version;
use crate::workshop::Workshop;

/// What is wrong with what is attested of a version.
pub(super) async fn compare(
    workshop: &Workshop,
    row: &PackageVersion,
    publish: Option<&Publish>,
    wanted: Repair,
) -> Result<Option<Problem>, AnyFault> {
    let subject = Subject::Provenance(row.package.clone(), row.version.clone());
    if row.content.attestation.is_some() {
        // With its record, where there is one, it is compared in a round of its own.
        let has_provenance = workshop.context.db.read().await?.provenance(&row.package, &row.version).await?.is_some();
        return if has_provenance { Ok(None) } else { people::one(workshop, &subject, wanted).await };
    }
    let Some(publish) = publish else { return Ok(None) };
    let Some(statement) = attestation::statement(row, publish, &repair::called(workshop, row)) else { return Ok(None) };
    let mut problem = Problem::new(Code::NotAttested, format!("{}@{}", row.package, row.version), "it has no statement of the registry");
    if wanted >= Repair::Documents {
        let mut tx = workshop.context.db.write("reconcile.attest").await?;
        tx.attest_version(&row.package, &row.version, &workshop.signing.attest(statement)).await?;
        tx.commit().await?;
        remember(workshop, row).await?;
        have_done(workshop, &Job::Record { subject }).await?;
        problem.is_repaired = true;
    }
    Ok(Some(problem))
}

/// Writes the record of a version again, which says it from now on.
async fn remember(workshop: &Workshop, row: &PackageVersion) -> Result<(), AnyFault> {
    let before = row.stored_generation.unwrap_or_default() - 1;
    let records = workshop.context.db.read().await?.version_records(&row.package, before).await?;
    match records.iter().find(|record| record.version == row.version) {
        Some(record) => write_version(&workshop.context, &row.package, record).await,
        None => Ok(()),
    }
}
