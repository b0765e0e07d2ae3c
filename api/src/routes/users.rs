//! Users as everybody sees them.

use axum::extract::State;
use slipway_common::ids::UserId;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json};
use crate::service::people;
use crate::views::{PackageView, ScopeView, UserView};

/// Anybody.
pub(crate) async fn show(State(app): State<App>, Id(id): Id<UserId>) -> ApiResult<Json<UserView>> {
    let (user, numbers) = people::show(&app, id).await?;
    Ok(Json(UserView::with(&user, numbers)))
}

/// The scopes that somebody belongs to.
pub(crate) async fn scopes(State(app): State<App>, actor: Actor, Id(id): Id<UserId>) -> ApiResult<Json<Vec<ScopeView>>> {
    let scopes = people::scopes(&app, &actor, id).await?;
    Ok(Json(scopes.iter().map(ScopeView::new).collect()))
}

/// The packages of which somebody published a version last.
pub(crate) async fn packages(State(app): State<App>, actor: Actor, Id(id): Id<UserId>) -> ApiResult<Json<Vec<PackageView>>> {
    let packages = people::packages(&app, &actor, id).await?;
    Ok(Json(packages.into_iter().map(PackageView::new).collect()))
}
