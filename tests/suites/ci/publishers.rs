//! Whom a package trusts: adding, listing, removing, and packages that wait for their first version.

use serde_json::{Value, json};
use slipway_tests::PackageBuilder;

use crate::bench::{Bench, PUBLISHERS, small};

fn widgets() -> Value {
    json!({ "issuer": "github", "repository": "acme/widgets", "repositoryId": "1" })
}

fn with(changes: Value) -> Value {
    let mut body = widgets();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn admins_decide_and_members_look() {
    let bench = Bench::of("github").await;
    let added = bench.author.post(PUBLISHERS, with(json!({ "environment": "release" }))).await.expect(200).json();
    assert_eq!((&added["issuer"], &added["environment"], &added["ref"]), (&json!(bench.issuer.url()), &json!("release"), &json!(null)));
    assert_eq!(bench.author.get(PUBLISHERS).await.expect(200).json(), json!([added]));
    let again = bench.author.post(PUBLISHERS, with(json!({ "environment": "release", "repository": "acme/renamed" }))).await;
    assert_eq!(again.refusal(), "409 publisherAlreadyExists");

    let stranger = bench.registry.person("eve").await;
    let one = format!("{PUBLISHERS}/{}", added["id"].as_str().unwrap());
    for (client, refusal) in [(&stranger, "403 actorNotScopeMember"), (&bench.registry.anonymous(), "401 missingAuthentication")] {
        assert_eq!(client.get(PUBLISHERS).await.refusal(), refusal);
        assert_eq!(client.post(PUBLISHERS, widgets()).await.refusal(), refusal);
        assert_eq!(client.delete(&one).await.refusal(), refusal);
    }
    bench.registry.database().execute("UPDATE scope_members SET is_admin = FALSE").await;
    assert_eq!(bench.author.get(PUBLISHERS).await.status, 200);
    assert_eq!(bench.author.post(PUBLISHERS, widgets()).await.refusal(), "403 actorNotScopeAdmin");
    assert_eq!(bench.author.delete(&one).await.refusal(), "403 actorNotScopeAdmin");
    bench.registry.database().execute("UPDATE scope_members SET is_admin = TRUE").await;

    // Of another package it is none.
    drop(bench.author.post("/api/scopes/acme/packages", json!({ "package": "other" })).await.expect(200));
    let elsewhere = one.replace("/maths/", "/other/");
    assert_eq!(bench.author.delete(&elsewhere).await.refusal(), "404 publisherNotFound");
    drop(bench.author.delete(&one).await.expect(204));
    assert_eq!(bench.author.delete(&one).await.refusal(), "404 publisherNotFound");
    assert_eq!(bench.author.get(PUBLISHERS).await.expect(200).json(), json!([]));
    bench.registry.drain().await;
}

#[tokio::test]
async fn what_cannot_be_demanded_is_refused() {
    let bench = Bench::of("github").await;
    for (changes, word) in [
        (json!({ "issuer": "gitlab" }), "`gitlab` is no CI issuer"),
        (json!({ "issuer": "https://token.actions.githubusercontent.com.evil.example" }), "is no CI issuer"),
        (json!({ "repositoryId": "acme/widgets" }), "number"),
        (json!({ "repositoryId": "" }), "1 to 512 bytes"),
        (json!({ "repository": "widgets" }), "`OWNER/REPO`"),
        (json!({ "workflow": ".github/workflows/publish.yml" }), "the name of its file alone"),
        (json!({ "workflow": "publish" }), "`publish.yml`"),
        (json!({ "ref": "main" }), "`refs/heads/main`"),
        (json!({ "environment": "a\nb" }), "on one line"),
        (json!({ "ref": format!("refs/heads/{}", "a".repeat(512)) }), "1 to 512 bytes"),
    ] {
        let answer = bench.author.post(PUBLISHERS, with(changes.clone())).await;
        assert_eq!(answer.refusal(), "400 malformedRequest", "{changes}");
        assert!(answer.json()["message"].as_str().unwrap().contains(word), "{changes}: {}", answer.text());
    }
    for number in 0..20 {
        drop(bench.author.post(PUBLISHERS, with(json!({ "environment": format!("e{number}") }))).await.expect(200));
    }
    assert_eq!(bench.author.post(PUBLISHERS, widgets()).await.refusal(), "400 malformedRequest");
    bench.registry.drain().await;
}

#[tokio::test]
async fn the_first_version_needs_no_token() {
    let bench = Bench::of("github").await;
    let nobody = bench.registry.anonymous();
    let awaited = "/api/scopes/acme/packages/awaited";
    assert_eq!(nobody.get(awaited).await.refusal(), "404 packageNotFound");
    drop(bench.author.post(&format!("{awaited}/publishers"), widgets()).await.expect(200));
    // It is there for the client that asks, and in no list.
    assert_eq!(nobody.get(awaited).await.expect(200).json()["versionCount"], 0);
    let names = async |client: &slipway_tests::Client, path: &str| -> Vec<String> {
        let list = client.get(path).await.expect(200).json();
        assert_eq!(list["items"].as_array().map(Vec::len), list["total"].as_u64().and_then(|total| total.try_into().ok()));
        list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&nobody, "/api/scopes/acme/packages").await, ["maths"]);
    assert_eq!(names(&nobody, "/api/packages?query=awaited").await, [""; 0]);
    assert_eq!(names(&bench.author, "/api/scopes/acme/packages").await, ["awaited", "maths"]);
    let package = PackageBuilder::small("@acme/awaited", "1.0.0");
    assert_eq!(bench.job(&bench.claims(&[&package])).publish_through(&package).await["status"], "success");
    bench.registry.drain().await;
    assert_eq!(names(&nobody, "/api/scopes/acme/packages").await, ["awaited", "maths"]);
    assert_eq!(names(&nobody, "/api/packages?query=awaited").await, ["awaited"]);
}

#[tokio::test]
async fn a_pending_package_counts_as_one() {
    let bench = Bench::of("github").await;
    bench.registry.database().execute("UPDATE scopes SET package_limit = 1").await;
    let refused = bench.author.post("/api/scopes/acme/packages/awaited/publishers", widgets()).await;
    assert_eq!(refused.refusal(), "400 packageLimitExceeded");
    assert_eq!(bench.registry.anonymous().get("/api/scopes/acme/packages/awaited").await.status, 404);
    let alike = bench.author.post("/api/scopes/acme/packages/ma-ths/publishers", widgets()).await;
    assert_eq!(alike.refusal(), "409 packageAlreadyExists");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_package_takes_its_publishers_along() {
    let bench = Bench::of("github").await;
    drop(bench.author.post(PUBLISHERS, widgets()).await.expect(200));
    drop(bench.author.delete("/api/scopes/acme/packages/maths").await.expect(204));
    drop(bench.author.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    assert_eq!(bench.author.get(PUBLISHERS).await.expect(200).json(), json!([]));
    bench.registry.drain().await;
}

#[tokio::test]
async fn the_repository_of_jsr_is_a_publisher() {
    let bench = Bench::of("github").await;
    let package = "/api/scopes/acme/packages/maths";
    let link = json!({ "githubRepository": { "owner": "acme", "name": "widgets", "id": 1 } });
    let linked = bench.author.patch(package, link.clone()).await.expect(200).json();
    assert_eq!((&linked["githubRepository"]["name"], &linked["githubRepository"]["id"]), (&json!("widgets"), &json!(1)));
    drop(bench.author.patch(package, link).await.expect(200));
    assert_eq!(bench.author.get(PUBLISHERS).await.expect(200).json().as_array().map(Vec::len), Some(1));
    assert_eq!(bench.job(&bench.claims(&[&small("1.0.0")])).publish_through(&small("1.0.0")).await["status"], "success");
    // One that somebody made by hand is not touched by it.
    drop(bench.author.post(PUBLISHERS, with(json!({ "environment": "release" }))).await.expect(200));
    let moved = json!({ "githubRepository": { "owner": "acme", "name": "gadgets", "id": 2 } });
    drop(bench.author.patch(package, moved).await.expect(200));
    let ids = async || -> Vec<Value> {
        let list = bench.author.get(PUBLISHERS).await.expect(200).json();
        list.as_array().unwrap().iter().map(|one| json!([one["repositoryId"], one["environment"]])).collect()
    };
    assert_eq!(ids().await, [json!(["1", "release"]), json!(["2", null])]);
    let unlinked = bench.author.patch(package, json!({ "githubRepository": null })).await.expect(200).json();
    assert_eq!(unlinked["githubRepository"], json!(null));
    assert_eq!(ids().await, [json!(["1", "release"])]);
    let without = bench.author.patch(package, json!({ "githubRepository": { "owner": "acme", "name": "widgets" } })).await;
    assert_eq!(without.refusal(), "400 malformedRequest");
    bench.registry.drain().await;
}
