//! Signing in with a token, and signing out.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::form_urlencoded;

use super::form::{self, Fields};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::origin;
use crate::error::ApiError;
use crate::extract::{ClientAddress, SESSION_COOKIE, cookie};
use crate::service::tokens;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    redirect: &'a str,
    problem: &'a str,
}

/// The form.
pub(super) async fn show(request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let redirect = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "redirect").map(|(_, value)| value);
    page::render(&LoginPage { redirect: form::local_path(redirect.as_deref().unwrap_or("/")), problem: "" })
}

/// Takes a token and opens a session.
pub(super) async fn sign_in(State(app): State<App>, ClientAddress(from): ClientAddress, headers: HeaderMap, fields: Fields) -> PageResult {
    origin::check(&headers, &app.context.config.public_url)?;
    let redirect = form::local_path(fields.get("redirect"));
    match tokens::open_session(&app, fields.get("token"), from).await {
        Ok(secret) => {
            let seconds = tokens::SESSION.num_seconds();
            Ok(see_other(redirect, Some(&session_cookie(&app, &secret, seconds))))
        }
        Err(ApiError::Refused(refusal)) => {
            let mut response = page::render_as(refusal.code.status(), &LoginPage { redirect, problem: &refusal.message });
            response.headers_mut().extend(refusal.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
            Ok(response)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Ends the session.
pub(super) async fn sign_out(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    origin::check(&headers, &app.context.config.public_url)?;
    let session = cookie(&headers, SESSION_COOKIE).unwrap_or_default();
    form::check_guard(session, fields.get("guard"))?;
    tokens::close_session(&app, &actor).await?;
    Ok(see_other("/", Some(&session_cookie(&app, "", 0))))
}

fn session_cookie(app: &App, secret: &str, seconds: i64) -> String {
    let secure = if app.context.config.public_url.scheme() == "https" { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={secret}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// Goes on to another page of ours, as a reader.
pub(super) fn see_other(path: &str, cookie: Option<&str>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::CACHE_CONTROL, "no-store")]).into_response();
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
