//! A connection that is there again after it was lost.
//!
//! Whoever needs it looks at the [`Line`]; a task with the [`Dialer`] keeps it up. Loss and return are logged once each, here.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::address::Address;
use super::waits::Waits;

/// How long a broker may take to greet us before it counts as one that does not answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How much longer the same attempt goes on. Whoever accepts a connection and says nothing would otherwise hold one more thread and
/// socket of ours for each attempt.
const GIVE_UP: Duration = Duration::from_mins(1);
/// How long it may take to find or make what is rung or listened to. A quorum queue takes a second or two to elect a leader, and a
/// question that the end of its connection overtakes is never answered at all.
const SET_UP: Duration = Duration::from_secs(10);

/// What is known about a connection.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// The first attempt is under way.
    Dialing,
    /// It can be used.
    Up(Arc<Connection>),
    /// It cannot, and why. Somebody is at it.
    Down(String),
}

/// A connection as its users see it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    state: watch::Receiver<State>,
    // The keeper ends with the last user.
    _keeper: Arc<AbortOnDropHandle<()>>,
}

impl Line {
    /// A line that `keep` keeps up for as long as anybody holds it.
    #[expect(clippy::disallowed_methods, reason = "the keeper holds no work, and ends with the line: nothing has to wait for it")]
    pub(super) fn open<F>(name: &'static str, address: &Address, keep: impl FnOnce(Dialer) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, state) = watch::channel(State::Dialing);
        let keeper = keep(Dialer { name, address: address.clone(), state: sender, waits: Waits::default() });
        Self { state, _keeper: Arc::new(AbortOnDropHandle::new(tokio::spawn(keeper))) }
    }

    /// Why the line cannot be used, if it is known that it cannot.
    pub(super) fn fault(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Down(reason) => Some(reason.clone()),
            State::Dialing | State::Up(_) => None,
        }
    }

    /// Waits until it is known whether the line can be used, and says so.
    pub(super) async fn outcome(&mut self) -> State {
        match self.state.wait_for(|state| !matches!(state, State::Dialing)).await {
            Ok(state) => state.clone(),
            Err(_) => gone(),
        }
    }

    /// Waits until the line can be used.
    pub(super) async fn connection(&mut self) -> Option<Arc<Connection>> {
        match self.state.wait_for(|state| matches!(state, State::Up(_))).await.as_deref() {
            Ok(State::Up(connection)) => Some(Arc::clone(connection)),
            _ => None,
        }
    }
}

/// What a line says whose keeper ended, as it does with the runtime.
fn gone() -> State {
    State::Down("the process ends".to_owned())
}

/// Keeps a line up.
#[derive(Debug)]
pub(super) struct Dialer {
    name: &'static str,
    address: Address,
    state: watch::Sender<State>,
    waits: Waits,
}

impl Dialer {
    /// Connects, however long it takes.
    pub(super) async fn connect(&mut self) -> Arc<Connection> {
        loop {
            match self.dial().await {
                Ok(connection) => return Arc::new(connection),
                Err(reason) => {
                    self.down(reason);
                    self.pause().await;
                }
            }
        }
    }

    /// Lets the users at a connection.
    pub(super) fn up(&mut self, connection: &Arc<Connection>) {
        if matches!(self.state.send_replace(State::Up(Arc::clone(connection))), State::Down(_)) {
            tracing::info!(line = self.name, "the broker is there again");
        }
        self.waits.reset();
    }

    /// Keeps the users from a connection that cannot be used.
    pub(super) fn down(&self, reason: String) {
        if matches!(*self.state.borrow(), State::Down(_)) {
            tracing::debug!(line = self.name, reason, "the broker is still away");
        } else {
            tracing::warn!(line = self.name, reason, "the broker is away; until it is back work is found in the database, more slowly");
        }
        self.state.send_replace(State::Down(reason));
    }

    /// Waits a while before the next attempt.
    pub(super) async fn pause(&mut self) {
        self.waits.pause().await;
    }

    async fn dial(&self) -> Result<Connection, String> {
        let name = format!("slipway, {}", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let mut attempt = Box::pin(Connection::connect_uri(self.address.uri(), properties));
        let outcome = if let Ok(outcome) = tokio::time::timeout(ANSWER, &mut attempt).await {
            outcome
        } else {
            self.down("it does not answer".to_owned());
            tokio::time::timeout(GIVE_UP, attempt).await.map_err(|_| "it does not answer".to_owned())?
        };
        outcome.map_err(|error| error.to_string())
    }
}

/// Waits for what is found or made on a connection, as long as that may take.
pub(super) async fn set_up<T>(made: impl Future<Output = lapin::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(SET_UP, made).await {
        Ok(made) => made.map_err(|error| error.to_string()),
        Err(_) => Err("it did not say whether our queues are there".to_owned()),
    }
}

/// What happens to a connection.
pub(super) enum Change {
    /// The broker is short of memory or disk and takes nothing more, and why.
    Blocked(String),
    /// It takes messages again.
    Unblocked,
    /// The connection, or a channel of it, is gone, and why.
    Broken(String),
}

/// What happens to a connection from now on, until it breaks.
pub(super) fn changes(connection: &Connection) -> BoxStream<'static, Change> {
    let changes = connection.events_listener().filter_map(|event| async move {
        match event {
            Event::ConnectionBlocked(reason) => Some(Change::Blocked(reason)),
            Event::ConnectionUnblocked => Some(Change::Unblocked),
            Event::Error(error) => Some(Change::Broken(error.to_string())),
            _ => None,
        }
    });
    // What happened before anybody listened is told to nobody.
    let broken = (!connection.status().connected()).then(|| Change::Broken("it was lost as soon as it was there".to_owned()));
    futures::stream::iter(broken).chain(changes).boxed()
}
