//! Who is asking: a session cookie, a bearer token, or a CI job.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header;
use http::request::Parts;
use slipway_common::db::ReadTx;

use super::address;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::ci::CiToken;
use crate::auth::{origin, secret};
use crate::error::{ApiError, ApiResult, Code};
use crate::service::tokens;

/// The name of the session cookie. JSR's name, which its clients look for.
pub(crate) const SESSION_COOKIE: &str = "token";

/// Finds out who asks before anything else is done, and refuses a credential that does not hold.
pub(crate) async fn credential(State(app): State<App>, request: Request, next: Next) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    let actor = Actor::from_request_parts(&mut parts, &app).await?;
    parts.extensions.insert(actor);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// What a request shows of who is asking, before the database is asked.
pub(crate) enum Credential {
    /// Nothing more has to be found out.
    Known(Actor),
    /// A secret of ours, which may be nobody's, and from where it was shown.
    Secret(String, Option<IpAddr>),
}

impl Credential {
    fn secret(text: &str, from: Option<IpAddr>) -> ApiResult<Self> {
        if secret::is_well_formed(text) { Ok(Self::Secret(text.to_owned(), from)) } else { Code::InvalidBearerToken.err() }
    }

    /// Finds out who is asking, in a transaction that may go on to ask what they may. That the credential was shown is for the caller to
    /// [note](tokens::note_use).
    pub(crate) async fn identify(self, tx: &mut ReadTx) -> ApiResult<Actor> {
        match self {
            Self::Known(actor) => Ok(actor),
            Self::Secret(secret, from) => tokens::identify(tx, &secret, from).await,
        }
    }
}

impl FromRequestParts<App> for Credential {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        if let Some(known) = parts.extensions.get::<Actor>() {
            return Ok(Self::Known(known.clone()));
        }
        let from = address::of(&parts.extensions, &parts.headers, &app.context.config.trusted_proxies);
        if let Some(secret) = cookie(&parts.headers, SESSION_COOKIE) {
            // A cookie comes along by itself; what changes something must also come from a page of ours.
            if !parts.method.is_safe() {
                origin::check(&parts.headers, &app.context.config.public_url)?;
            }
            return Self::secret(secret, from);
        }
        let Some(header) = parts.headers.get(header::AUTHORIZATION) else { return Ok(Self::Known(Actor::Anonymous)) };
        let header = header.to_str().unwrap_or_default();
        if let Some(token) = header.strip_prefix("githuboidc ").or_else(|| bearer_of_ci(header)) {
            let token = app.ci.identify(token, app.context.clock.now()).await?;
            return Ok(Self::Known(Actor::Ci(Box::new(CiToken { from, ..token }))));
        }
        if let Some(secret) = header.strip_prefix("Bearer ") {
            return Self::secret(secret, from);
        }
        if let Some(secret) = header.strip_prefix("Basic ").and_then(password) {
            return Self::secret(&secret, from);
        }
        Ok(Self::Known(Actor::Anonymous))
    }
}

/// The password of a pair of name and password: a token, from clients and proxies that know no other way to send one. Whose it is follows
/// from the token, so the name may be anything.
fn password(encoded: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

impl FromRequestParts<App> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        match Credential::from_request_parts(parts, app).await? {
            Credential::Known(actor) => Ok(actor),
            secret @ Credential::Secret(..) => {
                let actor = secret.identify(&mut app.context.db.read().await?).await?;
                tokens::note_use(app, &actor).await;
                Ok(actor)
            }
        }
    }
}

/// A JSON Web Token that came where our own tokens come, from CI systems other than GitHub's: `deno publish --token` sends it so.
/// Ours have no dots.
fn bearer_of_ci(header: &str) -> Option<&str> {
    header.strip_prefix("Bearer ").filter(|token| token.starts_with("ey") && token.contains('.'))
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name).map(|(_, value)| value);
    values.next().filter(|value| !value.is_empty())
}
