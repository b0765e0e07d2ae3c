//! Names that look alike.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use slipway_common::clock::SystemClock;
use slipway_common::db::Db;
use slipway_common::formats::record::PackageRecord;
use slipway_common::model::package::{DistTags, ReadmeSource, RuntimeCompat, Visibility};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name};

on_both_engines!(names_that_look_alike_are_one_unless_somebody_says_otherwise, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&bench.draft_scope("modern", &ada)).await.unwrap());
            for alike in ["rnodern", "m0dern", "mo-dern"] {
                assert!(!tx.create_scope(&bench.draft_scope(alike, &ada)).await.unwrap(), "{alike}");
                assert_eq!(tx.scope_like(&scope_name(alike)).await.unwrap(), Some(scope_name("modern")));
            }
            assert_eq!(tx.scope_like(&scope_name("other")).await.unwrap(), None);
            assert!(tx.assign_scope(&bench.draft_scope("rnodern", &ada)).await.unwrap());
            assert!(!tx.assign_scope(&bench.draft_scope("rno-dern", &ada)).await.unwrap(), "hyphens alone are no difference to anybody");
            // The nearest one is named.
            assert_eq!(tx.scope_like(&scope_name("rno-dern")).await.unwrap(), Some(scope_name("rnodern")));
            assert!(tx.assign_scope(&bench.draft_scope("std", &ada)).await.unwrap());
            assert!(!tx.create_scope(&bench.draft_scope("s-td", &ada)).await.unwrap());
            // Whatever was given out beside another one keeps no others away.
            assert!(tx.delete_scope(&scope_name("modern")).await.unwrap());
            assert!(tx.create_scope(&bench.draft_scope("m0dern", &ada)).await.unwrap());
        })
        .await;
    let package = bench.package("@std/lodash").await;
    bench
        .write(async |tx| {
            assert!(!tx.create_package(&package_name("@std/1odash"), Visibility::Public).await.unwrap());
            assert_eq!(tx.package_like(&package_name("@std/1odash")).await.unwrap(), Some(package));
            assert_eq!(tx.package_like(&package_name("@std/other")).await.unwrap(), None);
            assert!(tx.create_package(&package_name("@m0dern/1odash"), Visibility::Public).await.unwrap());
        })
        .await;
});

on_both_engines!(what_looked_alike_comes_back_side_by_side, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&bench.draft_scope("modern", &ada)).await.unwrap());
            assert!(tx.assign_scope(&bench.draft_scope("rnodern", &ada)).await.unwrap());
        })
        .await;
    let names = [scope_name("modern"), scope_name("rnodern")];
    let mut records = Vec::new();
    for name in &names {
        records.push(bench.read(async |tx| tx.scope_record(name).await.unwrap().unwrap()).await);
    }
    let package = |name: &str| PackageRecord {
        package: package_name(name),
        description: String::new(),
        repository: None,
        is_archived: false,
        readme_source: ReadmeSource::Jsdoc,
        runtime_compat: RuntimeCompat::default(),
        tags: DistTags::default(),
        visibility: Visibility::Public,
        changed: Vec::new(),
        held: Vec::new(),
        created_at: bench.now(),
        updated_at: bench.now(),
        generation: 0,
    };
    scratch.connect().await.execute("DELETE FROM scopes").await;
    bench
        .write(async |tx| {
            for record in records.iter().rev() {
                assert!(tx.restore_scope(record).await.unwrap());
            }
            for name in ["@modern/lodash", "@modern/1odash"] {
                assert!(tx.restore_package(&package(name), 0).await.unwrap(), "{name}");
            }
            assert!(!tx.create_scope(&bench.draft_scope("rn0dern", &ada)).await.unwrap(), "one of them keeps others away");
            assert!(!tx.create_package(&package_name("@modern/10dash"), Visibility::Public).await.unwrap());
        })
        .await;
});

on_both_engines!(names_that_were_there_before_stay, async |scratch| {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> = fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    // A file is made by who opens it as the house does.
    Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap().close().await;
    let mut raw = scratch.connect().await;
    for file in &files {
        if file.ends_with("0007_people.sql") {
            let (user, at) = ("'00000000-0000-0000-0000-000000000001'", "2026-01-0");
            raw.execute(&format!(
                "INSERT INTO users (id, login, name, avatar_url, is_staff, is_blocked, scope_limit, generation, created_at, updated_at)
                 VALUES ({user}, 'ada', 'ada', '', FALSE, FALSE, 9, 0, '{at}1', '{at}1')"
            ))
            .await;
            for (scope, day) in [("m0dern", 2), ("modern", 1), ("rnodern", 2), ("std", 1)] {
                raw.execute(&format!(
                    "INSERT INTO scopes (scope, skeleton, description, creator_id, package_limit, new_package_per_week_limit,
                                         publish_attempts_per_week_limit, verify_oidc_actor, require_publishing_from_ci, generation,
                                         created_at, updated_at)
                     VALUES ('{scope}', '{scope}', '', {user}, 9, 9, 9, FALSE, FALSE, 0, '{at}{day}', '{at}{day}')"
                ))
                .await;
            }
            for (scope, name) in [("std", "lodash"), ("std", "10dash"), ("modern", "lodash"), ("modern", "a1")] {
                raw.execute(&format!(
                    "INSERT INTO packages (scope, name, skeleton, description, is_archived, readme_source, runtime_compat, dist_tags,
                                           generation, announced, trust_generation, created_at, updated_at)
                     VALUES ('{scope}', '{name}', '{name}', '', FALSE, 'jsdoc', '{{}}', '{{}}', 0, 0, 0, '{at}1', '{at}1')"
                ))
                .await;
            }
        }
        raw.execute(&fs::read_to_string(file).unwrap()).await;
    }
    let texts = |texts: Vec<Option<String>>| texts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
    let scopes = raw.texts("SELECT likeness FROM scopes ORDER BY scope").await;
    assert_eq!(texts(scopes), ["", "rnodern", "", "std"], "the oldest one keeps others away");
    let packages = raw.texts("SELECT likeness FROM packages ORDER BY scope, name").await;
    assert_eq!(texts(packages), ["al", "lodash", "lodash", ""], "of those that are as old the first one does");
});
