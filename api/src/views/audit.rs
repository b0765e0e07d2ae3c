//! Acts on the wire, in pages and in lines.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};
use slipway_common::clock::Instant;
use slipway_common::ids::{ActId, ScopeName, UserId};
use slipway_common::model::audit::{Doer, Recorded};

/// An act, the same in a page, in an export and on the command line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActView {
    id: ActId,
    created_at: Instant,
    act: String,
    actor: ActorView,
    /// With what; empty where that is not for whoever asks.
    credential: Map<String, Value>,
    address: Option<IpAddr>,
    scope: Option<ScopeName>,
    package: Option<String>,
    version: Option<String>,
    /// Whom it is about.
    user: Option<UserId>,
    /// The code of the refusal, if it is one.
    reason: Option<String>,
    details: Map<String, Value>,
}

/// Who did something.
#[derive(Debug, Serialize)]
struct ActorView {
    kind: &'static str,
    id: Option<UserId>,
    /// What they were called then.
    name: Option<String>,
}

impl ActView {
    pub(crate) fn new(recorded: Recorded) -> Self {
        let Doer { kind, user, name, credential, address } = recorded.doer;
        Self {
            id: recorded.id,
            created_at: recorded.created_at,
            act: recorded.act,
            actor: ActorView { kind: kind.as_str(), id: user, name },
            credential,
            address,
            scope: recorded.scope,
            package: recorded.package,
            version: recorded.version,
            user: recorded.user,
            reason: recorded.reason,
            details: recorded.details,
        }
    }

    /// The act as a line of JSON.
    pub(crate) fn line(recorded: Recorded) -> String {
        let mut line = serde_json::to_string(&Self::new(recorded)).expect("a view always serialises");
        line.push('\n');
        line
    }
}

/// A page of a log.
#[derive(Debug, Serialize)]
pub(crate) struct LogView {
    items: Vec<ActView>,
    /// The cursor of the next page; null when this is the last.
    next: Option<ActId>,
}

impl LogView {
    /// A page of at most `most` acts.
    pub(crate) fn new(acts: Vec<Recorded>, most: i64) -> Self {
        let is_full = i64::try_from(acts.len()).is_ok_and(|length| length >= most);
        let next = acts.last().filter(|_| is_full).map(|last| last.id);
        Self { items: acts.into_iter().map(ActView::new).collect(), next }
    }
}
