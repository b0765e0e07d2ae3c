//! `slipway migrate`: brings the schema up to date.

use std::sync::Arc;

use slipway_common::clock::{Clock, SystemClock};
use slipway_common::fault::AnyFault;

use super::arguments::DoorArguments;
use super::doors::{self, readable};

#[expect(clippy::print_stdout, reason = "this is what the command says")]
pub(super) async fn run(arguments: DoorArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let db = doors::open_database(&config, &clock).await?;
    db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    println!("the schema of {} is up to date", config.database);
    db.close().await;
    Ok(())
}
