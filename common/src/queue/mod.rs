//! The queue rings. It never remembers: what has to be done stands in the `jobs` table.

mod amqp;
mod in_process;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::fault::{Fault, Retry, seam_fault};
use crate::ids::{JobId, TaskId};
use crate::model::job::Lane;

pub use in_process::InProcess;

/// Bells that wait in one lane. Beyond that some are dropped on purpose: the relay exists.
const BELLS: usize = 4_096;
/// News that a slow listener may be behind. It looks at its row anyway.
const NEWS: usize = 1_024;

/// What can go wrong with a bell. Nobody's request fails for it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The broker cannot be reached, or takes nothing at the moment.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// The URL names no queue that this build knows.
    #[error("{0}")]
    Url(String),
}

impl Fault for QueueError {
    fn retry(&self) -> Retry {
        match self {
            Self::Unavailable(_) => Retry::Later,
            Self::Url(_) => Retry::Never,
        }
    }
}

seam_fault!(QueueError, "queue");

/// A job may be ready. Dropping the bell acknowledges it: the broker need not ring it again. A bell that outlives the stream it came
/// from cannot be acknowledged any more and rings again elsewhere, where it finds the job taken.
#[derive(Debug)]
pub struct Bell {
    /// The job.
    pub job: JobId,
    #[expect(dead_code, reason = "it acts by being dropped")]
    receipt: Option<amqp::Receipt>,
}

/// Announces work, and news about it.
#[async_trait]
pub trait Queue: std::fmt::Debug + Send + Sync {
    /// Announces that a job may be ready. Loss is tolerated; the relay rings again. Fails within seconds, whatever the broker does.
    async fn ring(&self, lane: Lane, job: JobId) -> Result<(), QueueError>;

    /// The bells of a lane, at most `capacity` unacknowledged at a time. The stream outlives a broker that goes and comes back.
    async fn listen(&self, lane: Lane, capacity: u16) -> Result<BoxStream<'static, Bell>, QueueError>;

    /// Announces that a publish reached a final state, to whoever waits for it. Loss is tolerated.
    async fn tell(&self, task: TaskId) -> Result<(), QueueError>;

    /// The publishes that reach a final state from now on. The stream outlives a broker that goes and comes back.
    async fn news(&self) -> Result<BoxStream<'static, TaskId>, QueueError>;

    /// Whether a bell that is rung here is heard by anybody at the moment. Work goes on when it is not, more slowly.
    async fn check(&self) -> Result<(), QueueError>;
}

/// Opens the queue a URL names. Succeeds while the broker is away: that makes work slower and stops nothing.
///
/// # Errors
/// When the URL is of no known kind, or cannot be read.
pub fn open(url: &str) -> Result<Arc<dyn Queue>, QueueError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("in-process") => Ok(Arc::new(InProcess::default())),
        Some("amqp" | "amqps") => Ok(Arc::new(amqp::Amqp::open(url)?)),
        _ => Err(QueueError::Url("a queue URL is `in-process:` or starts with `amqp://`".into())),
    }
}
