//! Tickets: what people ask of the staff, and what is said about it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use slipway_common::db::{Listing, Page, ReadTx};
use slipway_common::ids::{ScopeName, TicketId, UserId};
use slipway_common::model::audit::{Act, Deed};
use slipway_common::model::ticket::{Ticket, TicketKind, TicketMessage};
use slipway_common::model::user::User;

use super::rates::{self, Rate, Whose};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// Most open tickets of a person. Whoever has more to ask can say it in one of them.
const MAX_OPEN: i64 = 20;
/// Tickets of theirs that a person is shown.
const MAX_SHOWN: i64 = 100;
/// Longest message, in bytes: some pages of text.
const MAX_MESSAGE: usize = 10_000;
/// Most messages of a ticket, all of which are shown at once. A longer conversation goes on in another ticket.
const MAX_MESSAGES: usize = 200;
/// Longest `meta`, in bytes as JSON: a name or two, and what a form has asked for besides.
const MAX_META: usize = 10_000;

/// A ticket as it is asked for.
pub(crate) struct Asked {
    pub(crate) kind: TicketKind,
    pub(crate) meta: Map<String, Value>,
    pub(crate) message: String,
}

/// A ticket with what was said about it, and the people in it.
pub(crate) struct Shown {
    pub(crate) ticket: Ticket,
    pub(crate) messages: Vec<TicketMessage>,
    pub(crate) people: BTreeMap<UserId, User>,
}

/// Asks the staff for something.
pub(crate) async fn create(app: &App, actor: &Actor, asked: ApiResult<Asked>) -> ApiResult<Shown> {
    let user = actor.user()?;
    let Asked { kind, meta, message } = asked?;
    let message = words(&message)?;
    check(kind, &meta)?;
    let mut tx = app.context.db.write("ticket.create").await?;
    rates::spend(&app.context, &mut tx, Rate::Tickets, Whose::Account(user.id)).await?;
    if tx.count_open_tickets(user.id).await?.0 >= MAX_OPEN {
        return Code::TicketLimitReached.err();
    }
    let now = tx.now();
    let ticket = Ticket {
        id: app.context.ids.next(),
        kind,
        creator_id: user.id,
        meta,
        is_closed: false,
        is_answered: false,
        created_at: now,
        updated_at: now,
    };
    tx.create_ticket(&ticket).await?;
    tx.add_ticket_message(ticket.id, user.id, message).await?;
    let deed = Deed::new(Act::TicketCreate).with("ticket", ticket.id.to_string()).with("kind", kind.as_str());
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    let shown = complete(&mut tx, ticket).await?;
    tx.commit().await?;
    tracing::info!(ticket = %shown.ticket.id, kind = kind.as_str(), user = %user.id, "a ticket was opened");
    Ok(shown)
}

fn words(message: &str) -> ApiResult<&str> {
    match message.trim() {
        "" => Code::TicketMessageEmpty.err(),
        text if text.len() > MAX_MESSAGE => {
            Err(Code::MalformedRequest.because(format!("a message has at most {MAX_MESSAGE} bytes, this one has {}", text.len())).into())
        }
        text => Ok(text),
    }
}

fn check(kind: TicketKind, meta: &Map<String, Value>) -> ApiResult<()> {
    let fault = |why: String| Err(Code::TicketMetaNotValid.because(why).into());
    let text = serde_json::to_string(meta).expect("a map with text keys always serialises");
    if text.len() > MAX_META {
        return fault(format!("`meta` has at most {MAX_META} bytes as JSON, this one has {}", text.len()));
    }
    // No engine of ours keeps one in JSON.
    if text.contains("\\u0000") {
        return fault("`meta` holds a character that is none".to_owned());
    }
    kind.check(meta).or_else(fault)
}

/// A ticket, for whoever asked and for staff. To others there is none.
pub(crate) async fn show(app: &App, actor: &Actor, id: TicketId) -> ApiResult<Shown> {
    actor.user()?;
    let mut tx = app.context.db.read().await?;
    let ticket = visible(&mut tx, actor, id).await?;
    complete(&mut tx, ticket).await
}

async fn visible(tx: &mut ReadTx, actor: &Actor, id: TicketId) -> ApiResult<Ticket> {
    let user = actor.user()?;
    match tx.ticket(id).await? {
        Some(ticket) if ticket.creator_id == user.id || user.is_staff => Ok(ticket),
        _ => Code::TicketNotFound.err(),
    }
}

/// Says something about a ticket.
pub(crate) async fn say(app: &App, actor: &Actor, id: TicketId, message: ApiResult<String>) -> ApiResult<(TicketMessage, User)> {
    let user = actor.user()?;
    let mut tx = app.context.db.write("ticket.say").await?;
    let ticket = visible(&mut tx, actor, id).await?;
    let message = message?;
    rates::spend(&app.context, &mut tx, Rate::Tickets, Whose::Account(user.id)).await?;
    tx.add_ticket_message(id, user.id, words(&message)?).await?;
    let mut said = tx.ticket_messages(&BTreeSet::from([id])).await?.remove(&id).unwrap_or_default();
    if said.len() > MAX_MESSAGES {
        return Err(Code::MalformedRequest.because(format!("a ticket has at most {MAX_MESSAGES} messages; open another one")).into());
    }
    let Some(last) = said.pop() else { return Code::TicketNotFound.err() };
    // Whoever answers somebody else's ticket does so as staff.
    let doer = if ticket.creator_id == user.id { actor.doer() } else { actor.doer().as_staff() };
    let deed = Deed::new(Act::TicketSay).with("ticket", id.to_string());
    let deed = if ticket.creator_id == user.id { deed } else { deed.about(ticket.creator_id) };
    tx.audit(app.context.ids.next(), &doer, &deed).await?;
    tx.commit().await?;
    Ok((last, user.clone()))
}

/// The tickets of the one who asks.
pub(crate) async fn of_actor(app: &App, actor: &Actor) -> ApiResult<Vec<Shown>> {
    let user = actor.user()?;
    let mut tx = app.context.db.read().await?;
    let tickets = tx.tickets_of(user.id, MAX_SHOWN).await?;
    complete_all(&mut tx, tickets).await
}

/// A page of all tickets, or of those about `@scope` or `@scope/name`, open ones first; for staff.
pub(crate) async fn all(app: &App, actor: &Actor, query: &str, page: Page) -> ApiResult<Listing<Shown>> {
    actor.staff()?;
    let query = query.trim().trim_start_matches('@');
    let (scope, name) = query.split_once('/').map_or((query, None), |(scope, name)| (scope, Some(name)));
    let scope = match ScopeName::try_from(scope) {
        Ok(scope) => Some(scope),
        Err(_) if query.is_empty() => None,
        // There is nothing about what cannot be.
        Err(_) => return Ok(Listing { items: Vec::new(), total: 0 }),
    };
    let mut tx = app.context.db.read().await?;
    let found = tx.find_tickets(scope.as_ref().map(|scope| (scope, name)), page).await?;
    Ok(Listing { items: complete_all(&mut tx, found.items).await?, total: found.total })
}

/// Closes a ticket, or opens it again; for staff.
pub(crate) async fn close(app: &App, actor: &Actor, id: TicketId, is_closed: ApiResult<bool>) -> ApiResult<Shown> {
    let by = actor.staff()?.id;
    let is_closed = is_closed?;
    let mut tx = app.context.db.write("ticket.close").await?;
    tx.close_ticket(id, is_closed).await?;
    let ticket = visible(&mut tx, actor, id).await?;
    let act = if is_closed { Act::TicketClose } else { Act::TicketReopen };
    let deed = Deed::new(act).about(ticket.creator_id).with("ticket", id.to_string());
    tx.audit(app.context.ids.next(), &actor.doer().as_staff(), &deed).await?;
    let shown = complete(&mut tx, ticket).await?;
    tx.commit().await?;
    tracing::info!(ticket = %id, is_closed, %by, "a ticket was closed or opened again");
    Ok(shown)
}

async fn complete(tx: &mut ReadTx, ticket: Ticket) -> ApiResult<Shown> {
    let shown = complete_all(tx, vec![ticket]).await?.pop();
    shown.map_or_else(|| Code::TicketNotFound.err(), Ok)
}

async fn complete_all(tx: &mut ReadTx, tickets: Vec<Ticket>) -> ApiResult<Vec<Shown>> {
    let mut messages = tx.ticket_messages(&tickets.iter().map(|ticket| ticket.id).collect()).await?;
    let authors = messages.values().flatten().map(|message| message.author_id);
    let people: BTreeSet<UserId> = authors.chain(tickets.iter().map(|ticket| ticket.creator_id)).collect();
    let people = tx.users(&people).await?;
    let with = |ticket: Ticket| {
        let messages = messages.remove(&ticket.id).unwrap_or_default();
        let ids = messages.iter().map(|message| message.author_id).chain([ticket.creator_id]);
        let people = ids.filter_map(|id| people.get(&id).map(|user| (id, user.clone()))).collect();
        Shown { ticket, messages, people }
    };
    Ok(tickets.into_iter().map(with).collect())
}
