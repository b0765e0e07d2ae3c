//! The headers of the read path: what an edge in front of a bucket sends.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use slipway_common::ids::Sha256;
use slipway_common::storage::{ByteRange, CachePolicy, ReadRequest, Reading, StorageError, StorageKey};

use super::Kind;

/// A package's files are somebody else's code on our origin: they may do nothing as documents.
const POLICY: &str = "default-src 'none'; script-src 'none'; style-src 'none'; img-src 'none'; font-src 'none'; connect-src 'none'; \
                      frame-src 'none'; object-src 'none'; frame-ancestors 'none'; sandbox; form-action 'none'";

/// What every answer of the read path carries.
fn common(kind: Kind) -> HeaderMap {
    let vary = match kind {
        Kind::Module => "Accept, Sec-Fetch-Dest, Sec-Fetch-Site",
        Kind::Npm => "Accept",
    };
    HeaderMap::from_iter([
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*")),
        (header::VARY, HeaderValue::from_static(vary)),
    ])
}

/// Reads the conditions and the range of a request.
pub(super) fn read_request(headers: &HeaderMap, is_head: bool) -> ReadRequest {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    ReadRequest {
        if_none_match: text(header::IF_NONE_MATCH).map(ToOwned::to_owned),
        if_modified_since: text(header::IF_MODIFIED_SINCE).and_then(http_date),
        // A range means nothing to HEAD.
        range: text(header::RANGE).filter(|_| !is_head).and_then(range),
        head_only: is_head,
    }
}

/// The tag of an `If-Range`, if it is a tag. A date there is read as "no": the whole object is never wrong.
pub(super) fn if_range(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::IF_RANGE).map(|value| value.to_str().unwrap_or_default())
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc))
}

/// `bytes=0-99`, `bytes=100-`, `bytes=-100`. Several ranges at once are answered with the whole, which is allowed; so is one that
/// ends before it begins, which is no range.
fn range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => last.parse().ok().map(ByteRange::Last),
        (first, "") => first.parse().ok().map(ByteRange::From),
        (first, last) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(ByteRange::Between(first, last))
        }
    }
}

/// Sends an object.
pub(super) fn object(kind: Kind, key: &StorageKey, reading: Reading) -> Response {
    let mut headers = common(kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(key.cache().header()));
    if let Some(surrogate) = key.surrogate() {
        insert(&mut headers, SURROGATE_KEY, &surrogate);
    }
    match reading {
        Reading::NotModified { e_tag } => {
            insert_tag(&mut headers, e_tag);
            (StatusCode::NOT_MODIFIED, headers).into_response()
        }
        Reading::NoSuchRange(size) => {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            insert(&mut headers, header::CONTENT_RANGE, &format!("bytes */{size}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response()
        }
        Reading::Found(found) => {
            let (start, end) = found.part;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(key.content_type()));
            headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            insert_tag(&mut headers, found.e_tag);
            insert(&mut headers, header::LAST_MODIFIED, &found.last_modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
            // For HEAD the part is the whole object, whose length is told and whose bytes are not sent.
            insert(&mut headers, header::CONTENT_LENGTH, &(end - start).to_string());
            let status = if found.is_partial {
                insert(&mut headers, header::CONTENT_RANGE, &format!("bytes {start}-{}/{}", end - 1, found.size));
                StatusCode::PARTIAL_CONTENT
            } else {
                StatusCode::OK
            };
            (status, headers, Body::from_stream(found.bytes)).into_response()
        }
    }
}

/// By which an edge in front is told to forget what changed.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn insert_tag(headers: &mut HeaderMap, e_tag: Option<String>) {
    if let Some(tag) = e_tag {
        let quoted = if tag.starts_with('"') || tag.starts_with("W/") { tag } else { format!("\"{tag}\"") };
        insert(headers, header::ETAG, &quoted);
    }
}

/// Sends a fixed JSON document.
pub(super) fn fixed(kind: Kind, text: &'static str, asked: &HeaderMap, is_head: bool) -> Response {
    let mut headers = common(kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
    json(headers, Bytes::from_static(text.as_bytes()), asked, is_head)
}

/// Sends JSON that was computed from the object of a key, and may be kept as long as that unless it `is_asked_for_anew` each time.
pub(super) fn computed(key: &StorageKey, is_asked_for_anew: bool, body: Bytes, asked: &HeaderMap, is_head: bool) -> Response {
    let mut headers = common(Kind::Npm);
    let cache = if is_asked_for_anew { ASK_AGAIN } else { key.cache().header() };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(surrogate) = key.surrogate() {
        insert(&mut headers, SURROGATE_KEY, &surrogate);
    }
    json(headers, body, asked, is_head)
}

/// Sends what a search found, which may be kept for as long as a document.
pub(super) fn found(body: Bytes, asked: &HeaderMap, is_head: bool) -> Response {
    let mut headers = common(Kind::Npm);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CachePolicy::Short.header()));
    json(headers, body, asked, is_head)
}

/// Says that a search does not say what for, or in more than `limit` bytes.
pub(super) fn nothing_to_search(limit: usize, is_head: bool) -> Response {
    let why = format!("say what to search for in `text`, in at most {limit} bytes");
    plain(Kind::Npm, StatusCode::BAD_REQUEST, "", &why, is_head)
}

/// Sends JSON, or says that the reader has it. The tag follows from the bytes.
fn json(mut headers: HeaderMap, body: Bytes, asked: &HeaderMap, is_head: bool) -> Response {
    let digest = Sha256::of(&body).hex();
    let tag = format!("\"{}\"", &digest[..TAG_DIGITS]);
    let is_known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(|theirs| theirs.trim().trim_start_matches("W/") == tag));
    insert(&mut headers, header::ETAG, &tag);
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert(&mut headers, header::CONTENT_LENGTH, &body.len().to_string());
    (StatusCode::OK, headers, if is_head { Bytes::new() } else { body }).into_response()
}

/// What may be kept, and is asked for each time.
const ASK_AGAIN: &str = "public, max-age=0, no-cache";

/// Digits of a digest in a tag. Half of them are enough to tell one state of a document from another.
const TAG_DIGITS: usize = 32;

/// Says that there is no such object, in the form the client reads. It may exist a moment later, so nobody keeps this.
pub(super) fn missing(kind: Kind, is_head: bool) -> Response {
    plain(kind, StatusCode::NOT_FOUND, "404 - Not Found", "not found", is_head)
}

/// Says that the address can only be read.
pub(super) fn method_not_allowed(kind: Kind) -> Response {
    let npm = "this address can only be read; packages are published with `deno publish`, `npx jsr publish` or `slipway publish`";
    let mut response = plain(kind, StatusCode::METHOD_NOT_ALLOWED, "405 - Method Not Allowed", npm, false);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

/// Says why somebody who showed who they are is not answered.
pub(crate) fn refused(kind: Kind, status: StatusCode, why: &str, is_head: bool) -> Response {
    plain(kind, status, why, why, is_head)
}

/// Makes an answer one that is for nobody but who asked: nothing keeps it, and no other site is given it.
pub(crate) fn hide(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CachePolicy::Never.header()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Authorization, Cookie"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.remove(SURROGATE_KEY);
}

/// Says that the store does not answer.
pub(super) fn fault(kind: Kind, error: &StorageError) -> Response {
    tracing::error!(%error, source = std::error::Error::source(error), "a read failed");
    plain(kind, StatusCode::SERVICE_UNAVAILABLE, "503 - Service Unavailable", "the object store does not answer, try again", false)
}

fn plain(kind: Kind, status: StatusCode, text: &str, npm: &str, is_head: bool) -> Response {
    let mut headers = common(kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let (content_type, body) = match kind {
        Kind::Module => ("text/plain; charset=utf-8", text.to_owned()),
        // npm clients print `message`, older ones `error`.
        Kind::Npm => ("application/json", serde_json::json!({ "error": npm, "message": npm }).to_string()),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // HEAD says how long the answer to GET would be.
    insert(&mut headers, header::CONTENT_LENGTH, &body.len().to_string());
    (status, headers, if is_head { String::new() } else { body }).into_response()
}

/// Answers the question a browser asks before it asks.
pub(super) fn preflight(kind: Kind, headers: &HeaderMap) -> Response {
    let allowed = match kind {
        Kind::Module => "Authorization, X-Cloud-Trace-Context",
        Kind::Npm => "Authorization, npm-command, npm-scope, npm-session, user-agent",
    };
    crate::cors::preflight(headers, "HEAD, GET", allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges_and_dates() {
        assert_eq!(range("bytes=0-99"), Some(ByteRange::Between(0, 99)));
        assert_eq!(range("bytes=5-"), Some(ByteRange::From(5)));
        assert_eq!(range("bytes=-5"), Some(ByteRange::Last(5)));
        for bad in ["bytes=0-1,3-4", "bytes=5-2", "bytes=a-b", "items=0-1", "bytes=-", ""] {
            assert_eq!(range(bad), None, "{bad}");
        }
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().timestamp(), 784_111_777);
        assert_eq!(http_date("yesterday"), None);
    }
}
