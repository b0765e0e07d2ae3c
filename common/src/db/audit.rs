//! The audit log. Rows are added and read; there is no statement that changes or deletes one.

use std::net::IpAddr;

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, ReadTx, WriteTx};
use crate::clock::Instant;
use crate::ids::{ActId, ScopeName, UserId};
use crate::model::audit::{Act, Deed, Doer, DoerKind, Recorded, Refusals};

/// Which acts are asked for: those that fit everything that is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this scope.
    pub scope: Option<ScopeName>,
    /// Of the packages of this name.
    pub package: Option<String>,
    /// What was done.
    pub act: Option<Act>,
    /// Who did it.
    pub actor: Option<UserId>,
    /// Of whom or to whom it was done.
    pub concerning: Option<UserId>,
    /// Not before this moment.
    pub since: Option<Instant>,
}

#[derive(FromRow)]
struct ActRow {
    id: Uuid,
    act: String,
    actor: String,
    user_id: Option<Uuid>,
    actor_name: Option<String>,
    credential: Json<Map<String, Value>>,
    address: Option<String>,
    scope: Option<String>,
    name: Option<String>,
    version: Option<String>,
    subject_id: Option<Uuid>,
    reason: Option<String>,
    details: Json<Map<String, Value>>,
    created_at: Time,
}

impl TryFrom<ActRow> for Recorded {
    type Error = DbError;

    fn try_from(row: ActRow) -> DbResult<Self> {
        const TABLE: &str = "audit";
        let address = row.address.map(|text| rows::word(TABLE, "address", &text, |text| text.parse::<IpAddr>().ok())).transpose()?;
        let doer = Doer {
            kind: rows::word(TABLE, "actor", &row.actor, DoerKind::parse)?,
            user: row.user_id.map(UserId::from),
            name: row.actor_name,
            credential: row.credential.0,
            address,
        };
        Ok(Self {
            id: row.id.into(),
            act: row.act,
            doer,
            scope: row.scope.map(|scope| rows::name(TABLE, "scope", &scope)).transpose()?,
            package: row.name,
            version: row.version,
            user: row.subject_id.map(UserId::from),
            reason: row.reason,
            details: row.details.0,
            created_at: row.created_at,
        })
    }
}

/// An object without characters that an engine does not hold: what a CI system says of its jobs may be anything.
fn storable(object: &Map<String, Value>) -> Json<Map<String, Value>> {
    Json(object.iter().map(|(key, value)| (rows::storable(key).into_owned(), storable_value(value))).collect())
}

fn storable_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(&*rows::storable(text)),
        Value::Array(items) => items.iter().map(storable_value).collect(),
        Value::Object(object) => Value::Object(storable(object).0),
        other => other.clone(),
    }
}

impl ReadTx {
    /// The acts that fit a filter, newest first, at most `most`; of those before one, if one is named.
    pub async fn acts(&mut self, filter: &AuditFilter, before: Option<ActId>, most: i64) -> DbResult<Vec<Recorded>> {
        let before = before.map_or(Uuid::max(), ActId::uuid);
        let rows: Vec<ActRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(
                "SELECT id, act, actor, user_id, actor_name, credential, address, scope, name, version, subject_id, reason, details,
                        created_at
                 FROM audit WHERE id < ",
            );
            query.push_bind(before);
            if let Some(scope) = &filter.scope {
                query.push(" AND scope = ").push_bind(scope.as_str());
            }
            if let Some(package) = &filter.package {
                query.push(" AND name = ").push_bind(rows::storable(package));
            }
            if let Some(act) = filter.act {
                query.push(" AND act = ").push_bind(act.as_str());
            }
            if let Some(actor) = filter.actor {
                query.push(" AND user_id = ").push_bind(actor.uuid());
            }
            if let Some(user) = filter.concerning {
                query.push(" AND (user_id = ").push_bind(user.uuid()).push(" OR subject_id = ").push_bind(user.uuid()).push(")");
            }
            if let Some(since) = filter.since {
                query.push(" AND created_at >= ").push_bind(since);
            }
            query.push(" ORDER BY id DESC LIMIT ").push_bind(most);
            query.build_query_as().fetch_all(conn).await
        })?;
        rows.into_iter().map(Recorded::try_from).collect()
    }

    /// How often an act was written down since a moment, of what a doer is, in a scope, and from their address.
    pub async fn count_refusals(&mut self, deed: &Deed, doer: &Doer, since: Instant) -> DbResult<Refusals> {
        const SQL: &str = sql!(
            "SELECT COUNT(*), COUNT(CASE WHEN scope = $3 THEN 1 END), COUNT(CASE WHEN address = $4 THEN 1 END)
             FROM audit WHERE act = $1 AND actor = $2 AND created_at > $5"
        );
        let (all, in_scope, from_address) = on!(self, |conn| sqlx::query_as::<_, (i64, i64, i64)>(SQL)
            .bind(deed.act.as_str())
            .bind(doer.kind.as_str())
            .bind(deed.scope.as_ref().map(ScopeName::as_str))
            .bind(doer.address.map(|address| address.to_string()))
            .bind(since)
            .fetch_one(conn)
            .await)?;
        Ok(Refusals { all, in_scope, from_address })
    }
}

impl WriteTx {
    /// Writes down what is done in this transaction.
    pub async fn audit(&mut self, id: ActId, doer: &Doer, deed: &Deed) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO audit (id, act, actor, user_id, actor_name, credential, address, scope, name, version, subject_id, reason,
                                details, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        );
        let now = self.now;
        let name = doer.name.as_deref().map(rows::storable);
        on!(self, |conn| sqlx::query(SQL)
            .bind(id.uuid())
            .bind(deed.act.as_str())
            .bind(doer.kind.as_str())
            .bind(doer.user.map(UserId::uuid))
            .bind(name.as_deref())
            .bind(storable(&doer.credential))
            .bind(doer.address.map(|address| address.to_string()))
            .bind(deed.scope.as_ref().map(ScopeName::as_str))
            .bind(deed.package.as_deref())
            .bind(deed.version.as_ref().map(ToString::to_string))
            .bind(deed.user.map(UserId::uuid))
            .bind(deed.reason.as_deref())
            .bind(storable(&deed.details))
            .bind(now)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }
}
