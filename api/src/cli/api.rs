//! `slipway api`: answers requests; workers run elsewhere.

use slipway_common::config::Config;
use slipway_common::fault::AnyFault;
use slipway_common::shutdown::Shutdown;
use slipway_common::telemetry;

use super::arguments::ServeArguments;
use super::doors::{self, readable};
use super::{roles, serve, worker};

pub(super) async fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    let config = Config::load(&arguments.layers(None))?;
    telemetry::start(&config.log);
    roles::check(&config, "api")?;
    let listener = serve::bind(config.listen).await?;
    let context = doors::open(config).await?;
    context.db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    let shutdown = Shutdown::default();
    worker::relay(&context, &shutdown);
    serve::answer(&context, listener, &shutdown);
    tracing::info!(url = %context.config.public_url, "ready");
    serve::until_signal(&shutdown).await?;
    context.db.close().await;
    Ok(())
}
