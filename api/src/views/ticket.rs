//! Tickets on the wire.

use serde::Serialize;
use serde_json::{Map, Value};
use slipway_common::clock::Instant;
use slipway_common::ids::{TicketId, UserId};
use slipway_common::model::ticket::{TicketKind, TicketMessage};
use slipway_common::model::user::User;

use super::UserView;
use crate::service::tickets::Shown;

/// What a ticket is, in both of its forms.
#[derive(Debug, Serialize)]
struct Head {
    id: TicketId,
    kind: TicketKind,
    creator: Option<UserView>,
    meta: Map<String, Value>,
    closed: bool,
}

impl Head {
    fn new(shown: &Shown) -> Self {
        let ticket = &shown.ticket;
        Self {
            id: ticket.id,
            kind: ticket.kind,
            creator: shown.people.get(&ticket.creator_id).map(UserView::new),
            meta: ticket.meta.clone(),
            closed: ticket.is_closed,
        }
    }
}

/// A ticket in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketView {
    #[serde(flatten)]
    head: Head,
    messages: Vec<TicketMessageView>,
    updated_at: Instant,
    created_at: Instant,
}

impl TicketView {
    pub(crate) fn new(shown: &Shown) -> Self {
        let messages = shown.messages.iter().map(|message| TicketMessageView::new(message, shown.people.get(&message.author_id)));
        Self {
            head: Head::new(shown),
            messages: messages.collect(),
            updated_at: shown.ticket.updated_at,
            created_at: shown.ticket.created_at,
        }
    }
}

/// What somebody said.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketMessageView {
    author: Option<UserView>,
    message: String,
    updated_at: Instant,
    created_at: Instant,
}

impl TicketMessageView {
    pub(crate) fn new(message: &TicketMessage, author: Option<&User>) -> Self {
        Self {
            author: author.map(UserView::new),
            message: message.message.clone(),
            updated_at: message.created_at,
            created_at: message.created_at,
        }
    }
}

/// A ticket by itself, with what has happened to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketThreadView {
    #[serde(flatten)]
    head: Head,
    events: Vec<EventView>,
    updated_at: Instant,
    created_at: Instant,
}

/// Something that has happened to a ticket.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum EventView {
    /// Somebody said something.
    Message { message: SaidView, user: Option<UserView> },
}

/// What somebody said, where they stand beside it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SaidView {
    ticket_id: TicketId,
    author: UserId,
    message: String,
    updated_at: Instant,
    created_at: Instant,
}

impl TicketThreadView {
    pub(crate) fn new(shown: &Shown) -> Self {
        let event = |message: &TicketMessage| EventView::Message {
            message: SaidView {
                ticket_id: shown.ticket.id,
                author: message.author_id,
                message: message.message.clone(),
                updated_at: message.created_at,
                created_at: message.created_at,
            },
            user: shown.people.get(&message.author_id).map(UserView::new),
        };
        Self {
            head: Head::new(shown),
            events: shown.messages.iter().map(event).collect(),
            updated_at: shown.ticket.updated_at,
            created_at: shown.ticket.created_at,
        }
    }
}
