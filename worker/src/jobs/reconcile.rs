//! Compares a part of what the database says with what is stored, and goes on there the next time.
//!
//! Only documents are written again without being asked: they follow from the rows. Whatever else is wrong is told at the level that
//! pages somebody.

use slipway_common::fault::AnyFault;
use slipway_common::model::job::Claim;

use super::{ring, settle};
use crate::error::JobError;
use crate::reconcile::{Repair, Round, page};
use crate::workshop::Workshop;

/// Things that one run looks at in each round before it notes how far it came: objects are read whole, so this is some seconds to a
/// minute of one connection to the store. A registry of a million objects is gone through in three weeks of hourly runs, and
/// `slipway doctor --deep` does it at once.
const THINGS_PER_RUN: u64 = 2_000;

/// Bytes after which a run stops as well: large files are few and take as long.
const BYTES_PER_RUN: u64 = 512 * 1024 * 1024;

/// Goes on with every round.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim) -> Result<(), JobError> {
    let context = &workshop.context;
    let mut came = Vec::new();
    for round in Round::ALL {
        match go_on(workshop, round).await {
            Ok(next) => came.push((round, next)),
            Err(fault) => tracing::warn!(round = round.name(), fault = fault.chain(), "could not be compared, the next round tries again"),
        }
    }
    let mut tx = context.db.write("reconcile").await?;
    for (round, next) in &came {
        tx.note_round(round.name(), next.as_deref()).await?;
    }
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(context, twin).await;
    Ok(())
}

async fn go_on(workshop: &Workshop, round: Round) -> Result<Option<String>, AnyFault> {
    let mut after = workshop.context.db.read().await?.round(round.name()).await?;
    let (mut seen, mut bytes) = (0, 0);
    loop {
        let page = page(workshop, round, after.as_deref(), Repair::Documents).await?;
        for problem in &page.problems {
            let (code, key, repaired) = (problem.code.as_str(), &problem.key, problem.is_repaired);
            tracing::error!(code, key, repaired, "the registry is not as it should be: {problem}");
        }
        seen += page.seen;
        bytes += page.bytes;
        after = page.next;
        if after.is_none() || seen >= THINGS_PER_RUN || bytes >= BYTES_PER_RUN {
            return Ok(after);
        }
    }
}
