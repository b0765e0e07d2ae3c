//! `slipway migrate`: brings the schema up to date.

use slipway_common::fault::AnyFault;

use super::arguments::DoorArguments;
use super::doors::{self, readable};

#[expect(clippy::print_stdout, reason = "this is what the command says")]
pub(super) async fn run(arguments: DoorArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let db = doors::open_database(&config, &doors::clock()).await?;
    db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    println!("the schema of {} is up to date", config.database);
    db.close().await;
    Ok(())
}
