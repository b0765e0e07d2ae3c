//! Scopes.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::packages::Wanted;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, ScopeAt};
use crate::service::scopes::{self, Change, Limits, Seen};
use crate::views::{FullScopeView, ScopeView};

#[derive(Deserialize)]
pub(crate) struct NewScope {
    scope: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    visibility: Wanted,
}

/// A new scope.
pub(crate) async fn create(State(app): State<App>, actor: Actor, new: ApiResult<Json<NewScope>>) -> ApiResult<Json<ScopeView>> {
    actor.user()?;
    let Json(new) = new?;
    let scope = scopes::create(&app, &actor, &new.scope, &new.description, new.visibility == Wanted::Private).await?;
    Ok(Json(ScopeView::new(&scope)))
}

/// A scope, with its quotas for those who run it.
pub(crate) async fn show(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Response> {
    Ok(view(&scopes::show(&app, &actor, &scope).await?))
}

/// One thing to change about a scope.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OneChange {
    /// `null` takes the description away.
    Description(Option<String>),
    GhActionsVerifyActor(bool),
    #[serde(rename = "requirePublishingFromCI")]
    RequirePublishingFromCi(bool),
    Visibility(Wanted),
}

impl From<OneChange> for Change {
    fn from(change: OneChange) -> Self {
        match change {
            OneChange::Description(text) => Self::Description(text.unwrap_or_default()),
            OneChange::GhActionsVerifyActor(verify) => Self::VerifyOidcActor(verify),
            OneChange::RequirePublishingFromCi(require) => Self::RequirePublishingFromCi(require),
            OneChange::Visibility(wanted) => Self::Private(wanted == Wanted::Private),
        }
    }
}

/// Changes one thing about a scope.
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    change: ApiResult<Json<OneChange>>,
) -> ApiResult<Response> {
    Ok(view(&scopes::change(&app, &actor, &scope, change.map(|Json(change)| change.into())).await?))
}

/// Deletes a scope that has no packages.
pub(crate) async fn delete(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<StatusCode> {
    scopes::delete(&app, &actor, &scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What staff may change about a scope.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LimitsChange {
    package_limit: Option<i64>,
    new_package_per_week_limit: Option<i64>,
    publish_attempts_per_week_limit: Option<i64>,
    upload_limits: Option<Map<String, Value>>,
}

/// Changes the quotas and upload limits of a scope.
pub(crate) async fn set_limits(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    change: ApiResult<Json<LimitsChange>>,
) -> ApiResult<Json<FullScopeView>> {
    let limits = change.map(|Json(change)| Limits {
        packages: change.package_limit,
        new_packages_per_week: change.new_package_per_week_limit,
        publishes_per_week: change.publish_attempts_per_week_limit,
        upload: change.upload_limits,
    });
    let detailed = scopes::set_limits(&app, &actor, &scope, limits).await?;
    Ok(Json(FullScopeView::new(&detailed)))
}

/// Why a scope is frozen.
#[derive(Deserialize)]
pub(crate) struct Freezing {
    reason: String,
}

/// Lets nobody publish or change anything in a scope; for staff.
pub(crate) async fn freeze(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    freezing: ApiResult<Json<Freezing>>,
) -> ApiResult<Json<FullScopeView>> {
    let reason = freezing.map(|Json(freezing)| Some(freezing.reason));
    Ok(Json(FullScopeView::new(&scopes::freeze(&app, &actor, &scope, reason).await?)))
}

/// Lets everybody do so again; for staff.
pub(crate) async fn unfreeze(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Json<FullScopeView>> {
    Ok(Json(FullScopeView::new(&scopes::freeze(&app, &actor, &scope, Ok(None)).await?)))
}

fn view(seen: &Seen) -> Response {
    match seen {
        Seen::Plain(scope) => Json(ScopeView::new(scope)).into_response(),
        Seen::Full(detailed) => Json(FullScopeView::new(detailed)).into_response(),
    }
}
