//! What is asked for of an audit log.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use slipway_common::ids::{ActId, ScopeName};
use slipway_common::model::audit::Act;
use url::form_urlencoded;

use crate::error::{ApiError, ApiResult, Code};
use crate::service::audit::Asked;

/// The type of a file with a JSON value on each line.
pub(crate) const JSON_LINES: &str = "application/jsonl";
/// Most acts of a page, as with every other list.
const MAX_LIMIT: i64 = 100;

/// `?scope`, `?package`, `?act`, `?actor`, `?since`, and which part of that: `?cursor` and `?limit`, or all of it in lines.
pub(crate) struct AuditQuery {
    /// What to look for.
    pub(crate) asked: Asked,
    /// The act before which to go on.
    pub(crate) cursor: Option<ActId>,
    /// Most acts of the answer, if it is a page.
    pub(crate) limit: i64,
    /// Whether everything is asked for, a line each.
    pub(crate) in_lines: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for AuditQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> ApiResult<Self> {
        let accepts = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let in_lines = accepts.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == JSON_LINES));
        let mut query = Self { asked: Asked::default(), cursor: None, limit: MAX_LIMIT, in_lines };
        for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            let (asked, value) = (&mut query.asked, &*value);
            match &*key {
                "scope" => asked.scope = Some(ScopeName::try_from(value.trim_start_matches('@')).map_err(|error| wrong(&key, error))?),
                "package" => asked.package = Some(value.to_owned()),
                "act" => asked.act = Some(Act::parse(value).ok_or_else(|| wrong(&key, "there is no such act"))?),
                "actor" => asked.actor = Some(read(&key, value)?),
                "since" => asked.since = Some(read(&key, value)?),
                "cursor" => query.cursor = Some(read(&key, value)?),
                "limit" => query.limit = read::<i64>(&key, value)?.clamp(1, MAX_LIMIT),
                "format" => query.in_lines = value == "jsonl",
                _ => {}
            }
        }
        Ok(query)
    }
}

fn read<T: FromStr<Err: std::fmt::Display>>(key: &str, value: &str) -> ApiResult<T> {
    value.parse().map_err(|error| wrong(key, error))
}

fn wrong(key: &str, why: impl std::fmt::Display) -> ApiError {
    Code::MalformedRequest.because(format!("`{key}` cannot be used: {why}")).into()
}
