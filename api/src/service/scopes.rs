//! Scopes.

use slipway_common::context::Context;
use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{ScopeName, UserId, likeness};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::limits::UploadLimits;
use slipway_common::model::scope::{Scope, Usage};
use slipway_common::model::user::User;

use super::rates::{self, Rate, Whose};
use super::staff::said;
use super::visibility;
use crate::app::App;
use crate::auth::actor::{Actor, thawed};
use crate::error::{ApiResult, Code};
use crate::wording;

/// A scope as its admins see it.
pub(crate) struct Detailed {
    pub(crate) scope: Scope,
    pub(crate) creator: User,
    pub(crate) usage: Usage,
}

/// A scope, with what only its admins see if the actor is one.
pub(crate) enum Seen {
    Plain(Box<Scope>),
    Full(Box<Detailed>),
}

/// Creates a scope for the one who asks.
pub(crate) async fn create(app: &App, actor: &Actor, name: &str, description: &str, is_private: bool) -> ApiResult<Scope> {
    let user = actor.user()?;
    let name = ScopeName::try_from(name).map_err(|error| Code::ScopeNameNotAllowed.because(error.to_string()))?;
    let description = describe(description)?;
    if !user.is_staff && is_reserved(&app.context, &name) {
        return Code::ScopeNameReserved.err();
    }
    let mut tx = app.context.db.write("scope.create").await?;
    rates::spend(&app.context, &mut tx, Rate::Scopes, Whose::Account(user.id)).await?;
    // Counted where the row is written: on SQLite writers queue, on PostgreSQL two racing requests may go one over, which a quota bears.
    if tx.scopes_created(user.id).await? >= user.scope_limit {
        return Code::ScopeLimitReached.err();
    }
    let scope = Scope { is_private, ..new_scope(&app.context, name, description, user.id, tx.now()) };
    if !tx.create_scope(&scope).await? {
        return taken(&mut tx, &scope.name).await;
    }
    tx.add_member(&scope.name, user.id, true).await?;
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::in_scope(Act::ScopeCreate, &scope.name)).await?;
    record(&app.context, tx, &scope.name).await?;
    Ok(scope)
}

/// Why a scope cannot be called so.
async fn taken<T>(tx: &mut ReadTx, name: &ScopeName) -> ApiResult<T> {
    match tx.scope_like(name).await? {
        Some(other) if other.skeleton() != name.skeleton() => {
            let why = format!(
                "`{name}` is easily taken for @{other}, which exists already; choose another name, or ask the staff of this registry"
            );
            Err(Code::ScopeNameTooSimilar.because(why).into())
        }
        _ => Code::ScopeAlreadyExists.err(),
    }
}

/// Creates a scope for a user, whatever its name looks like and quotas and reserved names aside: staff's way.
pub(crate) async fn assign(context: &Context, doer: &Doer, name: ScopeName, user: UserId) -> ApiResult<Scope> {
    let mut tx = context.db.write("scope.assign").await?;
    let scope = new_scope(context, name, String::new(), user, tx.now());
    if !tx.assign_scope(&scope).await? {
        return Code::ScopeAlreadyExists.err();
    }
    tx.add_member(&scope.name, user, true).await?;
    tx.audit(context.ids.next(), doer, &Deed::in_scope(Act::ScopeAssign, &scope.name).about(user)).await?;
    record(context, tx, &scope.name).await?;
    Ok(scope)
}

/// The scope, or the refusal that says that there is none. For who is known to belong to it, or to the staff.
pub(super) async fn existing(tx: &mut ReadTx, name: &ScopeName) -> ApiResult<Scope> {
    match tx.scope(name).await? {
        Some(scope) => Ok(scope),
        None => Code::ScopeNotFound.err(),
    }
}

/// The scope for one of its admins, and nobody else changes it or its members until this transaction ends. Who has not said who they
/// are hears that first.
pub(super) async fn locked(tx: &mut WriteTx, actor: &Actor, name: &ScopeName) -> ApiResult<Scope> {
    actor.user()?;
    tx.scope_to_change(name).await?;
    let scope = visibility::scope(tx, actor, name).await?;
    actor.admin(tx, name).await?;
    thawed(&scope)?;
    Ok(scope)
}

/// Commits what was changed about a scope, and has it written down.
pub(super) async fn record(context: &Context, mut tx: WriteTx, name: &ScopeName) -> ApiResult<()> {
    let job = Job::Record { subject: Subject::Scope(name.clone()) };
    let id = jobs::enqueue(&mut tx, &context.ids, &job).await?;
    tx.commit().await?;
    context.ring(job.lane(), id).await;
    Ok(())
}

fn new_scope(context: &Context, name: ScopeName, description: String, creator_id: UserId, now: slipway_common::clock::Instant) -> Scope {
    Scope {
        name,
        description,
        creator_id,
        quotas: context.config.quotas,
        // A robot that merges, or a maintainer without an account here, releases as well: what is trusted is the job.
        verify_oidc_actor: false,
        require_publishing_from_ci: false,
        is_private: false,
        upload_limits: None,
        frozen: None,
        created_at: now,
        updated_at: now,
    }
}

fn is_reserved(context: &Context, name: &ScopeName) -> bool {
    context.config.reserved_names.iter().any(|reserved| likeness(reserved) == name.likeness())
}

/// A description: empty, or 5 to 200 bytes on one line. JSR's rule.
fn describe(text: &str) -> ApiResult<String> {
    let text = text.trim();
    if text.is_empty() || ((5..=200).contains(&text.len()) && !text.chars().any(char::is_control)) {
        return Ok(text.to_owned());
    }
    Err(Code::MalformedRequest.because("the description of a scope is empty, or one line of 5 to 200 bytes").into())
}

/// A scope, as much of it as the actor may see.
pub(crate) async fn show(app: &App, actor: &Actor, name: &ScopeName) -> ApiResult<Seen> {
    let mut tx = app.context.db.read().await?;
    let scope = visibility::scope(&mut tx, actor, name).await?;
    if !actor.is_admin(&mut tx, name).await? {
        return Ok(Seen::Plain(Box::new(scope)));
    }
    let usage = tx.scope_usage(name).await?;
    match tx.user(scope.creator_id).await? {
        Some(creator) => Ok(Seen::Full(Box::new(Detailed { scope, creator, usage }))),
        None => Ok(Seen::Plain(Box::new(scope))),
    }
}

/// What its admins may change about a scope, one thing at a time.
pub(crate) enum Change {
    Description(String),
    VerifyOidcActor(bool),
    RequirePublishingFromCi(bool),
    /// Whether it is known to its members alone.
    Private(bool),
}

/// Changes one thing about a scope.
pub(crate) async fn change(app: &App, actor: &Actor, name: &ScopeName, change: ApiResult<Change>) -> ApiResult<Seen> {
    let mut tx = app.context.db.write("scope.change").await?;
    let mut scope = locked(&mut tx, actor, name).await?;
    let before = scope.clone();
    match change? {
        Change::Description(text) => scope.description = describe(&text)?,
        Change::VerifyOidcActor(verify) => scope.verify_oidc_actor = verify,
        Change::RequirePublishingFromCi(require) => scope.require_publishing_from_ci = require,
        Change::Private(is_private) => {
            if is_private {
                visibility::close_scope(&mut tx, name).await?;
            }
            scope.is_private = is_private;
        }
    }
    tx.update_scope(&scope).await?;
    let deed = Deed::in_scope(Act::ScopeChange, name)
        .changing("description", before.description, scope.description)
        .changing("ghActionsVerifyActor", before.verify_oidc_actor, scope.verify_oidc_actor)
        .changing("requirePublishingFromCI", before.require_publishing_from_ci, scope.require_publishing_from_ci)
        .changing("isPrivate", before.is_private, scope.is_private);
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    record(&app.context, tx, name).await?;
    show(app, actor, name).await
}

/// Numbers that staff changes about a scope; what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) packages: Option<i64>,
    pub(crate) new_packages_per_week: Option<i64>,
    pub(crate) publishes_per_week: Option<i64>,
    /// Limits in which the scope differs from the configuration; an empty object takes all of them back.
    pub(crate) upload: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Changes the quotas and upload limits of a scope: staff's way.
pub(crate) async fn set_limits(app: &App, actor: &Actor, name: &ScopeName, limits: ApiResult<Limits>) -> ApiResult<Detailed> {
    actor.staff()?;
    let limits = limits?;
    let mut tx = app.context.db.write("scope.limits").await?;
    let Some(mut scope) = tx.scope_to_change(name).await? else { return Code::ScopeNotFound.err() };
    let before = scope.clone();
    let quotas = &mut scope.quotas;
    for (quota, given) in [
        (&mut quotas.packages, limits.packages),
        (&mut quotas.new_packages_per_week, limits.new_packages_per_week),
        (&mut quotas.publishes_per_week, limits.publishes_per_week),
    ] {
        match given {
            Some(number) if number < 0 => return Err(Code::MalformedRequest.because("a limit is not negative").into()),
            Some(number) => *quota = number,
            None => {}
        }
    }
    if let Some(upload) = limits.upload {
        // Read once to refuse what would be ignored later.
        wording::read::<UploadLimits>(upload.clone().into())
            .map_err(|problem| Code::MalformedRequest.because(format!("`uploadLimits` cannot be used: {problem}")))?;
        scope.upload_limits = (!upload.is_empty()).then(|| upload.into());
    }
    tx.limit_scope(&scope).await?;
    let deed = Deed::in_scope(Act::ScopeLimits, name)
        .changing("packageLimit", before.quotas.packages, scope.quotas.packages)
        .changing("newPackagePerWeekLimit", before.quotas.new_packages_per_week, scope.quotas.new_packages_per_week)
        .changing("publishAttemptsPerWeekLimit", before.quotas.publishes_per_week, scope.quotas.publishes_per_week)
        .changing("uploadLimits", before.upload_limits, scope.upload_limits.clone());
    tx.audit(app.context.ids.next(), &actor.doer().as_staff(), &deed).await?;
    let usage = tx.scope_usage(name).await?;
    let creator = tx.user(scope.creator_id).await?;
    record(&app.context, tx, name).await?;
    match creator {
        Some(creator) => Ok(Detailed { scope, creator, usage }),
        None => Code::UserNotFound.err(),
    }
}

/// Lets nobody publish or change anything in a scope any more, for a reason that they are told, or everybody again: staff's way. What
/// is read goes on being read.
pub(crate) async fn freeze(app: &App, actor: &Actor, name: &ScopeName, reason: ApiResult<Option<String>>) -> ApiResult<Detailed> {
    actor.staff()?;
    let reason = reason?.map(|reason| said(&reason)).transpose()?;
    let mut tx = app.context.db.write("scope.freeze").await?;
    let Some(before) = tx.scope_to_change(name).await? else { return Code::ScopeNotFound.err() };
    if before.frozen != reason {
        tx.freeze_scope(name, reason.as_deref()).await?;
        let act = if reason.is_some() { Act::ScopeFreeze } else { Act::ScopeUnfreeze };
        let deed = Deed::in_scope(act, name).changing("reason", before.frozen, reason);
        tx.audit(app.context.ids.next(), &actor.doer().as_staff(), &deed).await?;
    }
    let scope = existing(&mut tx, name).await?;
    let (usage, creator) = (tx.scope_usage(name).await?, tx.user(scope.creator_id).await?);
    record(&app.context, tx, name).await?;
    tracing::info!(scope = %name, is_frozen = scope.frozen.is_some(), "a scope was frozen or unfrozen by staff");
    creator.map_or_else(|| Code::UserNotFound.err(), |creator| Ok(Detailed { scope, creator, usage }))
}

/// Deletes a scope that has no packages.
pub(crate) async fn delete(app: &App, actor: &Actor, name: &ScopeName) -> ApiResult<()> {
    let mut tx = app.context.db.write("scope.delete").await?;
    locked(&mut tx, actor, name).await?;
    if !tx.delete_scope(name).await? {
        return Code::ScopeNotEmpty.err();
    }
    tx.audit(app.context.ids.next(), &actor.doer(), &Deed::in_scope(Act::ScopeDelete, name)).await?;
    record(&app.context, tx, name).await
}

/// The scopes of the one who asks.
pub(crate) async fn of_actor(app: &App, actor: &Actor) -> ApiResult<Vec<Scope>> {
    let user = actor.user()?;
    of_user(&mut app.context.db.read().await?, user.id, Some(user.id)).await
}

/// The scopes that somebody belongs to, as far as the reader may know of them.
pub(super) async fn of_user(tx: &mut ReadTx, user: UserId, reader: Option<UserId>) -> ApiResult<Vec<Scope>> {
    let mut scopes = Vec::new();
    for name in tx.scopes_of(user).await? {
        let Some(scope) = tx.scope(&name).await? else { continue };
        let is_known = match reader {
            _ if !scope.is_private => true,
            Some(reader) => tx.membership(&name, reader).await?.is_some(),
            None => false,
        };
        scopes.extend(is_known.then_some(scope));
    }
    Ok(scopes)
}
