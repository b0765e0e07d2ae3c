//! Signing in with an account that somebody has elsewhere.
//!
//! An identity that is known leads to its user, one that is not to a new user, or, where somebody signed in asked for it, to theirs. Nobody is
//! taken for somebody else because their address is the same: a provider that lets people write down any address must not open accounts.

use std::net::IpAddr;

use serde_json::json;
use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::ids::{Sha256, UserId};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::identity::Identity;
use slipway_common::model::job::{Job, Subject};
use url::Url;

use super::rates::{self, Rate, Whose};
use super::{accounts, audit, packages, tokens};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::identity::{Answer, Attempt, LIFE, Person};
use crate::error::{ApiResult, Code};

/// Where somebody is sent to, and what their browser keeps meanwhile.
pub(crate) struct SetOut {
    /// Where the provider lets them in.
    pub(crate) url: Url,
    /// What people call it.
    pub(crate) title: String,
    /// What the browser keeps.
    pub(crate) cookie: String,
}

/// What somebody comes back with.
pub(crate) struct Returned<'a> {
    /// What their browser kept.
    pub(crate) kept: &'a str,
    /// What the provider has them say.
    pub(crate) answer: &'a Answer,
}

/// Somebody is back.
pub(crate) struct Back {
    /// The secret of a session that was opened; none when an identity was linked.
    pub(crate) session: Option<String>,
    /// The path to go on to, which is one that was looked at before.
    pub(crate) redirect: String,
}

/// Where somebody is sent who wants to sign in.
pub(crate) async fn begin(app: &App, provider: &str, redirect: &str) -> ApiResult<SetOut> {
    set_out(app, provider, redirect, None).await
}

/// Where somebody is sent who wants to link one more identity to their account.
pub(crate) async fn begin_link(app: &App, actor: &Actor, provider: &str, redirect: &str) -> ApiResult<SetOut> {
    let user = actor.interactive()?.id;
    set_out(app, provider, redirect, Some(user)).await
}

async fn set_out(app: &App, provider: &str, redirect: &str, link: Option<UserId>) -> ApiResult<SetOut> {
    let provider = app.providers.named(provider)?;
    let now = app.context.clock.now();
    let attempt = Attempt::begin(&app.context.ids, provider.name(), redirect, link, now);
    let url = provider.address(&attempt, now).await?;
    Ok(SetOut { url, title: provider.title().to_owned(), cookie: attempt.cookie().to_owned() })
}

/// Somebody comes back from a provider with what their browser kept. `actor` is who they are signed in as so far.
pub(crate) async fn finish(app: &App, actor: &Actor, from: Option<IpAddr>, provider: &str, back: &Returned<'_>) -> ApiResult<Back> {
    rates::attempt(&app.context, Rate::SignIns, Whose::Address(from)).await?;
    let outcome = judge(app, actor, from, provider, back).await;
    if let Err(error) = &outcome {
        let deed = Deed::new(Act::SessionRefuse).with("provider", provider);
        audit::refused(app, &Doer::anonymous(from), deed, error).await;
    }
    outcome
}

async fn judge(app: &App, actor: &Actor, from: Option<IpAddr>, provider: &str, back: &Returned<'_>) -> ApiResult<Back> {
    let Returned { kept, answer } = back;
    let provider = app.providers.named(provider)?;
    let now = app.context.clock.now();
    let attempt = Attempt::read(kept).filter(|attempt| {
        // All of it is in the state; who went to one provider and comes back from another was led astray.
        attempt.is_answered_by(&answer.state) && attempt.provider == provider.name() && now < attempt.ends
    });
    let Some(attempt) = attempt else { return Code::InvalidOauthState.err() };
    if attempt.link.is_some() && attempt.link != linking(actor) {
        return Code::InvalidOauthState.err();
    }
    let person = app.providers.identify(provider, &attempt, answer, now).await?;
    let session = match arrive(app, (actor, from), &attempt, &person).await? {
        Some(session) => session,
        // The same person arrived twice at once, and was new. Now they are known.
        None => arrive(app, (actor, from), &attempt, &person).await?.ok_or(Code::Unavailable)?,
    };
    Ok(Back { session, redirect: attempt.redirect })
}

/// Whose account is linked to: that of the browser's session.
fn linking(actor: &Actor) -> Option<UserId> {
    actor.interactive().ok().map(|user| user.id)
}

/// Does what somebody came for. Nothing when somebody else has just been given the identity.
async fn arrive(
    app: &App,
    (actor, from): (&Actor, Option<IpAddr>),
    attempt: &Attempt,
    person: &Person,
) -> ApiResult<Option<Option<String>>> {
    let context = &app.context;
    let mut tx = context.db.write("sign_in").await?;
    let state = Sha256::of(attempt.state().as_bytes());
    // As long as it could be shown again, and as long again: the clock of another process may be behind.
    if !tx.use_sign_in(&state, attempt.ends + LIFE).await? {
        return Code::InvalidOauthState.err();
    }
    let known = tx.identity(&person.issuer, &person.subject).await?;
    let is_linked = known.is_none();
    let (user, has_changed) = match (known, attempt.link) {
        (Some(known), Some(user)) if known.user_id != user => return Code::ConnectTakenService.err(),
        (Some(known), _) => (known.user_id, see(&mut tx, &known, person).await?),
        (None, Some(user)) => {
            if !link(context, &mut tx, user, person).await? {
                return Ok(None);
            }
            (user, true)
        }
        (None, None) if !app.providers.named(&attempt.provider)?.makes_accounts() => return Code::SignUpClosed.err(),
        (None, None) => {
            let user = accounts::create(context, &mut tx, person).await?;
            if !link(context, &mut tx, user.id, person).await? {
                return Ok(None);
            }
            (user.id, true)
        }
    };
    let Some(account) = tx.user(user).await? else { return Code::UserNotFound.err() };
    let doer = if attempt.link.is_some() { actor.doer() } else { Doer::arriving(&account, Some(&person.issuer), from) };
    if is_linked {
        if attempt.link.is_none() {
            tx.audit(context.ids.next(), &doer, &Deed::new(Act::UserCreate).about(user).with("name", account.name.as_str())).await?;
        }
        let deed = Deed::new(Act::IdentityLink).about(user).with("issuer", person.issuer.as_str()).with("login", json!(person.login));
        tx.audit(context.ids.next(), &doer, &deed).await?;
    }
    let session = match attempt.link {
        Some(_) => None,
        None => Some(tokens::open_session_in(&mut tx, &context.ids, &doer, &account, actor).await?),
    };
    let work = [Job::Record { subject: Subject::User(user) }];
    packages::finish(context, tx, if has_changed { &work } else { &[] }).await?;
    tracing::info!(%user, issuer = person.issuer, is_link = attempt.link.is_some(), "somebody came back from a provider of identities");
    Ok(Some(session))
}

/// Gives an identity to a user. False when somebody has it.
async fn link(context: &Context, tx: &mut WriteTx, user: UserId, person: &Person) -> ApiResult<bool> {
    let identity = seen(
        Identity {
            id: context.ids.next(),
            user_id: user,
            kind: person.kind,
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            login: None,
            email: None,
            created_at: tx.now(),
            seen_at: tx.now(),
        },
        person,
        tx.now(),
    );
    let is_new = tx.create_identity(&identity).await?;
    if is_new {
        follow_email(tx, user, None, identity.email.as_deref()).await?;
    }
    Ok(is_new)
}

/// Notes what is known of an identity now. True when it is something else than before.
async fn see(tx: &mut WriteTx, known: &Identity, person: &Person) -> ApiResult<bool> {
    let identity = seen(known.clone(), person, tx.now());
    let has_changed = (&identity.login, &identity.email) != (&known.login, &known.email);
    tx.see_identity(&identity, has_changed).await?;
    if identity.email != known.email {
        follow_email(tx, known.user_id, known.email.as_deref(), identity.email.as_deref()).await?;
    }
    Ok(has_changed)
}

fn seen(identity: Identity, person: &Person, now: Instant) -> Identity {
    Identity { login: person.login.clone(), email: person.email.clone(), seen_at: now, ..identity }
}

/// An account that has no address, or the one that its identity had before, gets the one that it has now. Invites are for whoever has an
/// address, so one that somebody has no longer must not stay. What the operator wrote down stays.
pub(super) async fn follow_email(tx: &mut WriteTx, user: UserId, before: Option<&str>, now: Option<&str>) -> ApiResult<()> {
    let Some(user) = tx.user(user).await? else { return Ok(()) };
    if user.email.as_deref() == before && before != now {
        tx.set_email(user.id, now).await?;
    }
    Ok(())
}
