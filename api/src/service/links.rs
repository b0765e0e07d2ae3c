//! Links that sign somebody in once: the operator makes them, for people who have no account elsewhere.

use std::net::IpAddr;

use chrono::TimeDelta;
use slipway_common::context::Context;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::user::User;

use super::rates::{self, Rate, Whose};
use super::{audit, tokens};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::secret;
use crate::error::{ApiResult, Code};

/// How long a link works: long enough to be sent and opened, short enough to be found in an old log and of no use.
pub(crate) const LIFE: TimeDelta = TimeDelta::minutes(15);

/// Makes a link for a user. The secret is returned here and never again.
pub(crate) async fn create(context: &Context, user: &User) -> ApiResult<String> {
    if user.is_blocked {
        return Code::Blocked.err();
    }
    let secret = secret::passing(&context.ids);
    let mut tx = context.db.write("link.create").await?;
    let ends = tx.now() + LIFE;
    tx.create_sign_in_link(&secret::hash(&secret), user.id, ends).await?;
    tx.audit(context.ids.next(), &Doer::operator(), &Deed::new(Act::LinkCreate).about(user.id)).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Whom a link signs in. It stays what it is: whoever looks at an address before a person does must not use it up.
pub(crate) async fn show(app: &App, secret: &str) -> ApiResult<User> {
    let mut tx = app.context.db.read().await?;
    let user = match tx.sign_in_link(&secret::hash(secret)).await? {
        Some(id) => tx.user(id).await?,
        None => None,
    };
    user.map_or_else(|| Code::SignInLinkNotFound.err(), Ok)
}

/// Uses a link up and opens a session, in the place of the one that the browser had.
pub(crate) async fn follow(app: &App, secret: &str, before: &Actor, from: Option<IpAddr>) -> ApiResult<String> {
    rates::attempt(&app.context, Rate::SignIns, Whose::Address(from)).await?;
    let outcome = open(app, secret, before, from).await;
    if let Err(error) = &outcome {
        audit::refused(app, &Doer::anonymous(from), Deed::new(Act::SessionRefuse), error).await;
    }
    outcome
}

async fn open(app: &App, secret: &str, before: &Actor, from: Option<IpAddr>) -> ApiResult<String> {
    let mut tx = app.context.db.write("link.follow").await?;
    let user = match tx.take_sign_in_link(&secret::hash(secret)).await? {
        Some(id) => tx.user(id).await?,
        None => None,
    };
    let Some(user) = user else { return Code::SignInLinkNotFound.err() };
    let session = tokens::open_session_in(&mut tx, &app.context.ids, &Doer::arriving(&user, None, from), &user, before).await?;
    tx.commit().await?;
    tracing::info!(user = %user.id, "somebody signed in with a link");
    Ok(session)
}
