//! Packages and their versions, as the API shows and changes them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

async fn create(client: &Client, name: &str) -> Answer {
    client.post("/api/scopes/acme/packages", json!({ "package": name })).await
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[tokio::test]
async fn an_empty_package_and_a_published_one() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let nobody = registry.anonymous();
    insta::assert_snapshot!("package", pretty(&nobody.get("/api/scopes/acme/packages/maths").await.expect(200).json()));
    assert_eq!(nobody.get("/api/scopes/acme/packages/maths/versions").await.expect(200).json(), json!({ "items": [], "total": 0 }));
    assert_eq!(nobody.get("/api/scopes/acme/packages/maths/versions/latest").await.refusal(), "404 packageVersionNotFound");
    let package =
        PackageBuilder::small("@acme/maths", "1.0.0").file("README.md", "# maths\n").file("more.ts", "import \"npm:chalk@^5\";\n");
    let package = package.key("exports", json!({ ".": "./mod.ts", "./more": "./more.ts" }));
    assert_eq!(author.publish_through(&package).await["status"], "success");
    insta::assert_snapshot!("version", pretty(&nobody.get("/api/scopes/acme/packages/maths/versions/1.0.0").await.expect(200).json()));
    let shown = nobody.get("/api/scopes/acme/packages/maths").await.expect(200).json();
    let counted = ["versionCount", "dependencyCount", "latestVersion"].map(|key| shown[key].clone());
    assert_eq!(counted, [json!(1), json!(1), json!("1.0.0")]);
    let needs = nobody.get("/api/scopes/acme/packages/maths/versions/1.0.0/dependencies").await.expect(200).json();
    assert_eq!(needs, json!([{ "kind": "npm", "name": "chalk", "constraint": "^5", "path": "", "fallbackUrl": null }]));
    registry.drain().await;
}

#[tokio::test]
async fn the_upload_can_be_had_back() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = PackageBuilder::small("@acme/maths", "1.0.0");
    author.publish_through(&package).await;
    let answer = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200);
    assert_eq!(answer.body, package.tarball());
    assert_eq!(answer.header("content-type"), "application/gzip");
    assert_eq!(answer.header("content-length"), package.tarball().len().to_string());
    let missing = registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.1/tarball").await;
    assert_eq!(missing.refusal(), "404 packageVersionNotFound");
    registry.drain().await;
}

#[tokio::test]
async fn a_version_is_seen_when_all_of_it_is_there() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    registry.accept(&author, &PackageBuilder::small("@acme/maths", "1.0.0")).await;
    let nobody = registry.anonymous();
    for path in ["versions/1.0.0", "versions/latest", "versions/1.0.0/dependencies", "versions/1.0.0/tarball"] {
        assert_eq!(nobody.get(&format!("/api/scopes/acme/packages/maths/{path}")).await.refusal(), "404 packageVersionNotFound", "{path}");
    }
    registry.drain().await;
    drop(nobody.get("/api/scopes/acme/packages/maths/versions/1.0.0").await.expect(200));
}

#[tokio::test]
async fn a_version_that_is_not_announced_does_not_leak() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    let package = PackageBuilder::small("@acme/maths", "1.1.0").file("mod.ts", "import \"npm:chalk@^5\";\n");
    let task = author.publish_through(&package).await;
    registry.drain().await;
    let nobody = registry.anonymous();
    let at = "/api/scopes/acme/packages/maths";
    let listed = async |client: &Client| {
        let list = client.get(&format!("{at}/versions")).await.expect(200).json();
        let versions: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap().to_owned()).collect();
        assert_eq!(list["total"], versions.len());
        versions
    };
    assert_eq!(listed(&nobody).await, ["1.1.0", "1.0.0"]);
    // First all of its bytes are there and no document names it, then not even the bytes are.
    for (what, state) in [
        ("stored", "UPDATE packages SET announced = announced - 1"),
        ("committed", "UPDATE versions SET stored_generation = NULL WHERE version = '1.1.0'"),
    ] {
        registry.database().execute(state).await;
        // Not even to its author.
        for client in [&nobody, &author] {
            assert_eq!(listed(client).await, ["1.0.0"], "{what}");
            let shown = client.get(at).await.expect(200).json();
            let counted = ["versionCount", "dependencyCount", "latestVersion"].map(|key| shown[key].clone());
            assert_eq!(counted, [json!(1), json!(0), json!("1.0.0")], "{what}");
            let found = client.get("/api/packages?query=maths").await.expect(200).json();
            assert_eq!(found["items"][0]["latestVersion"], "1.0.0", "{what}");
            let latest = client.get(&format!("{at}/versions/latest")).await.expect(200).json();
            assert_eq!((&latest["version"], &latest["newerVersionsCount"]), (&json!("1.0.0"), &json!(0)), "{what}");
            for path in ["", "/dependencies", "/tarball"] {
                let answer = client.get(&format!("{at}/versions/1.1.0{path}")).await;
                assert_eq!(answer.refusal(), "404 packageVersionNotFound", "{what} {path}");
            }
            let page = client.clone().with("accept", "text/html");
            assert_eq!(page.get("/@acme/maths@1.1.0").await.status, 404, "{what}");
            assert!(!page.get("/@acme/maths").await.expect(200).text().contains("1.1.0"), "{what}");
        }
        let tasks = author.get(&format!("{at}/publishing_tasks")).await.expect(200).json();
        assert_eq!(tasks[0]["id"], task["id"], "its author follows it all the same");
    }
}

#[tokio::test]
async fn what_is_listed_says_who_made_it() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let task = author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.1")).await;
    registry.drain().await;
    assert_eq!(task["user"]["name"], "acme-author");
    let nobody = registry.anonymous();
    let versions = nobody.get("/api/scopes/acme/packages/maths/versions").await.expect(200).json();
    let tasks = author.get("/api/scopes/acme/packages/maths/publishing_tasks").await.expect(200).json();
    let again = author.publish(&PackageBuilder::small("@acme/maths", "1.0.0")).await.json();
    for (what, user) in [
        ("version", &versions["items"][0]["user"]),
        ("version", &versions["items"][1]["user"]),
        ("task", &tasks[0]["user"]),
        ("task", &tasks[1]["user"]),
        ("duplicate", &again["task"]["user"]),
    ] {
        assert_eq!(user, &task["user"], "{what}");
    }
}

#[tokio::test]
async fn names_of_packages() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/left-pad").await;
    for bad in ["", "a", "Maths", "-maths", "maths-", "ma--ths", "ma_ths", "m.s", &"x".repeat(59)] {
        assert_eq!(create(&author, bad).await.refusal(), "400 packageNameNotAllowed", "{bad:?}");
    }
    assert_eq!(create(&author, "left-pad").await.refusal(), "409 packageAlreadyExists");
    assert_eq!(create(&author, "leftpad").await.refusal(), "409 packageAlreadyExists");
    assert_eq!(author.post("/api/scopes/acme/packages", json!({})).await.refusal(), "400 malformedRequest");
    let stranger = registry.person("stranger").await;
    assert_eq!(create(&stranger, "mine").await.refusal(), "403 actorNotScopeMember");
    assert_eq!(stranger.post("/api/scopes/nowhere/packages", json!({ "package": "mine" })).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(create(&registry.anonymous(), "mine").await.refusal(), "401 missingAuthentication");
}

#[tokio::test]
async fn a_scope_holds_so_many_packages_and_no_more() {
    let registry = TestRegistry::configured(&[("quotas.packages", "3"), ("quotas.new_packages_per_week", "2")]).await;
    let author = registry.author("@acme/one").await;
    drop(create(&author, "two").await.expect(200));
    assert_eq!(create(&author, "three").await.refusal(), "400 weeklyPackageLimitExceeded");
    registry.advance(TimeDelta::days(8));
    drop(create(&author, "three").await.expect(200));
    assert_eq!(create(&author, "four").await.refusal(), "400 packageLimitExceeded");
    let quotas = author.get("/api/scopes/acme").await.expect(200).json()["quotas"].clone();
    assert_eq!((&quotas["packageUsage"], &quotas["newPackagePerWeekUsage"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn what_can_be_changed_and_by_whom() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let at = "/api/scopes/acme/packages/maths";
    let described = author.patch(at, json!({ "description": " Adds\r\nnumbers. " })).await.expect(200).json();
    assert_eq!(described["description"], "Adds numbers.");
    assert_eq!(author.patch(at, json!({ "description": "x".repeat(251) })).await.refusal(), "400 malformedRequest");
    assert_eq!(author.patch(at, json!({ "description": "a\u{7}" })).await.refusal(), "400 malformedRequest");
    let runs = author.patch(at, json!({ "runtimeCompat": { "deno": true, "node": false } })).await.expect(200).json();
    assert_eq!(runs["runtimeCompat"], json!({ "deno": true, "node": false }));
    assert_eq!(author.patch(at, json!({ "readmeSource": "readme" })).await.expect(200).json()["readmeSource"], "readme");
    for bad in [
        json!({}),
        json!({ "isFeatured": true }),
        json!({ "description": "a", "isArchived": true }),
        json!({ "readmeSource": "x" }),
        json!([]),
    ] {
        assert_eq!(author.patch(at, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
    }
    drop(author.patch(at, json!({ "isArchived": true })).await.expect(200));
    assert_eq!(author.patch(at, json!({ "description": "late" })).await.refusal(), "400 packageArchived");
    registry.database().execute("UPDATE scope_members SET is_admin = FALSE").await;
    assert_eq!(author.patch(at, json!({ "isArchived": false })).await.refusal(), "403 actorNotScopeAdmin");
    assert_eq!(registry.person("stranger").await.patch(at, json!({ "description": "mine" })).await.refusal(), "403 actorNotScopeMember");
    registry.drain().await;
}

#[tokio::test]
async fn archived_packages_are_out_of_sight() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(create(&author, "other").await.expect(200));
    drop(author.patch("/api/scopes/acme/packages/maths", json!({ "isArchived": true })).await.expect(200));
    let names = async |client: &Client, path: &str| {
        let found = client.get(path).await.expect(200).json();
        let names: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect();
        (names, found["total"].as_i64().unwrap())
    };
    let nobody = registry.anonymous();
    assert_eq!(names(&nobody, "/api/scopes/acme/packages").await, (vec!["other".to_owned()], 1));
    assert_eq!(names(&author, "/api/scopes/acme/packages").await.1, 2);
    assert_eq!(names(&nobody, "/api/packages?query=acme").await, (vec!["other".to_owned()], 1));
    drop(nobody.get("/api/scopes/acme/packages/maths").await.expect(200));
    registry.drain().await;
}

#[tokio::test]
async fn search_finds_what_is_typed() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/left-pad").await;
    for name in ["pad", "right-pad", "percent"] {
        drop(create(&author, name).await.expect(200));
    }
    let found = async |query: &str| {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = registry.anonymous().get(&format!("/api/packages?query={query}")).await.expect(200).json();
        found["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("pad").await, ["pad", "left-pad", "right-pad"], "the exact name first");
    assert_eq!(found("@acme/percent").await[0], "percent");
    assert_eq!(found("PAD").await.len(), 3);
    assert_eq!(found("%").await, [""; 0], "a percent sign is a percent sign");
    assert_eq!(found("_").await, [""; 0]);
    assert_eq!(found("'; DROP TABLE packages; --").await, [""; 0]);
    assert_eq!(found("\0").await, [""; 0], "what no name can hold finds nothing");
    assert_eq!(found("").await.len(), 4);
    let page = registry.anonymous().get("/api/packages?limit=2&page=2").await.expect(200).json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(4)));
    for odd in ["limit=0", "limit=x&page=-1", "page=99999999999999999999", "limit=1000"] {
        assert_eq!(registry.anonymous().get(&format!("/api/packages?{odd}")).await.expect(200).json()["total"], 4, "{odd}");
    }
}

#[tokio::test]
async fn only_an_empty_package_goes_away() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    drop(create(&author, "empty").await.expect(200));
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    author.publish_through(&PackageBuilder::small("@acme/empty", "1.0.0").without("mod.ts")).await;
    assert_eq!(registry.anonymous().delete("/api/scopes/acme/packages/empty").await.refusal(), "401 missingAuthentication");
    assert_eq!(author.delete("/api/scopes/acme/packages/maths").await.refusal(), "409 packageNotEmpty");
    drop(author.delete("/api/scopes/acme/packages/empty").await.expect(204));
    assert_eq!(author.delete("/api/scopes/acme/packages/empty").await.refusal(), "404 packageNotFound");
    drop(create(&author, "empty").await.expect(200));
    assert_eq!(author.get("/api/scopes/acme/packages/empty/publishing_tasks").await.expect(200).json(), json!([]));
    registry.drain().await;
}

#[tokio::test]
async fn publishes_are_shown_to_members() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let task = author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    let at = "/api/scopes/acme/packages/maths/publishing_tasks";
    assert_eq!(registry.anonymous().get(at).await.refusal(), "401 missingAuthentication");
    assert_eq!(registry.person("stranger").await.get(at).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(author.get(at).await.expect(200).json()[0]["id"], task["id"]);
    // One task, by its number, is shown to whoever knows it: `deno publish` asks without credentials.
    for path in ["publish_status", "publishing_tasks"] {
        let answer = registry.anonymous().get(&format!("/api/{path}/{}", task["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((answer.header("cache-control"), &answer.json()["status"]), ("no-store", &json!("success")));
        assert_eq!(
            registry.anonymous().get(&format!("/api/{path}/00000000-0000-0000-0000-0000000000ff")).await.refusal(),
            "404 publishNotFound"
        );
        assert_eq!(registry.anonymous().get(&format!("/api/{path}/nonsense")).await.refusal(), "400 malformedRequest");
    }
    registry.drain().await;
}

#[tokio::test]
async fn of_two_changes_at_once_both_are_made() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let at = "/api/scopes/acme/packages/maths";
    for round in 0..10 {
        let text = format!("Round {round}.");
        let source = if round % 2 == 0 { "readme" } else { "jsdoc" };
        let changes =
            [json!({ "description": text }), json!({ "readmeSource": source }), json!({ "runtimeCompat": { "deno": round % 2 == 0 } })];
        for answer in futures::future::join_all(changes.into_iter().map(|change| author.patch(at, change))).await {
            drop(answer.expect(200));
        }
        let shown = registry.anonymous().get(at).await.expect(200).json();
        let compat = json!({ "deno": round % 2 == 0 });
        assert_eq!((&shown["description"], &shown["readmeSource"], &shown["runtimeCompat"]), (&json!(text), &json!(source), &compat));
    }
    registry.drain().await;
}
