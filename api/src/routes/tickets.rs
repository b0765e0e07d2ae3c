//! What people ask of the staff.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};
use slipway_common::ids::TicketId;
use slipway_common::model::ticket::TicketKind;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json, Paging};
use crate::service::tickets::{self, Asked};
use crate::views::{ListView, TicketMessageView, TicketThreadView, TicketView};

#[derive(Deserialize)]
pub(crate) struct NewTicket {
    kind: TicketKind,
    meta: Map<String, Value>,
    message: String,
}

/// Asks for something.
pub(crate) async fn create(State(app): State<App>, actor: Actor, new: ApiResult<Json<NewTicket>>) -> ApiResult<Json<TicketView>> {
    let asked = new.map(|Json(NewTicket { kind, meta, message })| Asked { kind, meta, message });
    Ok(Json(TicketView::new(&tickets::create(&app, &actor, asked).await?)))
}

/// A ticket, with what has happened to it.
pub(crate) async fn show(State(app): State<App>, actor: Actor, Id(id): Id<TicketId>) -> ApiResult<Json<TicketThreadView>> {
    Ok(Json(TicketThreadView::new(&tickets::show(&app, &actor, id).await?)))
}

#[derive(Deserialize)]
pub(crate) struct NewMessage {
    message: String,
}

/// Says something about a ticket.
pub(crate) async fn say(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<TicketId>,
    new: ApiResult<Json<NewMessage>>,
) -> ApiResult<Json<TicketMessageView>> {
    let (message, author) = tickets::say(&app, &actor, id, new.map(|Json(new)| new.message)).await?;
    Ok(Json(TicketMessageView::new(&message, Some(&author))))
}

/// The tickets of the one who asks.
pub(crate) async fn own(State(app): State<App>, actor: Actor) -> ApiResult<Json<Vec<TicketView>>> {
    let tickets = tickets::of_actor(&app, &actor).await?;
    Ok(Json(tickets.iter().map(TicketView::new).collect()))
}

/// All tickets; for staff.
pub(crate) async fn all(State(app): State<App>, actor: Actor, paging: Paging) -> ApiResult<Json<ListView<TicketView>>> {
    let found = tickets::all(&app, &actor, &paging.query, paging.page).await?;
    Ok(Json(ListView::new(found, |shown| TicketView::new(&shown))))
}

#[derive(Deserialize)]
pub(crate) struct Closing {
    closed: bool,
}

/// Closes a ticket, or opens it again; for staff.
pub(crate) async fn close(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<TicketId>,
    closing: ApiResult<Json<Closing>>,
) -> ApiResult<Json<TicketView>> {
    Ok(Json(TicketView::new(&tickets::close(&app, &actor, id, closing.map(|Json(closing)| closing.closed)).await?)))
}
