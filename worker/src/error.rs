//! How a job can fail: every `?` decides whether time will heal it.

use slipway_common::db::DbError;
use slipway_common::fault::{AnyFault, Fault, Retry};
use slipway_common::storage::StorageError;

/// Why a job was not done.
#[derive(Debug)]
pub(crate) enum JobError {
    /// The same job may succeed later.
    Retry(AnyFault),
    /// It will fail the same way every time.
    Abandon(AnyFault),
    /// Something broke in the middle of it that nobody foresaw.
    Crash(AnyFault),
    /// The job was taken from this worker; whatever it did last was rolled back.
    Zombie,
}

impl From<AnyFault> for JobError {
    fn from(fault: AnyFault) -> Self {
        match fault.retry() {
            Retry::Later => Self::Retry(fault),
            Retry::Never => Self::Abandon(fault),
        }
    }
}

impl From<DbError> for JobError {
    fn from(error: DbError) -> Self {
        AnyFault::from(error).into()
    }
}

impl From<StorageError> for JobError {
    fn from(error: StorageError) -> Self {
        AnyFault::from(error).into()
    }
}
