//! Scopes.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, ScopeAt};
use crate::service::scopes::{self, Seen};
use crate::views::{FullScopeView, ScopeView};

#[derive(Deserialize)]
pub(crate) struct NewScope {
    scope: String,
    #[serde(default)]
    description: String,
}

/// A new scope.
pub(crate) async fn create(State(app): State<App>, actor: Actor, Json(new): Json<NewScope>) -> ApiResult<Json<ScopeView>> {
    let scope = scopes::create(&app, &actor, &new.scope, &new.description).await?;
    Ok(Json(ScopeView::new(&scope)))
}

/// A scope, with its quotas for those who run it.
pub(crate) async fn show(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Response> {
    Ok(view(&scopes::show(&app, &actor, &scope).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    description: String,
}

/// Changes the description of a scope.
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    Json(change): Json<Change>,
) -> ApiResult<Response> {
    Ok(view(&scopes::set_description(&app, &actor, &scope, &change.description).await?))
}

fn view(seen: &Seen) -> Response {
    match seen {
        Seen::Plain(scope) => Json(ScopeView::new(scope)).into_response(),
        Seen::Full(detailed) => Json(FullScopeView::new(detailed)).into_response(),
    }
}
