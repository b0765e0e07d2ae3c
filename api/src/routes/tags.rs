//! Dist-tags, on the address of the API and on the one that npm clients change them at.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_common::ids::{DistTag, Version};

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult, Code};
use crate::extract::{Json, PackageAt, TagAt, broken_body};
use crate::registry;
use crate::service::tags;

/// The dist-tags of a package.
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
) -> ApiResult<Json<BTreeMap<DistTag, Version>>> {
    Ok(Json(tags::list(&app, &actor, &package).await?))
}

#[derive(Deserialize)]
pub(crate) struct Named {
    version: String,
}

/// Gives a version a tag.
pub(crate) async fn set(State(app): State<App>, actor: Actor, at: TagAt, Json(named): Json<Named>) -> ApiResult<StatusCode> {
    tags::set(&app, &actor, &at.package, &at.tag, &named.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a tag away.
pub(crate) async fn remove(State(app): State<App>, actor: Actor, at: TagAt) -> ApiResult<StatusCode> {
    tags::remove(&app, &actor, &at.package, &at.tag).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same as `npm dist-tag add` and `npm dist-tag rm` ask for it, answered in npm's words.
pub(crate) async fn of_npm(State(app): State<App>, request: Request) -> Response {
    match change(&app, request).await {
        Ok(()) => Json(json!({ "ok": true, "success": true })).into_response(),
        Err(error) => {
            let refusal = error.into_refusal();
            let message = Value::from(refusal.message.as_str());
            refusal.with("error", message).into_response()
        }
    }
}

async fn change(app: &App, request: Request) -> ApiResult<()> {
    let (mut parts, body) = request.into_parts();
    let actor = Actor::from_request_parts(&mut parts, app).await?;
    let Some((package, tag)) = registry::tag(parts.uri.path()) else { return Code::NotFound.err() };
    if parts.method == Method::DELETE {
        return tags::remove(app, &actor, &package, &tag).await;
    }
    let body = Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(|error| broken_body(&error, "the body"))?;
    tags::set(app, &actor, &package, &tag, &version(&body)?).await
}

/// The version in a body: text in JSON, as clients send it, or bare.
fn version(body: &[u8]) -> Result<String, ApiError> {
    let bare = || std::str::from_utf8(body).ok().map(|text| text.trim().to_owned());
    let version = serde_json::from_slice::<String>(body).ok().or_else(bare);
    version.ok_or_else(|| Code::MalformedRequest.because("the body is not the version that gets the tag").into())
}
