//! Who belongs to a scope: members, admins, and the one who answers for it.
//!
//! A scope always has an admin who can act, and its owner is one of them. Whoever changes who belongs to a scope holds its lock, so
//! that of two admins who leave at once the second one is told to stay.

use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{ScopeName, UserId};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::member::Member;
use slipway_common::model::scope::Scope;

use super::{scopes, visibility};
use crate::app::App;
use crate::auth::actor::{Actor, thawed};
use crate::error::{ApiResult, Code};

/// The members of a scope, for everybody who may know of it.
pub(crate) async fn list(app: &App, actor: &Actor, scope: &ScopeName) -> ApiResult<Vec<Member>> {
    let mut tx = app.context.db.read().await?;
    visibility::scope(&mut tx, actor, scope).await?;
    Ok(tx.members_of(scope).await?)
}

/// The one who asks as a member of a scope.
pub(crate) async fn own(app: &App, actor: &Actor, scope: &ScopeName) -> ApiResult<Member> {
    let user = actor.user()?;
    existing(&mut app.context.db.read().await?, scope, user.id).await
}

async fn existing(tx: &mut ReadTx, scope: &ScopeName, user: UserId) -> ApiResult<Member> {
    match tx.member(scope, user).await? {
        Some(member) => Ok(member),
        None => Code::ScopeMemberNotFound.err(),
    }
}

/// Has a member run a scope, or no longer.
pub(crate) async fn set_admin(app: &App, actor: &Actor, scope: &ScopeName, user: UserId, is_admin: ApiResult<bool>) -> ApiResult<Member> {
    let mut tx = app.context.db.write("member.change").await?;
    let locked = scopes::locked(&mut tx, actor, scope).await?;
    let is_admin = is_admin?;
    let member = existing(&mut tx, scope, user).await?;
    if member.is_admin == is_admin {
        return Ok(member);
    }
    let mut heir = None;
    if !is_admin {
        heir = step_down(&mut tx, &locked, user).await?;
        tx.withdraw_invites_by(scope, user).await?;
    }
    tx.set_admin(scope, user, is_admin).await?;
    let deed = Deed::in_scope(Act::MemberRole, scope).about(user).changing("isAdmin", !is_admin, is_admin);
    tx.audit(app.context.ids.next(), &actor.doer(), &inherited(deed, heir)).await?;
    let member = existing(&mut tx, scope, user).await?;
    scopes::record(&app.context, tx, scope).await?;
    tracing::info!(%scope, %user, is_admin, "a member has another role");
    Ok(member)
}

/// Takes somebody out of a scope: an admin's decision, or their own.
pub(crate) async fn remove(app: &App, actor: &Actor, scope: &ScopeName, user: UserId) -> ApiResult<()> {
    let mut tx = app.context.db.write("member.remove").await?;
    let is_own = actor.user()?.id == user;
    tx.scope_to_change(scope).await?;
    let locked = visibility::scope(&mut tx, actor, scope).await?;
    if is_own {
        actor.member(&mut tx, scope).await?;
    } else {
        actor.admin(&mut tx, scope).await?;
    }
    thawed(&locked)?;
    let (was_admin, mut heir) = (existing(&mut tx, scope, user).await?.is_admin, None);
    if was_admin {
        heir = step_down(&mut tx, &locked, user).await?;
        tx.withdraw_invites_by(scope, user).await?;
    }
    tx.remove_member(scope, user).await?;
    let deed = Deed::in_scope(Act::MemberRemove, scope).about(user).with("wasAdmin", was_admin);
    tx.audit(app.context.ids.next(), &actor.doer(), &inherited(deed, heir)).await?;
    scopes::record(&app.context, tx, scope).await?;
    tracing::info!(%scope, %user, is_own, "a member has left");
    Ok(())
}

/// Says of an act who owns the scope from now on, if that is somebody else.
fn inherited(deed: Deed, heir: Option<UserId>) -> Deed {
    match heir {
        Some(heir) => deed.with("newOwner", heir.to_string()),
        None => deed,
    }
}

/// What has to hold when an admin is to be one no longer: another one who can act is left, and one who may have one scope more owns
/// the scope if it was theirs. Returns that one.
async fn step_down(tx: &mut WriteTx, scope: &Scope, user: UserId) -> ApiResult<Option<UserId>> {
    let members = tx.members_of(&scope.name).await?;
    // Whoever is blocked runs nothing.
    let others = members.into_iter().filter(|member| member.is_admin && member.user.id != user && !member.user.is_blocked);
    let others: Vec<Member> = others.collect();
    if others.is_empty() {
        return Code::ScopeMustHaveAdmin.err();
    }
    if scope.creator_id != user {
        return Ok(None);
    }
    for heir in others {
        if tx.scopes_created(heir.user.id).await? < heir.user.scope_limit {
            tx.set_creator(&scope.name, heir.user.id).await?;
            tracing::info!(scope = %scope.name, from = %user, to = %heir.user.id, "a scope has another owner");
            return Ok(Some(heir.user.id));
        }
    }
    Code::NoScopeOwnerAvailable.err()
}
