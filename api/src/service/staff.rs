//! What the staff of the registry does: look at everything, and change accounts. What it changes about scopes is with the scopes.

use std::collections::BTreeSet;

use slipway_common::db::{Listing, Page};
use slipway_common::ids::{ScopeName, UserId};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::publish::Publish;
use slipway_common::model::scope::Scope;
use slipway_common::model::user::User;

use super::packages::{self, Counted};
use super::people::{self, Standing};
use super::scopes::{self, Detailed};
use super::users::{self, By};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Longest reason of staff, in bytes: a line or two that stand in every refusal.
const MAX_REASON: usize = 500;

/// What to change about an account; what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AccountChange {
    pub(crate) is_staff: Option<bool>,
    pub(crate) is_blocked: Option<bool>,
    pub(crate) scope_limit: Option<i64>,
}

/// A page of the users whose login contains the query.
pub(crate) async fn users(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<(User, Standing)>> {
    actor.staff()?;
    let mut tx = app.context.db.read().await?;
    let found = tx.find_users(query.trim(), page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for user in found.items {
        let standing = people::standing(&mut tx, &user).await?;
        items.push((user, standing));
    }
    Ok(Listing { items, total: found.total })
}

/// Changes an account.
pub(crate) async fn change_user(app: &App, actor: &Actor, id: UserId, change: ApiResult<AccountChange>) -> ApiResult<(User, Standing)> {
    let by = actor.staff()?.id;
    let change = change?;
    if change == AccountChange::default() {
        return Err(Code::MalformedRequest.because("say what to change: `isStaff`, `isBlocked` or `scopeLimit`").into());
    }
    if change.scope_limit.is_some_and(|limit| limit < 0) {
        return Err(Code::MalformedRequest.because("a limit is not negative").into());
    }
    if id == by && (change.is_staff == Some(false) || change.is_blocked == Some(true)) {
        let why = "nobody locks themselves out: somebody else of the staff has to do this";
        return Err(Code::ActorNotAuthorized.because(why).into());
    }
    let mut tx = app.context.db.write("user.change").await?;
    let Some(mut user) = tx.user_to_change(id).await? else { return Code::UserNotFound.err() };
    let before = user.clone();
    user.is_staff = change.is_staff.unwrap_or(user.is_staff);
    user.is_blocked = change.is_blocked.unwrap_or(user.is_blocked);
    user.scope_limit = change.scope_limit.unwrap_or(user.scope_limit);
    user.updated_at = tx.now();
    tx.update_user(&user).await?;
    if change.is_blocked == Some(true) {
        // Nobody comes in any more at the word of somebody who was locked out.
        tx.withdraw_all_invites_by(id).await?;
    }
    let deed = Deed::new(Act::UserChange)
        .about(id)
        .changing("isStaff", before.is_staff, user.is_staff)
        .changing("isBlocked", before.is_blocked, user.is_blocked)
        .changing("scopeLimit", before.scope_limit, user.scope_limit);
    tx.audit(app.context.ids.next(), &actor.doer().as_staff(), &deed).await?;
    let standing = people::standing(&mut tx, &user).await?;
    packages::finish(&app.context, tx, &[Job::Record { subject: Subject::User(id) }]).await?;
    tracing::info!(user = %id, %by, ?change, "an account was changed by staff");
    Ok((user, standing))
}

/// A page of the scopes whose name contains the query, with their quotas.
pub(crate) async fn scopes(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<Detailed>> {
    actor.staff()?;
    let mut tx = app.context.db.read().await?;
    let query = query.trim();
    let found = tx.find_scopes(query.strip_prefix('@').unwrap_or(query), page).await?;
    let creators: BTreeSet<UserId> = found.items.iter().map(|scope| scope.creator_id).collect();
    let creators = tx.users(&creators).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for scope in found.items {
        let Some(creator) = creators.get(&scope.creator_id).cloned() else { continue };
        let usage = tx.scope_usage(&scope.name).await?;
        items.push(Detailed { scope, creator, usage });
    }
    Ok(Listing { items, total: found.total })
}

/// Creates a scope for a user, whatever its name looks like and quotas and reserved names aside.
pub(crate) async fn assign(app: &App, actor: &Actor, asked: ApiResult<(String, UserId)>) -> ApiResult<Scope> {
    let by = actor.staff()?.id;
    let (name, user) = asked?;
    let name = ScopeName::try_from(name.as_str()).map_err(|error| Code::ScopeNameNotAllowed.because(error.to_string()))?;
    if app.context.db.read().await?.user(user).await?.is_none() {
        return Code::UserNotFound.err();
    }
    let scope = scopes::assign(&app.context, &actor.doer().as_staff(), name, user).await?;
    tracing::info!(scope = %scope.name, %user, %by, "a scope was assigned by staff");
    Ok(scope)
}

/// A page of all packages that a query finds, archived ones and those that wait for their first version included. A number is that of
/// a repository, too.
pub(crate) async fn packages(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<Counted>> {
    actor.staff()?;
    let (scope, name) = packages::terms(query);
    let mut tx = app.context.db.read().await?;
    let listing = tx.find_all_packages(scope, name, query.trim().parse().ok(), page).await?;
    packages::count_all(&mut tx, listing).await
}

/// A page of the publishes that a query finds by their package, with who asked for each.
pub(crate) async fn publishes(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<(Publish, By)>> {
    actor.staff()?;
    let (scope, name) = packages::terms(query);
    let mut tx = app.context.db.read().await?;
    let listing = tx.find_publishes(scope, name, page).await?;
    users::attach(&mut tx, listing, |publish| (publish.user_id, publish.id)).await
}

/// Why staff did something, in words for those whom it concerns.
pub(super) fn said(reason: &str) -> ApiResult<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > MAX_REASON || reason.chars().any(char::is_control) {
        return Err(Code::MalformedRequest.because(format!("a reason is one line of 1 to {MAX_REASON} bytes")).into());
    }
    Ok(reason.to_owned())
}
