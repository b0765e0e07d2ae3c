//! Invites: an admin asks somebody to belong to a scope, and they say yes or no.
//!
//! An invite makes a plain member and never an admin. It is worth as much as the one who wrote it: when they run the scope no longer,
//! it is gone. One for an address says nothing about whether anybody has an account with it.

use std::collections::BTreeSet;

use slipway_common::db::ReadTx;
use slipway_common::ids::{ScopeName, UserId};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::identity::ProviderKind;
use slipway_common::model::member::{Invite, Invitee, Member};
use slipway_common::model::user::User;
use uuid::Uuid;

use super::rates::{self, Rate, Whose};
use super::{scopes, visibility};
use crate::app::App;
use crate::auth::actor::{Actor, thawed};
use crate::error::{ApiResult, Code};

/// Most invites of a scope that wait for an answer. A team that starts has some dozens; more is a list of addresses to bother.
const MAX_OPEN_INVITES: usize = 100;
/// Most invites that a person is shown.
const MAX_SHOWN: i64 = 100;
/// Longest address for mail, in bytes: what a mail server takes (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

/// Who is asked, in the words of the one who asks.
pub(crate) enum Asked {
    Id(UserId),
    Login(String),
    Email(String),
    /// By what they are called at a provider of this kind.
    Elsewhere(ProviderKind, String),
}

/// An invite with the people in it, as far as they are known.
pub(crate) struct Shown {
    pub(crate) invite: Invite,
    pub(crate) target: Option<User>,
    pub(crate) requested_by: Option<User>,
}

/// Asks somebody to belong to a scope.
pub(crate) async fn create(app: &App, actor: &Actor, scope: &ScopeName, asked: ApiResult<Asked>) -> ApiResult<Shown> {
    let mut tx = app.context.db.write("invite.create").await?;
    scopes::locked(&mut tx, actor, scope).await?;
    let requested_by = actor.user()?.id;
    rates::spend(&app.context, &mut tx, Rate::Invites, Whose::Scope(scope)).await?;
    let invitee = match asked? {
        Asked::Id(id) => account(tx.user(id).await?)?,
        Asked::Login(login) => account(tx.user_by_login(&login).await?)?,
        Asked::Email(email) => Invitee::Email(address(&email)?),
        Asked::Elsewhere(kind, login) => called(&mut tx, kind, &login).await?,
    };
    if let Invitee::Account(user) = &invitee
        && tx.membership(scope, *user).await?.is_some()
    {
        return Code::AlreadyScopeMember.err();
    }
    if tx.invites_of(scope).await?.len() >= MAX_OPEN_INVITES {
        return Code::ScopeInviteLimitReached.err();
    }
    let invite = Invite { id: app.context.ids.next(), scope: scope.clone(), invitee, requested_by, created_at: tx.now() };
    if !tx.create_invite(&invite).await? {
        return Code::AlreadyInvited.err();
    }
    let deed = Deed::in_scope(Act::InviteCreate, scope).with("invite", invite.id.to_string());
    let deed = match &invite.invitee {
        Invitee::Account(user) => deed.about(*user),
        Invitee::Email(address) => deed.with("email", address.as_str()),
    };
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    let shown = show(&mut tx, vec![invite]).await?.pop();
    tx.commit().await?;
    tracing::info!(%scope, by = %requested_by, "somebody is asked to belong to a scope");
    shown.map_or_else(|| Code::ScopeInviteNotFound.err(), Ok)
}

fn account(user: Option<User>) -> ApiResult<Invitee> {
    user.map_or_else(|| Code::UserNotFound.err(), |user| Ok(Invitee::Account(user.id)))
}

/// Whoever was last seen with a login at a provider of a kind. They must have signed in here with it: no provider is asked.
async fn called(tx: &mut ReadTx, kind: ProviderKind, login: &str) -> ApiResult<Invitee> {
    let found: BTreeSet<UserId> = tx.identities_called(kind, login).await?.into_iter().map(|identity| identity.user_id).collect();
    match found.into_iter().collect::<Vec<_>>()[..] {
        [] => {
            let why = "nobody has signed in here with an account of this name; ask them by `login`, or by `email`";
            Err(Code::UserNotFound.because(why).into())
        }
        [user] => Ok(Invitee::Account(user)),
        _ => Err(Code::MalformedRequest.because("several accounts are called so elsewhere; ask by `login` or `id`").into()),
    }
}

/// An address for mail, in lower case: who has it is all that matters, and providers take both. ASCII alone is lowered: in Unicode other
/// letters come out as the same ones, and with them somebody else's address.
fn address(text: &str) -> ApiResult<String> {
    let text = text.trim().to_ascii_lowercase();
    let is_plain = text.len() <= MAX_EMAIL && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    match text.split_once('@') {
        Some((mailbox, host)) if is_plain && !mailbox.is_empty() && !host.is_empty() && !host.contains('@') => Ok(text),
        _ => Err(Code::MalformedRequest.because("`email` is no address for mail").into()),
    }
}

/// Who is asked to belong to a scope, for its admins.
pub(crate) async fn of_scope(app: &App, actor: &Actor, scope: &ScopeName) -> ApiResult<Vec<Shown>> {
    actor.user()?;
    let mut tx = app.context.db.read().await?;
    visibility::scope(&mut tx, actor, scope).await?;
    actor.admin(&mut tx, scope).await?;
    let invites = tx.invites_of(scope).await?;
    show(&mut tx, invites).await
}

/// Withdraws an invite, named by itself or by the account that it asks. One that is gone is as good as withdrawn.
pub(crate) async fn withdraw(app: &App, actor: &Actor, scope: &ScopeName, named: Uuid) -> ApiResult<()> {
    let mut tx = app.context.db.write("invite.withdraw").await?;
    scopes::locked(&mut tx, actor, scope).await?;
    if tx.withdraw_invite(scope, named).await? {
        let deed = Deed::in_scope(Act::InviteWithdraw, scope).with("invite", named.to_string());
        tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What the one who asks was asked.
pub(crate) async fn of_actor(app: &App, actor: &Actor) -> ApiResult<Vec<Shown>> {
    let user = actor.user()?;
    let mut tx = app.context.db.read().await?;
    let mut invites = tx.invites_for(user, MAX_SHOWN).await?;
    // Asked twice by one scope, by account and by address, is asked once.
    let mut seen = BTreeSet::new();
    invites.retain(|invite| seen.insert(invite.scope.clone()));
    let shown = show(&mut tx, invites).await?;
    Ok(shown.into_iter().map(|shown| Shown { target: Some(user.clone()), ..shown }).collect())
}

/// Says yes to a scope.
pub(crate) async fn accept(app: &App, actor: &Actor, scope: &ScopeName) -> ApiResult<Member> {
    let user = actor.user()?;
    let mut tx = app.context.db.write("invite.accept").await?;
    // Who is sent away and who comes in wait for each other, so an invite does not outlive the right to have written it.
    let locked = tx.scope_to_change(scope).await?;
    if locked.is_none() || !tx.answer_invites(scope, user).await? {
        return Code::ScopeInviteNotFound.err();
    }
    locked.as_ref().map_or(Ok(()), thawed)?;
    tx.add_member(scope, user.id, false).await?;
    let member = tx.member(scope, user.id).await?;
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::in_scope(Act::InviteAccept, scope).about(user.id)).await?;
    scopes::record(&app.context, tx, scope).await?;
    tracing::info!(%scope, user = %user.id, "a member has joined");
    member.map_or_else(|| Code::ScopeInviteNotFound.err(), Ok)
}

/// Says no to a scope. Not having been asked is as good.
pub(crate) async fn decline(app: &App, actor: &Actor, scope: &ScopeName) -> ApiResult<()> {
    let user = actor.user()?;
    let mut tx = app.context.db.write("invite.decline").await?;
    if tx.answer_invites(scope, user).await? {
        tx.audit(app.context.ids.next(), &actor.doer(), &Deed::in_scope(Act::InviteDecline, scope).about(user.id)).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn show(tx: &mut ReadTx, invites: Vec<Invite>) -> ApiResult<Vec<Shown>> {
    let account = |invite: &Invite| match invite.invitee {
        Invitee::Account(id) => Some(id),
        Invitee::Email(_) => None,
    };
    let ids: BTreeSet<UserId> = invites.iter().flat_map(|invite| account(invite).into_iter().chain([invite.requested_by])).collect();
    let users = tx.users(&ids).await?;
    let with = |invite: Invite| Shown {
        target: account(&invite).and_then(|id| users.get(&id)).cloned(),
        requested_by: users.get(&invite.requested_by).cloned(),
        invite,
    };
    Ok(invites.into_iter().map(with).collect())
}
