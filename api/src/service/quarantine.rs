//! Versions that staff keeps from everybody: neither listed nor served, and not a byte of them lost.

use slipway_common::context::Context;
use slipway_common::db::{Listing, Page, ReadTx, WriteTx};
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::quarantine::Quarantine;

use super::packages::{existing, finish};
use super::staff::said;
use super::versions;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// A page of what is in quarantine, the latest first.
pub(crate) async fn list(app: &App, actor: &Actor, page: Page) -> ApiResult<Listing<Quarantine>> {
    actor.staff()?;
    all(&app.context, page).await
}

/// The same for whoever has the command line.
pub(crate) async fn all(context: &Context, page: Page) -> ApiResult<Listing<Quarantine>> {
    Ok(context.db.read().await?.quarantines(page).await?)
}

/// Keeps a version from everybody; staff's way.
pub(crate) async fn hold(
    app: &App,
    actor: &Actor,
    name: &PackageName,
    version: ApiResult<Version>,
    reason: ApiResult<String>,
) -> ApiResult<Quarantine> {
    actor.staff()?;
    hold_as(&app.context, &actor.doer().as_staff(), name, &version?, &reason?).await
}

/// The same by whoever answers for it. What is kept already is kept for this reason, and what could not be moved is tried again.
pub(crate) async fn hold_as(context: &Context, doer: &Doer, name: &PackageName, version: &Version, reason: &str) -> ApiResult<Quarantine> {
    let reason = said(reason)?;
    let mut tx = context.db.write("version.quarantine").await?;
    // The package before its version, as when a version is stored.
    let Some(generation) = tx.bump_generation(name).await? else { return Code::PackageNotFound.err() };
    let before = tx.quarantine(name, version).await?;
    if before.is_none() {
        let package = existing(&mut tx, name).await?;
        // One that is not announced yet has a publish that waits for it.
        versions::announced(&mut tx, &package, version).await?;
    }
    if !tx.hold_version(name, version, &reason, generation).await? {
        return Code::PackageVersionNotFound.err();
    }
    let deed = Deed::of_version(Act::VersionQuarantine, name, version);
    let deed = deed.changing("reason", before.map(|before| before.reason), Some(reason));
    tx.audit(context.ids.next(), doer, &deed).await?;
    let held = settle(context, tx, name, version).await?;
    tracing::info!(package = %name, %version, "a version was put into quarantine");
    Ok(held)
}

/// Lets everybody have a version again, as soon as its objects are back in their places; staff's way.
pub(crate) async fn release(app: &App, actor: &Actor, name: &PackageName, version: ApiResult<Version>) -> ApiResult<Quarantine> {
    actor.staff()?;
    release_as(&app.context, &actor.doer().as_staff(), name, &version?).await
}

/// The same by whoever answers for it.
pub(crate) async fn release_as(context: &Context, doer: &Doer, name: &PackageName, version: &Version) -> ApiResult<Quarantine> {
    let mut tx = context.db.write("version.release").await?;
    let Some(_) = tx.bump_generation(name).await? else { return Code::PackageNotFound.err() };
    if !tx.begin_release(name, version).await? {
        return Code::QuarantineNotFound.err();
    }
    tx.audit(context.ids.next(), doer, &Deed::of_version(Act::VersionRelease, name, version)).await?;
    let released = settle(context, tx, name, version).await?;
    tracing::info!(package = %name, %version, "a version is to come out of the quarantine");
    Ok(released)
}

/// Whether the actor may read what is kept of a version in the quarantine: staff, if the package is public. What is private is its members'
/// affair, and they are not shown it either.
pub(crate) async fn may_look(tx: &mut ReadTx, actor: &Actor, name: &PackageName, version: &Version) -> ApiResult<bool> {
    if actor.staff().is_err() || tx.quarantine(name, version).await?.is_none() {
        return Ok(false);
    }
    Ok(tx.package(name).await?.is_some_and(|package| package.visibility.is_public()))
}

/// Has done what follows, and says how the version stands.
async fn settle(context: &Context, mut tx: WriteTx, name: &PackageName, version: &Version) -> ApiResult<Quarantine> {
    let Some(quarantine) = tx.quarantine(name, version).await? else { return Code::QuarantineNotFound.err() };
    let work = [
        // First, so that nobody is told of what they cannot have.
        Job::Announce { package: name.clone() },
        Job::Quarantine { package: name.clone(), version: version.clone() },
        // What is attested of it.
        Job::Record { subject: Subject::Provenance(name.clone(), version.clone()) },
    ];
    finish(context, tx, &work).await?;
    Ok(quarantine)
}
