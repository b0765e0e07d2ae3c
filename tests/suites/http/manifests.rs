//! What npm clients are told of one version: by its number, by a tag, by a range.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

const AT: &str = "/npm/@jsr/acme__maths";

/// A registry with these versions of one package; `!` yanks one.
async fn published(versions: &[&str]) -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    for text in versions {
        let version = text.trim_end_matches('!');
        assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", version)).await["status"], "success");
        if text.ends_with('!') {
            yank(&author, version, true).await;
        }
    }
    registry.drain().await;
    (registry, author)
}

async fn yank(author: &Client, version: &str, yanked: bool) {
    drop(author.patch(&format!("/api/scopes/acme/packages/maths/versions/{version}"), json!({ "yanked": yanked })).await.expect(204));
}

#[tokio::test]
async fn versions_tags_and_ranges_in_every_spelling() {
    let (registry, _) = published(&["1.0.0", "1.1.0", "1.2.0!", "2.0.0-rc.1"]).await;
    let nobody = registry.anonymous();
    let document = nobody.get(AT).await.expect(200).json();
    for (wanted, version) in [
        ("1.0.0", "1.0.0"),
        ("1.2.0", "1.2.0"),
        ("latest", "1.1.0"),
        ("%5E1.0.0", "1.1.0"),
        ("^1.0.0", "1.1.0"),
        ("~1.0", "1.0.0"),
        ("%7E1.0", "1.0.0"),
        ("1", "1.1.0"),
        ("1.x", "1.1.0"),
        ("*", "1.1.0"),
        ("%3E%3D1.0.0%20%3C1.1.0", "1.0.0"),
        ("%3E1.1.0", "1.2.0"),
        ("0.x%20%7C%7C%20%5E2.0.0-rc.0", "2.0.0-rc.1"),
        ("v1.0.0", "1.0.0"),
    ] {
        for name in ["@jsr/acme__maths", "@jsr%2facme__maths", "@jsr%2Facme__maths", "%40jsr/acme__maths"] {
            let answer = nobody.get(&format!("/npm/{name}/{wanted}")).await.expect(200);
            assert_eq!(answer.json(), document["versions"][version], "{name}/{wanted}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "public, max-age=60, s-maxage=60", "what a range means can change");
            assert_eq!(answer.header("surrogate-key"), "package:@acme/maths");
        }
    }
    for wanted in ["9.9.9", "%5E3", "next", "%3C", "not%20a%20range", "%ff", "%00", "..", "-", &"1%20%7C%7C%20".repeat(100)] {
        let answer = nobody.get(&format!("{AT}/{wanted}")).await.expect(404);
        assert_eq!((answer.json()["error"].as_str(), answer.header("cache-control")), (Some("not found"), "no-store"), "{wanted}");
    }
}

#[tokio::test]
async fn what_is_yanked_stays_and_says_so() {
    let (registry, author) = published(&["1.0.0", "1.1.0"]).await;
    let nobody = registry.anonymous();
    let before = nobody.get(AT).await.expect(200).json();
    registry.advance(TimeDelta::hours(1));
    yank(&author, "1.1.0", true).await;
    registry.drain().await;
    for accept in ["*/*", "application/vnd.npm.install-v1+json"] {
        let document = nobody.clone().with("accept", accept).get(AT).await.expect(200).json();
        assert_eq!(document["dist-tags"], json!({ "latest": "1.0.0" }), "{accept}");
        assert!(document["versions"]["1.1.0"]["deprecated"].as_str().unwrap().contains("yanked"), "{accept}");
        assert_eq!(document["versions"]["1.0.0"]["deprecated"], Value::Null, "{accept}");
        assert_eq!(document["versions"]["1.1.0"]["dist"], before["versions"]["1.1.0"]["dist"], "{accept}");
        assert_eq!(
            (&document["time"]["1.1.0"], &document["time"]["modified"]),
            (&json!("2025-01-01T00:00:00.000Z"), &json!("2025-01-01T01:00:00.000Z"))
        );
    }
    let short = nobody.clone().with("accept", "application/vnd.npm.install-v1+json").get(AT).await.expect(200).json();
    assert_eq!(short["modified"], "2025-01-01T01:00:00.000Z");
    drop(nobody.get("/npm/@jsr/acme__maths/-/acme__maths-1.1.0.tgz").await.expect(200));
    assert_eq!(nobody.get(&format!("{AT}/^1.0.0")).await.expect(200).json()["version"], "1.0.0");
    assert_eq!(nobody.get(&format!("{AT}/~1.1")).await.expect(200).json()["version"], "1.1.0", "where there is nothing else");
    yank(&author, "1.0.0", true).await;
    registry.drain().await;
    let document = nobody.get(AT).await.expect(200).json();
    assert_eq!(document["dist-tags"], json!({}));
    drop(nobody.get(&format!("{AT}/latest")).await.expect(404));
    yank(&author, "1.1.0", false).await;
    registry.drain().await;
    let manifest = nobody.get(&format!("{AT}/latest")).await.expect(200).json();
    assert_eq!((&manifest["version"], &manifest["deprecated"]), (&json!("1.1.0"), &Value::Null));
}

#[tokio::test]
async fn a_range_follows_what_is_published() {
    let (registry, author) = published(&["1.0.0"]).await;
    let nobody = registry.anonymous();
    let first = nobody.get(&format!("{AT}/^1")).await.expect(200);
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.1.0")).await;
    let held = nobody.with("if-none-match", first.header("etag"));
    let second = held.get(&format!("{AT}/^1")).await.expect(200);
    assert_eq!(second.json()["version"], "1.1.0");
    drop(held.get(&format!("{AT}/1.0.0")).await.expect(304));
    registry.drain().await;
}
