//! Packages that are in order.

use serde_json::{Value, json};
use slipway_tests::{PackageBuilder, TestRegistry};

/// A package of several kinds of files.
fn package() -> PackageBuilder {
    PackageBuilder::empty("@acme/maths", "1.0.0")
        .key("exports", json!({ ".": "./mod.ts", "./table": "./src/table.ts" }))
        .file(
            "mod.ts",
            "/** Sums.\n * @module */\nimport { table } from \"./src/table.ts\";\nimport limits from \"./limits.json\" with { type: \"json\" };\n\n\
             /** Adds two numbers of the table. */\nexport function add(a: number, b: number): number {\n  \
             return Math.min(table[a] + table[b], limits.most);\n}\n",
        )
        .file("src/table.ts", "/** The numbers. */\nexport const table: number[] = [0, 1, 2];\n")
        .file("limits.json", "{ \"most\": 3 }\n")
        .file("README.md", "# maths\n\nAdds.\n")
}

#[tokio::test]
async fn one_publish_is_the_whole_world() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let task = author.publish_through(&package()).await;
    registry.drain().await;
    insta::assert_snapshot!("task", serde_json::to_string_pretty(&task).unwrap());
    insta::assert_snapshot!("world", registry.world().await);
}

#[tokio::test]
async fn two_runs_make_the_same_world() {
    let mut worlds = Vec::new();
    for _ in 0..2 {
        let registry = TestRegistry::start().await;
        let author = registry.author("@acme/maths").await;
        author.publish_through(&package()).await;
        author.publish_through(&package().version("1.1.0-rc.1")).await;
        registry.drain().await;
        worlds.push(registry.world().await);
    }
    assert_eq!(worlds[0], worlds[1]);
}

#[tokio::test]
async fn a_workshop_in_service_publishes_too() {
    let settings = slipway_tests::Settings { work: slipway_tests::Work::AsInService, ..Default::default() };
    let registry = TestRegistry::with(settings).await;
    let author = registry.author("@acme/maths").await;
    let task = author.publish_through(&package()).await;
    assert_eq!(task["status"], "success");
    assert_eq!(task["error"], Value::Null);
    registry.drain().await;
}
