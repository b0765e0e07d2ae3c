//! The audit log: who may read which part of it, and how much of what was refused goes into it.
//!
//! What is done is written down where it is done, in its transaction. What was refused changes nothing, so it has a transaction of its own,
//! and there is a bound: anybody can be refused as often as they like.

use chrono::TimeDelta;
use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::db::AuditFilter;
use slipway_common::ids::{ActId, ScopeName, UserId};
use slipway_common::model::audit::{Act, Deed, Doer, DoerKind, Recorded, Refusals};

use super::visibility;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult, Code, Refusal};

/// How far back refusals are counted.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// Most refused publishes of a scope that are written down within the window, for users, CI jobs and strangers each by themselves, so
/// that strangers cannot keep out of the log what was tried with a credential. A workspace of that many packages is told of in whole; a
/// scope that is hammered at grows the log by two megabytes a day.
const REFUSED_OF_SCOPE: i64 = 100;
/// Most refused sign-ins from one address within the window. Somebody who has pasted the wrong thing tries some times.
const REFUSED_FROM_ADDRESS: i64 = 30;
/// Most refusals of one kind in all within the window: some fifteen megabytes a day, whoever attacks from wherever.
const REFUSED_IN_ALL: i64 = 1_000;

/// What is asked for of a log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) scope: Option<ScopeName>,
    pub(crate) package: Option<String>,
    pub(crate) act: Option<Act>,
    pub(crate) actor: Option<UserId>,
    pub(crate) since: Option<Instant>,
}

/// A part of the log, for somebody who may read it.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    filter: AuditFilter,
    sight: Sight,
}

/// What of each act somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// All of it.
    Whole,
    /// Not from where and with what staff came, which is no business of those whom they look after, nor whoever was asked to belong to the
    /// scope and does not want to: an invite must not be a way to learn somebody's address.
    OfScope,
    /// From where and with what they themselves came, and nobody else.
    Own(UserId),
}

impl From<Asked> for AuditFilter {
    fn from(Asked { scope, package, act, actor, since }: Asked) -> Self {
        Self { scope, package, act, actor, since, concerning: None }
    }
}

impl Log {
    /// Everything, for whoever has the command line.
    pub(crate) fn whole(asked: Asked) -> Self {
        Self { filter: asked.into(), sight: Sight::Whole }
    }

    /// At most so many acts, newest first: the newest, or those before one.
    pub(crate) async fn page(&self, context: &Context, before: Option<ActId>, most: i64) -> ApiResult<Vec<Recorded>> {
        let acts = context.db.read().await?.acts(&self.filter, before, most).await?;
        Ok(acts.into_iter().map(|act| self.shown(act)).collect())
    }

    fn shown(&self, act: Recorded) -> Recorded {
        let is_whole = match self.sight {
            Sight::Whole => true,
            Sight::OfScope => !matches!(act.doer.kind, DoerKind::Staff | DoerKind::Operator) && act.act != Act::InviteDecline.as_str(),
            Sight::Own(user) => act.doer.user == Some(user),
        };
        if is_whole {
            return act;
        }
        let doer = Doer { address: None, credential: serde_json::Map::new(), ..act.doer };
        Recorded { doer, ..act }
    }
}

/// The log of a scope, for its admins. A scope that was deleted and made again begins anew: what was done in it before is of others.
pub(crate) async fn of_scope(app: &App, actor: &Actor, name: &ScopeName, asked: ApiResult<Asked>) -> ApiResult<Log> {
    actor.user()?;
    let mut tx = app.context.db.read().await?;
    let scope = visibility::scope(&mut tx, actor, name).await?;
    actor.admin(&mut tx, name).await?;
    let asked = asked?;
    let since = asked.since.map_or(scope.created_at, |since| since.max(scope.created_at));
    let filter = AuditFilter { scope: Some(name.clone()), since: Some(since), ..asked.into() };
    Ok(Log { filter, sight: Sight::OfScope })
}

/// What somebody did, and what was done to them.
pub(crate) fn own(actor: &Actor, asked: ApiResult<Asked>) -> ApiResult<Log> {
    let user = actor.user()?.id;
    Ok(Log { filter: AuditFilter { concerning: Some(user), ..asked?.into() }, sight: Sight::Own(user) })
}

/// Everything; for staff.
pub(crate) fn all(actor: &Actor, asked: ApiResult<Asked>) -> ApiResult<Log> {
    actor.staff()?;
    Ok(Log::whole(asked?))
}

/// Writes down what was refused, unless too much of it was lately. Who is refused hears so all the same if this does not work.
pub(super) async fn refused(app: &App, doer: &Doer, deed: Deed, error: &ApiError) {
    let ApiError::Refused(refusal) = error else { return };
    // Neither an upload that broke off nor being asked to come back later is a decision about anybody.
    if refusal.code.status().is_server_error() || matches!(refusal.code, Code::RequestTimeout | Code::MalformedRequest) {
        return;
    }
    if let Err(error) = note(app, doer, deed, refusal).await {
        let fault = error.into_refusal();
        tracing::warn!(error = fault.message, "what was refused was not written down");
    }
}

async fn note(app: &App, doer: &Doer, deed: Deed, refusal: &Refusal) -> ApiResult<()> {
    let mut tx = app.context.db.write("audit.refusal").await?;
    if let Some(scope) = &deed.scope
        && tx.scope(scope).await?.is_none()
    {
        // There is nobody to read it, and no end of names.
        return Ok(());
    }
    // On PostgreSQL racing requests may go a few over, which the bound bears.
    let since = tx.now() - WINDOW;
    if is_flood(&deed, &tx.count_refusals(&deed, doer, since).await?) {
        return Ok(());
    }
    let deed = deed.because(refusal.code.as_str());
    tx.audit(app.context.ids.next(), doer, &deed).await?;
    tx.commit().await?;
    Ok(())
}

fn is_flood(deed: &Deed, lately: &Refusals) -> bool {
    let is_local = match deed.scope {
        Some(_) => lately.in_scope >= REFUSED_OF_SCOPE,
        None => lately.from_address >= REFUSED_FROM_ADDRESS,
    };
    is_local || lately.all >= REFUSED_IN_ALL
}
