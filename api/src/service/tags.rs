//! Dist-tags: names that members give to versions, for `npm install @jsr/scope__package@next`.
//!
//! `latest` is not among them: it follows the versions by itself, by the same rule on every address.

use std::collections::BTreeMap;

use slipway_common::ids::{DistTag, PackageName, Version};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::package::DistTags;
use slipway_common::model::token::Verb;

use super::packages::{announce, existing};
use super::versions::announced;
use super::visibility;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Most dist-tags of a package beside `latest`. Every client reads all of them with each document. Packages that keep one for each of
/// their old lines have some thirty.
const MAX_TAGS: usize = 100;

/// The dist-tags of a package with `latest`, if it has any version that can be installed.
pub(crate) async fn list(app: &App, actor: &Actor, name: &PackageName) -> ApiResult<BTreeMap<DistTag, Version>> {
    let mut tx = app.context.db.read().await?;
    let mut tags = visibility::package(&mut tx, actor, name).await?.tags;
    // They come back with their versions.
    let held = tx.quarantined_versions(name).await?;
    tags.retain(|_, version| !held.contains(version));
    if let (Ok(tag), Some(version)) = (DistTag::try_from(DistTag::LATEST), tx.default_version(name).await?) {
        tags.insert(tag, version);
    }
    Ok(tags)
}

/// Gives a version a tag, which leaves the version that had it.
pub(crate) async fn set(app: &App, actor: &Actor, name: &PackageName, tag: &str, version: &str) -> ApiResult<()> {
    change(app, actor, name, tag, Some(version)).await
}

/// Takes a tag away.
pub(crate) async fn remove(app: &App, actor: &Actor, name: &PackageName, tag: &str) -> ApiResult<()> {
    change(app, actor, name, tag, None).await
}

async fn change(app: &App, actor: &Actor, name: &PackageName, tag: &str, version: Option<&str>) -> ApiResult<()> {
    let mut tx = app.context.db.write("tag.change").await?;
    actor.member_to(Verb::Manage, &mut tx, name).await?;
    // Before anything is read: it locks the row, so that of two changes at once, or of a tag and a yank, one builds on the other.
    tx.bump_generation(name).await?;
    let package = existing(&mut tx, name).await?;
    if package.is_archived {
        return Code::PackageArchived.err();
    }
    let (tag, before) = (of_members(tag)?, &package.tags);
    let mut tags = before.clone();
    let named = tag.clone();
    match version {
        Some(version) => {
            let version = Version::try_from(version).map_err(|error| Code::MalformedRequest.because(error.to_string()))?;
            if announced(&mut tx, &package, &version).await?.is_yanked {
                return Code::PackageVersionYanked.err();
            }
            tags.insert(tag, version);
            if tags.len() > MAX_TAGS {
                return Err(Code::DistTagLimitExceeded
                    .because(format!("a package has at most {MAX_TAGS} dist-tags; remove one first"))
                    .into());
            }
        }
        None if tags.remove(&tag).is_none() => return Code::DistTagNotFound.err(),
        None => {}
    }
    if tags == *before {
        return Ok(());
    }
    tx.set_tags(name, &tags).await?;
    let act = if version.is_some() { Act::TagSet } else { Act::TagRemove };
    let of = |tags: &DistTags| tags.get(&named).map(ToString::to_string);
    let deed = Deed::of_package(act, name).with("tag", named.as_str()).changing("version", of(before), of(&tags));
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    announce(&app.context, tx, name).await
}

/// A tag that members may set.
fn of_members(tag: &str) -> ApiResult<DistTag> {
    let tag = DistTag::try_from(tag).map_err(|error| Code::DistTagNotAllowed.because(error.to_string()))?;
    if tag.as_str() == DistTag::LATEST {
        let why = "`latest` follows the highest stable version by itself, so it is not set by hand: yank a version to take it back, or use \
                   another tag, such as `next`";
        return Err(Code::DistTagNotAllowed.because(why).into());
    }
    Ok(tag)
}

/// The tags that are left when a version is yanked. None if it had none.
pub(super) fn without(tags: &DistTags, version: &Version) -> Option<DistTags> {
    let left: DistTags = tags.iter().filter(|(_, named)| *named != version).map(|(tag, named)| (tag.clone(), named.clone())).collect();
    (left.len() < tags.len()).then_some(left)
}
