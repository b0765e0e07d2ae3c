//! Whether the process lives, and whether every door it needs answers.

use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// The process lives.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Every door answers.
pub(crate) async fn ready(State(app): State<App>) -> ApiResult<(StatusCode, &'static str)> {
    drop(app.context.db.read().await?);
    app.context.storage.check().await.map_err(ApiError::from)?;
    Ok((StatusCode::OK, "ready\n"))
}
