//! Removes what nobody needs any more: rows, objects, and what crashes left of files.
//!
//! Every run does a bounded part and notes how far it came. What cannot be removed now is tried again on the next round: it costs
//! space and nothing else, so a store that fails does not make the job fail.

mod uploads;

use chrono::TimeDelta;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::model::job::Claim;
use slipway_common::storage::Store;

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// How long what nobody refers to may lie around. An upload has no row while it comes in, and a file no name while it is
/// written; neither takes a day.
const STRAY: TimeDelta = TimeDelta::days(1);

/// Files of a local store that one run looks at: a fraction of a second on any disk.
const FILES_PER_RUN: usize = 20_000;

/// How far a round has come: its name, and the key behind which the next run goes on.
type Round = (&'static str, Option<String>);

/// Cleans up.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim) -> Result<(), JobError> {
    let context = &workshop.context;
    let mut rounds: Vec<Round> = Vec::new();
    rounds.extend(go_on(context, "uploads", uploads::tidy).await);
    rounds.extend(go_on(context, "unfinished public files", async |context, after| unfinished(context, Store::Public, after).await).await);
    rounds
        .extend(go_on(context, "unfinished private files", async |context, after| unfinished(context, Store::Private, after).await).await);

    let mut tx = context.db.write("housekeep").await?;
    for (name, after) in &rounds {
        tx.note_round(name, after.as_deref()).await?;
    }
    let swept = tx.sweep().await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    tracing::debug!(swept, "cleaned up");
    ring(context, twin).await;
    Ok(())
}

/// Goes on with a round where it was left.
async fn go_on(
    context: &Context,
    name: &'static str,
    tidy: impl AsyncFnOnce(&Context, Option<String>) -> Result<Option<String>, AnyFault>,
) -> Option<Round> {
    let outcome = async {
        let after = context.db.read().await?.round(name).await?;
        tidy(context, after).await
    };
    match outcome.await {
        Ok(next) => Some((name, next)),
        Err(fault) => {
            tracing::warn!(round = name, fault = fault.chain(), "could not be tidied up, the next round tries again");
            None
        }
    }
}

/// Deletes what crashes left of files.
async fn unfinished(context: &Context, store: Store, after: Option<String>) -> Result<Option<String>, AnyFault> {
    let before = context.clock.now() - STRAY;
    let cleared = context.storage.clear_unfinished(store, before, after, FILES_PER_RUN).await?;
    if cleared.deleted > 0 {
        tracing::info!(?store, deleted = cleared.deleted, "unfinished files were deleted");
    }
    Ok(cleared.next)
}
