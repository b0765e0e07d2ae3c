//! An edge that is told over HTTP.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, StatusCode};
use slipway_common::config::{Config, Credential, Edge};
use slipway_common::storage::StorageKey;
use url::{Host, Url};

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
        let mut client = Client::builder().timeout(PATIENCE).default_headers(headers).redirect(reqwest::redirect::Policy::none());
        // A proxy that the environment names cannot mean this machine.
        if is_this_machine(&config.edge) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| CdnError::Refused(chain(&error)))?;
        Ok(Self { client, edge: config.edge.clone(), npm_url: config.npm_url.clone(), public_url: config.public_url.clone() })
    }

    fn requests(&self, changed: &[StorageKey]) -> Vec<Request> {
        match &self.edge {
            Edge::None => Vec::new(),
            Edge::Surrogate { url, .. } => {
                let keys: Vec<String> = surrogates(changed).into_iter().collect();
                if keys.is_empty() {
                    return Vec::new();
                }
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

fn is_this_machine(edge: &Edge) -> bool {
    let (Edge::Surrogate { url, .. } | Edge::Address { base: url, .. }) = edge else { return false };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn status(status: StatusCode) -> CdnError {
    let is_passing = status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if is_passing { CdnError::Unavailable(status.to_string()) } else { CdnError::Refused(status.to_string()) }
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use slipway_common::config::Layers;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// An edge on a port of its own, which says of each request what the list has next.
    async fn edge(statuses: &'static [u16]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                heard.push(String::from_utf8(request).unwrap().to_lowercase());
                // Nothing is said at all: the client hears that the connection is over.
                if *status != 0 {
                    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
            heard
        });
        (url, heard)
    }

    fn http(pairs: &[(&'static str, &str)]) -> Http {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let doors = [("database", "sqlite:x"), ("objects", "memory:"), ("queue", "in-process:"), ("public_url", "https://r.example/")];
        let flags = doors.iter().chain(pairs).map(|(key, value)| (*key, (*value).to_owned())).collect();
        Http::new(&Config::load(&Layers { flags, ..Layers::default() }).unwrap()).unwrap()
    }

    fn changed() -> Vec<StorageKey> {
        let package = || "@acme/maths".try_into().unwrap();
        vec![StorageKey::PackageMeta(package()), StorageKey::Packument(package()), StorageKey::PackumentAbbreviated(package())]
    }

    #[tokio::test]
    async fn surrogate_keys_are_told_until_the_edge_has_heard() {
        let (url, heard) = edge(&[503, 0, 200]).await;
        let url = format!("{url}/service/x/purge");
        let fastly =
            http(&[("cdn.purge", "surrogate"), ("cdn.purge_url", &url), ("cdn.token_header", "Fastly-Key"), ("cdn.token", "S3cret")]);
        fastly.purge(&changed()).await.unwrap();
        let heard = heard.await.unwrap();
        assert_eq!(heard.len(), 3);
        for request in heard {
            assert!(request.starts_with("post /service/x/purge http/1.1\r\n"), "{request}");
            assert!(request.contains("surrogate-key: package:@acme/maths\r\n") && request.contains("fastly-key: s3cret\r\n"), "{request}");
        }
        assert!(!format!("{fastly:?}").contains("S3cret"));
    }

    #[tokio::test]
    async fn addresses_are_purged_each_once() {
        let (url, heard) = edge(&[404, 200]).await;
        let edge = http(&[("cdn.purge", "url"), ("cdn.purge_url", &url), ("cdn.token", "t")]);
        edge.purge(&changed()).await.unwrap();
        let mut heard = heard.await.unwrap();
        heard.sort();
        assert!(heard[0].starts_with("purge /@acme/maths/meta.json http/1.1\r\n"), "{heard:?}");
        assert!(heard[1].starts_with("purge /npm/@jsr/acme__maths http/1.1\r\n"), "{heard:?}");
        assert!(heard.iter().all(|request| request.contains("authorization: bearer t\r\n")));
    }

    #[tokio::test]
    async fn an_edge_that_refuses_or_is_gone_is_not_asked_for_ever() {
        let (url, heard) = edge(&[403]).await;
        let refused = http(&[("cdn.purge", "url"), ("cdn.purge_url", &url)]).purge(&changed()[..1]).await;
        assert!(matches!(refused, Err(CdnError::Refused(why)) if why.contains("403")));
        assert_eq!(heard.await.unwrap().len(), 1, "what is refused is not asked again");
        let (url, heard) = edge(&[500, 500, 500]).await;
        let gone = http(&[("cdn.purge", "url"), ("cdn.purge_url", &url)]);
        assert!(matches!(gone.purge(&changed()[..1]).await, Err(CdnError::Unavailable(_))));
        assert_eq!(heard.await.unwrap().len(), 3);
        assert!(matches!(gone.purge(&changed()[..1]).await, Err(CdnError::Unavailable(_))), "nobody listens any more");
    }

    #[test]
    fn addresses_are_those_that_readers_have() {
        let edge = http(&[("cdn.purge", "url"), ("npm_url", "https://npm.example/")]);
        let addresses = |keys: &[StorageKey]| edge.requests(keys).iter().map(|request| request.url().to_string()).collect::<Vec<_>>();
        assert_eq!(addresses(&changed()), ["https://npm.example/@jsr/acme__maths", "https://r.example/@acme/maths/meta.json"]);
        let (package, version) = ("@acme/maths".try_into().unwrap(), "1.0.0".try_into().unwrap());
        let module = StorageKey::Module { package, version, path: slipway_common::ids::PackagePath::try_from("/[a]/{b}~.ts").unwrap() };
        assert_eq!(addresses(&[module]), ["https://r.example/@acme/maths/1.0.0/[a]/%7Bb%7D~.ts"]);
    }
}
