//! Bodies on their way in: nobody waits for ever for the next byte, and nobody at all once the process is to end.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, stream};
use slipway_common::shutdown::Shutdown;
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::error::{Code, Refusal};

/// How long bodies may still come when the process is to end. What was not accepted by then is nobody's loss: its client hears
/// that it should try again, and the next process takes it.
const LAST_BYTES: Duration = Duration::from_secs(3);

/// Seconds after which another process is likely to listen.
const RETRY_AFTER: u32 = 5;

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("nothing came for too long")]
    Stalled,
    #[error("the process is to end")]
    Ending,
    #[error("the client went away")]
    Gone(#[source] axum::Error),
}

/// Watches over the body of every request.
pub(crate) async fn watch(State(app): State<App>, request: Request, next: Next) -> Response {
    let patience = app.context.config.timeouts.body;
    next.run(request.map(|body| if body.is_end_stream() { body } else { watched(body, patience, app.shutdown) })).await
}

fn watched(body: Body, patience: Duration, shutdown: Shutdown) -> Body {
    let end = Box::pin(async move {
        shutdown.begun().await;
        sleep(LAST_BYTES).await;
    });
    Body::from_stream(stream::unfold(Some((body.into_data_stream(), end)), move |state| async move {
        let (mut bytes, mut end) = state?;
        let broken = tokio::select! {
            next = timeout(patience, bytes.next()) => match next {
                Ok(None) => return None,
                Ok(Some(Ok(chunk))) => return Some((Ok(chunk), Some((bytes, end)))),
                Ok(Some(Err(error))) => Broken::Gone(error),
                Err(_) => Broken::Stalled,
            },
            () = &mut end => Broken::Ending,
        };
        Some((Err(broken), None))
    }))
}

/// What a client is told about a body that did not come to its end. `what` is the body.
pub(crate) fn broken_body(error: &(dyn Error + 'static), what: &str) -> Refusal {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    match causes.find_map(|cause| cause.downcast_ref::<Broken>()) {
        Some(Broken::Stalled) => Code::RequestTimeout.refusal(),
        Some(Broken::Ending) => Refusal { retry_after: Some(RETRY_AFTER), ..Code::Unavailable.refusal() },
        Some(Broken::Gone(_)) | None => Code::MalformedRequest.because(format!("{what} broke off, or is too large")),
    }
}
