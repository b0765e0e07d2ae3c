//! The one who asks, their scopes and their tokens.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use slipway_common::clock::Instant;
use slipway_common::ids::TokenId;
use slipway_common::model::token::Permission;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json};
use crate::service::{people, scopes, tokens};
use crate::views::{FullUserView, ScopeView, TokenView};

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewToken {
    description: String,
    #[serde(default)]
    expires_at: Option<Instant>,
    #[serde(default)]
    permissions: Option<Vec<Permission>>,
}

#[derive(Serialize)]
pub(crate) struct CreatedToken {
    secret: String,
    token: TokenView,
}

/// A new personal token. Its secret is in this answer and nowhere else.
pub(crate) async fn create_token(State(app): State<App>, actor: Actor, Json(new): Json<NewToken>) -> ApiResult<Json<CreatedToken>> {
    let (secret, token) = tokens::create_personal(&app, &actor, &new.description, new.expires_at, new.permissions).await?;
    Ok(Json(CreatedToken { secret, token: TokenView::new(&token) }))
}

/// Takes a token back.
pub(crate) async fn delete_token(State(app): State<App>, actor: Actor, Id(id): Id<TokenId>) -> ApiResult<StatusCode> {
    tokens::delete(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
