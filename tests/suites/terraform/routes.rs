//! The edge against the read path of the API: a registry is filled, and every address is asked of both.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use slipway_common::storage::Store;
use slipway_tests::routes::{CLIENTS, Headers, OTHERS, Table, To};
use slipway_tests::{Answer, PackageBuilder, TestRegistry};

use crate::demand;

/// What a URL holds only under a percent sign, as browsers write it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

async fn published() -> TestRegistry {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = PackageBuilder::empty("@acme/maths", "1.0.0")
        .file("mod.ts", "/** All of them. */\nexport const digits = \"0123456789\";\n")
        .file("pages/[id].tsx", "export const Page = null;\n")
        .file("$a(b)+c@d~e_{f}.ts", "export {};\n")
        .file("pixel.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")
        .file("LICENSE", "as you like");
    assert_eq!(author.publish_through(&package).await["status"], "success");
    registry.drain().await;
    registry
}

/// The keys in the public bucket.
async fn keys(registry: &TestRegistry) -> BTreeSet<String> {
    let listed = registry.context().storage.list(Store::Public).await.expect("memory can be listed");
    listed.into_iter().map(|(key, _)| key).collect()
}

/// The address of an object. None for documentation, which is shown by pages, and for the short npm document, which a header chooses.
fn of_object(key: &str) -> Option<String> {
    if key.starts_with("docs/") || key.ends_with("/abbreviated.json") {
        return None;
    }
    let document = key.strip_prefix("npm/").and_then(|_| key.strip_suffix("/index.json"));
    Some(format!("/{}", utf8_percent_encode(document.unwrap_or(key), ESCAPED)))
}

/// The key that a bucket looks for.
fn key(path: &str) -> String {
    percent_decode_str(&path[1..]).decode_utf8_lossy().into_owned()
}

async fn ask(registry: &TestRegistry, method: Method, path: &str, headers: Headers) -> Answer {
    registry.anonymous().send(method, path, headers, Bytes::new()).await
}

#[tokio::test]
async fn every_object_is_read_from_the_bucket() {
    let (registry, table) = (published().await, Table::read());
    let mut found = Vec::new();
    for object in keys(&registry).await {
        let Some(address) = of_object(&object) else { continue };
        assert_eq!(ask(&registry, Method::GET, &address, &[]).await.status, 200, "{address}");
        for method in ["GET", "HEAD"] {
            for (client, headers) in &CLIENTS[..3] {
                let (to, path) = table.choose(method, &address, headers);
                if to != To::Bucket || key(&path) != object {
                    found.push(format!("{method} {address} by {client}: {to:?} {path}, and not {object}"));
                }
            }
        }
    }
    demand("Clients read packages from the bucket, so that they can while nothing else is alive.", &found);
}

#[tokio::test]
async fn the_bucket_answers_what_the_api_would() {
    let (registry, table) = (published().await, Table::read());
    let objects = keys(&registry).await;
    let addresses = objects.iter().filter_map(|object| of_object(object)).chain(OTHERS.map(str::to_owned));
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for address in addresses {
        for (client, headers) in CLIENTS {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST] {
                let (to, path) = table.choose(method.as_str(), &address, headers);
                seen.insert(format!("{to:?} {}", method.as_str()));
                if to == To::Api {
                    continue;
                }
                let answer = ask(&registry, method.clone(), &address, headers).await;
                let expected = if objects.contains(&key(&path)) { 200 } else { 404 };
                // Whatever the address is spelled like, it has to be this object and no other.
                let is_same = match of_object(&key(&path)) {
                    Some(upright) if expected == 200 => ask(&registry, method.clone(), &upright, &[]).await.body == answer.body,
                    _ => true,
                };
                if answer.status != expected || !is_same {
                    found.push(format!("{method} {address} by {client}: the bucket says {expected}, the API {}", answer.status));
                }
            }
        }
    }
    demand("What goes to the bucket is what the API would have read from it.", &found);
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, ["Api GET", "Api HEAD", "Api OPTIONS", "Api POST", "Bucket GET", "Bucket HEAD"]);
}

#[tokio::test]
async fn the_bucket_sends_the_headers_of_the_api() {
    let (registry, table) = (published().await, Table::read());
    // What a bucket knows of each object. `Vary` is a known quirk, and this edge is not told by surrogate keys.
    let own = ["accept-ranges", "cache-control", "content-length", "content-type", "etag", "last-modified", "surrogate-key", "vary"];
    for address in ["/@acme/maths/1.0.0/mod.ts", "/@acme/maths/meta.json", "/npm/@jsr/acme__maths"] {
        let answer = ask(&registry, Method::GET, address, &[]).await.expect(200);
        for (name, value) in &table.headers {
            assert_eq!(answer.header(name), value, "{address}");
        }
        let known = |name: &str| own.contains(&name) || table.headers.keys().any(|header| header.eq_ignore_ascii_case(name));
        let missing: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).filter(|name| !known(name)).collect();
        assert!(missing.is_empty(), "{address}: {missing:?} is not in routes.json");
    }
}

#[tokio::test]
async fn npm_gets_the_full_document_whatever_it_asks_for() {
    let (registry, table) = (published().await, Table::read());
    let (to, path) = table.choose("GET", "/npm/@jsr/acme__maths", &[("accept", "application/vnd.npm.install-v1+json")]);
    assert_eq!((to, path.as_str()), (To::Bucket, "/npm/@jsr/acme__maths/index.json"));
    assert!(keys(&registry).await.contains("npm/@jsr/acme__maths/index.json"));
}
