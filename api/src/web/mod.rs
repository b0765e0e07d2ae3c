//! Pages for people: so far signing in, the accounts elsewhere with which they do, approving a device, answering invites, what was done, and
//! a plain page for each package.
//!
//! A page is a template and the values it shows. It works without JavaScript, and its policy allows none. It speaks to `service`
//! and never to its own API.

mod approve;
mod audit;
mod form;
mod home;
mod identities;
mod invites;
mod links;
mod login;
mod package;
mod page;
mod sign_in;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Uri, header};
use tower::ServiceExt;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Every page, on one page.
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/assets/site.css", get(page::style))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/login/{code}", post(sign_in::begin))
        .route("/login/callback/{code}", get(sign_in::finish))
        .route("/login/link/{code}", get(links::show).post(links::follow))
        .route("/connect/{code}", post(sign_in::link))
        .route("/logout", post(login::sign_out))
        .route("/logout/everywhere", post(login::sign_out_everywhere))
        .route("/auth", get(approve::show))
        .route("/auth/approve", post(approve::approve))
        .route("/auth/deny", post(approve::deny))
        .route("/account/identities", get(identities::show))
        .route("/account/identities/unlink", post(identities::unlink))
        .route("/account/audit", get(audit::own))
        .route("/account/audit/{scope}", get(audit::of_scope))
        .route("/account/invites", get(invites::show))
        .route("/account/invites/accept", post(invites::accept))
        .route("/account/invites/decline", post(invites::decline))
        .route("/new", get(package::new))
        .route("/status/{id}", get(package::status))
        .method_not_allowed_fallback(wrong_method)
}

/// What no route knows: a page of a package, whose address is no pattern that a router can hold, or nothing.
pub(crate) async fn not_found(State(app): State<App>, request: Request) -> Response {
    let Some(at) = package::At::read(request.uri().path()) else { return refused(request.uri(), request.headers(), Code::NotFound) };
    // A session that is over changes nothing about what everybody may see.
    let show = move |State(app): State<App>, actor: ApiResult<Actor>| async move {
        package::show(&app, &actor.unwrap_or(Actor::Anonymous), &at).await
    };
    let page = get(show).fallback(wrong_method).with_state(app);
    page.oneshot(request).await.unwrap_or_else(|never| match never {})
}

async fn wrong_method(uri: Uri, headers: HeaderMap) -> Response {
    refused(&uri, &headers, Code::MethodNotAllowed)
}

/// A refusal in the form the client reads: a page for a browser, JSON for everybody else. Below `/@` whoever wants a file has been
/// answered before, by the read path.
fn refused(uri: &Uri, headers: &HeaderMap, code: Code) -> Response {
    let accepts_html = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let is_page = accepts_html || uri.path().starts_with("/@");
    if is_page { page::refusal(&code.refusal()) } else { code.refusal().into_response() }
}
