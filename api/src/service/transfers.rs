//! A package moves to another scope, as long as nothing is published under its name.

use slipway_common::db::WriteTx;
use slipway_common::ids::{PackageName, ScopeName};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::ci::TrustedPublisher;
use slipway_common::model::job::Job;
use slipway_common::model::package::Package;

use super::packages::{self, Counted};
use super::{publishers, scopes};
use crate::app::App;
use crate::auth::actor::{Actor, thawed};
use crate::error::{ApiResult, Code};

/// Moves a package to another scope, for somebody who runs both. What is said of it and whom it trusts in CI goes along.
pub(crate) async fn transfer(app: &App, actor: &Actor, from: &PackageName, to: ApiResult<ScopeName>) -> ApiResult<Counted> {
    let mut tx = app.context.db.write("package.transfer").await?;
    let by = actor.admin(&mut tx, from.scope()).await?;
    thawed(&scopes::existing(&mut tx, from.scope()).await?)?;
    let to = to?;
    actor.admin(&mut tx, &to).await?;
    thawed(&scopes::existing(&mut tx, &to).await?)?;
    // Before anything is read: it locks the row.
    tx.bump_generation(from).await?;
    let package = packages::existing(&mut tx, from).await?;
    let to = PackageName::new(to, from.name()).map_err(|error| Code::PackageNameNotAllowed.because(error.to_string()))?;
    if to == *from {
        return Err(Code::MalformedRequest.because(format!("{from} is in @{} already", from.scope())).into());
    }
    packages::make(&mut tx, &to, package.visibility).await?;
    carry(&mut tx, package, &to).await?;
    if !tx.delete_package(from).await? {
        let why = format!(
            "{from} has versions, or one is being published, and they keep their name: what depends on them names it; archive the \
             package and publish {to} beside it"
        );
        return Err(Code::PackageNotEmpty.because(why).into());
    }
    // Each of the two scopes is told.
    for (deed, other, key) in
        [(Deed::of_package(Act::PackageTransfer, from), &to, "to"), (Deed::of_package(Act::PackageTransfer, &to), from, "from")]
    {
        tx.audit(app.context.ids.next(), &actor.doer(), &deed.with(key, other.to_string())).await?;
    }
    let Some(package) = tx.package(&to).await? else { return Code::PackageNotFound.err() };
    let announce = |package: &PackageName| Job::Announce { package: package.clone() };
    let work = [announce(from), announce(&to), publishers::record(from), publishers::record(&to)];
    packages::finish(&app.context, tx, &work).await?;
    tracing::info!(%from, %to, %by, "a package has moved");
    Ok(Counted { package, versions: 0, latest: None, dependencies: 0 })
}

/// Gives an empty package what another one has beside versions.
async fn carry(tx: &mut WriteTx, package: Package, to: &PackageName) -> ApiResult<()> {
    let from = package.name;
    tx.set_repository(to, package.repository.as_ref()).await?;
    for publisher in tx.publishers_of(&from).await? {
        tx.remove_publisher(&from, publisher.id).await?;
        tx.add_publisher(&TrustedPublisher { package: to.clone(), ..publisher }).await?;
    }
    tx.update_package(&Package { name: to.clone(), ..package }).await?;
    Ok(())
}
