//! An edge that is told over HTTP.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, StatusCode};
use slipway_common::config::{Config, Credential, Edge};
use slipway_common::storage::StorageKey;
use url::Url;

use super::{Cdn, CdnError, surrogates};

/// How long one try may take. A publish waits for it, and edges answer within a tenth of this.
const PATIENCE: Duration = Duration::from_secs(2);

/// The waits between the tries: with them a purge takes seven seconds at most, far below the lease of a job.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// The header that carries surrogate keys.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

/// An edge that is told over HTTP.
#[derive(Debug)]
pub struct Http {
    client: Client,
    edge: Edge,
    /// Where packages are installed from by npm clients.
    npm_url: Url,
    public_url: Url,
}

impl Http {
    /// The edge of a configuration.
    ///
    /// # Errors
    /// When its credential cannot be sent.
    pub fn new(config: &Config) -> Result<Self, CdnError> {
        let mut headers = HeaderMap::new();
        if let Edge::Surrogate { credential, .. } | Edge::Address { credential, .. } = &config.edge
            && let Some((name, value)) = header(credential)?
        {
            headers.insert(name, value);
        }
        let client = Client::builder().timeout(PATIENCE).default_headers(headers).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| CdnError::Refused(chain(&error)))?;
        Ok(Self { client, edge: config.edge.clone(), npm_url: config.npm_url.clone(), public_url: config.public_url.clone() })
    }

    fn requests(&self, changed: &[StorageKey]) -> Vec<Request> {
        match &self.edge {
            Edge::None => Vec::new(),
            Edge::Surrogate { url, .. } => {
                let keys: Vec<String> = surrogates(changed).into_iter().collect();
                let Ok(keys) = HeaderValue::from_str(&keys.join(" ")) else { return Vec::new() };
                let mut request = Request::new(Method::POST, url.clone());
                request.headers_mut().insert(SURROGATE_KEY, keys);
                vec![request]
            }
            Edge::Address { base, .. } => {
                let method = Method::from_bytes(b"PURGE").expect("it is a word of letters");
                let addresses: BTreeSet<Url> = changed.iter().filter_map(|key| self.address(base, key)).collect();
                addresses.into_iter().map(|address| Request::new(method.clone(), address)).collect()
            }
        }
    }

    /// Where the edge keeps an object. What npm clients read lies where they were told to read it.
    fn address(&self, base: &Url, key: &StorageKey) -> Option<Url> {
        let path = key.address()?;
        let below_npm = path.strip_prefix("npm/").filter(|_| *base == self.public_url);
        let (base, path) = below_npm.map_or((base, path.as_str()), |path| (&self.npm_url, path));
        let mut address = base.clone();
        // Put together by segments: a file may be called what a URL would read as something else.
        address.path_segments_mut().ok()?.pop_if_empty().extend(path.split('/'));
        Some(address)
    }

    /// Asks until the edge has heard it, or the tries are used up.
    async fn ask(&self, request: Request) -> Result<(), CdnError> {
        let mut waits = WAITS.iter();
        loop {
            let request = request.try_clone().expect("it has no body");
            let outcome = match self.client.execute(request).await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                // An edge that has no copy has nothing to forget.
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND && matches!(self.edge, Edge::Address { .. }) => return Ok(()),
                Ok(answer) => status(answer.status()),
                Err(error) => CdnError::Unavailable(chain(&error.without_url())),
            };
            match (outcome, waits.next()) {
                (CdnError::Unavailable(_), Some(wait)) => tokio::time::sleep(*wait).await,
                (outcome, _) => return Err(outcome),
            }
        }
    }
}

#[async_trait]
impl Cdn for Http {
    async fn purge(&self, changed: &[StorageKey]) -> Result<(), CdnError> {
        try_join_all(self.requests(changed).into_iter().map(|request| self.ask(request))).await.map(drop)
    }
}

fn header(credential: &Credential) -> Result<Option<(HeaderName, HeaderValue)>, CdnError> {
    let Some(value) = &credential.value else { return Ok(None) };
    let name: HeaderName =
        credential.header.parse().map_err(|_| CdnError::Refused(format!("`{}` is no name of a header", credential.header)))?;
    let mut value =
        HeaderValue::from_str(value.expose()).map_err(|_| CdnError::Refused("`cdn.token` cannot be sent in a header".into()))?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

fn status(status: StatusCode) -> CdnError {
    let is_passing = status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if is_passing { CdnError::Unavailable(status.to_string()) } else { CdnError::Refused(status.to_string()) }
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
