//! Credentials: looking one up, making one, and taking it back.

use std::net::IpAddr;

use chrono::TimeDelta;
use ipnet::IpNet;
use serde_json::{Value, json};
use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{IdSource, TokenId, UserId};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_common::model::user::User;

use super::audit;
use super::rates::{self, Rate, Whose};
use crate::app::App;
use crate::auth::actor::{Actor, Identified};
use crate::auth::secret;
use crate::error::{ApiResult, Code};

/// How long a browser session lasts. JSR's figure.
pub(crate) const SESSION: TimeDelta = TimeDelta::days(7);
/// Longest description of a token, in bytes. JSR's figure.
const MAX_DESCRIPTION: usize = 250;
/// How long a personal token works if nothing is said. npm ends tokens that write after this time at the latest: whoever forgets one has
/// not left a door open for ever.
pub(crate) const LIFE: TimeDelta = TimeDelta::days(90);
/// Most permissions of a token. Each is looked at with each request, and a person has to understand all of them together.
const MAX_PERMISSIONS: usize = 64;
/// Most networks of a token, for the same reasons. The runners of one company have a handful.
const MAX_NETWORKS: usize = 64;

/// What a new credential is to be.
pub(crate) struct NewToken {
    pub(crate) kind: TokenKind,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Option<Vec<Permission>>,
    /// From where it works.
    pub(crate) networks: Option<Vec<IpNet>>,
    /// The token with which it ends.
    pub(crate) opened_by: Option<TokenId>,
    pub(crate) expires_at: Option<Instant>,
}

/// Finds out who a secret belongs to that was shown from an address.
pub(crate) async fn identify(tx: &mut ReadTx, secret: &str, from: Option<IpAddr>) -> ApiResult<Actor> {
    let now = tx.now();
    let token = tx.token_by_hash(&secret::hash(secret)).await?;
    let Some((token, user)) = token.filter(|(token, _)| token.expires_at.is_none_or(|end| end > now)) else {
        return Code::InvalidBearerToken.err();
    };
    if !token.works_from(from) {
        let from = from.map_or_else(|| "an unknown address".to_owned(), |from| from.to_string());
        return Err(Code::AddressNotAllowed.because(format!("the token does not work from {from}")).into());
    }
    if user.is_blocked {
        return Code::Blocked.err();
    }
    Ok(Actor::User(Box::new(Identified { user, token, from })))
}

/// Notes that a credential was shown, if nobody did lately. Nobody is refused because this did not work.
pub(crate) async fn note_use(app: &App, actor: &Actor) {
    let Actor::User(identified) = actor else { return };
    if !identified.token.is_use_news(app.context.clock.now()) {
        return;
    }
    let note = async || {
        let mut tx = app.context.db.write("token.use").await?;
        tx.note_token_use(identified.token.id).await?;
        tx.commit().await
    };
    if let Err(error) = note().await {
        tracing::warn!(token = %identified.token.id, %error, "the use of a token was not noted");
    }
}

/// Makes a credential. The secret is returned here and never again.
pub(crate) async fn create(context: &Context, doer: &Doer, user: UserId, new: NewToken) -> ApiResult<(String, Token)> {
    let mut tx = context.db.write("token.create").await?;
    let made = create_in(&mut tx, &context.ids, doer, user, new).await?;
    tx.commit().await?;
    Ok(made)
}

/// The same, as a part of something larger.
pub(crate) async fn create_in(tx: &mut WriteTx, ids: &IdSource, doer: &Doer, user: UserId, new: NewToken) -> ApiResult<(String, Token)> {
    let secret = secret::generate(new.kind, ids);
    let now = tx.now();
    let token = Token {
        description: new.description,
        permissions: new.permissions,
        networks: new.networks,
        opened_by: new.opened_by,
        expires_at: new.expires_at,
        ..Token::new(ids.next(), user, new.kind, now)
    };
    tx.create_token(&token, &secret::hash(&secret)).await?;
    let act = if token.kind == TokenKind::Web { Act::SessionOpen } else { Act::TokenCreate };
    tx.audit(ids.next(), doer, &described(Deed::new(act).about(user), &token)).await?;
    Ok((secret, token))
}

/// An act with the token that it made.
pub(super) fn described(deed: Deed, token: &Token) -> Deed {
    let networks = token.networks.as_ref().map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
    deed.with("token", token.id.to_string())
        .with("kind", token.kind.as_str())
        .with("description", token.description.as_deref())
        .with("permissions", shown(token.permissions.as_deref()))
        .with("networks", networks)
        .with("expiresAt", json!(token.expires_at))
}

/// Permissions as they are written down: all of them, or how many there are when they are more than a token can be given by hand.
pub(super) fn shown(permissions: Option<&[Permission]>) -> Value {
    match permissions {
        None => Value::Null,
        Some(list) if list.len() <= MAX_PERMISSIONS => json!(list),
        Some(list) => json!(list.len()),
    }
}

/// What a person wants of a new token.
pub(crate) struct Wish {
    pub(crate) description: String,
    pub(crate) expires: Expires,
    pub(crate) permissions: Option<Vec<Permission>>,
    pub(crate) networks: Option<Vec<IpNet>>,
}

/// When a new token is to stop working.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Expires {
    /// After [`LIFE`], because nothing was said.
    #[default]
    ByDefault,
    /// Never, which was said.
    Never,
    /// Then.
    At(Instant),
}

impl Expires {
    pub(crate) fn from(self, now: Instant) -> Option<Instant> {
        match self {
            Self::ByDefault => Some(now + LIFE),
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }
}

/// Makes a personal token for the person who asks.
pub(crate) async fn create_personal(app: &App, actor: &Actor, wish: Wish) -> ApiResult<(String, Token)> {
    let user = actor.interactive()?;
    let malformed = |why: String| Err(Code::MalformedRequest.because(why).into());
    let description = wish.description.trim();
    if description.is_empty() || description.len() > MAX_DESCRIPTION || description.chars().any(char::is_control) {
        return malformed(format!("a token needs a description of 1 to {MAX_DESCRIPTION} bytes"));
    }
    if wish.permissions.as_ref().is_some_and(|list| !(1..=MAX_PERMISSIONS).contains(&list.len())) {
        return malformed(format!(
            "a restricted token has 1 to {MAX_PERMISSIONS} permissions; leave them out for one that may do all you may"
        ));
    }
    if wish.networks.as_ref().is_some_and(|list| !(1..=MAX_NETWORKS).contains(&list.len())) {
        return malformed(format!("a token works from 1 to {MAX_NETWORKS} networks; leave them out for one that works from everywhere"));
    }
    let networks = match (actor.networks(), wish.networks) {
        (None, wanted) => wanted,
        (Some(own), None) => Some(own.to_vec()),
        (Some(own), Some(wanted)) => match wanted.iter().find(|wanted| !own.iter().any(|own| own.contains(*wanted))) {
            None => Some(wanted),
            Some(outside) => {
                let why = format!("you are signed in with a token that does not work from {outside}, so none that you make does");
                return Err(Code::AddressNotAllowed.because(why).into());
            }
        },
    };
    let now = app.context.clock.now();
    let expires_at = wish.expires.from(now);
    if expires_at.is_some_and(|end| end <= now) {
        return malformed("the token would have expired already".to_owned());
    }
    let new = NewToken {
        kind: TokenKind::Personal,
        description: Some(description.to_owned()),
        permissions: wish.permissions,
        networks,
        opened_by: None,
        expires_at,
    };
    let mut tx = app.context.db.write("token.create").await?;
    rates::spend(&app.context, &mut tx, Rate::Tokens, Whose::Account(user.id)).await?;
    let made = create_in(&mut tx, &app.context.ids, &actor.doer(), user.id, new).await?;
    tx.commit().await?;
    Ok(made)
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
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::new(Act::TokenDelete).about(user.id).with("token", id.to_string())).await?;
    tx.commit().await?;
    Ok(())
}

/// Opens a browser session for the owner of a token. It ends with the token at the latest. Restricted tokens do not open sessions.
/// What was tried in vain is written down, without the secret.
pub(crate) async fn open_session(app: &App, secret: &str, from: Option<IpAddr>) -> ApiResult<String> {
    rates::attempt(&app.context, Rate::SignIns, Whose::Address(from)).await?;
    let outcome = sign_in(app, secret.trim(), from).await;
    if let Err(error) = &outcome {
        let doer = shown_by(app, secret.trim(), from).await.unwrap_or_else(|_| Doer::anonymous(from));
        audit::refused(app, &doer, Deed::new(Act::SessionRefuse), error).await;
    }
    outcome
}

/// Whose secret was shown in vain, for them to see that it was.
async fn shown_by(app: &App, secret: &str, from: Option<IpAddr>) -> ApiResult<Doer> {
    let token = app.context.db.read().await?.token_by_hash(&secret::hash(secret)).await?;
    Ok(token.map_or_else(|| Doer::anonymous(from), |(token, user)| Doer::user(&user, &token, from)))
}

async fn sign_in(app: &App, secret: &str, from: Option<IpAddr>) -> ApiResult<String> {
    let actor = identify(&mut app.context.db.read().await?, secret, from).await?;
    note_use(app, &actor).await;
    let (user, doer): (User, Doer) = (actor.user()?.clone(), actor.doer());
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
        // What only works from some place does not grow into a session that works from everywhere.
        networks: identified.token.networks.clone(),
        opened_by: Some(identified.token.id),
        expires_at: Some(end),
    };
    Ok(create(&app.context, &doer, user.id, new).await?.0)
}

/// Opens a browser session for somebody who has shown otherwise who they are, in the place of the one that the browser had.
pub(super) async fn open_session_in(tx: &mut WriteTx, ids: &IdSource, doer: &Doer, user: &User, before: &Actor) -> ApiResult<String> {
    if user.is_blocked {
        return Code::Blocked.err();
    }
    if let (Some(known), Some(session)) = (before.known(), before.session()) {
        tx.delete_token(known.id, session).await?;
    }
    let new = NewToken {
        kind: TokenKind::Web,
        description: None,
        permissions: None,
        networks: None,
        opened_by: None,
        expires_at: Some(tx.now() + SESSION),
    };
    Ok(create_in(tx, ids, doer, user.id, new).await?.0)
}

/// Ends every session of the one who asks, this one included.
pub(crate) async fn close_all_sessions(app: &App, actor: &Actor) -> ApiResult<()> {
    let user = actor.interactive()?;
    let mut tx = app.context.db.write("session.close_all").await?;
    let ended = tx.end_sessions(user.id, None).await?;
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::new(Act::SessionClose).about(user.id).with("sessions", ended)).await?;
    tx.commit().await?;
    tracing::info!(user = %user.id, ended, "somebody has signed out everywhere");
    Ok(())
}

/// Ends the session the request came with. The row goes, so a copy of the cookie is worth nothing.
pub(crate) async fn close_session(app: &App, actor: &Actor) -> ApiResult<()> {
    if let Actor::User(identified) = actor {
        let mut tx = app.context.db.write("session.close").await?;
        if tx.delete_token(identified.user.id, identified.token.id).await? {
            tx.audit(app.context.ids.next(), &actor.doer(), &Deed::new(Act::SessionClose).about(identified.user.id)).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
