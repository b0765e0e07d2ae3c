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
        "/npm/@jsr/acme__maths/1.0.0",
        "/npm/left-pad",
        "/npm/@types/node",
        "/npm/@jsr/acme_maths",
        "/npm/-/v1/search?text=x",
        "/npm/@jsr/..%2f..%2fuploads",
        "/npm/%ff",
    ] {
        let answer = registry.anonymous().get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"), "{path}: {}", answer.text());
        assert_eq!(answer.json(), json!({ "error": "not found", "message": "not found" }), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "a version may be there a moment later");
    }
    let answer = registry.anonymous().send(Method::PUT, DOCUMENT, &[], bytes::Bytes::from_static(b"{}")).await;
    assert_eq!((answer.status, answer.json()["message"] == Value::Null), (405, false));
}
