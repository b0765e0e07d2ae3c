//! The read path: objects, served as a bucket behind an edge would serve them.
//!
//! It needs the object store and nothing else. The database, the queue and the workers may all be down. An edge that reads the
//! bucket itself answers the same; the table of addresses is `address`.

mod address;
mod response;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, Method};
use slipway_common::storage::{ReadRequest, Reading, Storage, StorageError, StorageKey};

pub(crate) use address::{Address, Found, Kind, parse};

/// What the read path needs.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) storage: Arc<Storage>,
}

impl Reader {
    /// Answers a request for an address of the read path.
    pub(crate) async fn answer(&self, request: Request, found: Found) -> Response {
        if request.method() == Method::OPTIONS {
            return response::preflight(found.kind, request.headers());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return response::method_not_allowed(found.kind);
        }
        let is_head = request.method() == Method::HEAD;
        match found.address {
            Address::Object(key) => {
                let key = if found.kind == Kind::Npm { abbreviate(key, request.headers()) } else { key };
                match self.read(&key, request.headers(), is_head).await {
                    Ok(reading) => response::object(found.kind, &key, reading),
                    Err(StorageError::Missing(_)) => response::missing(found.kind, is_head),
                    Err(error) => response::fault(found.kind, &error),
                }
            }
            Address::Json(text) => response::fixed(found.kind, text, is_head),
            Address::Nothing => response::missing(found.kind, is_head),
        }
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

/// npm clients that ask for the short document get it. Whoever does not say gets the full one, which is enough for all.
fn abbreviate(key: StorageKey, headers: &HeaderMap) -> StorageKey {
    let accept = headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match key {
        StorageKey::Packument(package) if accept.contains("application/vnd.npm.install-v1+json") => {
            StorageKey::PackumentAbbreviated(package)
        }
        other => other,
    }
}
