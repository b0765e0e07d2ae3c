//! Searching, as npm clients do it.

use serde_json::{Value, json};
use slipway_tests::{PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

async fn names(registry: &TestRegistry, query: &str) -> Vec<String> {
    let document = registry.anonymous().get(&format!("/npm/-/v1/search?{query}")).await.expect(200).json();
    let objects = document["objects"].as_array().unwrap();
    assert!(objects.len() as u64 <= document["total"].as_u64().unwrap() && document["time"].is_string());
    objects.iter().map(|object| object["package"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_published_is_found() {
    let registry = TestRegistry::start().await;
    assert_eq!(names(&registry, "text=maths").await, [""; 0], "before there is a catalogue");
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "words" })).await.expect(200));
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Adds numbers" })).await.expect(200));
    let package = PackageBuilder::small("@acme/maths", "1.0.0").key("npm", json!({ "keywords": ["sum", "Add"] }));
    assert_eq!(author.publish_through(&package).await["status"], "success");
    registry.catalogue().await;
    assert_eq!(names(&registry, "text=maths").await, ["@jsr/acme__maths"]);
    assert_eq!(names(&registry, "text=add%20NUMBERS").await, ["@jsr/acme__maths"]);
    assert_eq!(names(&registry, "text=keywords:add").await, ["@jsr/acme__maths"]);
    assert_eq!(names(&registry, "text=words").await, [""; 0], "nobody can install it");
    let answer = registry.anonymous().get("/npm/-/v1/search?text=%40acme%2Fmaths&size=20&from=0&quality=0.65").await.expect(200);
    let found = &answer.json()["objects"][0];
    assert_eq!(
        found["package"],
        json!({
            "name": "@jsr/acme__maths", "scope": "jsr", "version": "1.0.0", "description": "Adds numbers", "keywords": ["sum", "Add"],
            "date": "2025-01-01T00:00:00.000Z", "license": "MIT", "links": { "homepage": "http://registry.test/@acme/maths" },
            "maintainers": [],
        })
    );
    assert!(found["searchScore"].is_number() && found["score"]["detail"]["popularity"].is_number());
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "public, max-age=60, s-maxage=60"));
    let again = registry.anonymous().with("if-none-match", answer.header("etag"));
    drop(again.get("/npm/-/v1/search?text=%40acme%2Fmaths&size=20&from=0&quality=0.65").await.expect(304));

    author.publish_through(&PackageBuilder::small("@acme/words", "0.1.0")).await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.1.0")).await;
    drop(author.patch("/api/scopes/acme/packages/words", json!({ "isArchived": true })).await.expect(200));
    registry.catalogue().await;
    assert_eq!(names(&registry, "text=acme").await, ["@jsr/acme__maths"], "what is archived is not shown");
    let found = registry.anonymous().get("/npm/-/v1/search?text=acme").await.expect(200).json();
    assert_eq!((&found["total"], &found["objects"][0]["package"]["version"]), (&json!(1), &json!("1.1.0")));
    drop(author.patch("/api/scopes/acme/packages/words", json!({ "isArchived": false })).await.expect(200));
    for version in ["1.0.0", "1.1.0"] {
        drop(author.patch(&format!("/api/scopes/acme/packages/maths/versions/{version}"), json!({ "yanked": true })).await.expect(204));
    }
    registry.catalogue().await;
    assert_eq!(names(&registry, "text=acme").await, ["@jsr/acme__words"]);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0], "the catalogue is a stranger to nobody");
}

#[tokio::test]
async fn a_catalogue_that_cannot_be_read_is_written_anew() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    let key = slipway_common::storage::StorageKey::Catalogue;
    registry.context().storage.put(&key, bytes::Bytes::from_static(b"{ not")).await.unwrap();
    assert_eq!(names(&registry, "text=maths").await, [""; 0]);
    registry.catalogue().await;
    assert_eq!(names(&registry, "text=maths").await, ["@jsr/acme__maths"]);
}

#[tokio::test]
async fn whoever_does_not_say_what_for_is_told_so() {
    let registry = TestRegistry::start().await;
    for query in ["", "?", "?text=", "?size=3", &format!("?text={}", "a".repeat(1_000))] {
        let answer = registry.anonymous().get(&format!("/npm/-/v1/search{query}")).await.expect(400);
        assert!(answer.json()["error"].as_str().unwrap().contains("`text`"), "{query}");
        assert_eq!(answer.json()["error"], answer.json()["message"]);
    }
    assert_eq!(registry.anonymous().head("/npm/-/v1/search?text=x").await.expect(200).json(), Value::Null);
}
