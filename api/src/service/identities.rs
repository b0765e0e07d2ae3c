//! The accounts elsewhere with which somebody signs in.

use serde_json::json;
use slipway_common::ids::IdentityId;
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::identity::Identity;
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::token::{Token, TokenKind};

use super::{packages, sign_in};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// The identities of the one who asks.
pub(crate) async fn list(app: &App, actor: &Actor) -> ApiResult<Vec<Identity>> {
    let user = actor.user()?;
    Ok(app.context.db.read().await?.identities_of(user.id).await?)
}

/// Unlinks an identity, as long as another way in is left.
pub(crate) async fn unlink(app: &App, actor: &Actor, id: IdentityId) -> ApiResult<()> {
    let user = actor.interactive()?.id;
    let mut tx = app.context.db.write("identity.unlink").await?;
    // Of two that are unlinked at once the second one is the last.
    let Some(user) = tx.user_to_change(user).await? else { return Code::UserNotFound.err() };
    let (gone, left): (Vec<_>, Vec<_>) = tx.identities_of(user.id).await?.into_iter().partition(|identity| identity.id == id);
    let [gone] = &gone[..] else { return Code::IdentityNotFound.err() };
    let is_way_in = |identity: &Identity| app.providers.has(&identity.issuer);
    let is_last = is_way_in(gone) && !left.iter().any(is_way_in);
    if is_last && !tx.tokens_of(user.id).await?.iter().any(opens_for_good) {
        return Code::DisconnectLastService.err();
    }
    tx.remove_identity(user.id, id).await?;
    // Who came in with it, and should not have been able to, is out as well.
    tx.end_sessions(user.id, actor.session()).await?;
    // An address goes with the one who had verified it, unless another one has.
    let is_elsewhere = left.iter().any(|identity| identity.email == gone.email);
    if gone.email.is_some() && !is_elsewhere {
        let other = left.iter().find_map(|identity| identity.email.as_deref());
        sign_in::follow_email(&mut tx, user.id, gone.email.as_deref(), other).await?;
    }
    let deed = Deed::new(Act::IdentityUnlink).about(user.id).with("issuer", gone.issuer.as_str()).with("login", json!(gone.login));
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    packages::finish(&app.context, tx, &[Job::Record { subject: Subject::User(user.id) }]).await?;
    tracing::info!(user = %user.id, issuer = gone.issuer, "an identity was unlinked");
    Ok(())
}

/// Whether somebody can sign in with a token whenever they like, from wherever they are.
fn opens_for_good(token: &Token) -> bool {
    token.kind == TokenKind::Personal && token.permissions.is_none() && token.networks.is_none() && token.expires_at.is_none()
}
