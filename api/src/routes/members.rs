//! Who belongs to a scope.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use slipway_common::ids::UserId;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json, ScopeAt};
use crate::service::members;
use crate::views::MemberView;

/// The members of a scope.
pub(crate) async fn list(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Json<Vec<MemberView>>> {
    let members = members::list(&app, &actor, &scope).await?;
    Ok(Json(members.iter().map(MemberView::new).collect()))
}

/// The one who asks, as a member.
pub(crate) async fn own(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Json<MemberView>> {
    Ok(Json(MemberView::new(&members::own(&app, &actor, &scope).await?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    is_admin: bool,
}

/// Has a member run the scope, or no longer.
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    Id(user): Id<UserId>,
    role: ApiResult<Json<Role>>,
) -> ApiResult<Json<MemberView>> {
    let member = members::set_admin(&app, &actor, &scope, user, role.map(|Json(role)| role.is_admin)).await?;
    Ok(Json(MemberView::new(&member)))
}

/// Takes somebody out of the scope.
pub(crate) async fn remove(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt, Id(user): Id<UserId>) -> ApiResult<StatusCode> {
    members::remove(&app, &actor, &scope, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
