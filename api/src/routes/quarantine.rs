//! What staff keeps from everybody.

use axum::extract::State;
use serde::Deserialize;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, Paging, VersionAt};
use crate::service::quarantine;
use crate::views::{ListView, QuarantineView};

/// All versions that are in quarantine.
pub(crate) async fn list(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<QuarantineView>>> {
    Ok(Json(ListView::new(quarantine::list(&app, &actor, paging.page).await?, |held| QuarantineView::new(&held))))
}

/// Why a version is kept from everybody.
#[derive(Deserialize)]
pub(crate) struct Holding {
    reason: String,
}

/// Keeps a version from everybody.
pub(crate) async fn hold(
    State(app): State<App>,
    actor: Actor,
    at: VersionAt,
    holding: ApiResult<Json<Holding>>,
) -> ApiResult<Json<QuarantineView>> {
    let reason = holding.map(|Json(holding)| holding.reason);
    Ok(Json(QuarantineView::new(&quarantine::hold(&app, &actor, &at.package, at.exact(), reason).await?)))
}

/// Lets everybody have it again.
pub(crate) async fn release(State(app): State<App>, actor: Actor, at: VersionAt) -> ApiResult<Json<QuarantineView>> {
    Ok(Json(QuarantineView::new(&quarantine::release(&app, &actor, &at.package, at.exact()).await?)))
}
