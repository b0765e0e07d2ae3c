//! Packages and their generations.

use chrono::TimeDelta;
use slipway_common::db::{Listing, Page};
use slipway_common::model::finding::Findings;
use slipway_common::model::package::{DistTags, Package, ReadmeSource, RuntimeCompat, Visibility};
use slipway_common::model::publish::{PublishError, PublishState};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name};

fn names(listing: &Listing<Package>) -> Vec<String> {
    listing.items.iter().map(|package| package.name.to_string()).collect()
}

on_both_engines!(a_package_starts_empty_and_changes_as_told, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let package = Package {
        name: name.clone(),
        description: String::new(),
        repository: None,
        is_archived: false,
        readme_source: ReadmeSource::Jsdoc,
        runtime_compat: RuntimeCompat::default(),
        tags: DistTags::new(),
        visibility: Visibility::Public,
        generation: 0,
        announced: 0,
        created_at: bench.now(),
        updated_at: bench.now(),
    };
    assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap()).await.as_ref(), Some(&package));
    bench.advance(TimeDelta::microseconds(1));
    let changed = Package {
        description: "paths, 100 %".to_owned(),
        is_archived: true,
        readme_source: ReadmeSource::Readme,
        runtime_compat: RuntimeCompat { browser: Some(false), deno: Some(true), node: None, workerd: None, bun: None },
        updated_at: bench.now(),
        ..package
    };
    // The generation is nothing that members change.
    let draft = Package { generation: 7, announced: 7, ..changed.clone() };
    assert!(bench.write(async |tx| tx.update_package(&draft).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap()).await, Some(changed.clone()));

    let absent = package_name("@std/none");
    assert_eq!(bench.read(async |tx| tx.package(&absent).await.unwrap()).await, None);
    assert!(!bench.write(async |tx| tx.update_package(&Package { name: absent, ..changed }).await.unwrap()).await);
});

on_both_engines!(a_package_has_the_tags_that_it_is_given, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (name, other) = (bench.package("@std/path").await, bench.package("@std/other").await);
    let tags: DistTags = [("next", "2.0.0-rc.1"), ("LTS", "1.0.0"), ("a.b_c-d", "1.0.0")]
        .map(|(tag, version)| (tag.try_into().unwrap(), version.try_into().unwrap()))
        .into();
    bench.advance(TimeDelta::microseconds(1));
    assert!(bench.write(async |tx| tx.set_tags(&name, &tags).await.unwrap()).await);
    let package = bench.read(async |tx| tx.package(&name).await.unwrap().unwrap()).await;
    assert_eq!((&package.tags, package.updated_at), (&tags, bench.now()));
    let draft = Package { tags: DistTags::new(), ..package };
    assert!(bench.write(async |tx| tx.update_package(&draft).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap().unwrap().tags).await, tags, "they are changed by themselves");
    assert_eq!(bench.read(async |tx| tx.package(&other).await.unwrap().unwrap().tags).await, DistTags::new());
    assert!(bench.write(async |tx| tx.set_tags(&name, &DistTags::new()).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.package(&name).await.unwrap().unwrap().tags).await, DistTags::new());
    assert!(!bench.write(async |tx| tx.set_tags(&package_name("@std/none"), &tags).await.unwrap()).await);
});

on_both_engines!(packages_that_differ_in_hyphens_alone_are_one, async |scratch| {
    let bench = Bench::on(scratch).await;
    bench.package("@std/my-path").await;
    bench.package("@other/mypath").await;
    bench
        .write(async |tx| {
            for taken in ["@std/my-path", "@std/mypath", "@std/m-ypath"] {
                assert!(!tx.create_package(&package_name(taken), Visibility::Public).await.unwrap(), "{taken}");
            }
        })
        .await;
});

on_both_engines!(a_scope_lists_its_packages_by_name, async |scratch| {
    let bench = Bench::on(scratch).await;
    for name in ["@std/bb", "@std/aa", "@std/a-b", "@std/a0", "@other/aaa"] {
        bench.package(name).await;
    }
    let archived = package_name("@std/a0");
    bench
        .write(async |tx| {
            let package = tx.package(&archived).await.unwrap().unwrap();
            assert!(tx.update_package(&Package { is_archived: true, ..package }).await.unwrap());
        })
        .await;
    let std = scope_name("std");
    bench
        .read(async |tx| {
            let listed = tx.packages_of(&std, None, false, Page::default()).await.unwrap();
            assert_eq!((names(&listed), listed.total), (vec!["@std/a-b".into(), "@std/aa".into(), "@std/bb".into()], 3));
            let all = tx.packages_of(&std, None, true, Page::new(2, 3)).await.unwrap();
            assert_eq!((names(&all), all.total), (vec!["@std/bb".to_owned()], 4));
            let beyond = tx.packages_of(&std, None, true, Page::new(u32::MAX, 100)).await.unwrap();
            assert_eq!((names(&beyond), beyond.total), (vec![], 4));
        })
        .await;
});

on_both_engines!(finding_takes_wildcards_literally, async |scratch| {
    let bench = Bench::on(scratch).await;
    for name in ["@std/path", "@std/posix-path", "@path/zip", "@path/path", "@misc/hidden-path"] {
        bench.package(name).await;
    }
    bench
        .write(async |tx| {
            let package = tx.package(&package_name("@misc/hidden-path")).await.unwrap().unwrap();
            assert!(tx.update_package(&Package { is_archived: true, ..package }).await.unwrap());
        })
        .await;
    bench
        .read(async |tx| {
            let found = tx.find_packages("path", "path", None, Page::default()).await.unwrap();
            assert_eq!(names(&found), ["@path/path", "@std/path", "@path/zip", "@std/posix-path"], "exact names first, then scopes");
            assert_eq!(found.total, 4);
            let shouted = tx.find_packages("PATH", "PaTh", None, Page::new(2, 3)).await.unwrap();
            assert_eq!((names(&shouted), shouted.total), (vec!["@std/posix-path".to_owned()], 4));
            let inside = tx.find_packages("none", "six-p", None, Page::default()).await.unwrap();
            assert_eq!(names(&inside), ["@std/posix-path"]);
            for wild in ["%", "_", "p_th", "p%h", "!", "!%", "!!", "\\", "'", "\"", "\0", "path\0"] {
                let found = tx.find_packages(wild, wild, None, Page::default()).await.unwrap();
                assert_eq!((names(&found), found.total), (vec![], 0), "{wild:?}");
            }
        })
        .await;
});

on_both_engines!(generations_count_up_and_announcements_never_go_back, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (name, other) = (bench.package("@std/path").await, bench.package("@std/other").await);
    bench
        .write(async |tx| {
            for expected in 1..=3 {
                assert_eq!(tx.bump_generation(&name).await.unwrap(), Some(expected));
            }
            assert_eq!(tx.bump_generation(&package_name("@std/none")).await.unwrap(), None);
        })
        .await;
    for (told, shown) in [(2, 2), (1, 2), (2, 2), (3, 3), (0, 3)] {
        bench.write(async |tx| tx.mark_announced(&name, told).await.unwrap()).await;
        let package = bench.read(async |tx| tx.package(&name).await.unwrap().unwrap()).await;
        assert_eq!((package.generation, package.announced), (3, shown), "after {told} was announced");
    }
    let untouched = bench.read(async |tx| tx.package(&other).await.unwrap().unwrap()).await;
    assert_eq!((untouched.generation, untouched.announced), (0, 0));
});

on_both_engines!(only_an_empty_package_is_deleted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    bench.package("@std/other").await;
    let (failed, live) = (bench.publish(&name, "1.0.0").await, bench.publish(&name, "2.0.0").await);
    let error = PublishError { code: "cancelled".to_owned(), message: String::new() };
    let cancel = async |id| {
        let (from, to) = (PublishState::Queued, PublishState::Cancelled);
        bench.write(async |tx| assert!(tx.end_publish(id, from, to, &error, &Findings::default()).await.unwrap())).await;
    };
    cancel(failed.id).await;
    assert!(!bench.write(async |tx| tx.delete_package(&name).await.unwrap()).await, "one publish is live");
    let kept = bench.read(async |tx| tx.publishes_of(&name, Page::default()).await.unwrap()).await;
    assert_eq!(kept.total, 2, "what is not deleted keeps its history");
    cancel(live.id).await;
    bench
        .write(async |tx| {
            assert!(tx.delete_package(&name).await.unwrap());
            assert!(!tx.delete_package(&name).await.unwrap());
            assert_eq!(tx.package(&name).await.unwrap(), None);
            assert_eq!(tx.publish(failed.id).await.unwrap(), None);
            assert!(tx.package(&package_name("@std/other")).await.unwrap().is_some());
        })
        .await;
});

on_both_engines!(a_package_with_a_version_is_not_deleted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let name = bench.package("@std/path").await;
    let version = bench.stored(&name, "1.0.0").await;
    assert!(bench.write(async |tx| tx.set_yanked(&name, &version, true).await.unwrap()).await);
    assert!(!bench.write(async |tx| tx.delete_package(&name).await.unwrap()).await);
});
