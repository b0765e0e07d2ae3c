//! The sweeper: rings what is due and was not heard.

use std::time::Duration;

use chrono::TimeDelta;

use crate::context::Context;
use crate::fault::AnyFault;

/// How often every process looks for jobs that nobody rang. A lost bell costs at most this and three seconds.
pub const RELAY_PERIOD: Duration = Duration::from_secs(1);
/// A bell that is this old was lost. Much longer than a bell takes, much shorter than a person's patience.
const RING_AGAIN: TimeDelta = TimeDelta::seconds(3);
/// Bells of one sweep. The next sweep takes the rest; a burst is not rung twice at once.
const SWEEP: i64 = 200;

/// Rings every job that is due, or whose lease ran out, and whose last bell is old. Returns how many.
///
/// # Errors
/// When the database fails. A broker that is down is not an error: the next sweep rings again, and workers hear their own.
pub async fn relay(context: &Context) -> Result<usize, AnyFault> {
    if let Err(error) = context.queue.check().await {
        // Whoever takes a job to ring it keeps it from the others for a while: those who are heard shall have it.
        tracing::debug!(%error, "nobody hears this relay");
        return Ok(0);
    }
    let mut tx = context.db.write("jobs.relay").await?;
    let rung_before = tx.now() - RING_AGAIN;
    let unrung = tx.take_unrung(rung_before, SWEEP).await?;
    if unrung.is_empty() {
        return Ok(0);
    }
    tx.commit().await?;
    for (job, lane) in &unrung {
        context.ring(*lane, *job).await;
    }
    Ok(unrung.len())
}
