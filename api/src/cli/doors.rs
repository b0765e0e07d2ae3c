//! From arguments to a context: configuration, then the doors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use slipway_common::clock::{Clock, SystemClock};
use slipway_common::config::{self, Config, Layers};
use slipway_common::context::Context;
use slipway_common::db::Db;
use slipway_common::fault::AnyFault;
use slipway_common::ids::IdSource;
use slipway_common::provenance::Notary;
use slipway_common::storage::Storage;
use slipway_common::{queue, telemetry};

use super::arguments::{DoorArguments, ServeArguments};

/// The configuration file that is read when none is named.
const DEFAULT_FILE: &str = "slipway.toml";
/// The data directory that `up` uses when none is named.
pub(super) const DEFAULT_DATA: &str = "./data";

impl DoorArguments {
    /// The sources of the configuration. `data` is the directory to fall back on.
    pub(super) fn layers(&self, data: Option<&Path>) -> Layers {
        let mut layers = Layers::default().with_environment();
        if let Some(directory) = self.data.as_deref().or(data) {
            layers.preset = config::preset(directory);
        }
        let fallback = PathBuf::from(DEFAULT_FILE);
        layers.file = self.config.clone().or_else(|| fallback.exists().then_some(fallback));
        let flags =
            [("database", &self.database), ("objects", &self.objects), ("objects_private", &self.objects_private), ("queue", &self.queue)];
        layers.flags = flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect();
        layers
    }

    /// The configuration of a command that does not serve.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        // A registry that was started with `slipway up` is found without saying where it is.
        let has_default = Path::new(DEFAULT_DATA).join("registry.db").exists();
        load(&self.layers(has_default.then(|| Path::new(DEFAULT_DATA))))
    }
}

/// Puts the configuration together and starts the log, in which the first lines are what is odd about it.
pub(super) fn load(layers: &Layers) -> anyhow::Result<Config> {
    let config = Config::load(layers)?;
    telemetry::start(&config.log);
    for warning in layers.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

impl ServeArguments {
    /// The sources of the configuration of a command that serves.
    pub(super) fn layers(&self, data: Option<&Path>) -> Layers {
        let mut layers = self.doors.layers(data);
        let flags = [("listen", &self.listen), ("public_url", &self.public_url)];
        layers.flags.extend(flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
        layers
    }
}

/// Opens every door. Local files and directories that are missing are made.
pub(super) async fn open(config: Config) -> anyhow::Result<Context> {
    let clock = clock();
    let db = open_database(&config, &clock).await?;
    let storage = Storage::open(&config.objects, &config.objects_private).map_err(AnyFault::from).map_err(readable)?;
    context(config, clock, db, storage)
}

/// Opens every door of a registry that is there. Nothing is made: a mistake in an address must not become a second registry.
pub(super) async fn open_existing(config: Config) -> anyhow::Result<Context> {
    let clock = clock();
    let db = Db::open_existing(config.database.expose(), replica(&config), Arc::clone(&clock)).await;
    let db = db.map_err(AnyFault::from).map_err(readable)?;
    db.check_schema().await.map_err(AnyFault::from).map_err(readable)?;
    let storage = Storage::open_existing(&config.objects, &config.objects_private).map_err(AnyFault::from).map_err(readable)?;
    context(config, clock, db, storage)
}

fn context(config: Config, clock: Arc<dyn Clock>, db: Db, storage: Storage) -> anyhow::Result<Context> {
    let queue = queue::open(config.queue.expose()).map_err(AnyFault::from).map_err(readable)?;
    let ids = IdSource::entropy(Arc::clone(&clock));
    let notary = Arc::new(Notary::open(&config, &ids, &storage)?);
    Ok(Context { db, storage, queue, ids, clock, notary, config: Arc::new(config) })
}

/// The clock of the machine.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Where a copy of the database is read, if there is one.
pub(super) fn replica(config: &Config) -> Option<&str> {
    config.database_replica.as_ref().map(config::Secret::expose)
}

/// Opens the database alone. A missing file is made.
pub(super) async fn open_database(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Db> {
    Db::open_sized(config.database.expose(), replica(config), config.database_connections, Arc::clone(clock))
        .await
        .map_err(AnyFault::from)
        .map_err(readable)
        .with_context(|| format!("cannot open the database ({})", config.database))
}

/// A fault as the operator reads it on the command line: the whole chain, since nobody else sees it.
#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
pub(super) fn readable(fault: AnyFault) -> anyhow::Error {
    anyhow::anyhow!(fault.chain())
}
