//! The audit log: in pages, or everything in lines.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::header;
use slipway_common::ids::ActId;
use slipway_common::model::audit::Recorded;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AuditQuery, JSON_LINES, Json, ScopeAt};
use crate::service::audit::{self, Log};
use crate::views::{ActView, LogView};

/// Acts that are read at once for an answer in lines: some hundred kilobytes, whatever the length of the log.
const LINES: i64 = 500;

/// What was done in a scope, for its admins.
pub(crate) async fn of_scope(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    query: ApiResult<AuditQuery>,
) -> ApiResult<Response> {
    let (asked, part) = split(query);
    answer(app.clone(), audit::of_scope(&app, &actor, &scope, asked).await?, part).await
}

/// What the one who asks did, and what was done to them.
pub(crate) async fn own(State(app): State<App>, actor: Actor, query: ApiResult<AuditQuery>) -> ApiResult<Response> {
    let (asked, part) = split(query);
    answer(app, audit::own(&actor, asked)?, part).await
}

/// Everything; for staff.
pub(crate) async fn all(State(app): State<App>, actor: Actor, query: ApiResult<AuditQuery>) -> ApiResult<Response> {
    let (asked, part) = split(query);
    answer(app, audit::all(&actor, asked)?, part).await
}

/// Which part of a log is asked for.
struct Part {
    before: Option<ActId>,
    /// Most acts of a page; none for all of them, in lines.
    most: Option<i64>,
}

/// What is looked for, which may be refused, and which part of it.
fn split(query: ApiResult<AuditQuery>) -> (ApiResult<audit::Asked>, Part) {
    match query {
        Ok(query) => (Ok(query.asked), Part { before: query.cursor, most: (!query.in_lines).then_some(query.limit) }),
        Err(error) => (Err(error), Part { before: None, most: None }),
    }
}

async fn answer(app: App, log: Log, part: Part) -> ApiResult<Response> {
    let no_store = (header::CACHE_CONTROL, "no-store");
    if let Some(most) = part.most {
        let acts = log.page(&app.context, part.before, most).await?;
        return Ok(([no_store], Json(LogView::new(acts, most))).into_response());
    }
    // The first page before the first byte, so that what does not work at all is said with a status.
    let first = log.page(&app.context, part.before, LINES).await?;
    Ok(([no_store, (header::CONTENT_TYPE, JSON_LINES)], lines(app, log, first)).into_response())
}

/// A log in lines, read a part at a time and as fast as it is taken. A fault in the middle cuts the answer off.
fn lines(app: App, log: Log, first: Vec<Recorded>) -> Body {
    Body::from_stream(stream::try_unfold(Some(first), move |page| {
        let (app, log) = (app.clone(), log.clone());
        async move {
            let Some(page) = page else { return Ok::<_, std::io::Error>(None) };
            let is_full = i64::try_from(page.len()).is_ok_and(|length| length >= LINES);
            let next = match page.last() {
                Some(last) if is_full => Some(log.page(&app.context, Some(last.id), LINES).await.map_err(cut)?),
                _ => None,
            };
            Ok(Some((page.into_iter().map(ActView::line).collect::<String>(), next)))
        }
    }))
}

fn cut(error: ApiError) -> std::io::Error {
    std::io::Error::other(error.into_refusal().message)
}
