//! Whether the process lives, and whether every door it needs answers.

use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// The process lives.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Every door answers that the desk cannot do without. A queue that is away makes work slower and stops nothing, so it is said and
/// counts for nothing: a load balancer that took every desk away with the broker would make an outage of it.
pub(crate) async fn ready(State(app): State<App>) -> ApiResult<(StatusCode, &'static str)> {
    drop(app.context.db.read().await?);
    app.context.storage.check().await.map_err(ApiError::from)?;
    let text = match app.context.queue.check().await {
        Ok(()) => "ready\n",
        Err(_) => "ready, without the queue: work is done more slowly\n",
    };
    Ok((StatusCode::OK, text))
}
