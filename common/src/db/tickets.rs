//! What people ask of the staff, and what is said about it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, Listing, Page, ReadTx, WriteTx};
use crate::ids::{ScopeName, TicketId, UserId};
use crate::model::ticket::{Ticket, TicketKind, TicketMessage};

#[derive(FromRow)]
struct TicketRow {
    id: Uuid,
    kind: String,
    creator_id: Uuid,
    meta: Json<Map<String, Value>>,
    is_closed: bool,
    is_answered: bool,
    created_at: Time,
    updated_at: Time,
}

impl TryFrom<TicketRow> for Ticket {
    type Error = DbError;

    fn try_from(row: TicketRow) -> DbResult<Self> {
        Ok(Self {
            id: row.id.into(),
            kind: rows::word("tickets", "kind", &row.kind, TicketKind::parse)?,
            creator_id: row.creator_id.into(),
            meta: row.meta.0,
            is_closed: row.is_closed,
            is_answered: row.is_answered,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

#[derive(FromRow)]
struct MessageRow {
    ticket_id: Uuid,
    author_id: Uuid,
    message: String,
    created_at: Time,
}

impl ReadTx {
    /// The ticket with this identifier.
    pub async fn ticket(&mut self, id: TicketId) -> DbResult<Option<Ticket>> {
        const SQL: &str =
            sql!("SELECT id, kind, creator_id, meta, is_closed, is_answered, created_at, updated_at FROM tickets WHERE id = $1");
        let row = on!(self, |conn| sqlx::query_as::<_, TicketRow>(SQL).bind(id.uuid()).fetch_optional(conn).await)?;
        row.map(Ticket::try_from).transpose()
    }

    /// The tickets of a user, the latest first; at most `most`.
    pub async fn tickets_of(&mut self, user: UserId, most: i64) -> DbResult<Vec<Ticket>> {
        const SQL: &str = sql!(
            "SELECT id, kind, creator_id, meta, is_closed, is_answered, created_at, updated_at
             FROM tickets WHERE creator_id = $1 ORDER BY created_at DESC, id LIMIT $2"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, TicketRow>(SQL).bind(user.uuid()).bind(most).fetch_all(conn).await)?;
        rows.into_iter().map(Ticket::try_from).collect()
    }

    /// How many open tickets a user has, and in how many of them the last word is somebody else's.
    pub async fn count_open_tickets(&mut self, user: UserId) -> DbResult<(i64, i64)> {
        const SQL: &str =
            sql!("SELECT COUNT(*), COUNT(CASE WHEN is_answered THEN 1 END) FROM tickets WHERE creator_id = $1 AND is_closed = $2");
        Ok(on!(self, |conn| sqlx::query_as::<_, (i64, i64)>(SQL).bind(user.uuid()).bind(false).fetch_one(conn).await)?)
    }

    /// A page of all tickets, or of those about a scope or a package of it: open ones first, and of those the latest.
    pub async fn find_tickets(&mut self, about: Option<(&ScopeName, Option<&str>)>, page: Page) -> DbResult<Listing<Ticket>> {
        let (scope, name) = about.map_or((None, None), |(scope, name)| (Some(scope.as_str()), name));
        let rows: Vec<TicketRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(
                "SELECT id, kind, creator_id, meta, is_closed, is_answered, created_at, updated_at FROM tickets WHERE 1 = 1",
            );
            if let Some(scope) = scope {
                query.push(" AND scope = ").push_bind(scope);
            }
            if let Some(name) = name {
                query.push(" AND name = ").push_bind(rows::storable(name));
            }
            query.push(" ORDER BY is_closed, created_at DESC, id LIMIT ").push_bind(page.limit());
            query.push(" OFFSET ").push_bind(page.offset());
            query.build_query_as().fetch_all(conn).await
        })?;
        let total: i64 = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT COUNT(*) FROM tickets WHERE 1 = 1");
            if let Some(scope) = scope {
                query.push(" AND scope = ").push_bind(scope);
            }
            if let Some(name) = name {
                query.push(" AND name = ").push_bind(rows::storable(name));
            }
            query.build_query_scalar().fetch_one(conn).await
        })?;
        Ok(Listing { items: rows.into_iter().map(Ticket::try_from).collect::<DbResult<_>>()?, total })
    }

    /// What was said about these tickets, in order.
    pub async fn ticket_messages(&mut self, tickets: &BTreeSet<TicketId>) -> DbResult<BTreeMap<TicketId, Vec<TicketMessage>>> {
        let mut tickets = tickets.iter().map(|id| id.uuid());
        let Some(first) = tickets.next() else { return Ok(BTreeMap::new()) };
        let rows: Vec<MessageRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT ticket_id, author_id, message, created_at FROM ticket_messages WHERE ticket_id IN (");
            query.push_bind(first);
            for id in tickets {
                query.push(", ").push_bind(id);
            }
            query.push(") ORDER BY ticket_id, place");
            query.build_query_as().fetch_all(conn).await
        })?;
        let mut messages: BTreeMap<TicketId, Vec<TicketMessage>> = BTreeMap::new();
        for MessageRow { ticket_id, author_id, message, created_at } in rows {
            messages.entry(ticket_id.into()).or_default().push(TicketMessage { author_id: author_id.into(), message, created_at });
        }
        Ok(messages)
    }
}

impl WriteTx {
    /// Adds a ticket about which nothing was said yet.
    pub async fn create_ticket(&mut self, ticket: &Ticket) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO tickets (id, kind, creator_id, meta, is_closed, is_answered, created_at, updated_at, scope, name)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let (scope, name) = ticket.about();
        on!(self, |conn| sqlx::query(SQL)
            .bind(ticket.id.uuid())
            .bind(ticket.kind.as_str())
            .bind(ticket.creator_id.uuid())
            .bind(Json(&ticket.meta))
            .bind(ticket.is_closed)
            .bind(ticket.is_answered)
            .bind(ticket.created_at)
            .bind(ticket.updated_at)
            .bind(scope)
            .bind(name)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Says something about a ticket, after whatever was said before. False when there is no such ticket.
    pub async fn add_ticket_message(&mut self, ticket: TicketId, author: UserId, message: &str) -> DbResult<bool> {
        // The first one locks the row, so that two who speak at once get two places.
        const TICKET: &str =
            sql!("UPDATE tickets SET is_answered = CASE WHEN creator_id = $1 THEN FALSE ELSE TRUE END, updated_at = $2 WHERE id = $3");
        const MESSAGE: &str = sql!(
            "INSERT INTO ticket_messages (ticket_id, place, author_id, message, created_at)
             VALUES ($1, (SELECT COUNT(*) FROM ticket_messages WHERE ticket_id = $1), $2, $3, $4)"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(TICKET)
            .bind(author.uuid())
            .bind(now)
            .bind(ticket.uuid())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 0 {
            return Ok(false);
        }
        let message = rows::storable(message);
        on!(self, |conn| sqlx::query(MESSAGE)
            .bind(ticket.uuid())
            .bind(author.uuid())
            .bind(&*message)
            .bind(now)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(true)
    }

    /// Closes a ticket, or opens it again. False when there is no such ticket.
    pub async fn close_ticket(&mut self, ticket: TicketId, is_closed: bool) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE tickets SET is_closed = $1, updated_at = $2 WHERE id = $3");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(is_closed)
            .bind(now)
            .bind(ticket.uuid())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
