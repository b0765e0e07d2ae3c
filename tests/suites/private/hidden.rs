//! Hiding: whoever may not read a private package is answered, to the letter, as if it did not exist.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use slipway_tests::{Answer, Client, PackageBuilder};

use crate::{PACKAGE, browser, registry, restricted};

/// Everything that can be asked about a package, with `{p}` for its name.
fn questions() -> Vec<(Method, &'static str, Value)> {
    let get = |path| (Method::GET, path, Value::Null);
    vec![
        get("/@acme/{p}/meta.json"),
        get("/@acme/{p}/1.0.0_meta.json"),
        get("/@acme/{p}/1.0.0/mod.ts"),
        (Method::HEAD, "/@acme/{p}/1.0.0/mod.ts", Value::Null),
        get("/npm/@jsr/acme__{p}"),
        get("/npm/@jsr/acme__{p}/latest"),
        get("/npm/@jsr/acme__{p}/-/acme__{p}-1.0.0.tgz"),
        get("/npm/-/package/@jsr%2facme__{p}/dist-tags"),
        get("/npm/-/v1/search?text={p}"),
        get("/-/npm/v1/attestations/@jsr/acme__{p}@1.0.0"),
        get("/api/packages?query={p}"),
        get("/api/scopes/acme/packages"),
        get("/api/scopes/acme/packages/{p}"),
        get("/api/scopes/acme/packages/{p}/dist-tags"),
        get("/api/scopes/acme/packages/{p}/publishing_tasks"),
        get("/api/scopes/acme/packages/{p}/publishers"),
        get("/api/scopes/acme/packages/{p}/versions"),
        get("/api/scopes/acme/packages/{p}/versions/latest"),
        get("/api/scopes/acme/packages/{p}/versions/1.0.0"),
        get("/api/scopes/acme/packages/{p}/versions/1.0.0/dependencies"),
        get("/api/scopes/acme/packages/{p}/versions/1.0.0/provenance"),
        get("/api/scopes/acme/packages/{p}/versions/1.0.0/tarball"),
        (Method::PATCH, "/api/scopes/acme/packages/{p}", json!({ "description": "mine" })),
        (Method::PATCH, "/api/scopes/acme/packages/{p}", json!({ "visibility": "public" })),
        (Method::PATCH, "/api/scopes/acme/packages/{p}/versions/1.0.0", json!({ "yanked": true })),
        (Method::PUT, "/api/scopes/acme/packages/{p}/dist-tags/next", json!({ "version": "1.0.0" })),
        (Method::POST, "/api/scopes/acme/packages/{p}/transfer", json!({ "scope": "other" })),
        (Method::POST, "/api/scopes/acme/packages/{p}/versions/1.0.0/provenance", json!({ "bundle": {} })),
        (Method::DELETE, "/api/scopes/acme/packages/{p}", Value::Null),
        (Method::PUT, "/npm/-/package/@jsr%2facme__{p}/dist-tags/next", json!("1.0.0")),
    ]
}

async fn ask(who: &Client, (method, path, body): &(Method, &'static str, Value), name: &str) -> String {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let answer = who.send(method.clone(), &path.replace("{p}", name), &[("content-type", "application/json")], body).await;
    said(&answer, name)
}

/// All of an answer, with the name that was asked for taken out.
fn said(answer: &Answer, name: &str) -> String {
    let mut headers: Vec<String> = answer.headers.iter().map(|(key, value)| format!("{key}: {value:?}")).collect();
    headers.sort();
    format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.text()).replace(name, "{p}")
}

#[tokio::test]
async fn strangers_are_answered_as_if_it_did_not_exist() {
    let (registry, author) = registry().await;
    registry.catalogue().await;
    let bob = registry.person("bob").await;
    let strangers = [
        registry.anonymous(),
        bob.clone(),
        browser(&registry, &bob).await,
        restricted(&registry, &bob, &["read:*"]).await,
        // Theirs, but made for something else.
        restricted(&registry, &author, &["read:@acme/other"]).await,
        restricted(&registry, &author, &["read:@other/*", "publish:@acme/words"]).await,
    ];
    for (index, who) in strangers.iter().enumerate() {
        for question in questions() {
            let (hidden, missing) = (ask(who, &question, "maths").await, ask(who, &question, "nofun").await);
            assert_eq!(hidden, missing, "{index}: {} {}", question.0, question.1);
        }
        for page in ["/@acme/{p}", "/@acme/{p}@1.0.0", "/@acme/{p}/versions"] {
            let who = who.clone().with("accept", "text/html");
            let (hidden, missing) = (who.get(&page.replace("{p}", "maths")).await, who.get(&page.replace("{p}", "nofun")).await);
            assert_eq!(said(&hidden, "maths"), said(&missing, "nofun"), "{index}: {page}");
        }
    }
    let there = author.get("/api/scopes/acme/packages/maths/versions").await.expect(200).json();
    assert_eq!(there["total"], 1, "and nothing of that changed anything");
}

#[tokio::test]
async fn an_upload_of_a_stranger_is_answered_the_same() {
    let (registry, _author) = registry().await;
    let bob = registry.person("bob").await;
    for who in [registry.anonymous(), bob] {
        let hidden = who.publish(&PackageBuilder::small(PACKAGE, "2.0.0")).await;
        let missing = who.publish(&PackageBuilder::small("@acme/nofun", "2.0.0")).await;
        assert_eq!(said(&hidden, "maths"), said(&missing, "nofun"));
    }
}

#[tokio::test]
async fn a_publish_shows_no_name_to_who_has_its_identifier_alone() {
    let (registry, author) = registry().await;
    let broken = PackageBuilder::small(PACKAGE, "1.1.0").file("mod.ts", "export const a = 1;\nimport \"jsr:@acme/secret@1\";\n");
    let task = author.publish_through(&broken).await;
    assert_eq!(task["status"], "failure");
    let id = task["id"].as_str().unwrap();
    let bob = registry.person("bob").await;
    for who in [registry.anonymous(), bob] {
        for address in ["publish_status", "publishing_tasks"] {
            let seen = who.get(&format!("/api/{address}/{id}")).await.expect(200);
            let text = seen.text();
            assert!(!text.contains("acme") && !text.contains("maths") && !text.contains("secret"), "{text}");
            let seen = seen.json();
            assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("failure"), &json!("unresolvableJsrDependency")));
            assert_eq!((&seen["packageScope"], &seen["findings"], &seen["user"]), (&Value::Null, &json!([]), &Value::Null));
            assert!(seen["error"]["message"].as_str().unwrap().contains("/mod.ts:2"), "its author has to find it: {text}");
        }
        let page = who.with("accept", "text/html").get(&format!("/status/{id}")).await.expect(200).text();
        assert!(!page.contains("acme") && !page.contains("maths"), "{page}");
    }
    let own = author.get(&format!("/api/publish_status/{id}")).await.expect(200).json();
    assert_eq!((&own["packageScope"], &own["packageName"]), (&json!("acme"), &json!("maths")));
    assert!(own["error"]["message"].as_str().unwrap().contains("@acme/secret"));
    let page = browser(&registry, &author).await.with("accept", "text/html").get(&format!("/status/{id}")).await.expect(200).text();
    assert!(page.contains("@acme/maths@1.1.0"), "{page}");
}

#[tokio::test]
async fn nothing_of_it_is_in_the_public_store() {
    let (registry, author) = registry().await;
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "It counts." })).await.expect(200));
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.expect(204));
    registry.drain().await;
    assert_eq!(registry.public_objects().await, Vec::<String>::new());
    insta::assert_snapshot!(registry.private_objects().await.join("\n"));
    let purged = registry.world().await;
    assert!(!purged.contains("purge @acme/maths"), "and no edge was told of it");
}

#[tokio::test]
async fn what_lies_in_the_wrong_store_is_told() {
    let (registry, _author) = registry().await;
    assert_eq!(registry.compare(slipway_worker::reconcile::Repair::Nothing).await, Vec::<String>::new());
    let storage = registry.context().storage.clone();
    let key = slipway_common::storage::StorageKey::PackageMeta(PACKAGE.try_into().unwrap());
    storage.put(&key, Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!(registry.compare(slipway_worker::reconcile::Repair::Nothing).await, ["objectExposed @acme/maths/meta.json"]);
}
