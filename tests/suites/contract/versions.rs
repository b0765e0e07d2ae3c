//! Versions: their order, who can see them, and what they need.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::db::{Page, ReadTx};
use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackageName, PackagePath, Sha256, Version};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::version::{ArtefactRecord, PackageVersion, ResolvablePackage, VersionContent};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name, version_of};

/// Rising, with what text or a number-less order gets wrong.
const RISING: [&str; 12] = [
    "0.9.0",
    "0.10.0",
    "1.0.0-alpha",
    "1.0.0-alpha.2",
    "1.0.0-alpha.10",
    "1.0.0-beta",
    "1.0.0",
    "1.0.1+build",
    "1.0.2+build.2",
    "2.0.0-rc.1",
    "9.0.0",
    "10.0.0",
];

fn texts(versions: impl IntoIterator<Item = Version>) -> Vec<String> {
    versions.into_iter().map(|version| version.to_string()).collect()
}

fn falling() -> Vec<&'static str> {
    RISING.into_iter().rev().collect()
}

/// Stores all versions of [`RISING`] in an order that is neither.
async fn shuffled(bench: &Bench<'_>, name: &str) -> slipway_common::ids::PackageName {
    let package = bench.package(name).await;
    for index in 0..RISING.len() {
        bench.stored(&package, RISING[index * 7 % RISING.len()]).await;
    }
    package
}

fn dependency(kind: DependencyKind, name: &str, constraint: &str, path: &str) -> Dependency {
    Dependency { kind, name: name.to_owned(), constraint: constraint.to_owned(), path: path.to_owned() }
}

/// What somebody without an account can depend on.
async fn resolvable(tx: &mut ReadTx, asked: &[PackageName]) -> BTreeMap<PackageName, ResolvablePackage> {
    tx.resolvable_packages(asked, &scope_name("elsewhere"), None).await.unwrap()
}

on_both_engines!(a_version_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let package = bench.package("@std/path").await;
    let exports = [("./zz", "./zz.ts"), (".", "./mod.ts"), ("./a", "./a.ts")];
    let exports = exports.map(|(key, target)| (ExportKey::try_from(key).unwrap(), ExportTarget::try_from(target).unwrap()));
    let path = PackagePath::try_from("/[id]/{x}~$.ts").unwrap();
    let kinds =
        [ArtefactKind::Module(path.clone()), ArtefactKind::NpmTarball, ArtefactKind::Docs { revision: 3, name: "index.json".into() }];
    let version = PackageVersion {
        user_id: Some(ada.id),
        content: VersionContent {
            exports: Exports(exports.into_iter().collect()),
            license: None,
            readme: Some(path),
            uses_npm: true,
            augmentations: true,
            npm_manifest: json!({
                "types": "z", "exports": { ".": { "types": "./m.d.ts", "default": "./m.js" }, "./b": "./b.js" },
                "number": 1.5, "hostile": "a\0b", "list": [1, { "z": 1, "a": null }],
                "slipway": { "revision": 2, "untyped": { "./m.ts": ["b", "a"] }, "compiler": "typescript 7.0.2" },
            }),
            artefacts: kinds.map(|kind| ArtefactRecord { kind, digest: Sha256::of(b"x"), size: 1 << 40 }).into(),
            attestation: Some(json!({ "mediaType": "z", "dsseEnvelope": { "payload": "e30=", "a": 1 } })),
            logged: Some(json!({ "mediaType": "a", "dsseEnvelope": { "payload": "e30=", "a": 2 } })),
            ..bench.draft_version(&package, "1.0.0", bench.ids.next()).content
        },
        ..bench.draft_version(&package, "1.0.0", bench.ids.next())
    };
    assert!(bench.write(async |tx| tx.create_version(&version, &[]).await.unwrap()).await);
    let found = bench.read(async |tx| tx.version(&package, &version.version).await.unwrap().unwrap()).await;
    assert_eq!(found, version);
    assert_eq!(found.content.untyped(), [("./m.ts".to_owned(), vec!["b".to_owned(), "a".to_owned()])].into());
    assert_eq!(found.content.compiler(), Some("typescript 7.0.2"));
    let order: Vec<_> = found.content.exports.0.keys().map(ExportKey::as_str).collect();
    assert_eq!(order, ["./zz", ".", "./a"], "the author's order");
    assert_eq!(found.content.npm_manifest.to_string(), version.content.npm_manifest.to_string(), "to the byte");
    assert_eq!(found.content.attestation.map(|found| found.to_string()), version.content.attestation.map(|made| made.to_string()));
    assert_eq!(bench.read(async |tx| tx.version(&package, &version_of("1.0.0+b")).await.unwrap()).await, None);
});

on_both_engines!(a_version_is_fixed_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (first, second) = (bench.ids.next(), bench.ids.next());
    let one = [dependency(DependencyKind::Jsr, "@std/fs", "1", "")];
    let two = [dependency(DependencyKind::Jsr, "@std/io", "1", "")];
    bench
        .write(async |tx| {
            assert!(tx.create_version(&bench.draft_version(&package, "1.0.0", first), &one).await.unwrap());
            assert!(!tx.create_version(&bench.draft_version(&package, "1.0.0", second), &two).await.unwrap());
            assert_eq!(tx.version(&package, &version_of("1.0.0")).await.unwrap().unwrap().task_id, first);
            assert_eq!(tx.dependencies_of(&package, &version_of("1.0.0")).await.unwrap(), one);
        })
        .await;
});

on_both_engines!(what_is_attested_of_a_version_stays, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let version = bench.stored(&package, "1.0.0").await;
    let attested = async || bench.read(async |tx| tx.version(&package, &version).await.unwrap().unwrap().content.attestation).await;
    assert_eq!(attested().await, None);
    let (first, second) = (json!({ "z": 1, "a": 2 }), json!({ "other": true }));
    bench
        .write(async |tx| {
            assert!(tx.attest_version(&package, &version, &first).await.unwrap());
            assert!(!tx.attest_version(&package, &version, &second).await.unwrap());
            assert!(!tx.attest_version(&package, &version_of("2.0.0"), &second).await.unwrap(), "there is no such version");
        })
        .await;
    assert_eq!(attested().await.unwrap().to_string(), first.to_string(), "to the byte");
    let remembered = bench.read(async |tx| tx.version_records(&package, -1).await.unwrap()).await;
    assert_eq!(remembered[0].attestation, Some(first));
    let is_named = async || bench.read(async |tx| tx.listed_versions(&package).await.unwrap()).await[0].is_logged_for_npm;
    assert!(!is_named().await);
    let entered = |kind: &str| json!({ "verificationMaterial": { "tlogEntries": [{ "kindVersion": { "kind": kind } }] }, "a": 1 });
    let (first, second) = (entered("dsse"), entered("hashedrekord"));
    bench
        .write(async |tx| {
            assert!(tx.log_attestation(&package, &version, &first).await.unwrap());
            assert!(!tx.log_attestation(&package, &version, &second).await.unwrap(), "the first one stays");
            assert!(!tx.log_attestation(&package, &version_of("2.0.0"), &second).await.unwrap());
        })
        .await;
    assert!(is_named().await);
    let entry = bench.read(async |tx| tx.version(&package, &version).await.unwrap().unwrap().content.logged).await;
    assert_eq!(entry.unwrap().to_string(), first.to_string());
    // npm does not know what is in a log of the other kind.
    let other = bench.stored(&package, "2.0.0").await;
    bench.write(async |tx| assert!(tx.log_attestation(&package, &other, &second).await.unwrap())).await;
    let named = bench.read(async |tx| tx.listed_versions(&package).await.unwrap()).await;
    assert_eq!(named.iter().map(|version| version.is_logged_for_npm).collect::<Vec<_>>(), [false, true], "highest first");
});

on_both_engines!(versions_are_ordered_by_precedence, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = shuffled(&bench, "@std/path").await;
    let other = bench.package("@std/other").await;
    bench.stored(&other, "5.0.0").await;
    bench
        .read(async |tx| {
            let listing = tx.versions_of(&package, Page::default()).await.unwrap();
            assert_eq!(texts(listing.items.into_iter().map(|version| version.version)), falling());
            assert_eq!(listing.total, 12);
            let page = tx.versions_of(&package, Page::new(3, 5)).await.unwrap();
            assert_eq!(
                (texts(page.items.into_iter().map(|version| version.version)), page.total),
                (vec!["0.10.0".into(), "0.9.0".into()], 12)
            );
            let listed = tx.listed_versions(&package).await.unwrap();
            assert_eq!(texts(listed.into_iter().map(|version| version.version)), falling());
            let resolvable = resolvable(tx, std::slice::from_ref(&package)).await.remove(&package).unwrap();
            assert_eq!(texts(resolvable.versions.into_iter().map(|version| version.version)), RISING);
            assert_eq!(tx.latest_version(&package).await.unwrap().unwrap().version, version_of("10.0.0"));
            assert_eq!(tx.count_versions(&package).await.unwrap(), 12);
            for (index, version) in RISING.into_iter().enumerate() {
                let newer = tx.count_newer_versions(&package, &version_of(version)).await.unwrap();
                let stable = RISING[index + 1..].iter().filter(|newer| version_of(newer).is_stable()).count();
                assert_eq!(usize::try_from(newer).unwrap(), stable, "{version}");
            }
        })
        .await;
});

on_both_engines!(the_latest_is_stable_and_not_yanked, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let latest = async || bench.read(async |tx| tx.latest_version(&package).await.unwrap()).await.map(|latest| latest.version.to_string());
    assert_eq!(latest().await, None);
    bench.stored(&package, "3.0.0-rc.1").await;
    assert_eq!(latest().await, None);
    bench.stored(&package, "1.0.0").await;
    bench.stored(&package, "2.0.0+a-b").await;
    assert_eq!(latest().await.as_deref(), Some("2.0.0+a-b"), "a hyphen in build metadata makes no prerelease");
    bench.advance(TimeDelta::microseconds(1));
    bench
        .write(async |tx| {
            assert!(tx.set_yanked(&package, &version_of("2.0.0+a-b"), true).await.unwrap());
            assert!(!tx.set_yanked(&package, &version_of("2.0.0"), true).await.unwrap());
            assert_eq!(tx.count_newer_versions(&package, &version_of("1.0.0")).await.unwrap(), 0, "nobody should move to a prerelease");
        })
        .await;
    assert_eq!(latest().await.as_deref(), Some("1.0.0"));
    let yanked = bench.read(async |tx| tx.version(&package, &version_of("2.0.0+a-b")).await.unwrap().unwrap()).await;
    assert_eq!((yanked.is_yanked, yanked.updated_at), (true, bench.now()));
    bench.write(async |tx| assert!(tx.set_yanked(&package, &yanked.version, false).await.unwrap())).await;
    assert_eq!(latest().await.as_deref(), Some("2.0.0+a-b"));
});

on_both_engines!(who_names_no_version_gets_the_highest_stable_one_or_else_the_highest, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let given = async || bench.read(async |tx| tx.default_version(&package).await.unwrap()).await.map(|version| version.to_string());
    let yank =
        async |version: &str| bench.write(async |tx| assert!(tx.set_yanked(&package, &version_of(version), true).await.unwrap())).await;
    assert_eq!(given().await, None);
    for (version, expected) in
        [("2.0.0-rc.2", "2.0.0-rc.2"), ("2.0.0-rc.10", "2.0.0-rc.10"), ("1.0.0", "1.0.0"), ("0.9.0", "1.0.0"), ("1.1.0", "1.1.0")]
    {
        bench.stored(&package, version).await;
        assert_eq!(given().await.as_deref(), Some(expected), "after {version}");
    }
    for (version, expected) in [("1.1.0", "1.0.0"), ("1.0.0", "0.9.0"), ("0.9.0", "2.0.0-rc.10"), ("2.0.0-rc.10", "2.0.0-rc.2")] {
        yank(version).await;
        assert_eq!(given().await.as_deref(), Some(expected), "without {version}");
    }
    yank("2.0.0-rc.2").await;
    assert_eq!(given().await, None);
});

on_both_engines!(nobody_sees_a_version_before_it_is_announced, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let version = bench.committed(&package, "1.0.0").await;
    let seen = async || {
        bench
            .read(async |tx| {
                [
                    tx.latest_version(&package).await.unwrap().is_some(),
                    tx.default_version(&package).await.unwrap().is_some(),
                    !tx.versions_of(&package, Page::default()).await.unwrap().items.is_empty(),
                    tx.count_versions(&package).await.unwrap() == 1,
                    tx.count_newer_versions(&package, &version_of("0.1.0")).await.unwrap() == 1,
                    !tx.listed_versions(&package).await.unwrap().is_empty(),
                    !resolvable(tx, std::slice::from_ref(&package)).await.is_empty(),
                ]
            })
            .await
    };
    assert_eq!(seen().await, [false; 7]);
    assert!(bench.read(async |tx| tx.version(&package, &version).await.unwrap()).await.is_some(), "who asks for it by name does");
    bench
        .write(async |tx| {
            assert!(tx.mark_stored(&package, &version, 3).await.unwrap());
            assert!(!tx.mark_stored(&package, &version, 4).await.unwrap(), "that was noted before");
            assert!(!tx.mark_stored(&package, &version_of("2.0.0"), 4).await.unwrap());
        })
        .await;
    // Its bytes are in place: the documents that are written next list it, and nothing else does yet.
    assert_eq!(seen().await, [false, false, false, false, false, true, true]);
    bench.write(async |tx| tx.mark_announced(&package, 2).await.unwrap()).await;
    assert_eq!(seen().await, [false, false, false, false, false, true, true], "an older generation does not show it");
    bench.write(async |tx| tx.mark_announced(&package, 3).await.unwrap()).await;
    assert_eq!(seen().await, [true; 7]);
    assert_eq!(bench.read(async |tx| tx.version(&package, &version).await.unwrap().unwrap()).await.stored_generation, Some(3));
});

on_both_engines!(dependents_see_yanked_versions_and_all_entry_points, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (one, two) = (bench.package("@std/one").await, bench.package("@std/two").await);
    let empty = bench.package("@std/empty").await;
    for (package, version) in [(&one, "1.0.0"), (&two, "1.0.0"), (&one, "2.0.0")] {
        bench.stored(package, version).await;
    }
    bench.write(async |tx| assert!(tx.set_yanked(&one, &version_of("2.0.0"), true).await.unwrap())).await;
    let asked = [two.clone(), empty, package_name("@std/none"), one.clone(), two.clone()];
    let found = bench.read(async |tx| resolvable(tx, &asked).await).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&one, &two]);
    let yanked: Vec<_> = found[&one].versions.iter().map(|version| (version.version.to_string(), version.is_yanked)).collect();
    assert_eq!(yanked, [("1.0.0".to_owned(), false), ("2.0.0".to_owned(), true)]);
    assert_eq!(found[&two].versions.len(), 1, "a package that is asked for twice is answered once");
    assert_eq!(found[&two].versions[0].exports, [ExportKey::root()]);
    assert!(bench.read(async |tx| resolvable(tx, &[]).await).await.is_empty());
});

on_both_engines!(thousands_of_packages_are_resolved, async |scratch| {
    let bench = Bench::on(scratch).await;
    let last = bench.package("@std/last").await;
    bench.stored(&last, "1.0.0").await;
    let mut asked: Vec<_> = (0..2_500).map(|index| package_name(&format!("@std/p{index}"))).collect();
    asked.push(last.clone());
    let found = bench.read(async |tx| resolvable(tx, &asked).await).await;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [last]);
});

on_both_engines!(dependencies_are_listed_in_order, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (jsr, npm) = (DependencyKind::Jsr, DependencyKind::Npm);
    let sorted = [
        dependency(jsr, "@std/a-b", "^1", ""),
        dependency(jsr, "@std/aa", "^1", ""),
        dependency(jsr, "@std/aa", "^1", "Sub"),
        dependency(jsr, "@std/aa", "^1", "sub/path"),
        dependency(jsr, "@std/aa", "^1.1", ""),
        dependency(npm, "@types/node", "*", ""),
        dependency(npm, "chalk", "^5 || ^4", ""),
    ];
    let mut given = sorted.clone();
    given.reverse();
    let draft = bench.draft_version(&package, "1.0.0", bench.ids.next());
    bench.write(async |tx| assert!(tx.create_version(&draft, &given).await.unwrap())).await;
    bench
        .read(async |tx| {
            assert_eq!(tx.dependencies_of(&package, &draft.version).await.unwrap(), sorted);
            assert_eq!(tx.dependencies_of(&package, &version_of("2.0.0")).await.unwrap(), []);
        })
        .await;
});

on_both_engines!(thousands_of_long_dependencies_are_kept, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    // As long as a specifier may be, and of letters that do not compress.
    let long = |index: usize| -> String { (0..32).map(|part| Sha256::of(format!("{index} {part}").as_bytes()).hex()).collect() };
    let many: Vec<_> = (0..2_500).map(|index| dependency(DependencyKind::Npm, &long(index)[..1_000], "*", &long(index)[1_000..])).collect();
    let draft = bench.draft_version(&package, "1.0.0", bench.ids.next());
    bench.write(async |tx| assert!(tx.create_version(&draft, &many).await.unwrap())).await;
    let kept = bench.read(async |tx| tx.dependencies_of(&package, &draft.version).await.unwrap()).await;
    assert_eq!(kept.len(), many.len());
});
