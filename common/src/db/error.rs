//! What can go wrong with the database.

use crate::fault::{Fault, Retry, seam_fault};

/// A result of this room.
pub type DbResult<T> = Result<T, DbError>;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A row that must be unique exists already, or one that is referred to does not.
    #[error("the change conflicts with what is stored")]
    Conflict(#[source] sqlx::Error),
    /// The database cannot be reached, is starting, or has no connection to spare.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// A stored value is not what this build writes there.
    #[error("corrupt row in table `{table}`, column `{column}`: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// The schema and this build do not fit together.
    #[error("{0}")]
    Schema(String),
    /// The URL names no database that this build knows.
    #[error("{0}")]
    Url(String),
    /// Anything else the driver reports.
    #[error("database error")]
    Driver(#[source] sqlx::Error),
}

impl DbError {
    /// For a stored value that does not read back.
    pub(super) fn corrupt(table: &'static str, column: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, column, reason: reason.to_string() }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        super::dialect::classify(error)
    }
}

impl Fault for DbError {
    fn retry(&self) -> Retry {
        match self {
            Self::Unavailable(_) | Self::Driver(_) | Self::Conflict(_) => Retry::Later,
            Self::Corrupt { .. } | Self::Schema(_) | Self::Url(_) => Retry::Never,
        }
    }
}

seam_fault!(DbError, "database");
