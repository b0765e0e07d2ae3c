//! Versions.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use slipway_common::storage::CachePolicy;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Json, PackageAt, Paging, VersionAt};
use crate::service::versions;
use crate::views::{DependencyView, ListView, VersionView, VersionWithUserView};

/// The versions of a package, highest first.
pub(crate) async fn list(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    paging: Paging,
) -> ApiResult<Json<ListView<VersionWithUserView>>> {
    let listing = versions::list(&app, &actor, &package, paging.page).await?;
    Ok(Json(ListView::new(listing, |(version, by)| VersionWithUserView::new(version, &by))))
}

/// A version, or the latest.
pub(crate) async fn show(State(app): State<App>, actor: Actor, at: VersionAt) -> ApiResult<Json<VersionView>> {
    Ok(Json(VersionView::new(versions::show(&app, &actor, &at.package, &at.which()?).await?)))
}

#[derive(Deserialize)]
pub(crate) struct Change {
    yanked: bool,
}

/// Withdraws a version from resolution, or takes that back.
pub(crate) async fn yank(State(app): State<App>, actor: Actor, at: VersionAt, change: ApiResult<Json<Change>>) -> ApiResult<StatusCode> {
    versions::yank(&app, &actor, &at.package, &at.exact()?, change.map(|Json(change)| change.yanked)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a version needs from elsewhere.
pub(crate) async fn dependencies(State(app): State<App>, actor: Actor, at: VersionAt) -> ApiResult<Json<Vec<DependencyView>>> {
    let dependencies = versions::dependencies(&app, &actor, &at.package, &at.exact()?).await?;
    Ok(Json(dependencies.into_iter().map(DependencyView::new).collect()))
}

/// The upload a version was made from, bit by bit as the store gives it.
pub(crate) async fn tarball(State(app): State<App>, actor: Actor, at: VersionAt) -> ApiResult<Response> {
    let (found, is_for_everybody) = versions::tarball(&app, &actor, &at.package, &at.exact()?).await?;
    // The bytes never change, and whether they are shown does: staff may keep the version from everybody.
    let cache = if is_for_everybody { CachePolicy::Short } else { CachePolicy::Never };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/gzip")),
        (header::CONTENT_LENGTH, HeaderValue::from(found.size)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache.header())),
    ];
    Ok((headers, Body::from_stream(found.bytes)).into_response())
}
