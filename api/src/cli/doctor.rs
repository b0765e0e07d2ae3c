//! `slipway doctor`: checks the configuration and every door, and says what to do. It looks and makes nothing.

use std::error::Error;
use std::io::ErrorKind;

use anyhow::bail;
use slipway_common::config::Config;
use slipway_common::db::{Db, DbError};
use slipway_common::queue;
use slipway_common::storage::{Storage, StorageError};

use super::arguments::DoorArguments;
use super::doors;

pub(super) async fn run(arguments: DoorArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let mut problems = 0;
    let mut report = |what: &str, outcome: Result<String, String>| problems += usize::from(!say(what, outcome));
    report("configuration", rules(&config));
    report("database", database(&config).await);
    report("objects", objects(&config).await);
    report("queue", queue(&config));
    match problems {
        0 => Ok(()),
        1 => bail!("1 problem"),
        many => bail!("{many} problems"),
    }
}

#[expect(clippy::print_stdout, reason = "this is what the command says")]
fn say(what: &str, outcome: Result<String, String>) -> bool {
    match outcome {
        Ok(text) => {
            println!("ok       {what}: {text}");
            true
        }
        Err(text) => {
            println!("problem  {what}: {text}");
            false
        }
    }
}

/// What each setting alone cannot tell.
fn rules(config: &Config) -> Result<String, String> {
    let is_sqlite = config.database.expose().starts_with("sqlite:");
    if is_sqlite && !config.queue_is_in_process() {
        return Err("the database is one SQLite file, but the queue is for several processes: use PostgreSQL, or `in-process:`".into());
    }
    if config.objects.starts_with("file:") && !config.queue_is_in_process() {
        return Err("`objects` are local files, but the queue is for several processes: use a bucket, or `in-process:`".into());
    }
    if config.limits.file_bytes > config.limits.unpacked_bytes {
        return Err("`limits.file_bytes` is above `limits.unpacked_bytes`, which it can never reach: lower it".into());
    }
    Ok(format!("public_url {}, npm_url {}", config.public_url, config.npm_url))
}

async fn database(config: &Config) -> Result<String, String> {
    let db =
        Db::open_existing(config.database.expose(), doors::replica(config), doors::clock()).await.map_err(|error| of_database(&error))?;
    let outcome = db.check_schema().await.map_err(|error| of_database(&error));
    db.close().await;
    outcome.map(|()| format!("{} answers, its schema is up to date", config.database))
}

/// What is wrong with the database, and what to do.
fn of_database(error: &DbError) -> String {
    let remedy = match error {
        // These say so themselves.
        DbError::Schema(_) | DbError::Url(_) => return error.to_string(),
        DbError::Unavailable(_) => "see whether it runs and may be used, or set `database` to where it is",
        DbError::Conflict(_) | DbError::Corrupt { .. } | DbError::Driver(_) => "restore a backup, or set `database` to another one",
    };
    format!("{}; {remedy}", causes(error))
}

async fn objects(config: &Config) -> Result<String, String> {
    let storage = Storage::open_existing(&config.objects, &config.objects_private).map_err(|error| of_objects(&error))?;
    storage.check().await.map_err(|error| of_objects(&error))?;
    Ok(format!("{} and {} answer", config.objects, config.objects_private))
}

/// What is wrong with the object stores, and what to do.
fn of_objects(error: &StorageError) -> String {
    let remedy = match error {
        StorageError::Url(_) => return error.to_string(),
        StorageError::Directory { source, .. } if source.kind() == ErrorKind::NotFound => {
            "start `slipway up`, which makes it, or set `objects` and `objects_private` to where they are"
        }
        StorageError::Directory { .. } => "let the user that runs the registry use it",
        _ => "see whether the addresses in `objects` and `objects_private` and the credentials are right",
    };
    format!("{}; {remedy}", causes(error))
}

/// An error and what caused it.
fn causes(error: &dyn Error) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn queue(config: &Config) -> Result<String, String> {
    queue::open(config.queue.expose()).map(|_| format!("{} answers", config.queue)).map_err(|error| error.to_string())
}
