//! Versions.

use slipway_common::db::{Listing, Page, ReadTx};
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::dependency::Dependency;
use slipway_common::model::package::Package;
use slipway_common::model::provenance::{Provenance, Unverified};
use slipway_common::model::token::Verb;
use slipway_common::model::version::PackageVersion;
use slipway_common::storage::{Found, ReadRequest, Reading, StorageKey};

use super::packages::{announce, existing};
use super::users::{self, By};
use super::{tags, visibility};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// A version as it is shown by itself.
pub(crate) struct Seen {
    pub(crate) version: PackageVersion,
    /// How many higher ones there are.
    pub(crate) newer: i64,
    /// Who published it.
    pub(crate) by: By,
    /// Where it came from, if that was shown.
    pub(crate) provenance: Option<Provenance>,
    /// What has become of a bundle that could not be verified at once.
    pub(crate) unverified: Option<Unverified>,
}

/// Which version is asked for.
pub(crate) enum Which {
    /// The highest stable one that is not yanked.
    Latest,
    /// This one.
    Exactly(Version),
}

/// A version that resolvers can see. Before that it does not exist for anybody but its author, who follows the task: `deno
/// publish` takes a 200 for "published".
pub(super) async fn announced(tx: &mut ReadTx, package: &Package, version: &Version) -> ApiResult<PackageVersion> {
    let is_announced = |version: &PackageVersion| version.stored_generation.is_some_and(|stored| stored <= package.announced);
    match tx.version(&package.name, version).await?.filter(is_announced) {
        Some(version) => Ok(version),
        None => Err(match tx.quarantine(&package.name, version).await? {
            Some(held) => {
                let why = format!("{}@{version} is kept from everybody by the staff of this registry: {}", package.name, held.reason);
                Code::PackageVersionQuarantined.because(why).into()
            }
            None => Code::PackageVersionNotFound.into(),
        }),
    }
}

/// A version by itself.
pub(crate) async fn show(app: &App, actor: &Actor, name: &PackageName, which: &Which) -> ApiResult<Seen> {
    let mut tx = app.context.db.read().await?;
    let package = visibility::package(&mut tx, actor, name).await?;
    let version = match which {
        Which::Latest => {
            let Some(latest) = tx.latest_version(name).await? else { return Code::PackageVersionNotFound.err() };
            latest
        }
        Which::Exactly(version) => announced(&mut tx, &package, version).await?,
    };
    let newer = tx.count_newer_versions(name, &version.version).await?;
    let by = users::by(&mut tx, version.user_id, version.task_id).await?;
    let provenance = tx.provenance(name, &version.version).await?;
    let unverified = if provenance.is_none() { tx.unverified(name, &version.version).await? } else { None };
    Ok(Seen { version, newer, by, provenance, unverified })
}

/// A page of the versions of a package, highest first, with who published each.
pub(crate) async fn list(app: &App, actor: &Actor, name: &PackageName, page: Page) -> ApiResult<Listing<(PackageVersion, By)>> {
    let mut tx = app.context.db.browse().await?;
    visibility::package(&mut tx, actor, name).await?;
    let listing = tx.versions_of(name, page).await?;
    users::attach(&mut tx, listing, |version| (version.user_id, version.task_id)).await
}

/// Withdraws a version from resolution, or takes that back.
pub(crate) async fn yank(app: &App, actor: &Actor, name: &PackageName, version: &Version, is_yanked: ApiResult<bool>) -> ApiResult<()> {
    let mut tx = app.context.db.write("version.yank").await?;
    actor.admin_to(Verb::Yank, &mut tx, name).await?;
    let is_yanked = is_yanked?;
    // The package before its version, as when a version is stored: two that lock in different order wait for each other. And before it
    // is read, so that nobody gives the version a tag meanwhile.
    tx.bump_generation(name).await?;
    let package = existing(&mut tx, name).await?;
    if !tx.set_yanked(name, version, is_yanked).await? {
        return Code::PackageVersionNotFound.err();
    }
    if is_yanked && let Some(left) = tags::without(&package.tags, version) {
        tx.set_tags(name, &left).await?;
    }
    let act = if is_yanked { Act::VersionYank } else { Act::VersionUnyank };
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::of_version(act, name, version)).await?;
    announce(&app.context, tx, name).await
}

/// What a version needs from elsewhere.
pub(crate) async fn dependencies(app: &App, actor: &Actor, name: &PackageName, version: &Version) -> ApiResult<Vec<Dependency>> {
    let mut tx = app.context.db.browse().await?;
    let package = visibility::package(&mut tx, actor, name).await?;
    announced(&mut tx, &package, version).await?;
    Ok(tx.dependencies_of(name, version).await?)
}

/// The upload a version was made from, as it is read from the store, and whether everybody may read it. Staff reads what it keeps from
/// everybody.
pub(crate) async fn tarball(app: &App, actor: &Actor, name: &PackageName, version: &Version) -> ApiResult<(Found, bool)> {
    let mut tx = app.context.db.read().await?;
    let package = visibility::package(&mut tx, actor, name).await?;
    let held = if actor.staff().is_ok() { tx.quarantine(name, version).await? } else { None };
    let kept = if held.is_some() { tx.version(name, version).await? } else { None };
    let version = match kept {
        Some(version) => version,
        None => announced(&mut tx, &package, version).await?,
    };
    let Some(publish) = tx.publish(version.task_id).await? else { return Code::PublishNotFound.err() };
    // A slow reader must not hold a connection.
    drop(tx);
    match app.context.storage.read(&StorageKey::Upload(publish.upload_id), ReadRequest::default()).await? {
        Reading::Found(found) => Ok((found, package.visibility.is_public() && held.is_none())),
        // Answers to conditions and ranges, of which there are none.
        Reading::NotModified { .. } | Reading::NoSuchRange(_) => Code::Unavailable.err(),
    }
}
