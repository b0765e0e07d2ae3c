//! A TUF repository over HTTP. Whoever answers there is believed in nothing: all of it is signed.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Repository};
use url::Url;

use crate::provenance::door::{self, Silence};

/// How often it is asked for one file, and how long it is left alone in between. Few repositories are away for a second, and somebody waits.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1)];

/// Who fetches the files of a repository.
#[derive(Clone)]
pub(super) struct Mirror {
    client: Client,
    url: Url,
}

impl Mirror {
    pub(super) fn new(url: &Url) -> Result<Self, Error> {
        Ok(Self { client: door::client().map_err(|silence| unanswered(&silence))?, url: url.clone() })
    }

    /// A file of at most so many bytes, or nothing when there is none: whoever keeps files in a bucket may have it say 403 to that.
    async fn fetch(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let url = self.url.join(name).map_err(|error| Error::transport(format!("`{name}` is no name of a file: {error}")))?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut last = Error::transport("it was not asked");
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            last = match door::ask(self.client.get(url.clone()), most).await {
                Ok((status, body)) if status.is_success() => return Ok(Some(body)),
                Ok((StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE, _)) => return Ok(None),
                Ok((status, _)) => Error::transport(format!("`{name}`: {status}")),
                Err(Silence::TooLarge) => return Err(Error::transport(format!("`{name}` is larger than {most} bytes"))),
                Err(silence) => unanswered(&silence),
            };
        }
        Err(last)
    }
}

fn unanswered(silence: &Silence) -> Error {
    match silence {
        Silence::Away(error) => Error::transport(error.clone()),
        Silence::TooLarge => Error::transport("what it answers is too large"),
    }
}

impl Repository for Mirror {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(self.fetch(name, max_length))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.fetch(&format!("targets/{path}"), max_length).await })
    }
}
