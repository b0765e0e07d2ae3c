//! What the staff of the registry sees and changes.

use axum::extract::State;
use serde::Deserialize;
use slipway_common::ids::UserId;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json, Paging};
use crate::service::staff::{self, AccountChange};
use crate::views::{FullScopeView, FullUserView, ListView, PackageView, PublishView, ScopeView};

/// Users.
pub(crate) async fn users(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<FullUserView>>> {
    let found = staff::users(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, |(user, standing)| FullUserView::new(&user, &standing))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserChange {
    is_staff: Option<bool>,
    is_blocked: Option<bool>,
    scope_limit: Option<i64>,
}

/// Changes an account.
pub(crate) async fn change_user(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<UserId>,
    change: ApiResult<Json<UserChange>>,
) -> ApiResult<Json<FullUserView>> {
    let change = change.map(|Json(UserChange { is_staff, is_blocked, scope_limit })| AccountChange { is_staff, is_blocked, scope_limit });
    let (user, standing) = staff::change_user(&app, &actor, id, change).await?;
    Ok(Json(FullUserView::new(&user, &standing)))
}

/// Scopes with their quotas.
pub(crate) async fn scopes(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<FullScopeView>>> {
    let found = staff::scopes(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, |detailed| FullScopeView::new(&detailed))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    scope: String,
    user_id: UserId,
}

/// A scope for somebody.
pub(crate) async fn assign(State(app): State<App>, actor: Actor, asked: ApiResult<Json<Assignment>>) -> ApiResult<Json<ScopeView>> {
    let asked = asked.map(|Json(asked)| (asked.scope, asked.user_id));
    Ok(Json(ScopeView::new(&staff::assign(&app, &actor, asked).await?)))
}

/// Packages.
pub(crate) async fn packages(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<PackageView>>> {
    let found = staff::packages(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, PackageView::new)))
}

/// Publishes.
pub(crate) async fn publishes(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<PublishView>>> {
    let found = staff::publishes(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, |(publish, by)| PublishView::new(&publish, &by))))
}
