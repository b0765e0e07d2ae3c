//! "Will you join?": the scopes that ask somebody to belong to them, and their answer.

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use slipway_common::ids::ScopeName;

use super::form::{self, Fields};
use super::login::{first_sign_in, guarded, see_other, signed_in};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};
use crate::extract::{SESSION_COOKIE, cookie};
use crate::service::invites::{self, Shown};

/// Where the page is.
const PLACE: &str = "/account/invites";

#[derive(Template)]
#[template(path = "invites.html")]
struct InvitesPage<'a> {
    user: &'a str,
    invites: Vec<Asking>,
    guard: String,
}

/// A scope that asks.
struct Asking {
    scope: String,
    by: String,
    day: String,
}

impl Asking {
    fn new(shown: &Shown) -> Self {
        Self {
            scope: shown.invite.scope.to_string(),
            by: shown.requested_by.as_ref().map(|user| user.name.clone()).unwrap_or_default(),
            day: shown.invite.created_at.format("%Y-%m-%d").to_string(),
        }
    }
}

/// Shows who asks. Who is not signed in is sent there first.
pub(super) async fn show(State(app): State<App>, actor: ApiResult<Actor>, headers: HeaderMap) -> PageResult {
    let session = cookie(&headers, SESSION_COOKIE).unwrap_or_default();
    let Some(actor) = signed_in(actor)? else { return Ok(first_sign_in(PLACE)) };
    let invites = invites::of_actor(&app, &actor).await?;
    Ok(page::render(&InvitesPage {
        user: &actor.interactive()?.name,
        invites: invites.iter().map(Asking::new).collect(),
        guard: form::guard(session),
    }))
}

/// Somebody joins.
pub(super) async fn accept(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    let scope = asking(&app, &headers, &fields)?;
    invites::accept(&app, &actor, &scope).await?;
    Ok(see_other(PLACE, &[]))
}

/// Somebody does not.
pub(super) async fn decline(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    let scope = asking(&app, &headers, &fields)?;
    invites::decline(&app, &actor, &scope).await?;
    Ok(see_other(PLACE, &[]))
}

/// The scope that is answered, by a form of ours.
fn asking(app: &App, headers: &HeaderMap, fields: &Fields) -> ApiResult<ScopeName> {
    guarded(app, headers, fields)?;
    ScopeName::try_from(fields.get("scope")).map_err(|error| Code::MalformedRequest.because(error.to_string()).into())
}
