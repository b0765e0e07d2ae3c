//! What other registries want of one that they stand in front of. Each of these rules was learnt from a proxy that broke.

use serde_json::Value;
use slipway_common::ids::{Sha1, Sha512};
use slipway_tests::{PackageBuilder, TestRegistry};

const DOCUMENT: &str = "/npm/@jsr/acme__maths";
const SHORT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/// Two packages with three versions between them, one of a prerelease.
async fn published() -> TestRegistry {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", serde_json::json!({ "package": "maths-more" })).await.expect(200));
    for (name, version) in [("@acme/maths", "1.0.0"), ("@acme/maths", "1.1.0-rc.1"), ("@acme/maths-more", "1.0.0")] {
        assert_eq!(author.publish_through(&PackageBuilder::small(name, version)).await["status"], "success");
    }
    registry.drain().await;
    registry
}

/// Every version of every package: its npm name, its number, and what the full document says of it.
async fn versions(registry: &TestRegistry) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for name in ["@jsr/acme__maths", "@jsr/acme__maths-more"] {
        let document = registry.anonymous().get(&format!("/npm/{name}")).await.expect(200).json();
        for (version, manifest) in document["versions"].as_object().unwrap() {
            found.push((name.to_owned(), version.clone(), manifest.clone()));
        }
    }
    assert_eq!(found.len(), 3);
    found
}

/// Google Artifact Registry and Artifactory put tarball addresses together by npm's convention and never read `dist.tarball`.
#[tokio::test]
async fn tarballs_are_where_convention_puts_them() {
    let registry = published().await;
    for (name, version, manifest) in versions(&registry).await {
        let file = format!("{}-{version}.tgz", name.rsplit('/').next().unwrap());
        let path = format!("/npm/{name}/-/{file}");
        let tarball = registry.anonymous().get(&path).await.expect(200);
        assert_eq!(manifest["dist"]["integrity"], Sha512::of(&tarball.body).integrity(), "{path}");
        assert_eq!(manifest["dist"]["shasum"], Sha1::of(&tarball.body).hex(), "{path}");
        // Artifactory repeats the scope in the name of the file, and npm encodes the slash.
        for other in [format!("/npm/{name}/-/@jsr/{file}"), format!("/npm/{}/-/{file}", name.replace('/', "%2f"))] {
            assert_eq!(registry.anonymous().get(&other).await.expect(200).body, tarball.body, "{other}");
        }
    }
}

/// Verdaccio follows only addresses below its uplink, npm 12 only those of the same origin, and Nexus finds the version by the name
/// of the file.
#[tokio::test]
async fn tarball_addresses_are_below_the_registry_and_differ() {
    let registry = published().await;
    let mut files = std::collections::BTreeSet::new();
    for (name, _, manifest) in versions(&registry).await {
        let url = manifest["dist"]["tarball"].as_str().unwrap();
        let file = url.strip_prefix(&format!("http://registry.test/npm/{name}/-/")).unwrap();
        assert!(files.insert(file.to_owned()), "{file} is there twice");
        let answer = registry.anonymous().get(url.strip_prefix("http://registry.test").unwrap()).await;
        assert_eq!(answer.status, 200, "served where it is said to be, and not redirected");
    }
}

/// Artifactory asks with HEAD before it asks with GET, for documents and tarballs alike.
#[tokio::test]
async fn head_says_what_get_would() {
    let registry = published().await;
    for path in [DOCUMENT, "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz", "/npm/", "/npm/-/ping", "/npm/-/npm/v1/keys"] {
        let (head, get) = (registry.anonymous().head(path).await, registry.anonymous().get(path).await);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-length", "content-type", "cache-control", "etag"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path} {name}");
        }
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
    }
    for path in ["/npm/@jsr/acme__nope", "/npm/@jsr/acme__maths/-/acme__maths-9.0.0.tgz", "/npm/left-pad"] {
        assert_eq!(registry.anonymous().head(path).await.status, 404, "{path}");
    }
}

/// Azure Artifacts takes an upstream for a registry only if its root answers with JSON.
#[tokio::test]
async fn the_root_answers_with_json() {
    let registry = published().await;
    for path in ["/npm", "/npm/"] {
        let answer = registry.anonymous().get(path).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/json"), "{path}");
        assert!(answer.json().is_object(), "{path}");
    }
}

/// Nexus sends no `Accept`, or an empty one, and reads what comes as data; others say `*/*`, or what a browser would.
#[tokio::test]
async fn whoever_does_not_say_gets_data() {
    let registry = published().await;
    let plain = registry.anonymous().get(DOCUMENT).await.expect(200);
    for accept in ["", "*/*", "application/json", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8"] {
        let answer = registry.anonymous().with("accept", accept).get(DOCUMENT).await.expect(200);
        assert_eq!(answer.body, plain.body, "{accept:?}");
        assert!(answer.header("content-type").starts_with("application/json"), "{accept:?}");
        let missing = registry.anonymous().with("accept", accept).get("/npm/@jsr/acme__nope").await.expect(404);
        assert!(missing.json()["error"].is_string() && missing.json()["message"].is_string(), "{accept:?}");
    }
    let asked = registry.anonymous().get(&format!("{DOCUMENT}?write=true")).await.expect(200);
    assert_eq!(asked.body, plain.body, "what stands behind the question mark is for registries that write");
}

/// Nexus, Verdaccio and pnpm ask on condition; a tag stands for one representation.
#[tokio::test]
async fn documents_and_tarballs_are_asked_for_on_condition() {
    let registry = published().await;
    let tarball = "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz";
    let mut tags = std::collections::BTreeSet::new();
    for (path, accept) in [(DOCUMENT, "*/*"), (DOCUMENT, SHORT), (tarball, "*/*")] {
        let client = registry.anonymous().with("accept", accept);
        let tag = client.get(path).await.expect(200).header("etag").to_owned();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        assert_eq!(client.clone().with("if-none-match", &tag).get(path).await.status, 304, "{path} {accept}");
        assert_eq!(client.with("if-none-match", "\"another\"").get(path).await.status, 200, "{path} {accept}");
        assert!(tags.insert(tag), "{path} {accept}");
    }
}

/// A proxy that keeps bytes must get those that the digest is of: no second compression, whatever it accepts, and parts on demand.
#[tokio::test]
async fn tarballs_are_bytes_and_nothing_else() {
    let registry = published().await;
    let path = "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz";
    let plain = registry.anonymous().get(path).await.expect(200);
    let answer = registry.anonymous().with("accept-encoding", "gzip, br, zstd").get(path).await.expect(200);
    assert!(!answer.headers.contains_key("content-encoding"));
    assert_eq!(answer.body, plain.body);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    let part = registry.anonymous().with("range", "bytes=2-5").get(path).await.expect(206);
    assert_eq!(part.body, plain.body[2..6]);
}

/// Bytesafe delays, and pnpm and Yarn hold back, by when a version was published; both documents say it.
#[tokio::test]
async fn both_documents_say_when() {
    let registry = published().await;
    for accept in ["*/*", SHORT] {
        let document = registry.anonymous().with("accept", accept).get(DOCUMENT).await.expect(200).json();
        for version in document["versions"].as_object().unwrap().keys() {
            assert!(document["time"][version].as_str().is_some_and(|time| time.ends_with('Z')), "{accept} {version}");
        }
        assert!(document["dist-tags"]["latest"].is_string(), "{accept}");
    }
}
