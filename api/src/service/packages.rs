//! Packages.

use serde_json::json;
use slipway_common::context::Context;
use slipway_common::db::{DbError, Listing, Page, ReadTx, WriteTx};
use slipway_common::ids::{PackageName, ScopeName};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::job::Job;
use slipway_common::model::package::{Package, ReadmeSource, Repository, RuntimeCompat, Visibility};
use slipway_common::model::publish::Publish;
use slipway_common::model::token::Verb;
use slipway_common::model::version::PackageVersion;

use super::rates::{self, Rate, Whose};
use super::users::{self, By};
use super::{publishers, visibility};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Longest description of a package, in bytes. JSR's rule.
const MAX_DESCRIPTION: usize = 250;

/// A package with what its views count.
pub(crate) struct Counted {
    pub(crate) package: Package,
    pub(crate) versions: i64,
    pub(crate) latest: Option<PackageVersion>,
    pub(crate) dependencies: i64,
}

/// What may be changed about a package, one thing at a time.
pub(crate) enum Change {
    Description(String),
    RuntimeCompat(RuntimeCompat),
    ReadmeSource(ReadmeSource),
    Archived(bool),
    /// The repository on GitHub whose workflows publish it.
    Repository(Option<Repository>),
    /// Whether only members of the scope may read it.
    Private(bool),
}

/// Creates an empty package.
pub(crate) async fn create(app: &App, actor: &Actor, scope: &ScopeName, new: ApiResult<(String, Visibility)>) -> ApiResult<Counted> {
    let mut tx = app.context.db.write("package.create").await?;
    // Who may not create anything here does not hear about names.
    let named = new.and_then(|(name, visibility)| match PackageName::new(scope.clone(), &name) {
        Ok(name) => Ok((name, visibility)),
        Err(error) => Err(Code::PackageNameNotAllowed.because(error.to_string()).into()),
    });
    let (name, visibility) = match named {
        Ok((name, visibility)) => {
            actor.member_to(Verb::Manage, &mut tx, &name).await?;
            (name, visibility)
        }
        Err(error) => {
            actor.member(&mut tx, scope).await?;
            return Err(error);
        }
    };
    rates::spend(&app.context, &mut tx, Rate::Packages, Whose::of(actor)?).await?;
    make(&mut tx, &name, visibility).await?;
    let deed = Deed::of_package(Act::PackageCreate, &name).with("visibility", visibility.as_str());
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    let package = tx.package(&name).await?;
    announce(&app.context, tx, &name).await?;
    match package {
        Some(package) => Ok(Counted { package, versions: 0, latest: None, dependencies: 0 }),
        None => Code::PackageNotFound.err(),
    }
}

/// Makes an empty package, as far as the quotas of its scope go. In a private scope it is private, and the scope does not become private
/// meanwhile.
pub(super) async fn make(tx: &mut WriteTx, name: &PackageName, visibility: Visibility) -> ApiResult<()> {
    let Some(of_scope) = tx.scope_to_change(name.scope()).await? else { return Code::ScopeNotFound.err() };
    let is_new = match tx.create_package(name, visibility).await {
        // The scope was there a moment ago, and somebody deleted it since.
        Err(DbError::Conflict(_)) => return Code::ScopeNotFound.err(),
        outcome => outcome?,
    };
    if !is_new {
        return taken(tx, name).await;
    }
    // Counted with the new row in place, so that of two racing requests one sees the other's.
    let used = tx.scope_usage(name.scope()).await?;
    if used.new_packages_per_week > of_scope.quotas.new_packages_per_week {
        return Code::WeeklyPackageLimitExceeded.err();
    }
    if used.packages > of_scope.quotas.packages {
        return Code::PackageLimitExceeded.err();
    }
    Ok(())
}

/// Why a package cannot be called so.
pub(super) async fn taken<T>(tx: &mut ReadTx, name: &PackageName) -> ApiResult<T> {
    match tx.package_like(name).await? {
        Some(other) if other.skeleton() != name.skeleton() => {
            let why = format!("`{}` is easily taken for {other}, which exists already; choose another name", name.name());
            Err(Code::PackageNameTooSimilar.because(why).into())
        }
        _ => Code::PackageAlreadyExists.err(),
    }
}

/// A package with its counts.
pub(crate) async fn show(app: &App, actor: &Actor, name: &PackageName) -> ApiResult<Counted> {
    let mut tx = app.context.db.read().await?;
    let package = visibility::package(&mut tx, actor, name).await?;
    let mut counted = count(&mut tx, package).await?;
    if let Some(latest) = &counted.latest {
        counted.dependencies = i64::try_from(tx.dependencies_of(name, &latest.version).await?.len()).unwrap_or(i64::MAX);
    }
    Ok(counted)
}

/// The package, or the refusal that says that there is none. For who is known to belong to its scope.
pub(crate) async fn existing(tx: &mut ReadTx, name: &PackageName) -> ApiResult<Package> {
    match tx.package(name).await? {
        Some(package) => Ok(package),
        None => Code::PackageNotFound.err(),
    }
}

async fn count(tx: &mut ReadTx, package: Package) -> ApiResult<Counted> {
    let versions = tx.count_versions(&package.name).await?;
    let latest = tx.latest_version(&package.name).await?;
    Ok(Counted { package, versions, latest, dependencies: 0 })
}

pub(super) async fn count_all(tx: &mut ReadTx, listing: Listing<Package>) -> ApiResult<Listing<Counted>> {
    let mut items = Vec::with_capacity(listing.items.len());
    for package in listing.items {
        items.push(count(tx, package).await?);
    }
    Ok(Listing { items, total: listing.total })
}

/// A page of the packages of a scope. Archived ones are shown to the scope's admins.
pub(crate) async fn of_scope(app: &App, actor: &Actor, scope: &ScopeName, page: Page) -> ApiResult<Listing<Counted>> {
    let mut tx = app.context.db.browse().await?;
    visibility::scope(&mut tx, actor, scope).await?;
    let with_archived = actor.is_admin(&mut tx, scope).await?;
    let listing = tx.packages_of(scope, visibility::reader(actor), with_archived, page).await?;
    count_all(&mut tx, listing).await
}

/// A page of the packages that a query finds: `name`, `@scope/name`, or `scope name`.
pub(crate) async fn find(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<Counted>> {
    let (scope, name) = terms(query);
    let mut tx = app.context.db.browse().await?;
    let listing = tx.find_packages(scope, name, visibility::reader(actor), page).await?;
    count_all(&mut tx, listing).await
}

/// What a query looks for in scopes, and what in names.
pub(super) fn terms(query: &str) -> (&str, &str) {
    let query = query.trim();
    let query = query.strip_prefix('@').unwrap_or(query);
    let (scope, name) = query.split_once(' ').or_else(|| query.split_once('/')).unwrap_or((query, query));
    (scope.trim(), name.trim())
}

/// Changes one thing about a package, and announces it.
pub(crate) async fn change(app: &App, actor: &Actor, name: &PackageName, change: ApiResult<Change>) -> ApiResult<Counted> {
    let mut tx = app.context.db.write("package.change").await?;
    let member = actor.member_to(Verb::Manage, &mut tx, name).await?;
    let change = change?;
    let user = match &change {
        Change::Description(_) => member,
        // They decide who may publish and who may read, which no restricted credential does.
        Change::Repository(_) | Change::Private(_) => actor.admin(&mut tx, name.scope()).await?,
        _ => actor.admin_to(Verb::Manage, &mut tx, name).await?,
    };
    // Before anything is read: it locks the row, so that of two changes at once the second one builds on the first.
    tx.bump_generation(name).await?;
    let mut package = existing(&mut tx, name).await?;
    if package.is_archived && !matches!(change, Change::Archived(_)) {
        return Code::PackageArchived.err();
    }
    let mut work = vec![Job::Announce { package: name.clone() }];
    tx.audit(app.context.ids.next(), &actor.doer(), &changed(&package, &change)).await?;
    match change {
        Change::Description(text) => package.description = describe(&text)?,
        Change::RuntimeCompat(compat) => package.runtime_compat = compat,
        Change::ReadmeSource(source) => package.readme_source = source,
        Change::Archived(is_archived) => package.is_archived = is_archived,
        Change::Repository(repository) => {
            publishers::link(&app.context, &mut tx, name, user, repository.as_ref()).await?;
            package.repository = repository;
            work.push(publishers::record(name));
        }
        Change::Private(is_private) => work.extend(visibility::change(&mut tx, &mut package, is_private).await?),
    }
    tx.update_package(&package).await?;
    let counted = count(&mut tx, package).await?;
    finish(&app.context, tx, &work).await?;
    Ok(counted)
}

/// What is changed about a package, as it is written down.
fn changed(before: &Package, change: &Change) -> Deed {
    let deed = Deed::of_package(Act::PackageChange, &before.name);
    match change {
        Change::Description(text) => deed.changing("description", before.description.as_str(), text.trim()),
        Change::RuntimeCompat(compat) => deed.changing("runtimeCompat", json!(before.runtime_compat), json!(compat)),
        Change::ReadmeSource(source) => deed.changing("readmeSource", before.readme_source.as_str(), source.as_str()),
        Change::Archived(is_archived) => deed.changing("isArchived", before.is_archived, *is_archived),
        Change::Repository(repository) => deed.changing("repository", json!(before.repository), json!(repository)),
        Change::Private(is_private) => {
            let wanted = if *is_private { Visibility::Private } else { Visibility::Public };
            deed.changing("visibility", before.visibility.as_str(), wanted.as_str())
        }
    }
}

/// Commits what was changed about a package, and has it announced.
pub(super) async fn announce(context: &Context, tx: WriteTx, name: &PackageName) -> ApiResult<()> {
    finish(context, tx, &[Job::Announce { package: name.clone() }]).await
}

/// Commits what was changed, and has done what follows from it.
pub(super) async fn finish(context: &Context, mut tx: WriteTx, work: &[Job]) -> ApiResult<()> {
    let mut enqueued = Vec::with_capacity(work.len());
    for job in work {
        enqueued.push((job.lane(), jobs::enqueue(&mut tx, &context.ids, job).await?));
    }
    tx.commit().await?;
    for (lane, id) in enqueued {
        context.ring(lane, id).await;
    }
    Ok(())
}

/// A description: one line of at most 250 bytes.
fn describe(text: &str) -> ApiResult<String> {
    let text = text.trim().replace('\r', "").replace('\n', " ");
    if text.len() > MAX_DESCRIPTION || text.chars().any(char::is_control) {
        return Err(Code::MalformedRequest
            .because(format!("the description of a package is one line of at most {MAX_DESCRIPTION} bytes"))
            .into());
    }
    Ok(text)
}

/// Deletes a package that has nothing in it.
pub(crate) async fn delete(app: &App, actor: &Actor, name: &PackageName) -> ApiResult<()> {
    let mut tx = app.context.db.write("package.delete").await?;
    actor.admin_to(Verb::Manage, &mut tx, name).await?;
    existing(&mut tx, name).await?;
    if !tx.delete_package(name).await? {
        return Code::PackageNotEmpty.err();
    }
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::of_package(Act::PackageDelete, name)).await?;
    finish(&app.context, tx, &[Job::Announce { package: name.clone() }, publishers::record(name)]).await
}

/// A page of the publishes of a package with who asked for each, for its members.
pub(crate) async fn publishes(app: &App, actor: &Actor, name: &PackageName, page: Page) -> ApiResult<Listing<(Publish, By)>> {
    let mut tx = app.context.db.read().await?;
    actor.member_to(Verb::Read, &mut tx, name).await?;
    existing(&mut tx, name).await?;
    let listing = tx.publishes_of(name, page).await?;
    users::attach(&mut tx, listing, |publish| (publish.user_id, publish.id)).await
}
