//! The in-process queue, with somebody who takes notes and knows when it is quiet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use slipway_common::ids::{JobId, TaskId};
use slipway_common::model::job::Lane;
use slipway_common::queue::{Bell, InProcess, Queue, QueueError};
use tokio::sync::watch;

/// Longest wait for what must happen. Reached only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What was rung and told, over all restarts.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    /// Everything since this was last asked.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// The queue of one life of a registry. Bells that were not answered are lost with it, as they are when a process ends.
#[derive(Debug)]
pub struct Bells {
    queue: InProcess,
    notes: Notes,
    rung: watch::Sender<u64>,
    answered: watch::Sender<u64>,
}

impl Bells {
    /// A queue that writes to these notes.
    #[must_use]
    pub fn new(notes: Notes) -> Self {
        Self { queue: InProcess::default(), notes, rung: watch::Sender::new(0), answered: watch::Sender::new(0) }
    }

    /// One more bell was answered, and what followed from it done.
    pub fn answered(&self) {
        self.answered.send_modify(|count| *count += 1);
    }

    /// Waits until every bell is answered.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn quiet(&self) {
        let mut answered = self.answered.subscribe();
        let quiet = answered.wait_for(|count| *count == *self.rung.borrow());
        drop(tokio::time::timeout(PATIENCE, quiet).await.expect("the work ends"));
    }

    /// A mark from which on [`rung_since`](Self::rung_since) counts.
    #[must_use]
    pub fn mark(&self) -> u64 {
        *self.rung.borrow()
    }

    /// Waits until a bell was rung after `mark`.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn rung_since(&self, mark: u64) {
        let mut rung = self.rung.subscribe();
        drop(tokio::time::timeout(PATIENCE, rung.wait_for(|count| *count > mark)).await.expect("a bell is rung"));
    }
}

#[async_trait]
impl Queue for Bells {
    async fn ring(&self, lane: Lane, job: JobId) -> Result<(), QueueError> {
        self.notes.add(format!("ring {} #{}", lane.as_str(), job.uuid().as_u128()));
        self.rung.send_modify(|count| *count += 1);
        self.queue.ring(lane, job).await
    }

    async fn listen(&self, lane: Lane, capacity: u16) -> Result<BoxStream<'static, Bell>, QueueError> {
        self.queue.listen(lane, capacity).await
    }

    async fn tell(&self, task: TaskId) -> Result<(), QueueError> {
        self.notes.add(format!("tell #{}", task.uuid().as_u128()));
        self.queue.tell(task).await
    }

    async fn news(&self) -> Result<BoxStream<'static, TaskId>, QueueError> {
        self.queue.news().await
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.queue.check().await
    }
}
