//! Reading stored values back: a value that this build would not write is reported with its address.

use std::borrow::Cow;
use std::fmt::Display;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{DbError, DbResult};
use crate::ids::Sha256;

/// JSON columns hold objects only, because a scalar would lose its type on SQLite; a list is wrapped in this one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct List<T> {
    pub(super) list: Vec<T>,
}

/// The shape in which a list is bound.
pub(super) fn list<T: Clone>(items: &[T]) -> Json<List<T>> {
    Json(List { list: items.to_vec() })
}

/// A text as every engine holds it. PostgreSQL's texts have no zero character, and what people send may have one: it is shown as
/// what cannot be shown, and matches nothing.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// A JSON document whose order is part of its meaning. `JSONB` sorts keys on PostgreSQL, so these columns are `TEXT`.
pub(super) fn document(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("documents have text for keys")
}

/// What [`document`] wrote.
pub(super) fn read_document<T: DeserializeOwned>(table: &'static str, column: &'static str, text: &str) -> DbResult<T> {
    serde_json::from_str(text).map_err(|error| DbError::corrupt(table, column, error))
}

/// An instant as rows have it.
pub(super) type Time = DateTime<Utc>;

/// A text that must be a valid name.
pub(super) fn name<T>(table: &'static str, column: &'static str, text: &str) -> DbResult<T>
where
    T: for<'a> TryFrom<&'a str, Error: Display>,
{
    T::try_from(text).map_err(|error| DbError::corrupt(table, column, error))
}

/// A word of a closed list.
pub(super) fn word<T>(table: &'static str, column: &'static str, text: &str, parse: fn(&str) -> Option<T>) -> DbResult<T> {
    parse(text).ok_or_else(|| DbError::corrupt(table, column, format_args!("unknown word '{text}'")))
}

/// A digest stored as bytes.
pub(super) fn digest(table: &'static str, column: &'static str, bytes: &[u8]) -> DbResult<Sha256> {
    Sha256::from_bytes(bytes).map_err(|error| DbError::corrupt(table, column, error))
}

/// A JSON value of a known shape.
pub(super) fn shape<T: DeserializeOwned>(table: &'static str, column: &'static str, value: serde_json::Value) -> DbResult<T> {
    serde_json::from_value(value).map_err(|error| DbError::corrupt(table, column, error))
}

/// A count or size that cannot be negative.
pub(super) fn size(table: &'static str, column: &'static str, number: i64) -> DbResult<u64> {
    u64::try_from(number).map_err(|_| DbError::corrupt(table, column, "a negative size"))
}
