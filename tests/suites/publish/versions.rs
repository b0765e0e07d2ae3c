//! Several versions of a package: which is the latest, what yanking does, and what dependents get.

use serde_json::{Value, json};
use slipway_tests::{Client, PackageBuilder, TestRegistry};

fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

async fn documents(registry: &TestRegistry) -> (Value, Value) {
    let nobody = registry.anonymous();
    let meta = nobody.get("/@acme/maths/meta.json").await.expect(200).json();
    let packument = nobody.get("/npm/@jsr/acme__maths").await.expect(200).json();
    (meta, packument)
}

/// What Deno and npm each take for the latest version.
async fn latest(registry: &TestRegistry) -> (Value, Value) {
    let (meta, packument) = documents(registry).await;
    (meta["latest"].clone(), packument["dist-tags"]["latest"].clone())
}

async fn yank(author: &Client, version: &str, yanked: bool) {
    drop(author.patch(&format!("/api/scopes/acme/packages/maths/versions/{version}"), json!({ "yanked": yanked })).await.expect(204));
}

async fn publish_all(author: &Client, versions: &[&str]) {
    for version in versions {
        assert_eq!(author.publish_through(&small(version)).await["status"], "success", "{version}");
    }
}

#[tokio::test]
async fn the_latest_is_the_highest_stable_one() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish_all(&author, &["1.0.0-rc.1"]).await;
    // npm needs a `latest`, or nothing can be installed without a version; Deno does without.
    assert_eq!(latest(&registry).await, (Value::Null, json!("1.0.0-rc.1")));
    publish_all(&author, &["1.0.0-rc.2"]).await;
    assert_eq!(latest(&registry).await, (Value::Null, json!("1.0.0-rc.2")));
    publish_all(&author, &["1.2.0", "1.10.0", "1.9.0", "2.0.0-beta.1"]).await;
    assert_eq!(latest(&registry).await, (json!("1.10.0"), json!("1.10.0")));
    let (meta, packument) = documents(&registry).await;
    let order = ["2.0.0-beta.1", "1.10.0", "1.9.0", "1.2.0", "1.0.0-rc.2", "1.0.0-rc.1"];
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&meta["versions"]).len(), 6);
    // `npm view` prints them in the order of the document, and scripts take the last.
    assert_eq!(keys(&packument["versions"]).iter().rev().collect::<Vec<_>>(), order);
    let listed = registry.anonymous().get("/api/scopes/acme/packages/maths/versions").await.expect(200).json();
    let listed: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect();
    assert_eq!(listed, order);
    let shown = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/latest").await.expect(200).json();
    // The beta is no reason to move on.
    assert_eq!((&shown["version"], &shown["newerVersionsCount"]), (&json!("1.10.0"), &json!(0)));
    yank(&author, "1.10.0", true).await;
    let newer = async |version: &str| {
        let shown = registry.anonymous().get(&format!("/api/scopes/acme/packages/maths/versions/{version}")).await.expect(200).json();
        shown["newerVersionsCount"].clone()
    };
    assert_eq!([newer("1.2.0").await, newer("1.0.0-rc.1").await, newer("2.0.0-beta.1").await], [json!(1), json!(2), json!(0)]);
    registry.drain().await;
}

/// Whether each of the documents that resolvers ask for is there.
async fn can_be_found(registry: &TestRegistry) -> [u16; 2] {
    let nobody = registry.anonymous();
    [nobody.get("/@acme/maths/meta.json").await.status, nobody.get("/npm/@jsr/acme__maths").await.status]
}

#[tokio::test]
async fn a_package_without_versions_cannot_be_found() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let at = "/api/scopes/acme/packages/maths";
    for change in [json!({ "description": "Adds." }), json!({ "isArchived": true }), json!({ "isArchived": false })] {
        drop(author.patch(at, change).await.expect(200));
        registry.drain().await;
        assert_eq!(can_be_found(&registry).await, [404; 2]);
    }
    assert_eq!(author.publish_through(&small("1.0.0").without("mod.ts")).await["status"], "failure");
    assert_eq!(registry.public_objects().await, [""; 0]);

    // A package of the same name that is made later counts its generations anew, and is seen all the same.
    drop(author.delete(at).await.expect(204));
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    publish_all(&author, &["1.0.0"]).await;
    registry.drain().await;
    assert_eq!(can_be_found(&registry).await, [200; 2]);
    assert_eq!(latest(&registry).await, (json!("1.0.0"), json!("1.0.0")));
}

#[tokio::test]
async fn a_package_that_lost_its_last_version_says_so() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish_all(&author, &["1.0.0"]).await;
    for table in ["version_dependencies", "versions"] {
        registry.database().execute(&format!("DELETE FROM {table}")).await;
    }
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "description": "Added." })).await.expect(200));
    registry.drain().await;
    let (meta, packument) = documents(&registry).await;
    assert_eq!((&meta["versions"], &meta["latest"]), (&json!({}), &Value::Null));
    assert_eq!((&packument["versions"], &packument["dist-tags"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn yanking_hides_from_resolution_and_nothing_else() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish_all(&author, &["1.0.0", "1.1.0"]).await;
    let (meta_before, packument_before) = documents(&registry).await;

    yank(&author, "1.1.0", true).await;
    registry.drain().await;
    assert_eq!(latest(&registry).await, (json!("1.0.0"), json!("1.0.0")));
    let (meta, packument) = documents(&registry).await;
    assert_eq!(meta["versions"]["1.1.0"]["yanked"], true);
    assert_eq!(meta["versions"]["1.0.0"].get("yanked"), None);
    assert!(packument["versions"]["1.1.0"]["deprecated"].is_string(), "who has it locked can still install it, and is told");
    let nobody = registry.anonymous();
    drop(nobody.get("/@acme/maths/1.1.0/mod.ts").await.expect(200));
    drop(nobody.get("/@acme/maths/1.1.0_meta.json").await.expect(200));
    assert_eq!(nobody.get("/api/scopes/acme/packages/maths/versions/1.1.0").await.expect(200).json()["yanked"], true);
    assert_eq!(author.publish(&small("1.1.0")).await.refusal(), "400 duplicateVersionPublish", "yanked is not gone");

    yank(&author, "1.1.0", false).await;
    registry.drain().await;
    let (meta_after, packument_after) = documents(&registry).await;
    let without = |mut value: Value| {
        for key in ["generation", "_rev"] {
            value.as_object_mut().unwrap().shift_remove(key);
        }
        value
    };
    assert_eq!(without(meta_after), without(meta_before));
    assert_eq!(without(packument_after), without(packument_before));
}

#[tokio::test]
async fn a_package_with_every_version_yanked_has_no_latest() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish_all(&author, &["1.0.0"]).await;
    yank(&author, "1.0.0", true).await;
    registry.drain().await;
    let (meta, packument) = documents(&registry).await;
    assert_eq!(meta["latest"], Value::Null);
    assert_eq!(packument["dist-tags"].get("latest"), None);
    assert_eq!(author.get("/api/scopes/acme/packages/maths/versions/latest").await.refusal(), "404 packageVersionNotFound");
}

#[tokio::test]
async fn yanking_is_for_admins_and_for_what_exists() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let stranger = registry.person("stranger").await;
    publish_all(&author, &["1.0.0"]).await;
    let body = json!({ "yanked": true });
    let at = |version: &str| format!("/api/scopes/acme/packages/maths/versions/{version}");
    assert_eq!(registry.anonymous().patch(&at("1.0.0"), body.clone()).await.refusal(), "401 missingAuthentication");
    assert_eq!(stranger.patch(&at("1.0.0"), body.clone()).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(author.patch(&at("9.9.9"), body.clone()).await.refusal(), "404 packageVersionNotFound");
    assert_eq!(author.patch(&at("latest"), body.clone()).await.refusal(), "400 malformedRequest");
    assert_eq!(author.patch(&at("1.0.0"), json!({ "yanked": "yes" })).await.refusal(), "400 malformedRequest");
    assert_eq!(author.patch("/api/scopes/acme/packages/nope/versions/1.0.0", body).await.refusal(), "404 packageNotFound");
    registry.drain().await;
}

/// A package that needs `@acme/maths` in this range.
fn dependent(range: &str) -> PackageBuilder {
    let code = format!("import {{ next }} from \"jsr:@acme/maths@{range}\";\nexport const two: number = next(1);\n");
    PackageBuilder::empty("@acme/sums", "1.0.0").file("mod.ts", code)
}

#[tokio::test]
async fn a_dependency_is_looked_up_among_what_is_published() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "sums" })).await.expect(200));
    publish_all(&author, &["1.0.0"]).await;
    assert_eq!(author.publish_through(&dependent("^2")).await["error"]["code"], "unresolvableJsrDependency");
    assert_eq!(author.publish_through(&dependent("^1")).await["status"], "success");
    let needs = registry.anonymous().get("/api/scopes/acme/packages/sums/versions/1.0.0/dependencies").await.expect(200).json();
    assert_eq!(needs, json!([{ "kind": "jsr", "name": "@acme/maths", "constraint": "^1", "path": "", "fallbackUrl": null }]));
    let packument = registry.anonymous().get("/npm/@jsr/acme__sums").await.expect(200).json();
    assert_eq!(packument["versions"]["1.0.0"]["dependencies"], json!({ "@jsr/acme__maths": "^1" }));
    registry.drain().await;
}

#[tokio::test]
async fn the_highest_match_that_is_not_yanked_counts() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(author.post("/api/scopes/acme/packages", json!({ "package": "sums" })).await.expect(200));
    let table = |version: &str| {
        let exports = json!({ ".": "./mod.ts", "./table": "./table.ts" });
        small(version).key("exports", exports).file("table.ts", "export const table: number[] = [];\n")
    };
    // Only 1.1.0 has the sub-path.
    publish_all(&author, &["1.0.0"]).await;
    author.publish_through(&table("1.1.0")).await;
    publish_all(&author, &["1.2.0"]).await;
    let needs_table = dependent("^1/table").file("mod.ts", "export { table } from \"jsr:@acme/maths@^1/table\";\n");
    assert_eq!(author.publish_through(&needs_table).await["error"]["code"], "invalidJsrDependencySubPath");
    yank(&author, "1.2.0", true).await;
    assert_eq!(author.publish_through(&needs_table).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_package_may_import_itself_by_name() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = small("1.0.0")
        .key("exports", json!({ ".": "./mod.ts", "./more": "./more.ts" }))
        .file("more.ts", "import { next } from \"jsr:@acme/maths@^1\";\nexport const two: number = next(1);\n");
    assert_eq!(author.publish_through(&package).await["status"], "success");
    let needs = author.get("/api/scopes/acme/packages/maths/versions/1.0.0/dependencies").await.expect(200).json();
    assert_eq!(needs, json!([]), "nobody depends on themselves");
    registry.drain().await;
}
