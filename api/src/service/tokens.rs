//! Credentials: looking one up, making one, and taking it back.

use chrono::TimeDelta;
use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{IdSource, TokenId, UserId};
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_common::model::user::User;

use crate::app::App;
use crate::auth::actor::{Actor, Identified};
use crate::auth::secret;
use crate::error::{ApiResult, Code};

/// How long a browser session lasts. JSR's figure.
pub(crate) const SESSION: TimeDelta = TimeDelta::days(7);
/// Longest description of a token, in bytes. JSR's figure.
const MAX_DESCRIPTION: usize = 250;

/// What a new credential is to be.
pub(crate) struct NewToken {
    pub(crate) kind: TokenKind,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Option<Vec<Permission>>,
    /// The token with which it ends.
    pub(crate) opened_by: Option<TokenId>,
    pub(crate) expires_at: Option<Instant>,
}

/// Finds out who a secret belongs to.
pub(crate) async fn identify(tx: &mut ReadTx, secret: &str) -> ApiResult<Actor> {
    let now = tx.now();
    let token = tx.token_by_hash(&secret::hash(secret)).await?;
    let Some((token, user)) = token.filter(|(token, _)| token.expires_at.is_none_or(|end| end > now)) else {
        return Code::InvalidBearerToken.err();
    };
    if user.is_blocked {
        return Code::Blocked.err();
    }
    Ok(Actor::User(Box::new(Identified { user, token })))
}

/// Makes a credential. The secret is returned here and never again.
pub(crate) async fn create(context: &Context, user: UserId, new: NewToken) -> ApiResult<(String, Token)> {
    let mut tx = context.db.write("token.create").await?;
    let made = create_in(&mut tx, &context.ids, user, new).await?;
    tx.commit().await?;
    Ok(made)
}

/// The same, as a part of something larger.
pub(crate) async fn create_in(tx: &mut WriteTx, ids: &IdSource, user: UserId, new: NewToken) -> ApiResult<(String, Token)> {
    let secret = secret::generate(new.kind, ids);
    let now = tx.now();
    let token = Token {
        id: ids.next(),
        user_id: user,
        kind: new.kind,
        description: new.description,
        permissions: new.permissions,
        opened_by: new.opened_by,
        expires_at: new.expires_at,
        created_at: now,
        updated_at: now,
    };
    tx.create_token(&token, &secret::hash(&secret)).await?;
    Ok((secret, token))
}

/// Makes a personal token for the person who asks.
pub(crate) async fn create_personal(
    app: &App,
    actor: &Actor,
    description: &str,
    expires_at: Option<Instant>,
    permissions: Option<Vec<Permission>>,
) -> ApiResult<(String, Token)> {
    let user = actor.interactive()?;
    let description = description.trim();
    if description.is_empty() || description.len() > MAX_DESCRIPTION || description.chars().any(char::is_control) {
        return Err(Code::MalformedRequest.because(format!("a token needs a description of 1 to {MAX_DESCRIPTION} bytes")).into());
    }
    if permissions.as_ref().is_some_and(|permissions| permissions.len() != 1) {
        return Err(Code::MalformedRequest.because("a personal token carries exactly one permission, or none").into());
    }
    let new = NewToken { kind: TokenKind::Personal, description: Some(description.to_owned()), permissions, opened_by: None, expires_at };
    create(&app.context, user.id, new).await
}

/// The credentials of the one who asks.
pub(crate) async fn list(app: &App, actor: &Actor) -> ApiResult<Vec<Token>> {
    let user = actor.user()?;
    Ok(app.context.db.read().await?.tokens_of(user.id).await?)
}

/// Takes a credential back.
pub(crate) async fn delete(app: &App, actor: &Actor, id: TokenId) -> ApiResult<()> {
    let user = actor.interactive()?;
    let mut tx = app.context.db.write("token.delete").await?;
    if !tx.delete_token(user.id, id).await? {
        return Code::TokenNotFound.err();
    }
    tx.commit().await?;
    Ok(())
}

/// Opens a browser session for the owner of a token. It ends with the token at the latest. Restricted tokens do not open sessions.
pub(crate) async fn open_session(app: &App, secret: &str) -> ApiResult<String> {
    let actor = identify(&mut app.context.db.read().await?, secret.trim()).await?;
    let user: User = actor.user()?.clone();
    let Actor::User(identified) = actor else { return Code::MissingAuthentication.err() };
    // What a device was given for an hour must not grow into a session.
    if identified.token.kind != TokenKind::Personal {
        return Err(Code::MissingPermission.because("only a personal token signs in here").into());
    }
    let now = app.context.clock.now();
    let end = identified.token.expires_at.map_or(now + SESSION, |end| end.min(now + SESSION));
    let new = NewToken {
        kind: TokenKind::Web,
        description: None,
        permissions: None,
        opened_by: Some(identified.token.id),
        expires_at: Some(end),
    };
    Ok(create(&app.context, user.id, new).await?.0)
}

/// Ends the session the request came with. The row goes, so a copy of the cookie is worth nothing.
pub(crate) async fn close_session(app: &App, actor: &Actor) -> ApiResult<()> {
    if let Actor::User(identified) = actor {
        let mut tx = app.context.db.write("session.close").await?;
        tx.delete_token(identified.user.id, identified.token.id).await?;
        tx.commit().await?;
    }
    Ok(())
}
