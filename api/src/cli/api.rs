//! `slipway api`: answers requests; workers run elsewhere.

use slipway_common::config::Config;
use slipway_common::fault::AnyFault;
use slipway_common::shutdown::Shutdown;

use super::arguments::ServeArguments;
use super::doors::{self, readable};
use super::serve::Signals;
use super::{roles, serve, signing, worker};

pub(super) async fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    let mut layers = arguments.layers(None);
    roles::check(&Config::load(&layers)?, "api")?;
    let listener = serve::bind(&mut layers).await?;
    let config = doors::load(&layers)?;
    let key = signing::load(&config)?;
    let context = doors::open(config).await?;
    context.db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    let signals = Signals::listen()?;
    let shutdown = Shutdown::default();
    signing::announce(&context, &key, &shutdown).await;
    worker::relay(&context, &shutdown);
    serve::answer(&context, listener, &shutdown);
    serve::introduce(&context.config);
    serve::ready(&context.config);
    signals.obey(&shutdown).await;
    context.db.close().await;
    Ok(())
}
