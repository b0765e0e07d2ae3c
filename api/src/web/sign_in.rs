//! Going to a provider of accounts, and coming back.
//!
//! Our policy lets forms lead to our own pages alone, and browsers apply it to where an answer leads on. So the answer to the form is a page
//! that goes on by itself, with a link for browsers that do not.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Uri, header};
use url::form_urlencoded;

use super::form::{self, Fields};
use super::login::{guarded, keep, see_other, session_cookie, set_cookie, so_far};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::identity::{Answer, LIFE};
use crate::auth::origin;
use crate::error::ApiResult;
use crate::extract::{ClientAddress, Text, cookie};
use crate::service::sign_in::{self, Returned, SetOut};

/// The cookie of somebody who is on their way.
const COOKIE: &str = "sign_in";
/// Where that cookie is sent: to the address to which people come back, and nowhere else.
const PLACE: &str = "/login/callback";

#[derive(Template)]
#[template(path = "leave.html")]
struct LeavePage<'a> {
    title: &'a str,
    url: &'a str,
}

/// Goes to a provider to sign in.
pub(super) async fn begin(State(app): State<App>, Text(name): Text, headers: HeaderMap, fields: Fields) -> PageResult {
    origin::check(&headers, &app.context.config.public_url)?;
    Ok(leave(&app, &sign_in::begin(&app, &name, form::local_path(fields.get("redirect"))).await?))
}

/// Goes to a provider to link an account there.
pub(super) async fn link(State(app): State<App>, actor: Actor, Text(name): Text, headers: HeaderMap, fields: Fields) -> PageResult {
    guarded(&app, &headers, &fields)?;
    Ok(leave(&app, &sign_in::begin_link(&app, &actor, &name, super::identities::PLACE).await?))
}

fn leave(app: &App, out: &SetOut) -> Response {
    let mut response = page::render(&LeavePage { title: &out.title, url: out.url.as_str() });
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={}", out.url)) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    keep(&mut response, &[set_cookie(app, COOKIE, &out.cookie, LIFE.num_seconds(), PLACE)]);
    response
}

/// Somebody comes back.
pub(super) async fn finish(
    State(app): State<App>,
    actor: ApiResult<Actor>,
    ClientAddress(from): ClientAddress,
    Text(name): Text,
    headers: HeaderMap,
    uri: Uri,
) -> PageResult {
    let actor = so_far(actor)?;
    let returned = Returned { kept: cookie(&headers, COOKIE).unwrap_or_default(), answer: &answer(&uri) };
    let back = sign_in::finish(&app, &actor, from, &name, &returned).await?;
    let mut cookies = vec![set_cookie(&app, COOKIE, "", 0, PLACE)];
    cookies.extend(back.session.map(|secret| session_cookie(&app, &secret)));
    Ok(see_other(form::local_path(&back.redirect), &cookies))
}

/// With what they come back.
fn answer(uri: &Uri) -> Answer {
    let mut answer = Answer::default();
    for (key, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match &*key {
            "state" => answer.state = value.into_owned(),
            "code" => answer.code = Some(value.into_owned()),
            "iss" => answer.issuer = Some(value.into_owned()),
            "error" => answer.error = Some(value.into_owned()),
            _ => {}
        }
    }
    answer
}
