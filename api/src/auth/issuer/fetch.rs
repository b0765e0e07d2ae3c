//! Asking somebody else's server: bounded in time and size, never led elsewhere.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

/// How long one answer may take. Somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, in bytes. GitHub's keys have ten kilobytes.
const MAX_ANSWER: usize = 256 * 1024;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// The body; null when it is no JSON and the status is no success.
    pub(crate) body: Value,
}

/// A client for servers of others.
pub(crate) fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(Policy::none())
        // GitHub answers nobody without a name.
        .user_agent("slipway")
        .build()
        .map_err(|error| error.to_string())
}

/// Sends a request and reads the answer. Errors tell the operator where it went, and nothing of what was sent.
pub(crate) async fn ask(request: RequestBuilder, shown: &str) -> Result<Answer, String> {
    let fault = |error: reqwest::Error| format!("{shown}: {}", error.without_url());
    let mut response = request.send().await.map_err(fault)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(format!("{shown}: more than {MAX_ANSWER} bytes"));
        }
    }
    match serde_json::from_slice(&body) {
        Ok(body) => Ok(Answer { status, body }),
        Err(_) if !status.is_success() => Ok(Answer { status, body: Value::Null }),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// The same, provided that it was answered with success.
pub(crate) async fn read(request: RequestBuilder, shown: &str) -> Result<Value, String> {
    let answer = ask(request, shown).await?;
    if answer.status.is_success() { Ok(answer.body) } else { Err(format!("{shown}: {}", answer.status)) }
}
