//! What every desk has at hand.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use slipway_common::context::Context;
use slipway_common::ids::TaskId;
use slipway_common::shutdown::Shutdown;
use tokio::sync::{Semaphore, broadcast};

use crate::auth::ci::Issuers;
use crate::auth::identity::Providers;
use crate::intake::Intake;

/// News that a waiting request may be behind. It looks at its row anyway.
const NEWS: usize = 1_024;
/// Requests that may wait for the end of a publish at once. Each costs a connection and a timer; the rest is told to come back.
const WAITING: usize = 256;

/// Refused uploads of callers nobody knows that are read to their end at once. Anybody can send such uploads, and as many as they
/// like; each costs a connection for up to ten seconds.
const ANONYMOUS_DISCARDS: usize = 32;
/// The same for callers whose credential holds: a crowd of strangers must not take their places.
const KNOWN_DISCARDS: usize = 128;

/// What every desk has at hand.
#[derive(Clone)]
pub struct App {
    pub(crate) context: Context,
    pub(crate) news: News,
    pub(crate) discards: Discards,
    pub(crate) intake: Intake,
    pub(crate) ci: Arc<Issuers>,
    pub(crate) providers: Arc<Providers>,
    pub(crate) shutdown: Shutdown,
}

impl App {
    /// A front desk over the doors of a context. Listens to the news until the shutdown begins.
    #[must_use]
    pub fn new(context: Context, shutdown: &Shutdown) -> Self {
        let news = News { sender: broadcast::channel(NEWS).0, waiting: Arc::new(Semaphore::new(WAITING)) };
        shutdown.spawn(pass_on(context.clone(), news.sender.clone(), shutdown.clone()));
        let discards =
            Discards { anonymous: Arc::new(Semaphore::new(ANONYMOUS_DISCARDS)), known: Arc::new(Semaphore::new(KNOWN_DISCARDS)) };
        let intake = Intake::new(context.config.intake.incoming_bytes);
        let ci = Arc::new(Issuers::new(&context.config));
        let providers = Arc::new(Providers::new(&context.config));
        Self { context, news, discards, intake, ci, providers, shutdown: shutdown.clone() }
    }
}

/// The publishes that ended, for the requests that wait for one.
#[derive(Clone)]
pub(crate) struct News {
    pub(crate) sender: broadcast::Sender<TaskId>,
    pub(crate) waiting: Arc<Semaphore>,
}

/// Places for refused uploads that are read to their end.
#[derive(Clone)]
pub(crate) struct Discards {
    pub(crate) anonymous: Arc<Semaphore>,
    pub(crate) known: Arc<Semaphore>,
}

/// Listens to the queue's news, once for the whole process, and passes them on.
async fn pass_on(context: Context, sender: broadcast::Sender<TaskId>, shutdown: Shutdown) {
    while !shutdown.has_begun() {
        match context.queue.news().await {
            Ok(mut news) => loop {
                tokio::select! {
                    () = shutdown.begun() => return,
                    task = news.next() => match task {
                        // Nobody waiting is no error.
                        Some(task) => drop(sender.send(task)),
                        None => break,
                    },
                }
            },
            Err(error) => tracing::warn!(%error, "no news; requests that wait look at their rows"),
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}
