//! Bells between the tasks of one process.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::{Mutex, broadcast, mpsc};
use tokio_stream::wrappers::BroadcastStream;

use super::{BELLS, Bell, NEWS, Queue, QueueError};
use crate::ids::{JobId, TaskId};
use crate::model::job::Lane;

/// The queue of a process that does everything itself.
#[derive(Debug)]
pub struct InProcess {
    lanes: BTreeMap<Lane, Channel>,
    news: broadcast::Sender<TaskId>,
}

#[derive(Debug)]
struct Channel {
    sender: mpsc::Sender<JobId>,
    // Several listeners of a lane share it, as consumers of a broker's queue would.
    receiver: Arc<Mutex<mpsc::Receiver<JobId>>>,
}

impl Default for InProcess {
    fn default() -> Self {
        let channel = || {
            let (sender, receiver) = mpsc::channel(BELLS);
            Channel { sender, receiver: Arc::new(Mutex::new(receiver)) }
        };
        Self { lanes: Lane::ALL.into_iter().map(|lane| (lane, channel())).collect(), news: broadcast::channel(NEWS).0 }
    }
}

impl InProcess {
    fn lane(&self, lane: Lane) -> &Channel {
        &self.lanes[&lane]
    }
}

#[async_trait]
impl Queue for InProcess {
    async fn ring(&self, lane: Lane, job: JobId) -> Result<(), QueueError> {
        if self.lane(lane).sender.try_send(job).is_err() {
            tracing::debug!(%job, lane = lane.as_str(), "the lane is full, the relay rings later");
        }
        Ok(())
    }

    async fn listen(&self, lane: Lane, _capacity: u16) -> Result<BoxStream<'static, Bell>, QueueError> {
        let receiver = Arc::clone(&self.lane(lane).receiver);
        let bells = futures::stream::unfold(receiver, |receiver| async move {
            let job = receiver.lock().await.recv().await?;
            Some((Bell { job, receipt: None }, receiver))
        });
        Ok(bells.boxed())
    }

    async fn tell(&self, task: TaskId) -> Result<(), QueueError> {
        // Nobody listening is no error.
        let _ = self.news.send(task);
        Ok(())
    }

    async fn news(&self) -> Result<BoxStream<'static, TaskId>, QueueError> {
        // A listener that lagged has missed news; it looks at its row anyway.
        Ok(BroadcastStream::new(self.news.subscribe()).filter_map(|task| async move { task.ok() }).boxed())
    }

    async fn check(&self) -> Result<(), QueueError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IdSource;

    #[tokio::test]
    async fn rings_in_its_lane_and_drops_overflow() {
        let queue = InProcess::default();
        let ids = IdSource::counting();
        let first: JobId = ids.next();
        queue.ring(Lane::Publish, first).await.unwrap();
        for _ in 0..BELLS + 10 {
            queue.ring(Lane::Publish, ids.next()).await.unwrap();
        }
        let mut bells = queue.listen(Lane::Publish, 1).await.unwrap();
        assert_eq!(bells.next().await.unwrap().job, first);
        queue.ring(Lane::Announce, first).await.unwrap();
        assert_eq!(queue.listen(Lane::Announce, 1).await.unwrap().next().await.unwrap().job, first);
    }

    #[tokio::test]
    async fn news_reach_every_listener() {
        let queue = InProcess::default();
        let task: TaskId = IdSource::counting().next();
        queue.tell(task).await.unwrap();
        let (mut one, mut two) = (queue.news().await.unwrap(), queue.news().await.unwrap());
        queue.tell(task).await.unwrap();
        assert_eq!((one.next().await, two.next().await), (Some(task), Some(task)));
    }
}
