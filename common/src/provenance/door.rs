//! How others are asked: bounded in time and size, and never sent on to somebody else.

use std::error::Error;
use std::iter;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// Nobody answers, or not to the end.
    Away(String),
    /// The answer is larger than anything that could be meant.
    TooLarge,
}

impl Silence {
    /// What is told of somebody who does not answer.
    pub(super) fn of(self, whom: &str) -> String {
        match self {
            Self::Away(error) => format!("{whom} does not answer: {error}"),
            Self::TooLarge => format!("{whom} answers more than is read"),
        }
    }
}

/// Who asks.
pub(super) fn client() -> Result<Client, Silence> {
    patient(PATIENCE)
}

/// Who asks somebody who is near, past the proxies that the environment names: they would read what is not encrypted.
pub(super) fn near() -> Result<Client, Silence> {
    let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build();
    client.map_err(|error| Silence::Away(error.to_string()))
}

/// Who asks, and waits so long for each answer.
pub(super) fn patient(patience: Duration) -> Result<Client, Silence> {
    let client = Client::builder().timeout(patience).redirect(Policy::none()).build();
    client.map_err(|error| Silence::Away(error.to_string()))
}

/// An error with what caused it: that a request was not sent says little without why.
pub(super) fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Asks, and reads at most so many bytes of what is answered. What comes with a failure is not read.
pub(super) async fn ask(request: RequestBuilder, most: usize) -> Result<(StatusCode, Vec<u8>), Silence> {
    let response = request.send().await.map_err(away)?;
    let status = response.status();
    let body = if status.is_success() { body(response, most).await? } else { Vec::new() };
    Ok((status, body))
}

/// Reads at most so many bytes of an answer.
pub(super) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, Silence> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            return Err(Silence::TooLarge);
        }
    }
    Ok(body)
}

fn away(error: reqwest::Error) -> Silence {
    Silence::Away(chain(&error.without_url()))
}
