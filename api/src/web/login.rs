//! Signing in with a token, and signing out.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::form::{self, Fields};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::origin;
use crate::error::{ApiError, ApiResult, Code};
use crate::extract::{ClientAddress, SESSION_COOKIE, cookie};
use crate::service::tokens;

/// What is written in another way where a path stands in a query.
const NOT_IN_QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-');

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    redirect: &'a str,
    problem: &'a str,
    providers: Vec<ProviderLine<'a>>,
}

/// A provider that people can choose.
pub(super) struct ProviderLine<'a> {
    pub(super) name: &'a str,
    pub(super) title: &'a str,
}

/// The providers that people can choose.
pub(super) fn providers(app: &App) -> Vec<ProviderLine<'_>> {
    app.providers.all().iter().map(|provider| ProviderLine { name: provider.name(), title: provider.title() }).collect()
}

/// The form.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let redirect = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "redirect").map(|(_, value)| value);
    let redirect = form::local_path(redirect.as_deref().unwrap_or("/"));
    page::render(&LoginPage { redirect, problem: "", providers: providers(&app) })
}

/// Takes a token and opens a session.
pub(super) async fn sign_in(State(app): State<App>, ClientAddress(from): ClientAddress, headers: HeaderMap, fields: Fields) -> PageResult {
    origin::check(&headers, &app.context.config.public_url)?;
    let redirect = form::local_path(fields.get("redirect"));
    match tokens::open_session(&app, fields.get("token"), from).await {
        Ok(secret) => Ok(see_other(redirect, &[session_cookie(&app, &secret)])),
        Err(ApiError::Refused(refusal)) => {
            let page = LoginPage { redirect, problem: &refusal.message, providers: providers(&app) };
            let mut response = page::render_as(refusal.code.status(), &page);
            response.headers_mut().extend(refusal.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
            Ok(response)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Who a browser was signed in as before somebody signs in. A session that has ended is no reason not to open another one.
pub(super) fn so_far(actor: ApiResult<Actor>) -> ApiResult<Actor> {
    match actor {
        Err(ApiError::Refused(_)) => Ok(Actor::Anonymous),
        outcome => outcome,
    }
}

/// Who sits in front of the browser, or nobody that could be shown a page of their own. A fault is no reason to sign in again.
pub(super) fn signed_in(actor: ApiResult<Actor>) -> ApiResult<Option<Actor>> {
    match actor {
        Ok(actor) if actor.interactive().is_ok() => Ok(Some(actor)),
        Err(fault @ ApiError::Faulted(_)) => Err(fault),
        _ => Ok(None),
    }
}

/// Has somebody sign in, and then come back to a page of ours.
pub(super) fn first_sign_in(place: &str) -> Response {
    see_other(&format!("/login?redirect={}", utf8_percent_encode(place, &NOT_IN_QUERY)), &[])
}

/// Ends the session.
pub(super) async fn sign_out(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    guarded(&app, &headers, &fields)?;
    tokens::close_session(&app, &actor).await?;
    Ok(see_other("/", &[no_session_cookie(&app)]))
}

/// Ends every session of somebody.
pub(super) async fn sign_out_everywhere(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    guarded(&app, &headers, &fields)?;
    tokens::close_all_sessions(&app, &actor).await?;
    Ok(see_other("/", &[no_session_cookie(&app)]))
}

/// Refuses a form that is not one of ours, made for this session.
pub(super) fn guarded(app: &App, headers: &HeaderMap, fields: &Fields) -> Result<(), Code> {
    origin::check(headers, &app.context.config.public_url)?;
    let session = cookie(headers, SESSION_COOKIE).ok_or(Code::MissingAuthentication)?;
    form::check_guard(session, fields.get("guard"))
}

/// The cookie of a session.
pub(super) fn session_cookie(app: &App, secret: &str) -> String {
    set_cookie(app, SESSION_COOKIE, secret, tokens::SESSION.num_seconds(), "/")
}

/// The cookie that takes the one of a session away.
fn no_session_cookie(app: &App) -> String {
    set_cookie(app, SESSION_COOKIE, "", 0, "/")
}

/// A cookie that scripts do not see, and other sites do not send but by leading somebody here.
pub(super) fn set_cookie(app: &App, name: &str, value: &str, seconds: i64, path: &str) -> String {
    let secure = if app.context.config.public_url.scheme() == "https" { "; Secure" } else { "" };
    format!("{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Lax{secure}")
}

/// Goes on to another page of ours, as a reader.
pub(super) fn see_other(path: &str, cookies: &[String]) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::CACHE_CONTROL, "no-store")]).into_response();
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    keep(&mut response, cookies);
    response
}

/// Has the browser keep cookies.
pub(super) fn keep(response: &mut Response, cookies: &[String]) {
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
