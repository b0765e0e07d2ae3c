//! What a publish costs the services, counted: statements, transactions and writes to the bucket, whatever the number of files and of
//! versions. The counts are those of the libraries' own logs, so nothing that the house does can hide from them.

mod ledger;

use slipway_common::ids::Sha256;
use slipway_tests::{Client, PackageBuilder, TestRegistry};

use ledger::{Costs, costs_of};

/// Most statements of a publish.
const STATEMENTS: usize = 25;
/// Most transactions of a publish. One of them only reads: who asks, and what they may. The answer is read in the one in which the end
/// of the publish is seen.
const TRANSACTIONS: usize = 6;
/// Most objects that are written for a publish beside its files: the upload, the version's manifest, tarball, documentation and record,
/// what is attested of it, and the documents of its package for Deno and, in two forms, for npm.
const OBJECTS: usize = 9;
/// One more for a package whose plan pack is too large to be a row.
const OBJECTS_LARGE: usize = OBJECTS + 1;

fn package(files: usize, version: usize) -> PackageBuilder {
    let mut package = PackageBuilder::empty("@acme/maths", &format!("1.0.{version}"));
    let mut exports = String::new();
    for file in 0..files - 2 {
        exports.push_str(&format!("export * from './src/f{file}.ts';\n"));
        package = package.file(&format!("src/f{file}.ts"), format!("/** It. */\nexport const f{file}: number = {file};\n"));
    }
    package.file("mod.ts", exports)
}

async fn publish(author: &Client, files: usize, version: usize) -> Costs {
    publish_package(author, &package(files, version)).await
}

async fn publish_package(author: &Client, package: &PackageBuilder) -> Costs {
    let (task, costs) = costs_of(author.publish(package)).await;
    assert_eq!(task.expect(200).json()["status"], "success");
    costs
}

#[tokio::test]
async fn a_publish_costs_the_same_whatever_its_size_and_its_past() {
    ledger::open();
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;

    let first = publish(&author, 10, 0).await;
    let second = publish(&author, 10, 1).await;
    for version in 2..20 {
        publish(&author, 3, version).await;
    }
    let large = publish(&author, 100, 20).await;
    for costs in [&first, &second, &large] {
        assert!(costs.statements.len() <= STATEMENTS, "{}: {:#?}", costs.statements.len(), costs.statements);
        assert!(costs.transactions <= TRANSACTIONS, "{}: {:#?}", costs.transactions, costs.statements);
    }
    assert_eq!(large.statements, second.statements, "neither files nor versions make it dearer");
    for (costs, files) in [(&first, 10), (&second, 10), (&large, 100)] {
        assert!(costs.objects.len() <= files + OBJECTS, "{files} files, {:#?}", costs.objects);
    }
    // What is too large to be a row, and cannot be folded.
    let noise: Vec<u8> = (0..4096u32).flat_map(|n| Sha256::of(&n.to_be_bytes()).as_bytes().to_vec()).collect();
    let heavy = publish_package(&author, &package(10, 21).file("noise.bin", noise)).await;
    assert_eq!(heavy.statements.len(), second.statements.len());
    assert!(heavy.objects.len() <= 11 + OBJECTS_LARGE, "{:#?}", heavy.objects);
    assert!(heavy.objects.iter().any(|object| object.contains(".plan")), "{:#?}", heavy.objects);
}
