//! `slipway admin quarantine`: what the operator keeps from everybody.

use slipway_common::db::Page;
use slipway_common::model::audit::Doer;

use super::admin::{open, plain, say};
use super::arguments::QuarantineCommand;
use crate::service::quarantine;

pub(super) async fn run(command: QuarantineCommand) -> anyhow::Result<()> {
    match command {
        QuarantineCommand::Hold { version: (package, version), reason, doors } => {
            let context = open(&doors).await?;
            quarantine::hold_as(&context, &Doer::operator(), &package, &version, &reason).await.map_err(plain)?;
            say(&format!("{package}@{version} is kept from everybody; its objects are moved by the next worker"));
        }
        QuarantineCommand::Release { version: (package, version), doors } => {
            let context = open(&doors).await?;
            quarantine::release_as(&context, &Doer::operator(), &package, &version).await.map_err(plain)?;
            say(&format!("{package}@{version} is let go; everybody has it when a worker has put its objects back"));
        }
        QuarantineCommand::List(doors) => {
            let context = open(&doors).await?;
            for number in 1.. {
                let held = quarantine::all(&context, Page::new(number, u32::MAX)).await.map_err(plain)?.items;
                if held.is_empty() {
                    break;
                }
                for held in held {
                    let (state, since) = (held.custody.as_str(), held.created_at.to_rfc3339());
                    say(&format!("{}@{}\t{state}\t{since}\t{}", held.package, held.version, held.reason));
                }
            }
        }
    }
    Ok(())
}
