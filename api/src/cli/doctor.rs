//! `slipway doctor`: checks the configuration and every door, and says what to do. Without `--repair` it looks and makes nothing.

use std::error::Error;
use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::bail;
use chrono::TimeDelta;
use slipway_common::config::{Config, Edge, Keyless};
use slipway_common::db::{Db, DbError, Engine, OLDEST_POSTGRES};
use slipway_common::ids::IdSource;
use slipway_common::provenance::{self, Notary};
use slipway_common::queue;
use slipway_common::storage::{Storage, StorageError};

use super::arguments::DoctorArguments;
use super::{addresses, deep, doors, roles, signing, worker};
use crate::auth::identity::Providers;

/// The most that clocks may differ. Leases last thirty seconds and every process compares them with its own clock: at a third of
/// that, one process could take another's work while it is being done.
const MAX_SKEW: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn run(arguments: DoctorArguments) -> anyhow::Result<()> {
    let config = arguments.doors.config()?;
    let mut problems = 0;
    let mut report = |what: &str, outcome: Result<String, String>| problems += usize::from(!say(what, outcome));
    report("configuration", rules(&config));
    report("database", database(&config).await);
    report("objects", objects(&config).await);
    report("queue", queue(&config).await);
    report("signing key", signing::examine(&config).await);
    report("trust root", trust_root(&config).await);
    if let Some(keyless) = config.attestation.log.as_ref().and_then(|log| log.keyless.as_ref()) {
        report("attestations", signs_as(keyless).await);
    }
    for provider in Providers::new(&config).all() {
        report(&format!("sign-in with {}", provider.title()), provider.examine(doors::clock().now()).await);
    }
    if config.typescript.compiler.is_some() {
        report("compiler", compiler(&config).await);
    }
    if problems == 0 {
        problems += usize::from(!say("addresses", addresses::check(config.clone()).await.map_err(|error| error.to_string()).flatten()));
    }
    if arguments.deep && problems == 0 {
        problems += deep::run(config, arguments.repair).await?;
    }
    match problems {
        0 => Ok(()),
        1 => bail!("1 problem"),
        many => bail!("{many} problems"),
    }
}

#[expect(clippy::print_stdout, reason = "this is what the command says")]
pub(super) fn say(what: &str, outcome: Result<String, String>) -> bool {
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
    if !config.queue_is_in_process()
        && let Some(obstacle) = roles::obstacle(config)
    {
        return Err(format!("the queue is for several processes. {obstacle}, or `queue` to `in-process:`"));
    }
    if !matches!(config.edge, Edge::None) {
        if config.objects.starts_with("file:") {
            return Err(
                "an edge is configured (`cdn.purge`) and `objects` is a directory, which no edge reads: set it to a bucket, or leave \
                        `cdn.purge` away"
                    .into(),
            );
        }
        if config.private_is_sibling() {
            return Err(
                "an edge is configured (`cdn.purge`) and `objects_private` lies beside `objects`, where a rule for the one may show \
                        the other: give it a bucket of its own"
                    .into(),
            );
        }
    }
    if config.limits.file_bytes > config.limits.unpacked_bytes {
        return Err("`limits.file_bytes` is above `limits.unpacked_bytes`, which it can never reach: lower it".into());
    }
    Ok(format!("public_url {}, npm_url {}", config.public_url, config.npm_url))
}

async fn database(config: &Config) -> Result<String, String> {
    let db =
        Db::open_existing(config.database.expose(), doors::replica(config), doors::clock()).await.map_err(|error| of_database(&error))?;
    let outcome = async {
        let engine = db.engine().await.map_err(|error| of_database(&error))?;
        of_engine(&engine)?;
        db.check_schema().await.map_err(|error| of_database(&error))?;
        Ok(format!("{} answers ({}), its schema is up to date", config.database, engine.version))
    };
    let outcome = outcome.await;
    db.close().await;
    outcome
}

/// What about the engine would hurt later.
fn of_engine(engine: &Engine) -> Result<(), String> {
    if engine.release.is_some_and(|release| release < OLDEST_POSTGRES) {
        return Err(format!("{} is too old; upgrade to PostgreSQL {} or newer", engine.version, OLDEST_POSTGRES / 10_000));
    }
    if !["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&engine.collation.as_str()) {
        return Err(format!(
            "the database sorts text by `{}`, so names are listed in another order than everywhere else; \
             create it with `CREATE DATABASE … TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'`",
            engine.collation
        ));
    }
    if !engine.may_migrate {
        return Err("the user of `database` may not create tables, which migrations do; grant it CREATE on the schema".to_owned());
    }
    if engine.ahead.abs() > MAX_SKEW {
        let (seconds, direction) = (engine.ahead.num_seconds().abs(), if engine.ahead < TimeDelta::zero() { "behind" } else { "ahead" });
        return Err(format!("the server's clock is {seconds} s {direction} of this machine's; let both follow the same time server"));
    }
    Ok(())
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

async fn queue(config: &Config) -> Result<String, String> {
    let queue = queue::open(config.queue.expose()).map_err(|error| error.to_string())?;
    queue.check().await.map_err(|error| format!("{error}; check the address, the virtual host and what the user may do there"))?;
    Ok(format!("{} answers", config.queue))
}

/// Whom provenance is verified against.
async fn trust_root(config: &Config) -> Result<String, String> {
    let clock = doors::clock();
    // Where the stores cannot be opened, which was told above, there is nothing that was known of it before.
    let storage = Storage::open_existing(&config.objects, &config.objects_private).or_else(|_| Storage::open("memory:", "memory:"));
    let storage = storage.map_err(|error| of_objects(&error))?;
    let notary = Notary::open(config, &IdSource::entropy(Arc::clone(&clock)), &storage).map_err(|error| error.to_string())?;
    notary.examine(clock.now()).await.map_err(|error| error.to_string())
}

/// As whom the registry signs what it attests, where an authority certifies that. It is not asked: what it certifies is entered in a log.
async fn signs_as(keyless: &Keyless) -> Result<String, String> {
    let who = provenance::introduce(keyless, doors::clock().now()).await;
    let who = who.map_err(|error| format!("{error}; see whether `attestation.identity_token` is what the platform keeps up to date"));
    Ok(format!("signed by {}, if {} certifies it", who?, keyless.fulcio_url))
}

/// Whether the configured compiler runs as it would for a package, and what it is kept from.
async fn compiler(config: &Config) -> Result<String, String> {
    let remedy = "set `typescript.compiler` to the native program or, with `typescript.node`, to `tsc.js`";
    let compiler = worker::compiler(config).map_err(|error| format!("{error:#}"))?.ok_or("none is configured")?;
    let isolation = compiler.isolation().await?;
    if let Some(missing) = isolation.missing() {
        return Err(format!(
            "it is never run: {missing}; provide that, or leave `typescript.compiler` away and types that need it are `any`"
        ));
    }
    let version = compiler.version().await.map_err(|why| format!("{why}; {remedy}"))?;
    if let Some(packages) = config.typescript.packages.as_deref().filter(|packages| !packages.is_dir()) {
        return Err(format!(
            "`typescript.packages` is {}, which is no directory: unpack packages there, or leave it away",
            packages.display()
        ));
    }
    let network = if isolation.network { ", and has an empty network" } else { "; the system allows no empty network besides" };
    Ok(format!("{version} answers; it is kept from other files, processes and sockets{network}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_edge_must_not_stand_in_front_of_is_told() {
        let rules = |objects: &str, private: &str| {
            let pairs = [
                ("database", "sqlite:x"),
                ("objects", objects),
                ("objects_private", private),
                ("queue", "in-process:"),
                ("cdn.purge", "url"),
            ];
            let flags = pairs.into_iter().map(|(key, value)| (key, value.to_owned())).collect();
            rules(&Config::load(&slipway_common::config::Layers { flags, ..Default::default() }).unwrap())
        };
        assert!(rules("file:a", "file:b").unwrap_err().contains("`objects` is a directory"));
        assert!(rules("s3://b/p", "").unwrap_err().contains("`objects_private` lies beside"));
        assert!(rules("s3://b/p", "s3://other/p").is_ok());
    }

    #[test]
    fn an_engine_that_would_hurt_later_is_told_with_the_remedy() {
        let good = Engine {
            version: "PostgreSQL 15.18".to_owned(),
            release: Some(15_00_18),
            collation: "C".to_owned(),
            may_migrate: true,
            ahead: TimeDelta::milliseconds(-400),
        };
        assert_eq!(of_engine(&good), Ok(()));
        for (bad, remedy) in [
            (Engine { release: Some(12_00_20), ..good.clone() }, "upgrade to PostgreSQL 13"),
            (Engine { collation: "en_US.UTF-8".to_owned(), ..good.clone() }, "LOCALE 'C'"),
            (Engine { may_migrate: false, ..good.clone() }, "grant it CREATE"),
            (Engine { ahead: TimeDelta::seconds(-90), ..good.clone() }, "90 s behind"),
        ] {
            let said = of_engine(&bad).unwrap_err();
            assert!(said.contains(remedy), "{said}");
        }
    }
}
