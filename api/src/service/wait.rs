//! Waiting for the end of a publish, a moment and no longer.
//!
//! `deno publish` polls every two seconds, and a dependent package waits for its dependency: an answer that already carries the
//! end saves a poll for each level of a chain. A waiting request holds no connection to the database; what it saw last comes with the
//! transaction that it was seen in, so that the rest of the answer is of the same moment.

use std::time::Duration;

use slipway_common::db::ReadTx;
use slipway_common::ids::TaskId;
use slipway_common::model::publish::Publish;
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::App;
use crate::error::{ApiResult, Code};

/// How long a request is held open. Long enough for a small package, shorter than what people take for a hang.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// When a waiting request looks at its row although it heard nothing: news may be lost. That is rare, and a look costs the database as
/// much as a tenth of the publish, so none is made while a busy registry still works on it.
const LOOKS: [Duration; 3] = [Duration::from_millis(400), Duration::from_millis(900), PATIENCE];

/// A place to hear the end of a publish from. Taken before the publish can end, so that nothing is missed.
pub(crate) struct Ear(Receiver<TaskId>);

impl Ear {
    /// Starts to listen.
    pub(crate) fn new(app: &App) -> Self {
        Self(app.news.sender.subscribe())
    }

    /// Waits for a publish to end, and says how it stands then.
    #[tracing::instrument(level = "debug", name = "publish.wait", skip_all)]
    pub(crate) async fn hear(mut self, app: &App, id: TaskId) -> ApiResult<Seen> {
        let started = Instant::now();
        let Ok(_place) = app.news.waiting.clone().try_acquire_owned() else { return look(app, id).await };
        for after in LOOKS {
            let heard = timeout_at(started + after, async { while self.0.recv().await.is_ok_and(|ended| ended != id) {} }).await;
            if heard.is_err() || self.0.is_closed() {
                // Lagging or silent: the row is looked at when it is time.
                sleep_until(started + after).await;
            }
            let seen = look(app, id).await?;
            if seen.publish.state.is_final() {
                return Ok(seen);
            }
        }
        look(app, id).await
    }
}

/// How a publish stood, and the moment at which it did.
pub(crate) struct Seen {
    pub(crate) publish: Publish,
    pub(crate) tx: ReadTx,
}

async fn look(app: &App, id: TaskId) -> ApiResult<Seen> {
    let mut tx = app.context.db.read().await?;
    match tx.publish(id).await? {
        Some(publish) => Ok(Seen { publish, tx }),
        None => Code::PublishNotFound.err(),
    }
}

/// How a publish stands, after a moment if it is about to end.
pub(crate) async fn status(app: &App, id: TaskId) -> ApiResult<Seen> {
    let ear = Ear::new(app);
    let seen = look(app, id).await?;
    if seen.publish.state.is_final() {
        return Ok(seen);
    }
    drop(seen);
    ear.hear(app, id).await
}
