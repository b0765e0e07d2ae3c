//! Documents and tarballs as npm clients load them.

use http::Method;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use slipway_tests::{PackageBuilder, TestRegistry};

const DOCUMENT: &str = "/npm/@jsr/acme__maths";
const SHORT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

async fn published() -> TestRegistry {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds numbers" })).await.expect(200));
    assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await["status"], "success");
    registry.drain().await;
    registry
}

#[tokio::test]
async fn the_full_document_and_the_short_one() {
    let registry = published().await;
    let full = registry.anonymous().get(DOCUMENT).await.expect(200);
    insta::assert_snapshot!("full", serde_json::to_string_pretty(&full.json()).unwrap());
    let short = registry.anonymous().with("accept", SHORT).get(DOCUMENT).await.expect(200);
    insta::assert_snapshot!("short", serde_json::to_string_pretty(&short.json()).unwrap());
    for answer in [&full, &short] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("vary"), "Accept", "a cache must keep the two apart");
        assert_eq!(answer.header("cache-control"), "public, max-age=60, s-maxage=60");
    }
    assert_ne!(full.header("etag"), short.header("etag"));
    assert!(short.body.len() < full.body.len());
}

#[tokio::test]
async fn the_tarball_is_what_the_document_says() {
    let registry = published().await;
    let dist = registry.anonymous().get(DOCUMENT).await.json()["versions"]["1.0.0"]["dist"].clone();
    let url = dist["tarball"].as_str().unwrap();
    assert_eq!(url, "http://registry.test/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz");
    let path = url.strip_prefix("http://registry.test").unwrap();
    let tarball = registry.anonymous().get(path).await.expect(200);
    assert_eq!(tarball.header("content-type"), "application/octet-stream");
    assert_eq!(tarball.header("cache-control"), "public, max-age=31536000, immutable");
    let listed = registry.public_objects().await;
    let digest = slipway_tests::tables::digest(Sha256::of(&tarball.body).as_bytes());
    assert!(listed.iter().any(|line| line.ends_with(&digest) && line.contains(".tgz")), "{listed:?}");
    let integrity = slipway_common::ids::Sha512::of(&tarball.body).integrity();
    assert_eq!(dist["integrity"], json!(integrity));
    let part = registry.anonymous().with("range", "bytes=0-1").get(path).await.expect(206);
    assert_eq!(&part.body[..], [0x1f, 0x8b]);
}

#[tokio::test]
async fn every_spelling_of_a_name() {
    let registry = published().await;
    let expected = registry.anonymous().get(DOCUMENT).await.expect(200).text();
    for spelling in ["/npm/@jsr%2facme__maths", "/npm/@jsr%2Facme__maths", "/npm/%40jsr/acme__maths", "/npm/%40jsr%2Facme__maths"] {
        assert_eq!(registry.anonymous().get(spelling).await.expect(200).text(), expected, "{spelling}");
    }
    let tarball = registry.anonymous().get("/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz").await.expect(200).body;
    for spelling in ["/npm/@jsr%2facme__maths/-/acme__maths-1.0.0.tgz", "/npm/@jsr/acme__maths/-/@jsr/acme__maths-1.0.0.tgz"] {
        assert_eq!(registry.anonymous().get(spelling).await.expect(200).body, tarball, "{spelling}");
    }
}

#[tokio::test]
async fn what_answers_at_the_root() {
    let registry = TestRegistry::start().await;
    for path in ["/npm", "/npm/", "/npm/-/ping"] {
        let answer = registry.anonymous().get(path).await.expect(200);
        assert_eq!((answer.text().as_str(), answer.header("content-type")), ("{}", "application/json"), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_npm_s_words() {
    let registry = published().await;
    for path in [
        "/npm/@jsr/acme__nope",
        "/npm/@jsr/acme__maths/-/acme__maths-1.0.1.tgz",
        "/npm/@jsr/acme__maths/-/other-1.0.0.tgz",
        "/npm/@jsr/acme__maths/1.0.1",
        "/npm/@jsr/acme__nope/1.0.0",
        "/npm/@jsr/acme__maths/1.0.0/package.json",
        "/npm/-/package/@jsr%2facme__nope/dist-tags",
        "/npm/-/package/left-pad/dist-tags",
        "/npm/-/nothing",
        "/npm/left-pad",
        "/npm/@types/node",
        "/npm/@jsr/acme_maths",
        "/npm/@jsr/..%2f..%2fuploads",
        "/npm/%ff",
    ] {
        let answer = registry.anonymous().get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"), "{path}: {}", answer.text());
        assert_eq!(answer.json(), json!({ "error": "not found", "message": "not found" }), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "a version may be there a moment later");
    }
    // Clients try what other registries have, with any method, and go on where there is nothing.
    for (method, path) in [
        (Method::POST, "/npm/-/npm/v1/security/advisories/bulk"),
        (Method::POST, "/npm/-/v1/login"),
        (Method::PUT, "/npm/-/user/org.couchdb.user:ada"),
        (Method::DELETE, "/npm/left-pad/-rev/1"),
    ] {
        let answer = registry.anonymous().send(method, path, &[], bytes::Bytes::from_static(b"{}")).await.expect(404);
        assert_eq!(answer.json()["error"], "not found", "{path}");
    }
    for method in [Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
        let answer = registry.anonymous().send(method, DOCUMENT, &[], bytes::Bytes::from_static(b"{}")).await.expect(405);
        assert!(answer.json()["error"].as_str().unwrap().contains("deno publish"), "{}", answer.text());
        assert_eq!(answer.json()["error"], answer.json()["message"]);
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn the_short_document_is_for_who_likes_it_as_well() {
    let registry = published().await;
    let is_short = async |accept: &str| {
        let answer = registry.anonymous().with("accept", accept).get(DOCUMENT).await.expect(200);
        assert_eq!((answer.header("vary"), answer.header("content-type")), ("Accept", "application/json"), "{accept}");
        answer.json()["_id"] == Value::Null
    };
    for accept in [SHORT, "application/vnd.npm.install-v1+json", "application/json;q=0.5, application/vnd.npm.install-v1+json;q=0.6"] {
        assert!(is_short(accept).await, "{accept}");
    }
    for accept in ["*/*", "application/json", "application/json; q=1.0, */*", "application/vnd.npm.install-v1+json;q=0, */*", "text/html"] {
        assert!(!is_short(accept).await, "{accept}");
    }
}

#[tokio::test]
async fn whoever_has_a_document_is_told_so() {
    let registry = published().await;
    for path in [
        DOCUMENT,
        "/npm/@jsr/acme__maths/latest",
        "/npm/-/package/@jsr%2facme__maths/dist-tags",
        "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz",
        "/npm/",
        "/npm/-/ping",
    ] {
        for accept in ["*/*", SHORT] {
            let client = registry.anonymous().with("accept", accept);
            let get = client.get(path).await.expect(200);
            let tag = get.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.ends_with('"'), "{path}: a tag that is strong: {tag}");
            let head = client.head(path).await.expect(200);
            let shown = ["etag", "content-length", "content-type", "cache-control", "vary"];
            assert_eq!(shown.map(|name| head.header(name)), shown.map(|name| get.header(name)), "{path}");
            assert_eq!((head.body.len(), head.header("content-length")), (0, get.body.len().to_string().as_str()), "{path}");
            for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                let again = client.clone().with("if-none-match", &known).get(path).await.expect(304);
                assert_eq!((again.body.len(), again.header("etag"), again.header("vary")), (0, tag.as_str(), "Accept"), "{path} {known}");
            }
            drop(client.clone().with("if-none-match", "\"other\"").get(path).await.expect(200));
        }
    }
    // What one representation is called says nothing about the other.
    let full = registry.anonymous().get(DOCUMENT).await.header("etag").to_owned();
    drop(registry.anonymous().with("accept", SHORT).with("if-none-match", &full).get(DOCUMENT).await.expect(200));
}

#[tokio::test]
async fn the_host_of_npm_answers_without_the_prefix() {
    let registry = published().await;
    let npm = registry.anonymous().with("host", "npm.registry.test");
    for (path, other) in [
        ("/@jsr/acme__maths", DOCUMENT),
        ("/@jsr%2facme__maths", DOCUMENT),
        ("/@jsr/acme__maths/%5E1.0.0", "/npm/@jsr/acme__maths/1.0.0"),
        ("/@jsr/acme__maths/-/acme__maths-1.0.0.tgz", "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz"),
        ("/-/package/@jsr%2facme__maths/dist-tags", "/npm/-/package/@jsr%2facme__maths/dist-tags"),
        ("/", "/npm/"),
        ("/-/ping", "/npm/-/ping"),
    ] {
        assert_eq!(npm.get(path).await.expect(200).body, registry.anonymous().get(other).await.expect(200).body, "{path}");
    }
    for path in ["/nothing", "/healthz", "/@acme/maths/meta.json", "/api/scopes/acme"] {
        assert_eq!(npm.get(path).await.expect(404).json()["error"], "not found", "{path}");
    }
}

#[tokio::test]
async fn a_version_says_what_proxies_and_clients_check() {
    let registry = published().await;
    for accept in ["*/*", SHORT] {
        let document = registry.anonymous().with("accept", accept).get(DOCUMENT).await.expect(200).json();
        let dist = &document["versions"]["1.0.0"]["dist"];
        let tarball = registry.anonymous().get("/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz").await.expect(200).body;
        let shasum = slipway_common::ids::Sha1::of(&tarball).hex();
        assert_eq!((dist["shasum"].as_str(), shasum.to_lowercase()), (Some(shasum.as_str()), shasum.clone()), "{accept}");
        let (mut files, mut bytes) = (0, 0);
        for entry in tar::Archive::new(flate2::read::GzDecoder::new(&tarball[..])).entries().unwrap() {
            (files, bytes) = (files + 1, bytes + entry.unwrap().size());
        }
        assert_eq!((&dist["fileCount"], &dist["unpackedSize"]), (&json!(files), &json!(bytes)), "{accept}");
        for when in ["created", "modified", "1.0.0"] {
            assert_eq!(document["time"][when], "2025-01-01T00:00:00.000Z", "{accept} {when}");
        }
    }
}
