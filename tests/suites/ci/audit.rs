//! What jobs do is written down with what their tokens say of them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::bench::small;
use crate::provenance::Published;

/// The log of the scope, oldest first.
async fn log(published: &Published) -> Vec<Value> {
    let page = published.bench.author.get("/api/scopes/acme/audit?package=maths").await.expect(200).json();
    page["items"].as_array().unwrap().iter().rev().cloned().collect()
}

#[tokio::test]
async fn a_job_stands_in_the_log_with_its_repository_workflow_and_ref() {
    let published = Published::start().await;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    drop(published.send(&bundle).await.expect(204));
    let next = small("2.0.0");
    let mut claims = published.bench.claims(&[&next]);
    claims["repository"] = json!("mallory/widgets");
    claims["repository_id"] = json!("666");
    assert_eq!(published.bench.job(&claims).publish(&next).await.refusal(), "403 actorNotAuthorized");
    published.bench.registry.drain().await;
    let acts = log(&published).await;
    let told: Vec<_> = acts.iter().filter(|act| act["actor"]["kind"] == "ci").collect();
    let names: Vec<_> = told.iter().map(|act| (act["act"].as_str().unwrap(), act["actor"]["name"].as_str().unwrap())).collect();
    let expected = [("publish.accept", "acme/widgets"), ("provenance.add", "acme/widgets"), ("publish.refuse", "mallory/widgets")];
    assert_eq!(names, expected);
    let credential = &told[0]["credential"];
    assert_eq!((&credential["kind"], &credential["repositoryId"]), (&json!("ci"), &json!("1")));
    assert_eq!((&credential["workflow"], &credential["ref"]), (&json!("publish.yml"), &json!("refs/heads/main")));
    assert!(credential["issuer"].as_str().is_some_and(|issuer| issuer.starts_with("http")), "{credential}");
    assert_eq!((&told[2]["reason"], &told[2]["credential"]["repositoryId"]), (&json!("actorNotAuthorized"), &json!("666")));
    assert!(!serde_json::to_string(&acts).unwrap().contains("eyJ"), "no token is in it");
}

#[tokio::test]
async fn what_the_registry_does_later_is_its_own() {
    let published = Published::start().await;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    published.sigstore.go_down(true);
    drop(published.send(&bundle).await.expect(202));
    published.bench.registry.drain().await;
    published.sigstore.go_down(false);
    published.bench.registry.advance(TimeDelta::minutes(2));
    published.bench.registry.drain().await;
    let acts = log(&published).await;
    let told: Vec<_> = acts.iter().rev().take(2).map(|act| format!("{} {}", act["actor"]["kind"], act["act"])).collect();
    assert_eq!(told, [r#""registry" "provenance.add""#, r#""ci" "provenance.wait""#]);
}

#[tokio::test]
async fn a_repository_hands_in_so_much_within_an_hour() {
    let sigstore = slipway_tests::sigstore::Sigstore::start();
    let settings = [&sigstore.settings()[..], &[("rates.provenance", "1".to_owned())]].concat();
    let published = Published::configured(sigstore, &settings).await;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    assert_eq!(published.send(&json!({})).await.refusal(), "400 provenanceBundleInvalid", "what is tried is counted");
    let limited = published.send(&bundle).await;
    assert_eq!((limited.refusal().as_str(), limited.header("retry-after")), ("429 tooManyRequests", "3601"));
    published.bench.registry.advance(TimeDelta::hours(1));
    drop(published.bench.author.post(crate::provenance::PROVENANCE, json!({ "bundle": bundle })).await.expect(204));
    published.bench.registry.drain().await;
}
