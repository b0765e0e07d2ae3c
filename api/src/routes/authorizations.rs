//! Devices that ask for permission.

use axum::extract::State;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use slipway_common::model::authorization::AuthorizationState;
use slipway_common::model::token::Permission;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{ClientAddress, Json, Text};
use crate::service::authorize;
use crate::views::{AuthorizationView, PermissionsView, UserView};

/// Seconds between two polls of a device.
const POLL_INTERVAL: u32 = 2;

#[derive(Deserialize)]
pub(crate) struct Request {
    challenge: String,
    #[serde(default)]
    permissions: Option<Vec<Permission>>,
}

/// A device asks.
pub(crate) async fn request(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    Json(body): Json<Request>,
) -> ApiResult<Json<AuthorizationView>> {
    let requested = authorize::request(&app, from, body.challenge, body.permissions).await?;
    Ok(Json(AuthorizationView {
        verification_url: format!("{}auth", app.context.config.public_url),
        code: requested.authorization.code,
        exchange_token: requested.exchange_token,
        poll_interval: POLL_INTERVAL,
        expires_at: requested.authorization.expires_at,
    }))
}

/// What a device asks for.
pub(crate) async fn show(
    State(app): State<App>,
    Text(code): Text,
) -> ApiResult<([(header::HeaderName, &'static str); 1], Json<PermissionsView>)> {
    let authorization = authorize::show(&app, &code).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(PermissionsView::new(authorization))))
}

/// A person says yes.
pub(crate) async fn approve(State(app): State<App>, actor: Actor, Text(code): Text) -> ApiResult<StatusCode> {
    authorize::decide(&app, &actor, &code, AuthorizationState::Approved).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person says no.
pub(crate) async fn deny(State(app): State<App>, actor: Actor, Text(code): Text) -> ApiResult<StatusCode> {
    authorize::decide(&app, &actor, &code, AuthorizationState::Denied).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exchange {
    exchange_token: String,
    verifier: String,
}

#[derive(Serialize)]
pub(crate) struct Exchanged {
    token: String,
    user: UserView,
}

/// A device collects the answer.
pub(crate) async fn exchange(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    Json(body): Json<Exchange>,
) -> ApiResult<Json<Exchanged>> {
    let (token, user) = authorize::exchange(&app, from, &body.exchange_token, &body.verifier).await?;
    Ok(Json(Exchanged { token, user: UserView::new(&user) }))
}
