//! What staff keeps from everybody: neither listed nor served, and not a byte of it lost.

use serde_json::{Value, json};
use slipway_common::db::Db;
use slipway_common::ids::{PackageName, Version};
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, Settings, TestDatabase, TestRegistry, Work};
use slipway_worker::rebuild;
use slipway_worker::reconcile::Repair;

use crate::company::{Person, join, owner, person};
use crate::staff::staff;

const PACKAGE: &str = "/api/scopes/acme/packages/maths";
const HELD: &str = "/api/admin/scopes/acme/packages/maths/versions/1.1.0/quarantine";
/// What is served of the version.
const FILES: [&str; 3] = ["/@acme/maths/1.1.0_meta.json", "/@acme/maths/1.1.0/mod.ts", "/npm/@jsr/acme__maths/-/acme__maths-1.1.0.tgz"];

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

/// A registry in which nobody works until the test says so, with a package of two versions, whoever publishes it, and staff.
async fn furnished(visibility: &str) -> (TestRegistry, Person, Person) {
    let registry = TestRegistry::with(Settings { work: Work::Never, ..Settings::default() }).await;
    let (ada, root) = (owner(&registry, "ada", "acme").await, staff(&registry).await);
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths", "visibility": visibility })).await.expect(200));
    for version in ["1.0.0", "1.1.0"] {
        registry.accept(&ada.client, &small(version)).await;
        registry.drain().await;
    }
    (registry, ada, root)
}

/// What is wrong, but for the record of who became staff behind the registry's back.
async fn problems(registry: &TestRegistry, repair: Repair) -> Vec<String> {
    registry.compare(repair).await.into_iter().filter(|problem| !problem.contains(" registry/users/")).collect()
}

async fn hold(root: &Person) -> Value {
    root.client.put(HELD, json!({ "reason": "It steals tokens." })).await.expect(200).json()
}

/// The documents of the package say another generation each time; what does not change is the rest.
async fn fixed(registry: &TestRegistry) -> Vec<String> {
    let is_document = |line: &str| ["/meta.json ", "/index.json ", "/abbreviated.json "].iter().any(|name| line.contains(name));
    registry.public_objects().await.into_iter().filter(|line| !is_document(line)).collect()
}

async fn listed(client: &Client) -> (Vec<String>, Value) {
    let meta = client.get("/@acme/maths/meta.json").await.expect(200).json();
    let npm = client.get("/npm/@jsr/acme__maths").await.expect(200).json();
    let versions = |document: &Value| document["versions"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut of_npm = versions(&npm);
    of_npm.sort();
    let mut of_meta = versions(&meta);
    of_meta.sort();
    assert_eq!(of_meta, of_npm);
    assert_eq!(meta["latest"].as_str(), npm["dist-tags"]["latest"].as_str());
    (of_meta, npm["dist-tags"].clone())
}

#[tokio::test]
async fn a_version_is_kept_from_everybody_and_comes_back_as_it_was() {
    let (registry, ada, root) = furnished("public").await;
    let nobody = registry.anonymous();
    drop(ada.client.put(&format!("{PACKAGE}/dist-tags/next"), json!({ "version": "1.1.0" })).await.expect(204));
    registry.drain().await;
    let before = fixed(&registry).await;
    let mut bytes = Vec::new();
    for path in FILES {
        bytes.push(nobody.get(path).await.expect(200).body);
    }
    drop(registry.world().await);

    let held = hold(&root).await;
    assert_eq!((&held["state"], &held["reason"], &held["version"]), (&json!("held"), &json!("It steals tokens."), &json!("1.1.0")));
    registry.drain().await;
    assert_eq!(listed(&nobody).await, (vec!["1.0.0".to_owned()], json!({ "latest": "1.0.0" })));
    assert_eq!(nobody.get(&format!("{PACKAGE}/dist-tags")).await.expect(200).json(), json!({ "latest": "1.0.0" }));
    assert!(registry.public_objects().await.iter().all(|line| !line.contains("1.1.0")));
    let purges = registry.world().await.matches("package:@acme/maths").count();
    assert_eq!(purges, 3, "the edge forgets the documents, what is attested, and the files, which it would keep for a year");
    for path in FILES {
        drop(nobody.get(path).await.expect(404));
        drop(ada.client.get(path).await.expect(404));
    }
    for client in [&nobody, &ada.client] {
        let answer = client.get(&format!("{PACKAGE}/versions/1.1.0")).await;
        assert_eq!(answer.refusal(), "404 packageVersionQuarantined");
        assert!(answer.text().contains("@acme/maths@1.1.0 is kept from everybody by the staff of this registry: It steals tokens."));
        for what in ["dependencies", "tarball", "provenance"] {
            assert_eq!(client.get(&format!("{PACKAGE}/versions/1.1.0/{what}")).await.refusal(), "404 packageVersionQuarantined", "{what}");
        }
        let page = client.get(&format!("{PACKAGE}/versions")).await.expect(200).json();
        assert_eq!(page["total"], 1);
        assert_eq!(client.get(&format!("{PACKAGE}/versions/latest")).await.expect(200).json()["version"], "1.0.0");
    }
    // Whoever judges it can look at it.
    for (path, bytes) in FILES.iter().zip(&bytes) {
        let answer = root.client.get(path).await.expect(200);
        assert_eq!((&answer.body, answer.header("cache-control")), (bytes, "private, no-store"), "{path}");
    }
    let tarball = root.client.get(&format!("{PACKAGE}/versions/1.1.0/tarball")).await.expect(200);
    assert_eq!(tarball.header("cache-control"), "private, no-store");
    // The number stays taken, and no tag leads to it.
    assert_eq!(ada.client.publish(&small("1.1.0")).await.refusal(), "400 duplicateVersionPublish");
    let tag = ada.client.put(&format!("{PACKAGE}/dist-tags/beta"), json!({ "version": "1.1.0" })).await;
    assert_eq!(tag.refusal(), "404 packageVersionQuarantined");
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);

    let released = root.client.delete(HELD).await.expect(200).json();
    assert_eq!(released["state"], "releasing");
    drop(nobody.get(FILES[0]).await.expect(404));
    registry.drain().await;
    assert_eq!(listed(&nobody).await, (vec!["1.0.0".to_owned(), "1.1.0".to_owned()], json!({ "latest": "1.1.0", "next": "1.1.0" })));
    assert_eq!(fixed(&registry).await, before);
    assert_eq!(root.client.delete(HELD).await.refusal(), "404 quarantineNotFound");
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
    let log = ada.client.get("/api/scopes/acme/audit?limit=3").await.expect(200).json();
    let told: Vec<_> = log["items"].as_array().unwrap().iter().map(|act| (&act["act"], &act["actor"]["kind"], &act["version"])).collect();
    assert_eq!(told[0], (&json!("version.release"), &json!("staff"), &json!("1.1.0")));
    assert_eq!(told[2], (&json!("version.quarantine"), &json!("staff"), &json!("1.1.0")), "{log}");
    assert_eq!(log["items"][2]["details"]["reason"], json!({ "before": null, "now": "It steals tokens." }));
}

#[tokio::test]
async fn only_staff_holds_and_releases_and_says_why() {
    let (registry, ada, root) = furnished("public").await;
    let reason = || json!({ "reason": "It steals tokens." });
    for (client, refusal) in [(registry.anonymous(), "401 missingAuthentication"), (ada.client.clone(), "403 actorNotAuthorized")] {
        for address in [HELD.to_owned(), HELD.replace("1.1.0", "no-version"), HELD.replace("maths", "none")] {
            for body in [reason(), json!({})] {
                assert_eq!(client.put(&address, body).await.refusal(), refusal, "{address}");
            }
            assert_eq!(client.delete(&address).await.refusal(), refusal, "{address}");
        }
        assert_eq!(client.get("/api/admin/quarantine").await.refusal(), refusal);
    }
    for bad in [json!({}), json!({ "reason": " " }), json!({ "reason": "two\nlines" }), json!({ "reason": "x".repeat(501) })] {
        assert_eq!(root.client.put(HELD, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    assert_eq!(root.client.put(&HELD.replace("1.1.0", "9.9.9"), reason()).await.refusal(), "404 packageVersionNotFound");
    assert_eq!(root.client.put(&HELD.replace("maths", "none"), reason()).await.refusal(), "404 packageNotFound");
    assert_eq!(root.client.delete(HELD).await.refusal(), "404 quarantineNotFound");
    assert_eq!(root.client.get("/api/admin/quarantine").await.expect(200).json(), json!({ "items": [], "total": 0 }));

    drop(hold(&root).await);
    registry.advance(chrono::TimeDelta::seconds(1));
    drop(root.client.put(&HELD.replace("1.1.0", "1.0.0"), json!({ "reason": "It was asked for." })).await.expect(200));
    drop(root.client.delete(HELD).await.expect(200));
    let again = root.client.put(HELD, json!({ "reason": "It steals more than that." })).await.expect(200).json();
    assert_eq!((&again["state"], &again["reason"]), (&json!("held"), &json!("It steals more than that.")));
    let list = root.client.get("/api/admin/quarantine").await.expect(200).json();
    let told: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| (&item["version"], &item["state"])).collect();
    assert_eq!((told, &list["total"]), (vec![(&json!("1.0.0"), &json!("held")), (&json!("1.1.0"), &json!("held"))], &json!(2)));
    registry.drain().await;
    let meta = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200).json();
    assert_eq!((&meta["versions"], &meta["latest"]), (&json!({}), &Value::Null), "none is left");
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_depends_on_it_is_not_published() {
    let (registry, ada, root) = furnished("public").await;
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "sums" })).await.expect(200));
    drop(hold(&root).await);
    let dependent =
        |version: &str| PackageBuilder::small("@acme/sums", version).file("mod.ts", "export * from \"jsr:@acme/maths@^1.1.0\";\n");
    let status = async |task: &str| ada.client.get(&format!("/api/publish_status/{task}")).await.expect(200).json();
    let refused = registry.accept(&ada.client, &dependent("1.0.0")).await;
    registry.drain().await;
    assert_eq!(status(&refused).await["status"], "failure");
    drop(root.client.delete(HELD).await.expect(200));
    registry.drain().await;
    let taken = registry.accept(&ada.client, &dependent("1.0.0")).await;
    registry.drain().await;
    assert_eq!(status(&taken).await["status"], "success");
}

#[tokio::test]
async fn a_private_one_is_kept_from_its_members_and_stays_so_when_the_package_opens() {
    let (registry, ada, root) = furnished("private").await;
    let bob = person(&registry, "bob").await;
    join(&registry, "acme", &ada, &bob, false).await;
    let mut bytes = Vec::new();
    for path in FILES {
        bytes.push(bob.client.get(path).await.expect(200).body);
    }
    drop(hold(&root).await);
    registry.drain().await;
    for path in FILES {
        for client in [&bob.client, &root.client, &registry.anonymous()] {
            drop(client.get(path).await.expect(404));
        }
    }
    assert_eq!(listed(&bob.client).await.0, ["1.0.0"]);
    assert_eq!(bob.client.get(&format!("{PACKAGE}/versions/1.1.0")).await.refusal(), "404 packageVersionQuarantined");
    assert_eq!(
        registry.anonymous().get(&format!("{PACKAGE}/versions/1.1.0")).await.refusal(),
        "404 packageNotFound",
        "strangers learn nothing"
    );
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);

    drop(ada.client.patch(PACKAGE, json!({ "visibility": "public" })).await.expect(200));
    for _ in 0..3 {
        registry.drain().await;
        registry.advance(chrono::TimeDelta::minutes(2));
    }
    registry.drain().await;
    let nobody = registry.anonymous();
    assert_eq!(listed(&nobody).await.0, ["1.0.0"]);
    drop(nobody.get(FILES[0]).await.expect(404));
    drop(root.client.get(FILES[0]).await.expect(200));
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
    drop(root.client.delete(HELD).await.expect(200));
    registry.drain().await;
    for (path, bytes) in FILES.iter().zip(&bytes) {
        assert_eq!(nobody.get(path).await.expect(200).body, bytes, "{path}");
    }
    assert_eq!(listed(&nobody).await.0, ["1.0.0", "1.1.0"]);
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn nothing_of_it_is_there_and_not_listed_or_listed_and_not_there() {
    let (registry, ada, root) = furnished("public").await;
    let (package, version) = (PackageName::try_from("@acme/maths").unwrap(), Version::try_from("1.1.0").unwrap());
    drop(hold(&root).await);
    // The documents are behind: what they list is there.
    let context = registry.context();
    let job = slipway_common::model::job::Job::Quarantine { package: package.clone(), version: version.clone() };
    let waiting = context.db.write("test.job").await.unwrap();
    let id = enqueue(waiting, context, &job).await;
    slipway_worker::answer(registry.workshop(), id).await;
    assert_eq!(listed(&registry.anonymous()).await.0, ["1.0.0", "1.1.0"]);
    drop(registry.anonymous().get(FILES[1]).await.expect(200));
    registry.drain().await;
    registry.advance(chrono::TimeDelta::minutes(2));
    registry.drain().await;
    assert_eq!(listed(&registry.anonymous()).await.0, ["1.0.0"]);
    drop(registry.anonymous().get(FILES[1]).await.expect(404));

    // Somebody puts a file back by hand, and loses another: both are told, and the second is made again.
    let key = StorageKey::VersionMeta { package, version };
    let bytes = context.storage.get(&key.quarantined()).await.unwrap();
    context.storage.put(&key, bytes).await.unwrap();
    let module = StorageKey::parse(slipway_common::storage::Store::Public, "@acme/maths/1.1.0/mod.ts").unwrap();
    context.storage.delete(&module.quarantined()).await.unwrap();
    let told = problems(&registry, Repair::Nothing).await;
    assert_eq!(told, ["objectExposed @acme/maths/1.1.0_meta.json", "objectMissing quarantine/@acme/maths/1.1.0/mod.ts"]);
    let told = problems(&registry, Repair::Everything).await;
    assert_eq!(told, ["objectExposed @acme/maths/1.1.0_meta.json", "objectMissing quarantine/@acme/maths/1.1.0/mod.ts repaired"]);
    // To say it again takes away what can be read.
    drop(hold(&root).await);
    registry.drain().await;
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
    drop(root.client.delete(HELD).await.expect(200));
    registry.drain().await;
    // What was in quarantine once can be put back from there.
    context.storage.delete(&module).await.unwrap();
    assert_eq!(problems(&registry, Repair::Everything).await, ["objectMissing @acme/maths/1.1.0/mod.ts repaired"]);
    drop(ada.client.get(FILES[1]).await.expect(200));
}

#[tokio::test]
async fn one_that_lost_its_row_on_the_way_is_held_again_and_goes_all_the_way() {
    let (registry, _, root) = furnished("public").await;
    drop(hold(&root).await);
    registry.drain().await;
    let objects = fixed(&registry).await;
    let storage = &registry.context().storage;
    let key = StorageKey::VersionMeta { package: "@acme/maths".try_into().unwrap(), version: "1.1.0".try_into().unwrap() };
    storage.put(&key, storage.get(&key.quarantined()).await.unwrap()).await.unwrap();
    for table in ["quarantines", "versions"] {
        registry.database().execute(&format!("DELETE FROM {table} WHERE name = 'maths' AND version = '1.1.0'")).await;
    }
    let told = problems(&registry, Repair::Everything).await;
    assert!(told.iter().any(|line| line == "versionWithoutRow @acme/maths@1.1.0 repaired"), "{told:?}");
    registry.drain().await;
    registry.advance(chrono::TimeDelta::minutes(2));
    registry.drain().await;
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);
    assert_eq!(fixed(&registry).await, objects);
    assert_eq!(listed(&registry.anonymous()).await.0, ["1.0.0"]);
}

async fn enqueue(
    mut tx: slipway_common::db::WriteTx,
    context: &slipway_common::context::Context,
    job: &slipway_common::model::job::Job,
) -> slipway_common::ids::JobId {
    let id = slipway_common::jobs::enqueue(&mut tx, &context.ids, job).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn it_is_kept_from_everybody_by_a_database_that_was_made_anew() {
    let (mut registry, ada, root) = furnished("public").await;
    drop(ada.client.patch(&format!("{PACKAGE}/versions/1.1.0"), json!({ "yanked": true })).await.expect(204));
    drop(hold(&root).await);
    registry.drain().await;
    let objects = registry.public_objects().await;
    let rebuilt = async |registry: &TestRegistry| {
        let database = TestDatabase::fresh().await;
        let mut context = registry.context().clone();
        context.db = Db::open(database.url(), None, context.clock.clone()).await.unwrap();
        context.db.migrate().await.unwrap();
        let rebuilt = rebuild::run(&context).await.unwrap();
        let mut difference = Vec::new();
        rebuild::compare(&registry.context().db, &context.db, |line| difference.push(line)).await.unwrap();
        context.db.close().await;
        (database, rebuilt, difference)
    };
    let (database, said, difference) = rebuilt(&registry).await;
    assert_eq!((said.left_out.as_slice(), said.versions), (&[][..], 2));
    assert!(difference.iter().all(|line| line.starts_with("~ user ")), "{difference:?}");
    registry.move_to(database).await;
    registry.drain().await;
    assert_eq!(registry.public_objects().await, objects);
    assert_eq!(problems(&registry, Repair::Nothing).await, [""; 0]);

    // Without the record of the package it is not known why, and it is kept all the same.
    let record = StorageKey::PackageRecord("@acme/maths".try_into().unwrap());
    registry.context().storage.delete(&record).await.unwrap();
    let (database, said, _) = rebuilt(&registry).await;
    assert_eq!(said.versions, 2);
    registry.move_to(database).await;
    registry.drain().await;
    assert_eq!(listed(&registry.anonymous()).await.0, ["1.0.0"]);
    let mut tx = registry.context().db.read().await.unwrap();
    let held = tx.quarantine(&"@acme/maths".try_into().unwrap(), &"1.1.0".try_into().unwrap()).await.unwrap().unwrap();
    assert!(held.reason.contains("nothing is remembered"), "{}", held.reason);
}
