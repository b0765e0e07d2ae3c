//! What was done, newest first: in a scope, for its admins, and by oneself.

use askama::Template;
use axum::extract::State;
use slipway_common::ids::ActId;
use slipway_common::model::audit::{DoerKind, Recorded};

use super::login::{first_sign_in, signed_in};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{AuditQuery, ScopeAt};
use crate::service::audit::{self, Asked, Log};

/// Where one's own acts are; those of a scope are below it.
const PLACE: &str = "/account/audit";
/// Acts of a page: some screens.
const ACTS: i64 = 50;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    title: String,
    acts: Vec<Line>,
    next: String,
}

/// An act in a few words.
struct Line {
    when: String,
    who: String,
    what: String,
    about: String,
    why: String,
    from: String,
}

impl Line {
    fn new(act: Recorded) -> Self {
        let about = match (&act.scope, act.package, act.version) {
            (Some(scope), Some(package), Some(version)) => format!("@{scope}/{package}@{version}"),
            (Some(scope), Some(package), None) => format!("@{scope}/{package}"),
            (Some(scope), None, _) => format!("@{scope}"),
            (None, _, _) => String::new(),
        };
        let kind = match act.doer.kind {
            DoerKind::User => "",
            DoerKind::Staff => " (staff)",
            DoerKind::Ci => " (CI)",
            DoerKind::Operator => "the operator",
            DoerKind::Registry => "the registry",
            DoerKind::Anonymous => "somebody",
        };
        Self {
            when: act.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            who: format!("{}{kind}", act.doer.name.unwrap_or_default()),
            what: act.act,
            about,
            why: act.reason.unwrap_or_default(),
            from: act.doer.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// What somebody did, and what was done to them.
pub(super) async fn own(State(app): State<App>, actor: ApiResult<Actor>, query: ApiResult<AuditQuery>) -> PageResult {
    let Some(actor) = signed_in(actor)? else { return Ok(first_sign_in(PLACE)) };
    let (asked, before) = split(query);
    let log = audit::own(&actor, asked)?;
    show(&app, "What you did".to_owned(), &log, before).await
}

/// What was done in a scope.
pub(super) async fn of_scope(
    State(app): State<App>,
    actor: ApiResult<Actor>,
    at: ApiResult<ScopeAt>,
    query: ApiResult<AuditQuery>,
) -> PageResult {
    let ScopeAt(scope) = at?;
    let Some(actor) = signed_in(actor)? else { return Ok(first_sign_in(&format!("{PLACE}/{scope}"))) };
    let (asked, before) = split(query);
    let log = audit::of_scope(&app, &actor, &scope, asked).await?;
    show(&app, format!("What was done in @{scope}"), &log, before).await
}

fn split(query: ApiResult<AuditQuery>) -> (ApiResult<Asked>, Option<ActId>) {
    match query {
        Ok(query) => (Ok(query.asked), query.cursor),
        Err(error) => (Err(error), None),
    }
}

async fn show(app: &App, title: String, log: &Log, before: Option<ActId>) -> PageResult {
    let acts = log.page(&app.context, before, ACTS).await?;
    let is_full = i64::try_from(acts.len()).is_ok_and(|length| length >= ACTS);
    let next = acts.last().filter(|_| is_full).map(|last| last.id.to_string()).unwrap_or_default();
    Ok(page::render(&AuditPage { title, acts: acts.into_iter().map(Line::new).collect(), next }))
}
