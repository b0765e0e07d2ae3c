//! Bells between processes, over an AMQP broker: `RabbitMQ` from 3.10 on.
//!
//! A message carries an id and nothing else. It is written to disk by a quorum queue, confirmed to whoever rang, and acknowledged
//! when the bell is dropped. None of that is needed for correctness: a message that the broker loses, refuses or drops is rung again by
//! the relay. Opening the door touches no network; connections are made when first needed and come back by themselves.
//!
//! A bell that the broker does not take rings at home, if anybody in this process listens to it: so the relay of a worker finds its work
//! with nothing but the database.
//!
//! Not here: delays, retries and dead letters. They are columns of the `jobs` table.

mod address;
mod line;
mod listening;
mod places;
mod ringing;
mod waits;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use self::address::Address;
use self::listening::{Heard, Listening, Source};
use self::ringing::{Ringing, Word};
use super::{Bell, InProcess, Queue, QueueError};
use crate::ids::{JobId, TaskId};
use crate::model::job::Lane;

pub(super) use self::listening::Receipt;

/// News that the broker sends ahead of the reader. It reads all the time, so this only has to cover a round trip.
const NEWS_AHEAD: u16 = 256;

/// The queue of a registry that runs in several processes.
#[derive(Debug)]
pub(super) struct Amqp {
    address: Address,
    ringing: OnceLock<Ringing>,
    listening: OnceLock<Listening>,
    home: InProcess,
    // One clone for each stream of bells.
    at_home: Arc<()>,
}

impl Amqp {
    /// A door to the broker that a URL names. Connections need a runtime, so they wait for the first use.
    pub(super) fn open(url: &str) -> Result<Self, QueueError> {
        Ok(Self {
            address: Address::parse(url)?,
            ringing: OnceLock::new(),
            listening: OnceLock::new(),
            home: InProcess::default(),
            at_home: Arc::default(),
        })
    }

    /// Whether anybody in this process listens to bells.
    fn is_at_home(&self) -> bool {
        Arc::strong_count(&self.at_home) > 1
    }

    fn ringing(&self) -> &Ringing {
        self.ringing.get_or_init(|| Ringing::open(&self.address))
    }

    fn listening(&self) -> &Listening {
        self.listening.get_or_init(|| Listening::open(&self.address))
    }
}

#[async_trait]
impl Queue for Amqp {
    async fn ring(&self, lane: Lane, job: JobId) -> Result<(), QueueError> {
        match self.ringing().say(Word::Bell(lane), job.uuid()).await {
            Err(error) if self.is_at_home() => {
                tracing::debug!(%job, lane = lane.as_str(), %error, "the bell rings at home");
                self.home.ring(lane, job).await
            }
            outcome => outcome,
        }
    }

    async fn listen(&self, lane: Lane, capacity: u16) -> Result<BoxStream<'static, Bell>, QueueError> {
        let presence = Arc::clone(&self.at_home);
        let heard = self.listening().to(Source::Lane(lane), capacity).await;
        let heard = heard.map(|Heard { id, receipt }| Bell { job: id.into(), receipt: Some(receipt) });
        let home = self.home.listen(lane, capacity).await?.inspect(move |_| {
            let _ = &presence;
        });
        Ok(stream::select(heard, home).boxed())
    }

    async fn tell(&self, task: TaskId) -> Result<(), QueueError> {
        self.ringing().say(Word::News, task.uuid()).await
    }

    async fn news(&self) -> Result<BoxStream<'static, TaskId>, QueueError> {
        let heard = self.listening().to(Source::News, NEWS_AHEAD).await;
        Ok(heard.map(|Heard { id, .. }| id.into()).boxed())
    }

    async fn check(&self) -> Result<(), QueueError> {
        match self.ringing().check().await {
            Err(_) if self.is_at_home() => Ok(()),
            outcome => outcome,
        }
    }
}
