//! Whom packages trust, and which job published a version, outlive the database.

use serde_json::{Value, json};
use slipway_common::db::Db;
use slipway_common::model::token::TokenKind;
use slipway_common::storage::StorageKey;
use slipway_tests::{PackageBuilder, TestDatabase};
use slipway_worker::rebuild;
use slipway_worker::reconcile::Repair;

use crate::bench::{Bench, PUBLISHERS, small};

const NOTHING: [&str; 0] = [];

fn trusted(package: &str) -> StorageKey {
    StorageKey::PublishersRecord(package.try_into().unwrap())
}

impl Bench {
    /// Has every job done that is due, and then has the database made anew. Returns what was left out, and in what the new one differs.
    pub(crate) async fn lose_the_database(&mut self) -> (Vec<String>, Vec<String>) {
        self.registry.drain().await;
        let database = TestDatabase::fresh().await;
        let mut context = self.registry.context().clone();
        context.db = Db::open(database.url(), None, context.clock.clone()).await.unwrap();
        context.db.migrate().await.unwrap();
        let rebuilt = rebuild::run(&context).await.unwrap();
        let mut difference = Vec::new();
        rebuild::compare(&self.registry.context().db, &context.db, |line| difference.push(line)).await.unwrap();
        context.db.close().await;
        self.registry.move_to(database).await;
        (rebuilt.left_out, difference)
    }

    async fn remembered(&self, package: &str) -> Option<Value> {
        let seen = self.registry.context().storage.look(&trusted(package)).await.unwrap();
        seen.bytes.map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }
}

#[tokio::test]
async fn a_new_database_trusts_whom_the_old_one_did() {
    let mut bench = Bench::start().await;
    let awaited = json!({ "issuer": "github", "repository": "acme/widgets", "repositoryId": "1", "environment": "release" });
    drop(bench.author.post("/api/scopes/acme/packages/awaited/publishers", awaited).await.expect(200));
    assert_eq!(bench.job(&bench.claims(&[&small("1.0.0")])).publish_through(&small("1.0.0")).await["status"], "success");
    let before = bench.author.get(PUBLISHERS).await.expect(200).json();
    let page = "/api/scopes/acme/packages/maths/versions/1.0.0";
    let published = bench.registry.anonymous().get(page).await.expect(200).json();

    let (left_out, difference) = bench.lose_the_database().await;
    assert_eq!(left_out, NOTHING);
    assert_eq!(difference, NOTHING);
    assert_eq!(bench.registry.compare(Repair::Nothing).await, NOTHING);
    let user = bench.registry.context().db.read().await.unwrap().user_by_login("acme-author").await.unwrap().unwrap();
    let token = bench.registry.token(user.id, TokenKind::Personal, None, None).await;
    bench.author = bench.registry.anonymous().bearer(&token);
    assert_eq!(bench.author.get(PUBLISHERS).await.expect(200).json(), before);
    assert_eq!(bench.registry.anonymous().get(page).await.expect(200).json(), published);

    let next = small("1.1.0");
    let claims = bench.claims_with(&[&next], json!({ "jti": "token-2" }));
    assert_eq!(bench.job(&claims).publish_through(&next).await["status"], "success");
    let first = PackageBuilder::small("@acme/awaited", "1.0.0");
    let claims = bench.claims_with(&[&first], json!({ "jti": "token-3", "environment": "release" }));
    assert_eq!(bench.job(&claims).publish_through(&first).await["status"], "success");
    bench.registry.drain().await;
    assert_eq!(bench.registry.compare(Repair::Nothing).await, NOTHING);
}

#[tokio::test]
async fn trust_that_was_taken_back_stays_so() {
    let mut bench = Bench::start().await;
    let id = bench.author.get(PUBLISHERS).await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
    bench.registry.drain().await;
    assert_eq!(bench.remembered("@acme/maths").await.unwrap()["publishers"][0]["id"], json!(id));
    drop(bench.author.delete(&format!("{PUBLISHERS}/{id}")).await.expect(204));
    bench.registry.drain().await;
    assert_eq!(bench.remembered("@acme/maths").await.unwrap()["publishers"], json!([]));
    let (left_out, difference) = bench.lose_the_database().await;
    assert_eq!((left_out, difference), (Vec::new(), Vec::new()));
    let package = small("1.0.0");
    assert_eq!(bench.job(&bench.claims(&[&package])).publish(&package).await.refusal(), "403 actorNotAuthorized");
}

#[tokio::test]
async fn a_package_that_took_the_place_of_another_trusts_nobody() {
    let mut bench = Bench::start().await;
    bench.registry.drain().await;
    let key = trusted("@acme/maths");
    let storage = bench.registry.context().storage.clone();
    let old = storage.get(&key).await.unwrap();
    drop(bench.author.delete("/api/scopes/acme/packages/maths").await.expect(204));
    bench.registry.drain().await;
    assert_eq!(bench.remembered("@acme/maths").await, None, "it goes with its package");
    bench.registry.advance(chrono::TimeDelta::seconds(1));
    drop(bench.author.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    bench.registry.drain().await;
    // As a worker may leave it that was cut off.
    storage.put(&key, old).await.unwrap();
    let (left_out, difference) = bench.lose_the_database().await;
    assert_eq!(left_out, ["whom @acme/maths trusts in CI: the package that was told is not there, or has no record"]);
    assert_eq!(difference, NOTHING);
    let package = small("1.0.0");
    assert_eq!(bench.job(&bench.claims(&[&package])).publish(&package).await.refusal(), "403 actorNotAuthorized");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_record_that_is_lost_is_written_again() {
    let bench = Bench::start().await;
    bench.registry.drain().await;
    let storage = &bench.registry.context().storage;
    let before = bench.remembered("@acme/maths").await;
    storage.delete(&trusted("@acme/maths")).await.unwrap();
    assert_eq!(bench.registry.compare(Repair::Nothing).await, ["documentMissing registry/publishers/acme/maths.json"]);
    bench.registry.reconcile().await;
    assert_eq!(bench.remembered("@acme/maths").await, before);
    let nobodys = trusted("@acme/none");
    storage.put(&nobodys, bytes::Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!(bench.registry.compare(Repair::Nothing).await, ["objectWithoutRow registry/publishers/acme/none.json"]);
}
