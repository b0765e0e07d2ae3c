//! Pages for people: so far signing in, approving a device, and a plain page for each package.
//!
//! A page is a template and the values it shows. It works without JavaScript, and its policy allows none. It speaks to `service`
//! and never to its own API.

mod approve;
mod form;
mod home;
mod login;
mod package;
mod page;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header;

use crate::app::App;
use crate::error::Code;

/// Every page, on one page.
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/assets/site.css", get(page::style))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/auth", get(approve::show))
        .route("/auth/approve", post(approve::approve))
        .route("/auth/deny", post(approve::deny))
        .route("/new", get(package::new))
        .route("/status/{id}", get(package::status))
}

/// What no route knows: a page of a package, or nothing.
pub(crate) async fn not_found(State(app): State<App>, request: Request) -> Response {
    let accepts_html = request.headers().get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let path = request.uri().path().to_owned();
    drop(request);
    if let Some(response) = package::show(&app, &path).await {
        return response;
    }
    if accepts_html { page::refusal(&Code::NotFound.refusal()) } else { Code::NotFound.refusal().into_response() }
}
