//! Who needs what is stored for publishes.

use std::collections::BTreeMap;

use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::on;
use super::rows::{self, Time};
use super::{DbResult, ReadTx};
use crate::ids::TaskId;
use crate::model::publish::{PublishState, UploadUse};

/// Names of one question. Far below the 32 766 parameters that SQLite allows.
const NAMES_PER_QUESTION: usize = 500;

#[derive(FromRow)]
struct UseRow {
    id: Uuid,
    state: String,
    plan_attempt: Option<i64>,
    updated_at: Time,
}

impl ReadTx {
    /// What the publishes of these names still have to do with the objects that are named after them. One that does not exist is
    /// left out.
    pub async fn upload_uses(&mut self, tasks: &[TaskId]) -> DbResult<BTreeMap<TaskId, UploadUse>> {
        let mut found = BTreeMap::new();
        for chunk in tasks.chunks(NAMES_PER_QUESTION) {
            let rows: Vec<UseRow> = on!(self, |conn| {
                let mut query = QueryBuilder::new("SELECT id, state, plan_attempt, updated_at FROM publishes WHERE id IN (");
                let mut tasks = chunk.iter().map(|task| task.uuid());
                query.push_bind(tasks.next());
                for task in tasks {
                    query.push(", ").push_bind(task);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await
            })?;
            for row in rows {
                let state = rows::word("publishes", "state", &row.state, PublishState::parse)?;
                found.insert(row.id.into(), UploadUse { state, plan_attempt: row.plan_attempt, updated_at: row.updated_at });
            }
        }
        Ok(found)
    }
}
