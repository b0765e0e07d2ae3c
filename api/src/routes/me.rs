//! The one who asks, their scopes and their tokens.

use axum::extract::State;
use http::StatusCode;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::ids::{IdentityId, TokenId};
use slipway_common::model::token::{self, Granular, Permission};

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};
use crate::extract::{Id, Json};
use crate::service::tokens::{Expires, Wish};
use crate::service::{identities, people, scopes, tokens};
use crate::views::{FullUserView, IdentityView, ScopeView, TokenView};

/// The one who asks.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> ApiResult<Json<FullUserView>> {
    let user = actor.user()?;
    let standing = people::standing(&mut app.context.db.read().await?, user).await?;
    Ok(Json(FullUserView::new(user, &standing)))
}

/// Their scopes.
pub(crate) async fn scopes(State(app): State<App>, actor: Actor) -> ApiResult<Json<Vec<ScopeView>>> {
    let scopes = scopes::of_actor(&app, &actor).await?;
    Ok(Json(scopes.iter().map(ScopeView::new).collect()))
}

/// Their tokens.
pub(crate) async fn tokens(State(app): State<App>, actor: Actor) -> ApiResult<Json<Vec<TokenView>>> {
    let tokens = tokens::list(&app, &actor).await?;
    Ok(Json(tokens.iter().map(TokenView::new).collect()))
}

/// The accounts elsewhere with which they sign in.
pub(crate) async fn identities(State(app): State<App>, actor: Actor) -> ApiResult<Json<Vec<IdentityView>>> {
    let identities = identities::list(&app, &actor).await?;
    Ok(Json(identities.iter().map(IdentityView::new).collect()))
}

/// Unlinks one of these.
pub(crate) async fn unlink(State(app): State<App>, actor: Actor, Id(id): Id<IdentityId>) -> ApiResult<StatusCode> {
    identities::unlink(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewToken {
    description: String,
    /// Nothing is not the same as null.
    #[serde(default, deserialize_with = "said")]
    expires_at: Expires,
    #[serde(default)]
    permissions: Option<Vec<Value>>,
    #[serde(default)]
    networks: Option<Vec<String>>,
}

/// A permission, as we write it or as VSR does, told apart by what is there.
fn permissions(asked: Value) -> ApiResult<Vec<Permission>> {
    let read = match asked.get("values") {
        Some(_) => serde_json::from_value::<Granular>(asked).map_err(|error| error.to_string()).and_then(|granular| granular.permissions()),
        None => serde_json::from_value(asked).map(|one| vec![one]).map_err(|error| error.to_string()),
    };
    read.map_err(|why| Code::MalformedRequest.because(why).into())
}

fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Expires, D::Error> {
    Ok(Option::<Instant>::deserialize(from)?.map_or(Expires::Never, Expires::At))
}

impl NewToken {
    fn wish(self) -> ApiResult<Wish> {
        let permissions = match self.permissions {
            Some(asked) => Some(asked.into_iter().map(permissions).collect::<ApiResult<Vec<_>>>()?.concat()),
            None => None,
        };
        let networks = match self.networks {
            Some(texts) => Some(texts.iter().map(|text| network(text)).collect::<ApiResult<Vec<_>>>()?),
            None => None,
        };
        Ok(Wish { description: self.description, expires: self.expires_at, permissions, networks })
    }
}

fn network(text: &str) -> ApiResult<IpNet> {
    let why = "a network is written `192.0.2.0/24`, `2001:db8::/32`, or as one address";
    token::network(text).map_or_else(|| Err(Code::MalformedRequest.because(why.to_owned()).into()), Ok)
}

#[derive(Serialize)]
pub(crate) struct CreatedToken {
    secret: String,
    token: TokenView,
}

/// A new personal token. Its secret is in this answer and nowhere else.
pub(crate) async fn create_token(State(app): State<App>, actor: Actor, Json(new): Json<NewToken>) -> ApiResult<Json<CreatedToken>> {
    let (secret, token) = tokens::create_personal(&app, &actor, new.wish()?).await?;
    Ok(Json(CreatedToken { secret, token: TokenView::new(&token) }))
}

/// Takes a token back.
pub(crate) async fn delete_token(State(app): State<App>, actor: Actor, Id(id): Id<TokenId>) -> ApiResult<StatusCode> {
    tokens::delete(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
