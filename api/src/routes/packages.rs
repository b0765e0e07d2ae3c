//! Packages.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use slipway_common::ids::ScopeName;
use slipway_common::model::package::{ReadmeSource, Repository, RuntimeCompat, Visibility};

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, PackageAt, Paging, ScopeAt};
use crate::service::packages::{self, Change};
use crate::service::transfers;
use crate::views::{ListView, PackageView};

/// The packages a query finds.
pub(crate) async fn find(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<PackageView>>> {
    let found = packages::find(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, PackageView::new)))
}

/// The packages of a scope.
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    paging: Paging,
) -> ApiResult<Json<ListView<PackageView>>> {
    let listing = packages::of_scope(&app, &actor, &scope, paging.page).await?;
    Ok(Json(ListView::new(listing, PackageView::new)))
}

#[derive(Deserialize)]
pub(crate) struct NewPackage {
    package: String,
    #[serde(default)]
    visibility: Wanted,
}

/// Who is to read a package, or to know of a scope.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wanted {
    /// Everybody.
    #[default]
    Public,
    /// The members of its scope.
    Private,
}

impl NewPackage {
    fn named(self) -> (String, Visibility) {
        let visibility = if self.visibility == Wanted::Private { Visibility::Private } else { Visibility::Public };
        (self.package, visibility)
    }
}

/// A new, empty package.
pub(crate) async fn create(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    new: ApiResult<Json<NewPackage>>,
) -> ApiResult<Json<PackageView>> {
    let package = packages::create(&app, &actor, &scope, new.map(|Json(new)| new.named())).await?;
    Ok(Json(PackageView::new(package)))
}

/// A package.
pub(crate) async fn show(State(app): State<App>, actor: Actor, PackageAt(package): PackageAt) -> ApiResult<Json<PackageView>> {
    Ok(Json(PackageView::new(packages::show(&app, &actor, &package).await?)))
}

/// One thing to change about a package.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OneChange {
    Description(String),
    RuntimeCompat(RuntimeCompat),
    ReadmeSource(ReadmeSource),
    IsArchived(bool),
    Visibility(Wanted),
    /// `null` takes it back.
    GithubRepository(Option<NewRepository>),
}

/// A repository, with the number by which GitHub knows it: names change hands.
#[derive(Deserialize)]
pub(crate) struct NewRepository {
    owner: String,
    name: String,
    id: i64,
}

impl From<OneChange> for Change {
    fn from(change: OneChange) -> Self {
        match change {
            OneChange::Description(text) => Self::Description(text),
            OneChange::RuntimeCompat(compat) => Self::RuntimeCompat(compat),
            OneChange::ReadmeSource(source) => Self::ReadmeSource(source),
            OneChange::IsArchived(is_archived) => Self::Archived(is_archived),
            OneChange::Visibility(wanted) => Self::Private(wanted == Wanted::Private),
            OneChange::GithubRepository(repository) => {
                Self::Repository(repository.map(|NewRepository { owner, name, id }| Repository { owner, name, id }))
            }
        }
    }
}

/// Changes one thing about a package.
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    change: ApiResult<Json<OneChange>>,
) -> ApiResult<Json<PackageView>> {
    let changed = packages::change(&app, &actor, &package, change.map(|Json(change)| change.into())).await?;
    Ok(Json(PackageView::new(changed)))
}

#[derive(Deserialize)]
pub(crate) struct Destination {
    scope: ScopeName,
}

/// Moves a package that nothing is published of to another scope.
pub(crate) async fn transfer(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    to: ApiResult<Json<Destination>>,
) -> ApiResult<Json<PackageView>> {
    let moved = transfers::transfer(&app, &actor, &package, to.map(|Json(to)| to.scope)).await?;
    Ok(Json(PackageView::new(moved)))
}

/// Deletes a package that has nothing in it.
pub(crate) async fn delete(State(app): State<App>, actor: Actor, PackageAt(package): PackageAt) -> ApiResult<StatusCode> {
    packages::delete(&app, &actor, &package).await?;
    Ok(StatusCode::NO_CONTENT)
}
