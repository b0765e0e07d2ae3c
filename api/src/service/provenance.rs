//! Where versions came from: taken in when it can be verified, and shown to everybody.

use serde_json::Value;
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::provenance::Provenance;

use super::{packages, versions};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};
use crate::provenance::{About, Expected};

/// Takes in a bundle about a version, from whoever may publish it. The same bundle may come again.
pub(crate) async fn add(app: &App, actor: &Actor, package: &PackageName, version: &Version, bundle: &Value) -> ApiResult<()> {
    let mut tx = app.context.db.read().await?;
    let scope = tx.scope(package.scope()).await?;
    actor.publish(&mut tx, scope.as_ref(), package, version).await?;
    let row = versions::announced(&mut tx, package, version).await?;
    let expected = match tx.ci_identity(row.task_id).await? {
        Some(job) => Expected::Job(Box::new(job)),
        None => Expected::Trusted(tx.publishers_of(package).await?.into_iter().map(|publisher| publisher.demands).collect()),
    };
    // The log may take its time, and must not hold a connection.
    drop(tx);
    let about = About { package: package.clone(), version: version.clone(), meta: row.content.meta };
    let provenance = app.notary.verify(bundle, about, expected, app.context.clock.now()).await?;
    let mut tx = app.context.db.write("provenance.add").await?;
    if !tx.add_provenance(&provenance).await? {
        let known = tx.provenance(package, version).await?;
        return if known.is_some_and(|known| known.bundle == provenance.bundle) { Ok(()) } else { Code::ProvenanceAlreadyKnown.err() };
    }
    let record = Job::Record { subject: Subject::Provenance(package.clone(), version.clone()) };
    packages::finish(&app.context, tx, &[record]).await?;
    tracing::info!(%package, %version, repository = provenance.job.repository, "provenance is verified");
    Ok(())
}

/// Where a version came from.
pub(crate) async fn show(app: &App, package: &PackageName, version: &Version) -> ApiResult<Provenance> {
    let mut tx = app.context.db.read().await?;
    versions::announced(&mut tx, package, version).await?;
    match tx.provenance(package, version).await? {
        Some(provenance) => Ok(provenance),
        None => Code::ProvenanceNotFound.err(),
    }
}
