//! JSON in and out.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use slipway_common::fault::{AnyFault, Retry};

use super::body::broken_body;
use crate::error::{ApiError, Code};
use crate::wording;

/// A JSON body, whatever content type it is said to have; and a JSON answer.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Axum's own limit of two megabytes stands: no JSON body of ours comes near it.
        let body = Bytes::from_request(request, state).await.map_err(|error| broken_body(&error, "the body"))?;
        let value: Value = serde_json::from_slice(&body)
            .map_err(|error| Code::MalformedRequest.because(format!("the body is not JSON: {}", wording::of_syntax(&error))))?;
        wording::read(value)
            .map(Self)
            .map_err(|problem| Code::MalformedRequest.because(format!("the body cannot be used: {problem}")).into())
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => ApiError::Faulted(AnyFault::because("an answer cannot be written", Retry::Never, error)).into_response(),
        }
    }
}
