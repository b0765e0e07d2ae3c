//! Where versions came from: taken in when it can be verified, kept for later when the log is away, and shown to everybody.

use serde_json::Value;
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::provenance::{Provenance, Standing};
use slipway_common::provenance::{About, Expected, Obstacle, Patience};

use super::rates::{self, Rate, Whose};
use super::{packages, versions, visibility};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// What has become of a bundle.
pub(crate) enum Taken {
    /// It holds.
    Verified,
    /// The transparency log is away: it is verified when the log is back.
    Waiting,
}

/// Takes in a bundle about a version, from whoever may publish it. The same bundle may come again.
pub(crate) async fn add(app: &App, actor: &Actor, package: &PackageName, version: &Version, bundle: &Value) -> ApiResult<Taken> {
    let mut tx = app.context.db.read().await?;
    let scope = tx.scope(package.scope()).await?;
    actor.publish(&mut tx, scope.as_ref(), package, version).await?;
    let of_package = packages::existing(&mut tx, package).await?;
    let row = versions::announced(&mut tx, &of_package, version).await?;
    let expected = Expected::of(&mut tx, &row).await?;
    // The log may take its time, and must not hold a connection.
    drop(tx);
    rates::attempt(&app.context, Rate::Provenance, Whose::of(actor)?).await?;
    let now = app.context.clock.now();
    match app.context.notary.verify(bundle, About::from(&row), &expected, now, Patience::OfClient).await {
        Ok(provenance) => keep(app, actor, &provenance).await,
        Err(Obstacle::Failure(failure)) => Err(failure.into()),
        Err(Obstacle::Away(error)) => {
            tracing::warn!(%package, %version, error, "a bundle waits");
            wait(app, actor, package, version, bundle).await
        }
    }
}

/// Keeps what was verified.
async fn keep(app: &App, actor: &Actor, provenance: &Provenance) -> ApiResult<Taken> {
    let (package, version) = (&provenance.package, &provenance.version);
    let mut tx = app.context.db.write("provenance.add").await?;
    if !tx.add_provenance(provenance).await? {
        let known = tx.provenance(package, version).await?;
        let is_same = known.is_some_and(|known| known.bundle == provenance.bundle);
        return if is_same { Ok(Taken::Verified) } else { Code::ProvenanceAlreadyKnown.err() };
    }
    tx.drop_unverified(package, version).await?;
    let deed = Deed::of_version(Act::ProvenanceAdd, package, version).with("repository", provenance.job.repository.as_str());
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    let record = Job::Record { subject: Subject::Provenance(package.clone(), version.clone()) };
    packages::finish(&app.context, tx, &[record]).await?;
    tracing::info!(%package, %version, repository = provenance.job.repository, "provenance is verified");
    Ok(Taken::Verified)
}

/// Keeps a bundle until the log answers.
async fn wait(app: &App, actor: &Actor, package: &PackageName, version: &Version, bundle: &Value) -> ApiResult<Taken> {
    let mut tx = app.context.db.write("provenance.wait").await?;
    if let Some(known) = tx.provenance(package, version).await? {
        // Nobody signs twice with the same outcome, so the signature tells whether it is the one that was verified.
        let verified = known.bundle.pointer("/dsseEnvelope/signatures/0/sig");
        let is_same = verified.is_some() && verified == bundle.pointer("/content/dsseEnvelope/signatures/0/sig");
        return if is_same { Ok(Taken::Verified) } else { Code::ProvenanceAlreadyKnown.err() };
    }
    tx.keep_unverified(package, version, bundle).await?;
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::of_version(Act::ProvenanceWait, package, version)).await?;
    let attest = Job::Attest { package: package.clone(), version: version.clone() };
    packages::finish(&app.context, tx, &[attest]).await?;
    Ok(Taken::Waiting)
}

/// Where a version came from.
pub(crate) async fn show(app: &App, actor: &Actor, package: &PackageName, version: &Version) -> ApiResult<Provenance> {
    let mut tx = app.context.db.read().await?;
    let of_package = visibility::package(&mut tx, actor, package).await?;
    versions::announced(&mut tx, &of_package, version).await?;
    if let Some(provenance) = tx.provenance(package, version).await? {
        return Ok(provenance);
    }
    match tx.unverified(package, version).await?.map(|unverified| unverified.standing) {
        None => Code::ProvenanceNotFound.err(),
        Some(Standing::Waiting(_)) => Code::ProvenanceNotVerified.err(),
        Some(Standing::Refused(failure)) => {
            let refused = Code::of(failure.step);
            Err(Code::ProvenanceNotFound.because(format!("what was handed in was refused: {}: {}", refused.message(), failure.why)).into())
        }
    }
}
