//! Dist-tags, as the API and npm clients show and change them.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

const API: &str = "/api/scopes/acme/packages/maths/dist-tags";
const NPM: &str = "/npm/-/package/@jsr%2facme__maths/dist-tags";

async fn published(versions: &[&str]) -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    for version in versions {
        assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", version)).await["status"], "success");
    }
    registry.drain().await;
    (registry, author)
}

async fn put(client: &Client, path: &str, body: &str) -> Answer {
    client.send(Method::PUT, path, &[("content-type", "application/json")], Bytes::from(body.to_owned())).await
}

/// The tags that readers see, in every place: the API, npm's own address, and both documents.
async fn seen(registry: &TestRegistry) -> Value {
    registry.drain().await;
    let nobody = registry.anonymous();
    let tags = nobody.get(API).await.expect(200).json();
    let shown = nobody.get(NPM).await.expect(200);
    assert_eq!((shown.json(), shown.header("cache-control")), (tags.clone(), "public, max-age=0, no-cache"));
    assert_eq!(nobody.get("/npm/-/package/@jsr/acme__maths/dist-tags").await.expect(200).json(), tags);
    for accept in ["*/*", "application/vnd.npm.install-v1+json"] {
        let document = nobody.clone().with("accept", accept).get("/npm/@jsr/acme__maths").await.expect(200).json();
        assert_eq!(document["dist-tags"], tags, "{accept}");
    }
    tags
}

#[tokio::test]
async fn a_tag_is_set_moved_and_removed() {
    let (registry, author) = published(&["1.0.0", "2.0.0-rc.1"]).await;
    assert_eq!(seen(&registry).await, json!({ "latest": "1.0.0" }));
    drop(put(&author, &format!("{API}/next"), "{\"version\":\"2.0.0-rc.1\"}").await.expect(204));
    assert_eq!(seen(&registry).await, json!({ "latest": "1.0.0", "next": "2.0.0-rc.1" }));
    let manifest = registry.anonymous().get("/npm/@jsr/acme__maths/next").await.expect(200).json();
    assert_eq!(manifest["version"], "2.0.0-rc.1");

    // As npm clients do it, in JSON or bare.
    assert_eq!(put(&author, &format!("{NPM}/lts"), "\"1.0.0\"").await.expect(200).json()["ok"], true);
    drop(put(&author, "/npm/-/package/@jsr/acme__maths/dist-tags/aux", "1.0.0").await.expect(200));
    drop(put(&author, &format!("{NPM}/next"), "\"1.0.0\"").await.expect(200));
    assert_eq!(seen(&registry).await, json!({ "aux": "1.0.0", "latest": "1.0.0", "lts": "1.0.0", "next": "1.0.0" }));
    drop(author.delete(&format!("{NPM}/lts")).await.expect(200));
    drop(author.delete(&format!("{API}/aux")).await.expect(204));
    assert_eq!(seen(&registry).await, json!({ "latest": "1.0.0", "next": "1.0.0" }));

    // Publishing keeps them, and moves none of them.
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.1.0")).await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds." })).await.expect(200));
    assert_eq!(seen(&registry).await, json!({ "latest": "1.1.0", "next": "1.0.0" }));
}

#[tokio::test]
async fn a_tag_never_names_a_yanked_version() {
    let (registry, author) = published(&["1.0.0", "1.1.0"]).await;
    for (tag, version) in [("old", "1.0.0"), ("new", "1.1.0"), ("newer", "1.1.0")] {
        drop(put(&author, &format!("{API}/{tag}"), &json!({ "version": version }).to_string()).await.expect(204));
    }
    let yank = async |yanked: bool| {
        drop(author.patch("/api/scopes/acme/packages/maths/versions/1.1.0", json!({ "yanked": yanked })).await.expect(204))
    };
    yank(true).await;
    assert_eq!(seen(&registry).await, json!({ "latest": "1.0.0", "old": "1.0.0" }));
    assert_eq!(put(&author, &format!("{API}/new"), "{\"version\":\"1.1.0\"}").await.refusal(), "400 packageVersionYanked");
    yank(false).await;
    assert_eq!(seen(&registry).await, json!({ "latest": "1.1.0", "old": "1.0.0" }), "it does not come back by itself");
}

#[tokio::test]
async fn what_is_no_tag() {
    let (registry, author) = published(&["1.0.0"]).await;
    let at = |path: &str, tag: &str| format!("{path}/{tag}");
    for tag in ["latest", "1", "1.0.0", "v1", "x", "1.x", "%5E1.0.0", "%3E1", "a%20b", "%2A", "%C3%BC", "a%00", &"t".repeat(65)] {
        assert_eq!(put(&author, &at(API, tag), "{\"version\":\"1.0.0\"}").await.refusal(), "400 distTagNotAllowed", "{tag}");
        assert_eq!(author.delete(&at(API, tag)).await.refusal(), "400 distTagNotAllowed", "{tag}");
        let answer = put(&author, &at(NPM, tag), "\"1.0.0\"").await;
        assert_eq!((answer.refusal().as_str(), &answer.json()["error"]), ("400 distTagNotAllowed", &answer.json()["message"]), "{tag}");
    }
    let why = put(&author, &at(NPM, "latest"), "\"1.0.0\"").await.json()["error"].clone();
    assert!(why.as_str().unwrap().contains("follows the highest stable version by itself"), "{why}");
    for (body, refusal) in [
        ("\"9.9.9\"", "404 packageVersionNotFound"),
        ("\"1.0.0+a\"", "404 packageVersionNotFound"),
        ("\"^1\"", "400 malformedRequest"),
        ("", "400 malformedRequest"),
        ("{}", "400 malformedRequest"),
        ("\"latest\"", "400 malformedRequest"),
    ] {
        assert_eq!(put(&author, &at(NPM, "next"), body).await.refusal(), refusal, "{body}");
    }
    assert_eq!(put(&author, &at(API, "next"), "{}").await.refusal(), "400 malformedRequest");
    assert_eq!(author.delete(&at(NPM, "next")).await.refusal(), "404 distTagNotFound");
    assert_eq!(registry.anonymous().get("/api/scopes/acme/packages/nope/dist-tags").await.refusal(), "404 packageNotFound");
    assert_eq!(seen(&registry).await, json!({ "latest": "1.0.0" }));
}

#[tokio::test]
async fn who_may_set_a_tag() {
    let (registry, author) = published(&["1.0.0"]).await;
    let stranger = registry.person("stranger").await;
    let nobody = registry.anonymous();
    for (client, refusal) in [
        (&nobody, "401 missingAuthentication"),
        (&nobody.clone().bearer("jsrp_nonsense"), "401 invalidBearerToken"),
        (&stranger, "403 actorNotScopeMember"),
    ] {
        for path in [API, NPM] {
            assert_eq!(
                put(client, &format!("{path}/next"), "{\"version\":\"1.0.0\"}").await.status,
                refusal[..3].parse::<u16>().unwrap(),
                "{path} {refusal}"
            );
            let answer = client.delete(&format!("{path}/next")).await;
            assert_eq!(answer.refusal(), refusal, "{path}");
            assert_eq!(answer.header("www-authenticate"), if refusal.starts_with("401") { "Bearer" } else { "" });
        }
        assert_eq!(
            client.delete(&format!("{NPM}/next")).await.json()["error"],
            client.delete(&format!("{NPM}/next")).await.json()["message"]
        );
    }
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "isArchived": true })).await.expect(200));
    assert_eq!(put(&author, &format!("{NPM}/next"), "\"1.0.0\"").await.refusal(), "400 packageArchived");
    registry.drain().await;
}

#[tokio::test]
async fn a_package_has_so_many_tags_and_no_more() {
    let (registry, author) = published(&["1.0.0"]).await;
    for number in 0..100 {
        drop(put(&author, &format!("{API}/t{number}"), "{\"version\":\"1.0.0\"}").await.expect(204));
    }
    assert_eq!(put(&author, &format!("{API}/more"), "{\"version\":\"1.0.0\"}").await.refusal(), "400 distTagLimitExceeded");
    drop(put(&author, &format!("{API}/t7"), "{\"version\":\"1.0.0\"}").await.expect(204));
    drop(author.delete(&format!("{API}/t7")).await.expect(204));
    drop(put(&author, &format!("{API}/more"), "{\"version\":\"1.0.0\"}").await.expect(204));
    assert_eq!(seen(&registry).await.as_object().unwrap().len(), 101);
}
