//! The way to the broker: one connection, one channel, each message confirmed.
//!
//! One task publishes for everybody. A caller that goes away in the middle of it (a client that hangs up) leaves nothing behind in
//! the channel, and while the line is down callers are refused at once.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::address::Address;
use super::line::{Change, Dialer, Line, State, changes, set_up};
use super::places;
use crate::model::job::Lane;
use crate::queue::QueueError;

/// How long a caller waits for the broker. A request waits here after its transaction, so this is what a broker that stalls costs it;
/// a healthy one confirms in about a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);
/// When the connection is given up on which a message stays unconfirmed. A quorum queue takes a second or two to elect a leader.
const CONFIRM: Duration = Duration::from_secs(5);
/// Messages that may wait to be sent. A caller for whom there is no room waits for it, as long as it would wait for the broker.
const WAITING: usize = 1_024;
/// A message that the broker writes to disk.
const PERSISTENT: u8 = 2;

/// What is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    /// A job may be ready.
    Bell(Lane),
    /// A publish reached a final state.
    News,
}

#[derive(Debug)]
struct Post {
    word: Word,
    id: Uuid,
    answer: oneshot::Sender<Result<(), String>>,
}

/// The way to the broker.
#[derive(Debug)]
pub(super) struct Ringing {
    line: Line,
    posts: mpsc::Sender<Post>,
}

impl Ringing {
    pub(super) fn open(address: &Address) -> Self {
        let (sender, posts) = mpsc::channel(WAITING);
        Self { line: Line::open("ringing", address, |dialer| keep(dialer, posts)), posts: sender }
    }

    /// Says a word and waits until the broker has it.
    pub(super) async fn say(&self, word: Word, id: Uuid) -> Result<(), QueueError> {
        if let Some(reason) = self.line.fault() {
            return Err(QueueError::Unavailable(reason));
        }
        let (answer, outcome) = oneshot::channel();
        let said = async {
            self.posts.send(Post { word, id, answer }).await.ok()?;
            outcome.await.ok()
        };
        match timeout(PATIENCE, said).await {
            Ok(Some(outcome)) => outcome.map_err(QueueError::Unavailable),
            Ok(None) => Err(QueueError::Unavailable(self.line.fault().unwrap_or_else(|| "the connection was lost".to_owned()))),
            Err(_) => Err(QueueError::Unavailable("it did not answer in time".to_owned())),
        }
    }

    /// Whether the broker can be reached and everything was found or made there.
    pub(super) async fn check(&self) -> Result<(), QueueError> {
        match self.line.clone().outcome().await {
            State::Down(reason) => Err(QueueError::Unavailable(reason)),
            State::Dialing | State::Up(_) => Ok(()),
        }
    }
}

/// Keeps the line up and sends what is posted.
async fn keep(mut dialer: Dialer, mut posts: mpsc::Receiver<Post>) {
    loop {
        let connection = dialer.connect().await;
        let reason = carry(&mut dialer, &connection, &mut posts).await;
        drop(connection);
        dialer.down(reason);
        refuse(&mut posts);
        dialer.pause().await;
    }
}

/// Drops what waits: whoever posted it reads the state of the line.
fn refuse(posts: &mut mpsc::Receiver<Post>) {
    while posts.try_recv().is_ok() {}
}

/// Sends what is posted until the connection breaks, and says why it did.
async fn carry(dialer: &mut Dialer, connection: &Arc<Connection>, posts: &mut mpsc::Receiver<Post>) -> String {
    let mut changes = changes(connection);
    let channel = match set_up(prepare(connection)).await {
        Ok(channel) => channel,
        Err(reason) => return reason,
    };
    dialer.up(connection);
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(post) = posts.recv() => under_way.push(deliver(&channel, post)),
            Some(delivered) = under_way.next() => if let Err(reason) = delivered {
                return reason;
            },
            change = changes.next() => match change {
                Some(Change::Blocked(reason)) => {
                    dialer.down(format!("it takes no messages for now: {reason}"));
                    under_way.clear();
                    refuse(posts);
                }
                Some(Change::Unblocked) => dialer.up(connection),
                Some(Change::Broken(reason)) => return reason,
                None => return "the connection was closed".to_owned(),
            },
        }
    }
}

/// A channel that confirms, on a broker that has all that is rung.
async fn prepare(connection: &Connection) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    for lane in Lane::ALL {
        places::lane(&channel, lane).await?;
    }
    places::news(&channel).await?;
    Ok(channel)
}

/// Sends a message and answers whoever posted it. An error is one of the connection.
async fn deliver(channel: &Channel, post: Post) -> Result<(), String> {
    let sent = async {
        let id = post.id.to_string();
        let (exchange, key, properties) = match post.word {
            Word::Bell(lane) => (String::new(), places::name(lane), BasicProperties::default().with_delivery_mode(PERSISTENT)),
            Word::News => (places::NEWS.to_owned(), String::new(), BasicProperties::default()),
        };
        // Nobody has to hear the news, but every lane has a queue.
        let options = BasicPublishOptions { mandatory: matches!(post.word, Word::Bell(_)), ..BasicPublishOptions::default() };
        channel.basic_publish(exchange.into(), key.into(), options, id.as_bytes(), properties).await?.await
    };
    let (answer, state) = match timeout(CONFIRM, sent).await {
        Ok(Ok(Confirmation::Ack(None))) => (Ok(()), Ok(())),
        // Somebody deleted the queue. The next connection makes it again.
        Ok(Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)))) => broken("its queue is gone"),
        Ok(Ok(Confirmation::Nack(None) | Confirmation::NotRequested)) => (Err("it refused the message".to_owned()), Ok(())),
        Ok(Err(error)) => broken(&error.to_string()),
        Err(_) => broken("it did not confirm a message"),
    };
    // Whoever posted it may have stopped waiting.
    let _ = post.answer.send(answer);
    state
}

fn broken(reason: &str) -> (Result<(), String>, Result<(), String>) {
    (Err(reason.to_owned()), Err(reason.to_owned()))
}
