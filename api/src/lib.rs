#![doc = include_str!("../README.md")]

mod app;
mod auth;
pub mod cli;
mod connections;
mod cors;
pub mod error;
mod extract;
mod host;
mod intake;
mod private;
mod registry;
mod routes;
mod service;
mod views;
mod web;
mod wording;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;

pub use app::App;
pub use auth::issuer::can_be_read as can_ci_token_be_read;
pub use auth::secret;
pub use connections::serve;
use error::{ApiError, Code};
use extract::{SESSION_COOKIE, cookie};
use registry::{Reader, Readers};
use slipway_common::fault::AnyFault;

/// The whole front desk: JSON API, pages, and the read path.
pub fn router(app: App) -> Router {
    let reader = Reader::new(app.context.storage.clone());
    let api = routes::api(&app).layer(from_fn(api_headers));
    let desk = Router::new()
        .nest("/api", api)
        .merge(routes::npm().layer(from_fn(api_headers)))
        .merge(routes::health())
        .merge(web::pages())
        .fallback(web::not_found)
        .layer(from_fn_with_state(app.clone(), extract::watch))
        .layer(from_fn_with_state((reader, app.clone()), read_path))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app.clone());
    // A layer of a router runs when the route is found already. What changes the address has to stand around the whole.
    Router::new().fallback_service(desk).layer(from_fn_with_state(app, host::rewrite))
}

/// Addresses of the read path are answered before any route is looked at: they need no route, no database and no session. Who shows a
/// credential is looked at when there is nothing for everybody.
async fn read_path(State((reader, app)): State<(Reader, App)>, request: Request, next: Next) -> Response {
    let Some(found) = registry::parse(request.method(), request.uri().path(), request.headers()) else { return next.run(request).await };
    let (mut parts, _) = request.into_parts();
    let answer = reader.answer(&parts, &found, Readers::Everybody).await;
    if answer.status() == StatusCode::NOT_FOUND && shows_credential(&parts.headers) {
        return private::answer(&app, &reader, &mut parts, &found, answer).await;
    }
    answer
}

/// Whether somebody wants to be known, by a header or as a browser does.
fn shows_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || cookie(headers, SESSION_COOKIE).is_some()
}

async fn api_headers(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(
            request.headers(),
            "HEAD, GET, POST, PUT, PATCH, DELETE",
            "Authorization, X-Cloud-Trace-Context, Content-Type",
        );
    }
    let shows_credential = shows_credential(request.headers());
    let mut response = next.run(request).await;
    cors::of_api(response.headers_mut());
    if shows_credential {
        // It may say what others are not told.
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    }
    response
}

/// A panic is our fault and stays within its request.
#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    let fault = AnyFault::never(format!("a request panicked: {}", text.unwrap_or_default()));
    axum::response::IntoResponse::into_response(ApiError::Faulted(fault))
}

/// The codes of the API with their statuses, for the reference and its test.
#[must_use]
pub fn codes() -> Vec<(&'static str, u16)> {
    Code::ALL.iter().map(|code| (code.as_str(), code.status().as_u16())).collect()
}
