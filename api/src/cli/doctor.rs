//! `slipway doctor`: checks the configuration and every door, and says what to do.

use std::sync::Arc;

use anyhow::bail;
use slipway_common::clock::{Clock, SystemClock};
use slipway_common::config::Config;
use slipway_common::fault::AnyFault;
use slipway_common::queue;
use slipway_common::storage::Storage;

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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let db = doors::open_database(config, &clock).await.map_err(|error| format!("{error:#}"))?;
    let outcome = db.check_schema().await.map_err(|error| AnyFault::from(error).chain());
    db.close().await;
    outcome.map(|()| format!("{} answers, its schema is up to date", config.database))
}

async fn objects(config: &Config) -> Result<String, String> {
    let storage = Storage::open(&config.objects, &config.objects_private).map_err(|error| AnyFault::from(error).chain())?;
    storage.check().await.map_err(|error| format!("{}; check the address and the credentials", AnyFault::from(error).chain()))?;
    Ok(format!("{} and {} answer", config.objects, config.objects_private))
}

fn queue(config: &Config) -> Result<String, String> {
    queue::open(config.queue.expose()).map(|_| format!("{} answers", config.queue)).map_err(|error| error.to_string())
}
