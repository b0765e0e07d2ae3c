//! What there is at the broker: a queue for each lane, and the exchange for news.
//!
//! Everything is declared by whoever needs it, as often as it likes. A broker refuses to declare what exists with other arguments, so
//! changing one of them means another name.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

use crate::model::job::Lane;
use crate::queue::{BELLS, NEWS as BEHIND};

/// The exchange that copies news to everybody who listens.
pub(super) const NEWS: &str = "slipway.news";

/// The queue of a lane.
pub(super) fn name(lane: Lane) -> String {
    format!("slipway.{}", lane.as_str())
}

/// Makes the queue of a lane, if there is none: replicated and on disk. When it is full the oldest bells make room, which are those
/// that the relay has most likely rung again since.
pub(super) async fn lane(channel: &Channel, lane: Lane) -> lapin::Result<ShortString> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-max-length".into(), length(BELLS));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    Ok(channel.queue_declare(name(lane).into(), options, arguments).await?.name().clone())
}

/// Makes the exchange for news, if there is none. It does not outlive the broker, as news do not.
pub(super) async fn news(channel: &Channel) -> lapin::Result<()> {
    channel.exchange_declare(NEWS.into(), ExchangeKind::Fanout, ExchangeDeclareOptions::default(), FieldTable::default()).await
}

/// Makes a queue that hears the news for as long as this connection lives. The broker names it.
pub(super) async fn ear(channel: &Channel) -> lapin::Result<ShortString> {
    news(channel).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), length(BEHIND));
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, arguments).await?.name().clone();
    channel.queue_bind(queue.clone(), NEWS.into(), "".into(), QueueBindOptions::default(), FieldTable::default()).await?;
    Ok(queue)
}

fn length(bound: usize) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(bound).expect("a bound is a small number"))
}
