//! Every row of every table as text, the same for both engines.
//!
//! Tables and columns are asked of the engine, so that a table nobody told the harness about is in the picture too. A column is
//! read by the type that the schema declares for it.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use crate::database::TestDatabase;
use crate::engines::Connection;

/// A table with its rows in order, each a line.
#[derive(Debug)]
pub struct Table {
    /// The name.
    pub name: String,
    /// The rows.
    pub rows: Vec<String>,
}

/// Bytes of a digest that are shown: enough to see that it is another one.
const SHOWN_BYTES: usize = 6;

/// A column: its name and, in lower case, its declared type.
type Column = (String, String);

/// Reads every table but the one of the migrations.
///
/// # Panics
/// When a table cannot be read.
pub async fn tables(database: &TestDatabase) -> Vec<Table> {
    let mut connection = database.connect().await;
    let mut tables = Vec::new();
    for name in names(&mut connection).await {
        let columns = columns(&mut connection, &name).await;
        let mut rows = rows(&mut connection, &name, &columns).await;
        rows.sort();
        tables.push(Table { name, rows });
    }
    tables
}

async fn names(connection: &mut Connection) -> Vec<String> {
    const SQLITE: &str =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations' ORDER BY name";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                            WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1";
    match connection {
        Connection::Sqlite(connection) => sqlx::query_scalar(SQLITE).fetch_all(connection).await,
        Connection::Postgres(connection) => sqlx::query_scalar(POSTGRES).fetch_all(connection).await,
    }
    .expect("the engine knows its tables")
}

async fn columns(connection: &mut Connection, table: &str) -> Vec<Column> {
    const SQLITE: &str = "SELECT name, LOWER(type) FROM pragma_table_info($1) ORDER BY cid";
    const POSTGRES: &str = "SELECT CAST(column_name AS TEXT), CAST(udt_name AS TEXT) FROM information_schema.columns \
                            WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position";
    match connection {
        Connection::Sqlite(connection) => sqlx::query_as(SQLITE).bind(table).fetch_all(connection).await,
        Connection::Postgres(connection) => sqlx::query_as(POSTGRES).bind(table).fetch_all(connection).await,
    }
    .expect("the engine knows its columns")
}

async fn rows(connection: &mut Connection, table: &str, columns: &[Column]) -> Vec<String> {
    let statement = AssertSqlSafe(format!("SELECT * FROM {table}"));
    match connection {
        Connection::Sqlite(connection) => {
            let rows = sqlx::query(statement).fetch_all(connection).await.expect("a table can be read");
            rows.iter().map(|row| line(columns, |column, kind| of_sqlite(row, column, kind))).collect()
        }
        Connection::Postgres(connection) => {
            let rows = sqlx::query(statement).fetch_all(connection).await.expect("a table can be read");
            rows.iter().map(|row| line(columns, |column, kind| of_postgres(row, column, kind))).collect()
        }
    }
}

/// `name=value` for every column that is not null.
fn line(columns: &[Column], read: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut line = String::new();
    for (column, kind) in columns {
        if let Some(value) = read(column, kind) {
            let gap = if line.is_empty() { "" } else { " " };
            write!(line, "{gap}{column}={value}").expect("writing to a string cannot fail");
        }
    }
    line
}

macro_rules! reader {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row, column: &str, kind: &str) -> Option<String> {
            let shown = match kind {
                "uuid" => row.try_get::<Option<Uuid>, _>(column).map(|value| value.map(id)),
                "timestamptz" => row.try_get::<Option<DateTime<Utc>>, _>(column).map(|value| value.map(instant)),
                "jsonb" => row.try_get::<Option<Value>, _>(column).map(|value| value.map(|value| json(&value))),
                "boolean" | "bool" => row.try_get::<Option<bool>, _>(column).map(|value| value.map(|value| value.to_string())),
                "bigint" | "int8" => row.try_get::<Option<i64>, _>(column).map(|value| value.map(|value| value.to_string())),
                "bytea" => row.try_get::<Option<Vec<u8>>, _>(column).map(|value| value.map(|value| digest(&value))),
                _ => row.try_get::<Option<String>, _>(column).map(|value| value.map(text)),
            };
            shown.unwrap_or_else(|error| panic!("{column} is not what the schema says, {kind}: {error}"))
        }
    };
}
reader!(of_sqlite, SqliteRow);
reader!(of_postgres, PgRow);

/// Counted ids are small numbers.
fn id(id: Uuid) -> String {
    format!("#{}", id.as_u128())
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// JSON with sorted keys: one engine keeps their order and the other does not.
fn json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| key.as_str());
            let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("{key}: {}", json(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn text(text: String) -> String {
    let is_word = text.starts_with('{') || !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"' || c.is_control());
    if is_word { text } else { format!("{text:?}") }
}

/// The first bytes of a digest, in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let mut shown: String = bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN_BYTES {
        shown.push('…');
    }
    shown
}
