//! The pages themselves, whole, and the policy that every one of them is sent with.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use slipway_tests::{Answer, PackageBuilder, TestRegistry};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn assert_policy(answer: &Answer, what: &str) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
    assert_eq!(answer.header("content-security-policy"), POLICY, "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("cache-control"), "private, no-store", "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    let page = answer.text();
    for banned in ["<script", "javascript:", " onclick", " onload", "style=\"", "href=\"http"] {
        assert!(!page.contains(banned), "{what} has {banned}");
    }
}

#[tokio::test]
async fn every_page() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds <numbers> & \"more\"" })).await.expect(200));
    let good = author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.1.0-rc.1")).await;
    let bad = author
        .publish_through(&PackageBuilder::small("@acme/maths", "1.1.0").file("mod.ts", "import \"./<b>.ts\";\nimport \"npm:x\";\n"))
        .await;
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.expect(204));
    registry.drain().await;
    let browser = registry.anonymous().with("accept", "text/html");
    for (name, path, status) in [
        ("home", "/".to_owned(), 200),
        ("login", "/login".to_owned(), 200),
        ("new", "/new?scope=acme&package=maths&from=cli".to_owned(), 200),
        ("package", "/@acme/maths".to_owned(), 200),
        ("published", format!("/status/{}", good["id"].as_str().unwrap()), 200),
        ("rejected", format!("/status/{}", bad["id"].as_str().unwrap()), 200),
        ("missing", "/nothing/here".to_owned(), 404),
        ("missing_package", "/@acme/nope".to_owned(), 404),
        ("missing_publish", "/status/00000000-0000-0000-0000-0000000000ff".to_owned(), 404),
    ] {
        let answer = browser.get(&path).await.expect(status);
        assert_policy(&answer, name);
        insta::assert_snapshot!(name, answer.text());
    }
    assert_eq!(browser.get("/@acme/maths@1.0.0").await.expect(200).text(), browser.get("/@acme/maths").await.text());
    let style = browser.get("/assets/site.css").await.expect(200);
    assert_eq!(style.header("content-type"), "text/css");
}

#[tokio::test]
async fn a_page_of_a_package_has_one_address_and_two_methods() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    registry.drain().await;
    let browser = registry.anonymous().with("accept", "text/html");
    for path in ["/@acme/maths", "/@acme/maths@1.0.0", "/%40acme/maths"] {
        let page = browser.get(path).await.expect(200);
        let head = browser.head(path).await.expect(200);
        assert_eq!((head.text().as_str(), head.header("content-length")), ("", page.text().len().to_string().as_str()), "{path}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = browser.send(method.clone(), path, &[], Bytes::new()).await.expect(405);
            assert_policy(&answer, path);
            assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {path}");
        }
    }
    for path in [
        "/@acme/maths@1.0.1",
        "/@acme/maths@1.0.0+b",
        "/@acme/maths@latest",
        "/@acme/maths@",
        "/@acme/maths/",
        "/@acme/maths/versions",
        "/@acme/maths/1.0.0/mod.ts",
        "/@acme/maths@1.0.0/mod.ts",
        "/@acme",
        "/@acme/",
        "/@Acme/maths",
    ] {
        assert_policy(&browser.get(path).await.expect(404), path);
    }
    let answer = browser.send(Method::DELETE, "/login", &[], Bytes::new()).await.expect(405);
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    assert_policy(&answer, "/login");
    assert_eq!(registry.anonymous().delete("/login").await.refusal(), "405 methodNotAllowed", "no page for who wants none");
}

#[tokio::test]
async fn what_people_type_stays_text() {
    let registry = TestRegistry::start().await;
    let browser = registry.anonymous().with("accept", "text/html");
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Ca%20href=%22http://evil.test";
    for path in [
        format!("/new?scope={evil}&package={evil}"),
        format!("/login?redirect=/{evil}"),
        format!("/{evil}"),
        format!("/@{evil}/x"),
        format!("/status/{evil}"),
    ] {
        let answer = browser.get(&path).await;
        assert_policy(&answer, &path);
    }
    // What is to be copied into a shell holds names and nothing else.
    let page = browser.get("/new?scope=acme&package=x%27%3B%20rm%20-rf%20~%3B%20%27").await.expect(200).text();
    assert!(page.contains("SCOPE") && !page.contains("rm -rf"), "{page}");
}
