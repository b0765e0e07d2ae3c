//! Where versions came from.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, VersionAt};
use crate::service::provenance::{self, Taken};
use crate::views::ProvenanceWithBundleView;

#[derive(Deserialize)]
pub(crate) struct Statement {
    bundle: Value,
}

/// Takes in a bundle, as `deno publish` and others send it: 204 when it is verified, 202 when it waits for the transparency log.
pub(crate) async fn add(State(app): State<App>, actor: Actor, at: VersionAt, Json(statement): Json<Statement>) -> ApiResult<StatusCode> {
    Ok(match provenance::add(&app, &actor, &at.package, &at.exact()?, &statement.bundle).await? {
        Taken::Verified => StatusCode::NO_CONTENT,
        Taken::Waiting => StatusCode::ACCEPTED,
    })
}

/// What is known, with the bundle for everybody who wants to verify it again.
pub(crate) async fn show(State(app): State<App>, actor: Actor, at: VersionAt) -> ApiResult<Json<ProvenanceWithBundleView>> {
    Ok(Json(ProvenanceWithBundleView::new(provenance::show(&app, &actor, &at.package, &at.exact()?).await?)))
}
