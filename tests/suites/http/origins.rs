//! Reading from pages of other origins, and the hosts that stand for a part of the registry.

use http::Method;
use slipway_tests::{Answer, PackageBuilder, TestRegistry};

async fn published() -> TestRegistry {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    registry
}

async fn preflight(registry: &TestRegistry, path: &str) -> Answer {
    let headers = [
        ("origin", "https://elsewhere.test"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    registry.anonymous().send(Method::OPTIONS, path, &headers, bytes::Bytes::new()).await.expect(204)
}

#[tokio::test]
async fn a_browser_may_ask_before_it_asks() {
    let registry = published().await;
    let allowed = async |path: &str| {
        let answer = preflight(&registry, path).await;
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("access-control-max-age")), ("*", "3600"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "credentials never travel along");
        (answer.header("access-control-allow-methods").to_owned(), answer.header("access-control-allow-headers").to_lowercase())
    };
    let (methods, headers) = allowed("/api/scopes/acme").await;
    assert_eq!(methods, "HEAD, GET, POST, PUT, PATCH, DELETE");
    assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
    let (methods, headers) = allowed("/@acme/maths/1.0.0/mod.ts").await;
    assert_eq!(methods, "HEAD, GET");
    assert!(headers.contains("authorization"), "{headers}");
    let (methods, headers) = allowed("/npm/@jsr/acme__maths").await;
    assert_eq!(methods, "HEAD, GET");
    assert!(headers.contains("npm-command"), "{headers}");
}

#[tokio::test]
async fn everything_public_may_be_read_from_anywhere() {
    let registry = published().await;
    let page = registry.anonymous().with("origin", "https://elsewhere.test");
    for (path, status) in [
        ("/@acme/maths/meta.json", 200),
        ("/@acme/maths/1.0.0/mod.ts", 200),
        ("/@acme/maths/1.0.0/nope.ts", 404),
        ("/npm/@jsr/acme__maths", 200),
        ("/npm/@jsr/acme__nope", 404),
        ("/api/packages", 200),
        ("/api/scopes/nowhere", 404),
        ("/api/nothing", 404),
        ("/api/user", 401),
    ] {
        let answer = page.get(path).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{path}");
        assert_eq!((answer.header("x-robots-tag"), answer.header("x-content-type-options")), ("noindex", "nosniff"), "{path}");
    }
    // Pages for people are nobody else's to read.
    for path in ["/", "/login", "/new"] {
        assert_eq!(page.get(path).await.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn the_hosts_that_stand_for_a_part() {
    let registry = published().await;
    let api = registry.anonymous().with("host", "api.registry.test");
    drop(api.get("/scopes/acme").await.expect(200));
    drop(api.get("/api/scopes/acme").await.expect(200));
    assert_eq!(api.get("/nothing").await.refusal(), "404 notFound");
    let npm = registry.anonymous().with("host", "NPM.registry.test:8080");
    drop(npm.get("/@jsr/acme__maths").await.expect(200));
    drop(npm.get("/@jsr%2facme__maths").await.expect(200));
    drop(npm.get("/npm/@jsr/acme__maths").await.expect(200));
    assert_eq!(npm.get("/-/ping").await.expect(200).text(), "{}");
    assert_eq!(npm.get("/").await.expect(200).text(), "{}");
    // A host of somebody else is the registry under another name, and none of its parts.
    let other = registry.anonymous().with("host", "api.elsewhere.test");
    assert_eq!(other.get("/scopes/acme").await.status, 404);
    drop(other.get("/api/scopes/acme").await.expect(200));
}

#[tokio::test]
async fn a_registry_that_is_only_known_by_an_address() {
    let registry = TestRegistry::configured(&[("public_url", "http://127.0.0.1:8080/")]).await;
    for host in ["npm.registry.localhost:8080", "npm.127.0.0.1:8080"] {
        assert_eq!(registry.anonymous().with("host", host).get("/-/ping").await.expect(200).text(), "{}", "{host}");
    }
    assert_eq!(registry.anonymous().with("host", "127.0.0.1:8080").get("/-/ping").await.status, 404);
}
