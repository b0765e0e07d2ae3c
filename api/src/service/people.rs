//! Accounts: how somebody stands, and what they belong to.

use slipway_common::db::{Listing, ReadTx};
use slipway_common::ids::UserId;
use slipway_common::model::identity::ProviderKind;
use slipway_common::model::scope::Scope;
use slipway_common::model::user::User;

use super::packages::{self, Counted};
use super::{scopes, visibility};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Packages that are shown of somebody. JSR's figure.
const MAX_PACKAGES: i64 = 10;

/// How somebody stands, in numbers.
pub(crate) struct Standing {
    /// Scopes that count against their limit.
    pub(crate) scopes: i64,
    /// Scopes that ask them to belong to it.
    pub(crate) invites: i64,
    /// Open tickets of theirs in which the last word is somebody else's.
    pub(crate) answers: i64,
    /// What they are known by elsewhere.
    pub(crate) numbers: Numbers,
}

/// The numbers of somebody's accounts at GitHub and GitLab, as far as they sign in with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) github: Option<i64>,
    pub(crate) gitlab: Option<i64>,
}

/// How somebody stands.
pub(crate) async fn standing(tx: &mut ReadTx, user: &User) -> ApiResult<Standing> {
    Ok(Standing {
        scopes: tx.scopes_created(user.id).await?,
        invites: tx.count_invites_for(user).await?,
        answers: tx.count_open_tickets(user.id).await?.1,
        numbers: numbers(tx, user.id).await?,
    })
}

async fn numbers(tx: &mut ReadTx, user: UserId) -> ApiResult<Numbers> {
    let identities = tx.identities_of(user).await?;
    let first = |kind| identities.iter().find_map(|identity| identity.number(kind));
    Ok(Numbers { github: first(ProviderKind::Github), gitlab: first(ProviderKind::Gitlab) })
}

/// Anybody.
pub(crate) async fn show(app: &App, id: UserId) -> ApiResult<(User, Numbers)> {
    let mut tx = app.context.db.read().await?;
    let user = existing(&mut tx, id).await?;
    let numbers = numbers(&mut tx, id).await?;
    Ok((user, numbers))
}

async fn existing(tx: &mut ReadTx, id: UserId) -> ApiResult<User> {
    tx.user(id).await?.map_or_else(|| Code::UserNotFound.err(), Ok)
}

/// The scopes that somebody belongs to.
pub(crate) async fn scopes(app: &App, actor: &Actor, id: UserId) -> ApiResult<Vec<Scope>> {
    let mut tx = app.context.db.read().await?;
    existing(&mut tx, id).await?;
    scopes::of_user(&mut tx, id, visibility::reader(actor)).await
}

/// The packages of which somebody published a version last.
pub(crate) async fn packages(app: &App, actor: &Actor, id: UserId) -> ApiResult<Vec<Counted>> {
    let mut tx = app.context.db.browse().await?;
    existing(&mut tx, id).await?;
    let items = tx.packages_published_by(id, visibility::reader(actor), MAX_PACKAGES).await?;
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    Ok(packages::count_all(&mut tx, Listing { items, total }).await?.items)
}
