//! The way from the broker: one connection for the whole process, one channel for each stream.
//!
//! A connection of its own, because a broker that is short of memory stops reading from those that publish: acknowledgements have to
//! get through then, since they are what empties it.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{DeliveryTag, FieldTable};
use lapin::{Channel, Connection, Consumer};
use tokio::time::timeout;
use uuid::Uuid;

use super::address::Address;
use super::line::{Change, Dialer, Line, State, changes, set_up};
use super::places;
use super::waits::Waits;
use crate::model::job::Lane;

/// How long whoever starts to listen waits until the broker knows. A broker that is away delays no start by more than this.
const SETTLE: Duration = Duration::from_secs(2);

/// What is listened to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// The bells of a lane.
    Lane(Lane),
    /// The news.
    News,
}

/// The way from the broker.
#[derive(Debug)]
pub(super) struct Listening(Line);

impl Listening {
    pub(super) fn open(address: &Address) -> Self {
        Self(Line::open("listening", address, keep))
    }

    /// What comes from a source, at most `capacity` of it unacknowledged. The stream waits out a broker that is away.
    pub(super) async fn to(&self, source: Source, capacity: u16) -> BoxStream<'static, Heard> {
        let mut ear = Ear { line: self.0.clone(), source, capacity, hold: None, waits: Waits::default() };
        // Whatever comes of it, the stream goes on from there.
        let _ = timeout(SETTLE, ear.settle()).await;
        futures::stream::unfold(ear, |mut ear| async move { Some((ear.next().await?, ear)) }).boxed()
    }
}

/// Keeps the line up.
async fn keep(mut dialer: Dialer) {
    loop {
        let connection = dialer.connect().await;
        let mut changes = changes(&connection);
        dialer.up(&connection);
        let reason = loop {
            match changes.next().await {
                Some(Change::Broken(reason)) if !connection.status().connected() => break reason,
                // A channel that was closed is its stream's affair, and nothing is published here that could be blocked.
                Some(Change::Broken(_) | Change::Blocked(_) | Change::Unblocked) => {}
                None => break "the connection was closed".to_owned(),
            }
        };
        drop(connection);
        dialer.down(reason);
        dialer.pause().await;
    }
}

/// An id, and the promise to acknowledge it.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) id: Uuid,
    pub(super) receipt: Receipt,
}

/// A message that the broker keeps until this is dropped. When its stream or its connection ends first, the broker delivers the
/// message again, to whoever listens then.
#[derive(Debug)]
pub(in crate::queue) struct Receipt {
    channel: Channel,
    tag: DeliveryTag,
}

impl Drop for Receipt {
    fn drop(&mut self) {
        // Being polled once puts it on its way, before whatever the channel sends later. A channel that is closed has nobody to
        // acknowledge to.
        let _ = self.channel.basic_ack(self.tag, BasicAckOptions::default()).now_or_never();
    }
}

/// Somebody who listens.
struct Ear {
    line: Line,
    source: Source,
    capacity: u16,
    hold: Option<Hold>,
    waits: Waits,
}

/// A channel with a consumer.
struct Hold {
    channel: Channel,
    consumer: Consumer,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Being polled once puts it on its way. The broker takes back what was delivered and not acknowledged, heard or not.
        let _ = self.channel.close(200, "nobody listens".into()).now_or_never();
    }
}

impl Ear {
    /// Waits for the first attempt to listen, successful or not.
    async fn settle(&mut self) {
        if let State::Up(connection) = self.line.outcome().await {
            self.listen(&connection).await;
        }
    }

    /// The next message, over as many connections as it takes. None when the door itself is gone.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            let Some(hold) = &mut self.hold else {
                let connection = self.line.connection().await?;
                self.listen(&connection).await;
                continue;
            };
            if let Some(Ok(delivery)) = hold.consumer.next().await {
                if let Some(heard) = read(&hold.channel, &delivery) {
                    return Some(heard);
                }
            } else {
                self.hold = None;
                self.waits.pause().await;
            }
        }
    }

    async fn listen(&mut self, connection: &Arc<Connection>) {
        match set_up(self.take_hold(connection)).await {
            Ok(hold) => {
                self.hold = Some(hold);
                self.waits.reset();
            }
            Err(error) => {
                // A connection that is lost is logged by its keeper.
                if connection.status().connected() {
                    tracing::warn!(source = ?self.source, %error, "the broker does not let us listen");
                }
                self.waits.pause().await;
            }
        }
    }

    async fn take_hold(&self, connection: &Connection) -> lapin::Result<Hold> {
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.capacity, BasicQosOptions::default()).await?;
        let queue = match self.source {
            Source::Lane(lane) => places::lane(&channel, lane).await?,
            Source::News => places::ear(&channel).await?,
        };
        let consumer = channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default()).await?;
        Ok(Hold { channel, consumer })
    }
}

/// What a message says. One that is no id is acknowledged, or it would come back for ever.
fn read(channel: &Channel, delivery: &Delivery) -> Option<Heard> {
    let receipt = Receipt { channel: channel.clone(), tag: delivery.delivery_tag };
    let id = Uuid::try_parse_ascii(&delivery.data).or_else(|_| Uuid::from_slice(&delivery.data));
    if id.is_err() {
        tracing::warn!(bytes = delivery.data.len(), queue = %delivery.routing_key, "a message that is no id was thrown away");
    }
    Some(Heard { id: id.ok()?, receipt })
}
