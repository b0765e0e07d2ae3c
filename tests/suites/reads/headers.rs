//! Every object, asked for in every way that a cache asks.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE};
use reqwest::{Client, Method, Response, StatusCode};
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::storage::{Storage, StorageKey, Store};

use crate::edge::Edge;

/// What a URL holds only under a percent sign, as clients write it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// The address of an object. None for documentation, which is shown by pages, and for the short npm document, which a header chooses.
pub(crate) fn address(key: &StorageKey) -> Option<String> {
    let text = key.text();
    let path = match key {
        StorageKey::Docs { .. } | StorageKey::PackumentAbbreviated(_) => return None,
        StorageKey::Packument(_) => text.strip_suffix("/index.json")?.to_owned(),
        _ => text,
    };
    Some(format!("/{}", utf8_percent_encode(&path, ESCAPED)))
}

async fn ask(method: Method, url: &str, headers: HeaderMap) -> Response {
    let client = Client::builder().no_proxy().build().expect("a client can be made");
    client.request(method, url).headers(headers).send().await.unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn said<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().expect("headers are text"))
}

fn with(pairs: &[(reqwest::header::HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("it is a header"))).collect()
}

/// Asks for every public object, and returns how many there were.
pub(crate) async fn are_right(edge: &Edge, storage: &Storage) -> usize {
    let mut asked = 0;
    for (text, size) in storage.list(Store::Public).await.expect("the bucket can be listed") {
        let key = StorageKey::parse(Store::Public, &text).expect("it is a key of ours");
        let Some(address) = address(&key) else { continue };
        let url = edge.url(&address);
        let stored = storage.get(&key).await.expect("it was listed");
        let answer = ask(Method::GET, &url, HeaderMap::new()).await;
        is_of(&answer, &key, StatusCode::OK);
        let tag = said(&answer, "etag").to_owned();
        let modified = said(&answer, "last-modified").to_owned();
        assert!(!tag.is_empty() && !modified.is_empty(), "{url} can be asked for on condition");
        assert_eq!(Sha256::of(&answer.bytes().await.expect("it is whole")), Sha256::of(&stored), "{url}");

        let head = ask(Method::HEAD, &url, HeaderMap::new()).await;
        is_of(&head, &key, StatusCode::OK);
        assert_eq!((said(&head, "content-length"), said(&head, "etag")), (size.to_string().as_str(), tag.as_str()), "{url}");

        for condition in [(IF_NONE_MATCH, tag.as_str()), (IF_MODIFIED_SINCE, modified.as_str())] {
            let same = ask(Method::GET, &url, with(&[condition])).await;
            assert_eq!((same.status(), said(&same, "etag")), (StatusCode::NOT_MODIFIED, tag.as_str()), "{url}");
            assert!(same.bytes().await.expect("it is whole").is_empty(), "{url}");
        }
        let other = ask(Method::GET, &url, with(&[(IF_NONE_MATCH, "\"another\"")])).await;
        assert_eq!(other.status(), StatusCode::OK, "{url}");
        if size > 4 {
            let part = ask(Method::GET, &url, with(&[(RANGE, "bytes=1-3")])).await;
            is_of(&part, &key, StatusCode::PARTIAL_CONTENT);
            assert_eq!(said(&part, "content-range"), format!("bytes 1-3/{size}"), "{url}");
            assert_eq!(part.bytes().await.expect("it is whole"), stored.slice(1..4), "{url}");
        }
        asked += 1;
    }
    asked
}

/// Demands that whoever names the short npm document gets it, and everybody else the full one, and that no cache mixes them up.
pub(crate) async fn npm_documents_are_chosen(edge: &Edge, storage: &Storage, package: &str) {
    let package: PackageName = package.try_into().expect("a test writes valid names");
    let url = edge.url(&format!("/npm/{}", package.npm_name()));
    let mut tags = Vec::new();
    for (accept, key) in [
        ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", StorageKey::PackumentAbbreviated(package.clone())),
        ("application/json", StorageKey::Packument(package.clone())),
        ("application/json; q=1.0, */*", StorageKey::Packument(package.clone())),
    ] {
        let stored = storage.get(&key).await.expect("it was announced");
        let answer = ask(Method::GET, &url, with(&[(ACCEPT, accept)])).await;
        is_of(&answer, &key, StatusCode::OK);
        assert!(said(&answer, "vary").split(',').any(|name| name.trim() == "Accept"), "{accept}");
        let tag = said(&answer, "etag").to_owned();
        assert_eq!(answer.bytes().await.expect("it is whole"), stored, "{accept}");
        let head = ask(Method::HEAD, &url, with(&[(ACCEPT, accept)])).await;
        assert_eq!((said(&head, "content-length"), said(&head, "etag")), (stored.len().to_string().as_str(), tag.as_str()), "{accept}");
        let same = ask(Method::GET, &url, with(&[(ACCEPT, accept), (IF_NONE_MATCH, &tag)])).await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED, "{accept}");
        // Compressed on its way, it is called by a weak tag, which does as well.
        let packed = ask(Method::GET, &url, with(&[(ACCEPT, accept), (ACCEPT_ENCODING, "gzip")])).await;
        let weak = said(&packed, "etag").to_owned();
        assert_eq!((said(&packed, "content-encoding"), weak.as_str()), ("gzip", format!("W/{tag}").as_str()), "{accept}");
        assert!(packed.bytes().await.expect("it is whole").len() < stored.len(), "{accept}");
        let same = ask(Method::GET, &url, with(&[(ACCEPT, accept), (ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, &weak)])).await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED, "{accept}");
        tags.push(tag);
    }
    assert!(tags[0] != tags[1] && tags[1] == tags[2], "{tags:?}");
}

/// Demands what the key says of its object.
fn is_of(answer: &Response, key: &StorageKey, status: StatusCode) {
    let text = key.text();
    assert_eq!(answer.status(), status, "{text}");
    assert_eq!(said(answer, "content-type"), key.content_type(), "{text}");
    assert_eq!(said(answer, "cache-control"), key.cache().header(), "{text}");
    assert_eq!(said(answer, "access-control-allow-origin"), "*", "{text}");
    assert_eq!(said(answer, "accept-ranges"), "bytes", "{text}");
}

/// Demands that what does not exist is said to be missing, that nobody keeps it, and that what is asked behind a `?` is not heard.
pub(crate) async fn misses_are_right(edge: &Edge) {
    for path in ["/@acme/kit/9.9.9_meta.json", "/@acme/nope/meta.json", "/@acme/kit/1.1.0/nope.ts", "/npm/@jsr/acme__nope", "/npm/left-pad"]
    {
        let answer = ask(Method::GET, &edge.url(path), HeaderMap::new()).await;
        assert_eq!((answer.status(), said(&answer, "cache-control")), (StatusCode::NOT_FOUND, "no-store"), "{path}");
    }
    for question in ["?acl", "?tagging", "?x=1"] {
        let answer = ask(Method::GET, &edge.url(&format!("/@acme/kit/meta.json{question}")), HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{question}");
        assert_eq!(answer.json::<serde_json::Value>().await.expect("it is the document")["name"], "kit", "{question}");
    }
    // Uploads are nobody's business, and the API is not there to be asked: not for ranges and searches either, which no bucket has.
    for path in ["/npm/@jsr/acme__kit/%5E1.0.0", "/npm/@jsr/acme__kit/latest", "/npm/-/v1/search?text=kit"] {
        let answer = ask(Method::GET, &edge.url(path), HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "{path}");
    }
    for path in ["/private/uploads/x.tgz", "/@acme/kit", "/", "/api/scopes/acme", "/@acme/kit/..%2f..%2fprivate/uploads/x.tgz"] {
        let answer = ask(Method::GET, &edge.url(path), HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "{path}");
    }
}
