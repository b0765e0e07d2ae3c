//! Makes a database anew from the stores alone.
//!
//! Who there is, who belongs to what, packages and whom they trust in CI, versions with what they depend on, and the publishes that
//! made them come back as they were. Credentials do not: none was ever stored, so everybody signs in anew. Neither do invites and
//! tickets, which are written anew, nor publishes that came to nothing. What cannot
//! be confirmed by its digest is left out and told.

mod compare;
pub(crate) mod derive;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::{MemberRecord, PackageRecord, PublishersRecord, ScopeRecord, UserRecord, VersionRecord};
use slipway_common::ids::{PackageName, UserId};
use slipway_common::jobs;
use slipway_common::model::job::Job;
use slipway_common::model::package::{DistTags, ReadmeSource, RuntimeCompat, Visibility};
use slipway_common::model::provenance::Provenance;
use slipway_common::storage::{
    PACKAGE_RECORDS, PROVENANCE_RECORDS, PUBLISHERS_RECORDS, SCOPE_RECORDS, StorageKey, USER_RECORDS, VERSION_RECORDS,
};

use crate::records::{self, Records};

pub use compare::compare;

/// What came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many users.
    pub users: u64,
    /// How many scopes.
    pub scopes: u64,
    /// How many packages.
    pub packages: u64,
    /// How many versions.
    pub versions: u64,
    /// What did not come back, or not as it was, each with the reason.
    pub left_out: Vec<String>,
}

/// Fills a database that has the schema and nothing else.
///
/// # Errors
/// When a door fails. The database then has a part of what there is: begin with an empty one again.
pub async fn run(context: &Context) -> Result<Rebuilt, AnyFault> {
    let mut rebuilt = Rebuilt::default();
    let mut users = BTreeSet::new();
    let mut listed = Records::of(USER_RECORDS);
    while let Some(records) = next::<UserRecord>(context, &mut listed, &mut rebuilt).await? {
        let mut tx = context.db.write("rebuild.users").await?;
        for user in records {
            if tx.restore_user(&user).await? {
                rebuilt.users += 1;
                users.insert(user.id);
            } else {
                rebuilt.left_out.push(format!("user {}: there is another one of this login", user.login));
            }
        }
        tx.commit().await?;
    }
    let mut listed = Records::of(SCOPE_RECORDS);
    while let Some(records) = next::<ScopeRecord>(context, &mut listed, &mut rebuilt).await? {
        for scope in records {
            restore_scope(context, scope, &users, &mut rebuilt).await?;
        }
    }
    let mut packages = BTreeSet::new();
    let mut listed = Records::of(PACKAGE_RECORDS);
    while let Some(records) = next::<PackageRecord>(context, &mut listed, &mut rebuilt).await? {
        for package in records {
            packages.insert(package.package.clone());
            restore_package(context, package.package.clone(), Some(package), &users, &mut rebuilt).await?;
        }
    }
    for package in forgotten(context, &packages).await? {
        restore_package(context, package, None, &users, &mut rebuilt).await?;
    }
    let mut listed = Records::of(PUBLISHERS_RECORDS);
    while let Some(records) = next::<PublishersRecord>(context, &mut listed, &mut rebuilt).await? {
        for publishers in records {
            restore_publishers(context, publishers, &users, &mut rebuilt).await?;
        }
    }
    let mut listed = Records::of(PROVENANCE_RECORDS);
    while let Some(records) = next::<Provenance>(context, &mut listed, &mut rebuilt).await? {
        let mut tx = context.db.write("rebuild.provenances").await?;
        for provenance in records {
            let (package, version) = (&provenance.package, &provenance.version);
            if tx.version(package, version).await?.is_none() {
                rebuilt.left_out.push(format!("provenance of {package}@{version}: there is no such version"));
            } else {
                tx.add_provenance(&provenance).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(rebuilt)
}

/// The next records of a directory. What cannot be read is told. Nothing at the end.
async fn next<T: DeserializeOwned + Send + 'static>(
    context: &Context,
    listed: &mut Records,
    rebuilt: &mut Rebuilt,
) -> Result<Option<Vec<T>>, AnyFault> {
    let Some(page) = listed.next(&context.storage).await? else { return Ok(None) };
    let mut found = Vec::new();
    for listed in page {
        match records::read(&context.storage, listed).await? {
            Ok(record) => found.push(record),
            Err(why) => rebuilt.left_out.push(why),
        }
    }
    Ok(Some(found))
}

/// The packages of which nothing is remembered but their versions.
async fn forgotten(context: &Context, remembered: &BTreeSet<PackageName>) -> Result<BTreeSet<PackageName>, AnyFault> {
    let (mut forgotten, mut listed) = (BTreeSet::new(), Records::of(VERSION_RECORDS));
    while let Some(page) = listed.next(&context.storage).await? {
        forgotten.extend(page.into_iter().flatten().filter_map(|key| match key {
            StorageKey::VersionRecord { package, .. } if !remembered.contains(&package) => Some(package),
            _ => None,
        }));
    }
    Ok(forgotten)
}

async fn restore_scope(context: &Context, mut scope: ScopeRecord, known: &BTreeSet<UserId>, rebuilt: &mut Rebuilt) -> Result<(), AnyFault> {
    let name = scope.scope.clone();
    for member in scope.members.extract_if(.., |member| !known.contains(&member.user_id)) {
        rebuilt.left_out.push(format!("member {} of @{name}: there is no such user", member.user_id));
    }
    if !known.contains(&scope.creator_id) {
        let heir = scope.members.iter().find(|member| member.is_admin).or(scope.members.first());
        let Some(heir) = heir.map(|member| member.user_id) else {
            rebuilt.left_out.push(format!("scope @{name}: neither its creator nor any member of it is known"));
            return Ok(());
        };
        rebuilt.left_out.push(format!("creator {} of @{name}: there is no such user, {heir} takes their place", scope.creator_id));
        scope.creator_id = heir;
    }
    let mut tx = context.db.write("rebuild.scope").await?;
    rebuilt.scopes += u64::from(tx.restore_scope(&scope).await?);
    tx.commit().await?;
    Ok(())
}

async fn restore_package(
    context: &Context,
    name: PackageName,
    package: Option<PackageRecord>,
    known: &BTreeSet<UserId>,
    rebuilt: &mut Rebuilt,
) -> Result<(), AnyFault> {
    let remembered = derive::remembered(&context.storage, &name, |unread| rebuilt.left_out.push(unread)).await?;
    if package.is_none() {
        rebuilt.left_out.push(format!("package {name}: it has no record, so what was said of it and which versions were yanked is lost"));
    }
    let package = match package {
        Some(package) => Some(package),
        None => unrecorded(context, &name, &remembered).await?,
    };
    let Some(mut package) = package else { return Ok(()) };
    // Who was to open it has to say so again: the job that copied is not remembered.
    if package.visibility == Visibility::Opening {
        rebuilt.left_out.push(format!("package {name}: it was about to be made public, and is private again"));
        package.visibility = Visibility::Private;
    }
    let shown = shown(context, &name, package.visibility).await?;
    let mut versions = Vec::new();
    for remembered in remembered {
        match derive::version(&context.storage, (&name, package.visibility), &remembered, (&package.changed, &package.held)).await? {
            Ok(version) => versions.push((version, remembered)),
            Err(why) => rebuilt.left_out.push(format!("version {name}@{}: {why}", remembered.version)),
        }
    }
    for (tag, version) in std::mem::take(&mut package.tags) {
        if versions.iter().any(|(row, _)| row.version == version && !row.is_yanked) {
            package.tags.insert(tag, version);
        } else {
            rebuilt.left_out.push(format!("dist-tag {tag} of {name}: there is no version {version} that it could name"));
        }
    }
    // Records are written before the documents that follow from them. What was under way then, or what no record explains, is
    // announced once more, with a number that is above all that readers have seen.
    let stored = versions.iter().map(|(_, remembered)| remembered.stored_generation);
    let remembered = stored.chain([package.generation]).max().unwrap_or_default();
    let announced = shown.iter().copied().chain([remembered]).max().unwrap_or_default();
    let is_settled = shown.iter().all(|shown| *shown == remembered);
    package.generation = if is_settled { announced } else { announced + 1 };

    let mut tx = context.db.write("rebuild.package").await?;
    if tx.scope(name.scope()).await?.is_none() {
        let publisher = versions.iter().rev().find_map(|(version, _)| version.user_id.filter(|user| known.contains(user)));
        let Some(publisher) = publisher else {
            rebuilt.left_out.push(format!("package {name}: its scope has no record, and nobody is known who published it"));
            return Ok(());
        };
        rebuilt.left_out.push(format!("scope @{}: it has no record; {publisher}, who published {name}, runs it now", name.scope()));
        rebuilt.scopes += u64::from(tx.restore_scope(&orphaned(context, &package, publisher)).await?);
    }
    if !tx.restore_package(&package, announced).await? {
        rebuilt.left_out.push(format!("package {name}: there is another one of this name"));
        return Ok(());
    }
    rebuilt.packages += 1;
    for (mut version, remembered) in versions {
        version.user_id = version.user_id.filter(|user| known.contains(user));
        if version.user_id != remembered.user_id {
            rebuilt.left_out.push(format!("publisher of {name}@{}: there is no such user", version.version));
        }
        rebuilt.versions += u64::from(tx.restore_version(&version, &remembered).await?);
        derive::hold(context, &mut tx, &version, &package.held).await?;
    }
    if !is_settled {
        jobs::enqueue(&mut tx, &context.ids, &Job::Announce { package: name }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Trust is not handed on: a package that took the place of the one that is remembered has to be told anew.
async fn restore_publishers(
    context: &Context,
    mut remembered: PublishersRecord,
    known: &BTreeSet<UserId>,
    rebuilt: &mut Rebuilt,
) -> Result<(), AnyFault> {
    let name = remembered.package.clone();
    for publisher in &mut remembered.publishers {
        if let Some(user) = publisher.created_by.take_if(|user| !known.contains(user)) {
            let repository = &publisher.demands.repository;
            rebuilt.left_out.push(format!("user {user}, who had {name} trust {repository}: there is no such user"));
        }
    }
    let mut tx = context.db.write("rebuild.publishers").await?;
    if tx.restore_publishers(&remembered).await? {
        tx.commit().await?;
    } else if !remembered.publishers.is_empty() {
        rebuilt.left_out.push(format!("whom {name} trusts in CI: the package that was told is not there, or has no record"));
    }
    Ok(())
}

/// A package of which nothing is known but its versions, if it has any that can be read.
async fn unrecorded(context: &Context, name: &PackageName, versions: &[VersionRecord]) -> Result<Option<PackageRecord>, AnyFault> {
    let Some(first) = versions.iter().min_by_key(|version| version.created_at) else { return Ok(None) };
    let created_at = first.created_at;
    // Where its objects are says who may read it. What is in quarantine is in neither place, and nobody is shown more than is certain.
    let (mut is_hidden, mut is_shown) = (false, false);
    for version in versions {
        let meta = StorageKey::VersionMeta { package: name.clone(), version: version.version.clone() };
        is_shown |= context.storage.look(&meta).await?.bytes.is_some();
        is_hidden |= context.storage.look(&meta.seen_by(Visibility::Private)).await?.bytes.is_some();
    }
    let is_private = is_hidden || !is_shown;
    Ok(Some(PackageRecord {
        package: name.clone(),
        description: String::new(),
        repository: None,
        is_archived: false,
        readme_source: ReadmeSource::Jsdoc,
        runtime_compat: RuntimeCompat::default(),
        tags: DistTags::default(),
        visibility: if is_private { Visibility::Private } else { Visibility::Public },
        changed: Vec::new(),
        held: Vec::new(),
        created_at,
        updated_at: created_at,
        generation: 0,
    }))
}

/// A scope of which nothing is known but that somebody published in it.
fn orphaned(context: &Context, package: &PackageRecord, publisher: UserId) -> ScopeRecord {
    let (quotas, at) = (context.config.quotas, package.created_at);
    ScopeRecord {
        scope: package.package.scope().clone(),
        description: String::new(),
        creator_id: publisher,
        package_limit: quotas.packages,
        new_package_per_week_limit: quotas.new_packages_per_week,
        publish_attempts_per_week_limit: quotas.publishes_per_week,
        verify_oidc_actor: true,
        require_publishing_from_ci: false,
        is_private: false,
        upload_limits: None,
        frozen: None,
        members: vec![MemberRecord { user_id: publisher, is_admin: true, created_at: at, updated_at: at }],
        created_at: at,
        updated_at: at,
        generation: 0,
    }
}

/// The generations that the documents of a package show.
async fn shown(context: &Context, package: &PackageName, visibility: Visibility) -> Result<Vec<i64>, AnyFault> {
    let keys = [
        StorageKey::PackageMeta(package.clone()),
        StorageKey::Packument(package.clone()),
        StorageKey::PackumentAbbreviated(package.clone()),
    ];
    let mut shown = Vec::new();
    for key in keys {
        let bytes = context.storage.look(&key.seen_by(visibility)).await?.bytes;
        let document = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let of = |document: Value| document["generation"].as_i64().or_else(|| document["_rev"].as_str()?.parse().ok());
        shown.extend(document.and_then(of));
    }
    Ok(shown)
}
