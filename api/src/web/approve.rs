//! "Allow this upload?": what a device asks for, and a person's answer.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use slipway_common::model::authorization::AuthorizationState;
use slipway_common::model::token::{Permission, Reach};
use url::form_urlencoded;

use super::form::{self, Fields};
use super::login::{first_sign_in, guarded, signed_in};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{SESSION_COOKIE, cookie};
use crate::service::authorize;

#[derive(Template)]
#[template(path = "approve.html")]
struct ApprovePage<'a> {
    code: &'a str,
    user: &'a str,
    everything: bool,
    asked: Vec<Asked>,
    guard: String,
    expires: String,
}

/// One permission in words.
struct Asked {
    what: String,
    digest: String,
}

impl Asked {
    fn new(permission: &Permission) -> Self {
        let (what, digest) = match permission {
            Permission::PublishVersion { package, version, tarball_hash } => (format!("publish {package}@{version}"), tarball_hash.clone()),
            Permission::Allow { verb, reach } => (format!("{} {}", verb.as_str(), reach_in_words(reach)), String::new()),
        };
        Self { what, digest }
    }
}

fn reach_in_words(reach: &Reach) -> String {
    match reach {
        Reach::Everything => "any package of yours".to_owned(),
        Reach::Scope(scope) => format!("any package of @{scope}"),
        Reach::Package(package) => format!("any version of {package}"),
    }
}

#[derive(Template)]
#[template(path = "decided.html")]
struct DecidedPage {
    approved: bool,
}

/// Shows what is asked for. Who is not signed in is sent there first.
pub(super) async fn show(State(app): State<App>, actor: ApiResult<Actor>, request: Request) -> PageResult {
    let session = cookie(request.headers(), SESSION_COOKIE).unwrap_or_default().to_owned();
    let query = request.uri().query().unwrap_or_default();
    let code =
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "code").map(|(_, value)| value).unwrap_or_default().into_owned();
    drop(request);
    let Some(actor) = signed_in(actor)? else {
        return Ok(first_sign_in(&format!("/auth?code={}", utf8_percent_encode(&code, NON_ALPHANUMERIC))));
    };
    let authorization = authorize::show(&app, &code).await?;
    Ok(page::render(&ApprovePage {
        code: &authorization.code,
        user: &actor.interactive()?.name,
        everything: authorization.permissions.is_none(),
        asked: authorization.permissions.iter().flatten().map(Asked::new).collect(),
        guard: form::guard(&session),
        expires: authorization.expires_at.format("%H:%M UTC").to_string(),
    }))
}

/// A person says yes.
pub(super) async fn approve(state: State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    decide(&state.0, &actor, &headers, &fields, AuthorizationState::Approved).await
}

/// A person says no.
pub(super) async fn deny(state: State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    decide(&state.0, &actor, &headers, &fields, AuthorizationState::Denied).await
}

async fn decide(app: &App, actor: &Actor, headers: &HeaderMap, fields: &Fields, decision: AuthorizationState) -> PageResult {
    guarded(app, headers, fields)?;
    authorize::decide(app, actor, fields.get("code"), decision).await?;
    Ok(done(decision))
}

fn done(decision: AuthorizationState) -> Response {
    page::render(&DecidedPage { approved: decision == AuthorizationState::Approved })
}
