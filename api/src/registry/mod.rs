//! The read path: objects, served as a bucket behind an edge would serve them.
//!
//! It needs the object store and nothing else. The database, the queue and the workers may all be down. An edge that reads the
//! bucket itself answers the same; the table of addresses is `address`.

mod accept;
mod address;
mod computed;
mod response;
mod search;

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use slipway_common::ids::PackageName;
use slipway_common::model::package::Visibility;
use slipway_common::shutdown::aside;
use slipway_common::storage::{ReadRequest, Reading, Storage, StorageError, StorageKey};
use tokio::sync::Semaphore;

pub(crate) use address::{Address, Found, Kind, parse, tag};
pub(crate) use response::{hide, refused};

/// Answers that are computed at once. The document of a package with thousands of versions takes tens of megabytes and a part of a
/// second of a processor, and a search goes through every package; who comes then waits for their turn.
const COMPUTED_AT_ONCE: usize = 4;

/// For whom a request is answered, which says where its object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Everybody.
    Everybody,
    /// Who may read a private package.
    Members,
    /// Staff, who look at what they keep from everybody.
    Staff,
}

impl Readers {
    fn place(self, key: StorageKey) -> StorageKey {
        match self {
            Self::Everybody => key,
            Self::Members => key.seen_by(Visibility::Private),
            Self::Staff => key.quarantined(),
        }
    }
}

/// What the read path needs.
#[derive(Clone)]
pub(crate) struct Reader {
    storage: Arc<Storage>,
    turns: Arc<Semaphore>,
    shelf: search::Shelf,
}

impl Reader {
    /// A reader of these stores.
    pub(crate) fn new(storage: Storage) -> Self {
        Self { storage: Arc::new(storage), turns: Arc::new(Semaphore::new(COMPUTED_AT_ONCE)), shelf: search::Shelf::default() }
    }

    /// Answers a request for an address of the read path, from what these may read.
    pub(crate) async fn answer(&self, request: &Parts, found: &Found, readers: Readers) -> Response {
        let Found { kind, address } = found;
        let kind = *kind;
        if request.method == Method::OPTIONS {
            return response::preflight(kind, &request.headers);
        }
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        // npm clients try addresses that a registry may have, and go on when there is nothing, whatever they wanted to do there.
        let is_a_try = kind == Kind::Npm && *address == Address::Nothing;
        if !is_read && !is_a_try {
            return response::method_not_allowed(kind);
        }
        let (headers, is_head) = (&request.headers, request.method == Method::HEAD);
        let document = |package: &PackageName| readers.place(StorageKey::Packument(package.clone()));
        let answer = match address {
            Address::Object(key) => {
                let key = readers.place(if kind == Kind::Npm { abbreviate(key.clone(), headers) } else { key.clone() });
                self.read(&key, headers, is_head).await.map(|reading| response::object(kind, &key, reading))
            }
            Address::Manifest(package, wanted) => {
                let wanted = wanted.clone();
                self.compute(document(package), false, (headers, is_head), move |document| computed::manifest(document, &wanted)).await
            }
            // Who has just set a tag looks whether it is there.
            Address::Tags(package) => self.compute(document(package), true, (headers, is_head), computed::tags).await,
            Address::Search => match search::Query::parse(request.uri.query().unwrap_or_default()) {
                Some(query) => {
                    let _turn = self.turns.acquire().await;
                    self.shelf.search(&self.storage, query).await.map(|body| response::found(body, headers, is_head))
                }
                None => Ok(response::nothing_to_search(search::MAX_TEXT_BYTES, is_head)),
            },
            Address::Json(text) => Ok(response::fixed(kind, text, headers, is_head)),
            Address::Nothing => Ok(response::missing(kind, is_head)),
        };
        match answer {
            Ok(answer) => answer,
            Err(StorageError::Missing(_)) => response::missing(kind, is_head),
            Err(error) => response::fault(kind, &error),
        }
    }

    /// Answers with something that follows from the npm document of a package.
    async fn compute(
        &self,
        key: StorageKey,
        is_asked_for_anew: bool,
        (headers, is_head): (&HeaderMap, bool),
        what: impl FnOnce(&[u8]) -> Option<Bytes> + Send + 'static,
    ) -> Result<Response, StorageError> {
        let _turn = self.turns.acquire().await;
        let document = self.storage.get(&key).await?;
        let body = aside(move || what(&document)).await;
        Ok(match body {
            Some(body) => response::computed(&key, is_asked_for_anew, body, headers, is_head),
            None => response::missing(Kind::Npm, is_head),
        })
    }

    async fn read(&self, key: &StorageKey, headers: &HeaderMap, is_head: bool) -> Result<Reading, StorageError> {
        let mut request = response::read_request(headers, is_head);
        if let Some(tag) = response::if_range(headers)
            && request.range.is_some()
        {
            let now = self.storage.read(key, ReadRequest { head_only: true, ..Default::default() }).await?;
            let is_same = matches!(now, Reading::Found(found) if found.e_tag.as_deref() == Some(tag));
            request.range = request.range.filter(|_| is_same);
        }
        self.storage.read(key, request).await
    }
}

/// The short document for who asks for it.
fn abbreviate(key: StorageKey, headers: &HeaderMap) -> StorageKey {
    match key {
        StorageKey::Packument(package) if accept::is_short(headers) => StorageKey::PackumentAbbreviated(package),
        other => other,
    }
}
