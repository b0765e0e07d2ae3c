//! A token that is shown again: each permission in it publishes once, however many ask at once.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::PackageBuilder;

use crate::bench::{Bench, PUBLISHERS, small};

/// A version that has a mistake in it.
fn broken(version: &str) -> PackageBuilder {
    small(version).file("mod.ts", "export const x: number = require('y');\ndeclare global { interface Window { a: number } }\n")
}

#[tokio::test]
async fn a_permission_publishes_once() {
    let bench = Bench::start().await;
    let package = broken("1.0.0");
    let job = bench.job(&bench.claims(&[&package]));
    assert_eq!(job.publish_through(&package).await["status"], "failure");
    // The version is free again, and the token is not good for it any more, until it is void by itself.
    for wait in [0, 359] {
        bench.registry.advance(TimeDelta::seconds(wait));
        let answer = job.publish(&package).await;
        assert_eq!(answer.refusal(), "403 oidcTokenUsed");
        assert!(answer.json()["message"].as_str().unwrap().contains("@acme/maths@1.0.0"));
    }
    assert_eq!(bench.registry.private_objects().await.len(), 1, "what was refused is not kept");
    bench.registry.advance(TimeDelta::seconds(1));
    assert_eq!(job.publish(&package).await.refusal(), "401 invalidOidcToken");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_version_that_exists_is_a_duplicate_and_no_replay() {
    let bench = Bench::start().await;
    let package = small("1.0.0");
    let job = bench.job(&bench.claims(&[&package]));
    assert_eq!(job.publish_through(&package).await["status"], "success");
    let again = job.publish(&package).await;
    assert_eq!(again.refusal(), "400 duplicateVersionPublish");
    assert_eq!(again.json()["task"]["ci"]["repository"], "acme/widgets");
    bench.registry.drain().await;
}

#[tokio::test]
async fn one_token_serves_sixteen_packages() {
    let bench = Bench::start().await;
    let names: Vec<String> = (0..16).map(|number| format!("part{number}")).collect();
    let mut packages = Vec::new();
    for name in &names {
        let trusted = json!({ "issuer": "github", "repository": "acme/widgets", "repositoryId": "1" });
        drop(bench.author.post(&format!("/api/scopes/acme/packages/{name}/publishers"), trusted).await.expect(200));
        packages.push(PackageBuilder::small(&format!("@acme/{name}"), "1.0.0"));
    }
    let job = bench.job(&bench.claims(&packages.iter().collect::<Vec<_>>()));
    for (name, package) in names.iter().zip(&packages) {
        drop(job.get(&format!("/api/scopes/acme/packages/{name}")).await.expect(200));
        assert_eq!(job.publish_through(package).await["status"], "success");
    }
    bench.registry.drain().await;
}

#[tokio::test]
async fn of_many_at_once_one_publishes() {
    let bench = Bench::start().await;
    let package = broken("1.0.0");
    let token = bench.issuer.sign(&bench.claims(&[&package]));
    let tries = (0..8).map(|_| {
        let job = bench.shows(&token);
        let package = &package;
        async move { job.publish(package).await }
    });
    let answers = futures::future::join_all(tries).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1, "{:?}", answers.iter().map(|answer| answer.text().to_owned()).collect::<Vec<_>>());
    bench.registry.drain().await;
    assert_eq!(bench.shows(&token).publish(&package).await.refusal(), "403 oidcTokenUsed");
}

#[tokio::test]
async fn a_token_of_another_issuer_is_another_token() {
    let bench = Bench::start().await;
    let package = broken("1.0.0");
    assert_eq!(bench.job(&bench.claims(&[&package])).publish_through(&package).await["status"], "failure");
    let fresh = bench.job(&bench.claims_with(&[&package], json!({ "jti": "token-2" })));
    assert_eq!(fresh.publish_through(&package).await["status"], "failure", "another token may try");
    bench.registry.drain().await;
}

#[tokio::test]
async fn without_a_name_a_token_is_known_by_what_was_signed() {
    let bench = Bench::of("generic").await;
    let trusted = json!({ "issuer": "generic", "repository": "acme/widgets", "repositoryId": "1" });
    drop(bench.author.post(PUBLISHERS, trusted).await.expect(200));
    let package = broken("1.0.0");
    let claims: Value = bench.claims_with(&[&package], json!({ "jti": null }));
    let (one, two) = (bench.issuer.sign(&claims), bench.issuer.sign(&claims));
    assert_ne!(one, two, "signatures on a curve differ each time");
    assert_eq!(bench.shows(&one).publish_through(&package).await["status"], "failure");
    assert_eq!(bench.shows(&two).publish(&package).await.refusal(), "403 oidcTokenUsed");
    bench.registry.drain().await;
}
