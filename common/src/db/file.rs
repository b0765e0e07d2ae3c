//! The file of SQLite, as a file: it holds digests of secrets and, later, what is private, and nobody else reads it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{DbError, DbResult};

/// Only its owner reads and writes it.
const MODE: u32 = 0o600;

/// Makes the file when it is missing, and keeps others out of it and of what SQLite puts beside it. SQLite gives the files that it
/// makes later the mode of this one.
pub(super) fn prepare(path: &Path) -> DbResult<()> {
    let refused = |error: Error| DbError::Unavailable(sqlx::Error::Io(error));
    OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(path).map_err(refused)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::set_permissions(PathBuf::from(name), Permissions::from_mode(MODE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a file that is not there, before SQLite makes it.
pub(super) fn expect(path: &Path) -> DbResult<()> {
    if path.is_file() {
        return Ok(());
    }
    let path = path.display();
    Err(DbError::Schema(format!("there is no database at `{path}`: start `slipway up` or run `slipway migrate`, which make it")))
}
