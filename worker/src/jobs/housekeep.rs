//! Removes what nobody needs any more.

use slipway_common::model::job::Claim;

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// Cleans up. What is removed: void authorizations, expired tokens, and jobs that are long done. Objects that no row knows are not
/// looked for yet.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim) -> Result<(), JobError> {
    let mut tx = workshop.context.db.write("housekeep").await?;
    let swept = tx.sweep().await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    tracing::debug!(swept, "cleaned up");
    ring(&workshop.context, twin).await;
    Ok(())
}
