//! Versions.

use bytes::Bytes;
use slipway_common::db::{Listing, Page};
use slipway_common::ids::{PackageName, Version};
use slipway_common::jobs;
use slipway_common::model::dependency::Dependency;
use slipway_common::model::job::Job;
use slipway_common::model::version::PackageVersion;
use slipway_common::storage::StorageKey;

use super::packages::existing;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Which version is asked for.
pub(crate) enum Which {
    /// The highest stable one that is not yanked.
    Latest,
    /// This one.
    Exactly(Version),
}

/// A version, and how many higher ones there are.
pub(crate) async fn show(app: &App, name: &PackageName, which: &Which) -> ApiResult<(PackageVersion, i64)> {
    let mut tx = app.context.db.read().await?;
    let package = existing(&mut tx, name).await?;
    // Before resolvers can see it a version does not exist: `deno publish` takes a 200 for "published".
    let is_announced = |version: &PackageVersion| version.stored_generation.is_some_and(|stored| stored <= package.announced);
    let version = match which {
        Which::Latest => tx.latest_version(name).await?,
        Which::Exactly(version) => tx.version(name, version).await?.filter(is_announced),
    };
    let Some(version) = version else { return Code::PackageVersionNotFound.err() };
    let newer = tx.count_newer_versions(name, &version.version).await?;
    Ok((version, newer))
}

/// A page of the versions of a package, highest first.
pub(crate) async fn list(app: &App, name: &PackageName, page: Page) -> ApiResult<Listing<PackageVersion>> {
    let mut tx = app.context.db.read().await?;
    existing(&mut tx, name).await?;
    Ok(tx.versions_of(name, page).await?)
}

/// Withdraws a version from resolution, or takes that back.
pub(crate) async fn yank(app: &App, actor: &Actor, name: &PackageName, version: &Version, is_yanked: bool) -> ApiResult<()> {
    let mut tx = app.context.db.write("version.yank").await?;
    actor.admin(&mut tx, name.scope()).await?;
    existing(&mut tx, name).await?;
    if !tx.set_yanked(name, version, is_yanked).await? {
        return Code::PackageVersionNotFound.err();
    }
    tx.bump_generation(name).await?;
    let job = Job::Announce { package: name.clone() };
    let id = jobs::enqueue(&mut tx, &app.context.ids, &job).await?;
    tx.commit().await?;
    app.context.ring(job.lane(), id).await;
    Ok(())
}

/// What a version needs from elsewhere.
pub(crate) async fn dependencies(app: &App, name: &PackageName, version: &Version) -> ApiResult<Vec<Dependency>> {
    let mut tx = app.context.db.read().await?;
    existing(&mut tx, name).await?;
    if tx.version(name, version).await?.is_none() {
        return Code::PackageVersionNotFound.err();
    }
    Ok(tx.dependencies_of(name, version).await?)
}

/// The upload a version was made from.
pub(crate) async fn tarball(app: &App, name: &PackageName, version: &Version) -> ApiResult<Bytes> {
    let mut tx = app.context.db.read().await?;
    existing(&mut tx, name).await?;
    let Some(version) = tx.version(name, version).await? else { return Code::PackageVersionNotFound.err() };
    let Some(publish) = tx.publish(version.task_id).await? else { return Code::PublishNotFound.err() };
    drop(tx);
    Ok(app.context.storage.get(&StorageKey::Upload(publish.upload_id)).await?)
}
