//! Everything a desk or a workshop needs from outside, in one bag without options.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::ids::{IdSource, JobId, TaskId};
use crate::model::job::Lane;
use crate::provenance::Notary;
use crate::queue::Queue;
use crate::storage::Storage;

/// The doors to the outside, and the rules of this deployment.
#[derive(Debug, Clone)]
pub struct Context {
    /// What is true.
    pub db: Db,
    /// What is served.
    pub storage: Storage,
    /// What rings.
    pub queue: Arc<dyn Queue>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Identifiers and secrets.
    pub ids: IdSource,
    /// Who verifies where versions came from.
    pub notary: Arc<Notary>,
    /// The rules of this deployment.
    pub config: Arc<Config>,
}

impl Context {
    /// Rings a job, best effort: a bell that is not heard is rung again by the relay.
    pub async fn ring(&self, lane: Lane, job: JobId) {
        if let Err(error) = self.queue.ring(lane, job).await {
            tracing::warn!(%job, lane = lane.as_str(), %error, "the bell did not ring, the relay will");
        }
    }

    /// Tells whoever waits that a publish reached a final state, best effort: who does not hear looks at the row.
    pub async fn tell(&self, task: TaskId) {
        if let Err(error) = self.queue.tell(task).await {
            tracing::warn!(%task, %error, "the news did not go out, who waits looks at the row");
        }
    }
}
