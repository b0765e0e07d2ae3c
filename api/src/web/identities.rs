//! The accounts elsewhere with which somebody signs in, and signing out.

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use slipway_common::ids::IdentityId;
use slipway_common::model::identity::Identity;

use super::form::{self, Fields};
use super::login::{ProviderLine, first_sign_in, guarded, providers, see_other, signed_in};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};
use crate::extract::{SESSION_COOKIE, cookie};
use crate::service::identities;

/// Where the page is.
pub(super) const PLACE: &str = "/account/identities";

#[derive(Template)]
#[template(path = "identities.html")]
struct IdentitiesPage<'a> {
    user: &'a str,
    login: &'a str,
    linked: Vec<Linked>,
    providers: Vec<ProviderLine<'a>>,
    guard: String,
}

/// An account elsewhere.
struct Linked {
    id: IdentityId,
    title: String,
    login: String,
    used: String,
}

impl Linked {
    fn new(app: &App, identity: &Identity) -> Self {
        let provider = app.providers.all().iter().find(|provider| provider.issuer() == identity.issuer);
        Self {
            id: identity.id,
            // Nobody signs in with one whose provider was taken out of the configuration, and it is still theirs to unlink.
            title: provider.map_or_else(|| identity.issuer.clone(), |provider| provider.title().to_owned()),
            login: identity.login.clone().unwrap_or_else(|| identity.subject.clone()),
            used: identity.seen_at.format("%Y-%m-%d").to_string(),
        }
    }
}

/// Shows them. Who is not signed in is sent there first.
pub(super) async fn show(State(app): State<App>, actor: ApiResult<Actor>, headers: HeaderMap) -> PageResult {
    let session = cookie(&headers, SESSION_COOKIE).unwrap_or_default();
    let Some(actor) = signed_in(actor)? else { return Ok(first_sign_in(PLACE)) };
    let (user, identities) = (actor.interactive()?, identities::list(&app, &actor).await?);
    Ok(page::render(&IdentitiesPage {
        user: &user.name,
        login: &user.login,
        linked: identities.iter().map(|identity| Linked::new(&app, identity)).collect(),
        providers: providers(&app),
        guard: form::guard(session),
    }))
}

/// Unlinks one.
pub(super) async fn unlink(State(app): State<App>, actor: Actor, headers: HeaderMap, fields: Fields) -> PageResult {
    guarded(&app, &headers, &fields)?;
    let id = fields.get("id").parse().map_err(|_| Code::IdentityNotFound)?;
    identities::unlink(&app, &actor, id).await?;
    Ok(see_other(PLACE, &[]))
}
