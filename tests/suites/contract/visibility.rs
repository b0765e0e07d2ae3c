//! Who may read a package, who finds it, and what has to be known before that changes.

use slipway_common::db::Page;
use slipway_common::ids::UserId;
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::finding::Findings;
use slipway_common::model::package::{Package, Visibility};
use slipway_common::model::publish::{PublishError, PublishState};
use slipway_common::model::scope::Scope;
use slipway_common::model::version::PackageVersion;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name};
use crate::provenances::provenance;

/// A scope of somebody with a public and a private package, each with a version that they published.
async fn half_hidden(bench: &Bench<'_>) -> (UserId, UserId) {
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let scope = bench.draft_scope("acme", &ada);
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&scope).await.unwrap());
            tx.add_member(&scope.name, ada.id, false).await.unwrap();
            assert!(tx.create_package(&package_name("@acme/open"), Visibility::Public).await.unwrap());
            assert!(tx.create_package(&package_name("@acme/shut"), Visibility::Private).await.unwrap());
        })
        .await;
    for name in ["@acme/open", "@acme/shut"] {
        let package = package_name(name);
        let version = PackageVersion { user_id: Some(ada.id), ..bench.draft_version(&package, "1.0.0", bench.ids.next()) };
        bench
            .write(async |tx| {
                assert!(tx.create_version(&version, &[]).await.unwrap());
                let generation = tx.bump_generation(&package).await.unwrap().unwrap();
                assert!(tx.mark_stored(&package, &version.version, generation).await.unwrap());
                tx.mark_announced(&package, generation).await.unwrap();
            })
            .await;
    }
    (ada.id, bob.id)
}

fn names(packages: &[Package]) -> Vec<String> {
    packages.iter().map(|package| package.name.to_string()).collect()
}

on_both_engines!(who_may_read_a_package_reads_back_and_changes_in_order, async |scratch| {
    let bench = Bench::on(scratch).await;
    half_hidden(&bench).await;
    let (open, shut) = (package_name("@acme/open"), package_name("@acme/shut"));
    let of = async |name| bench.read(async |tx| tx.package(name).await.unwrap()).await.unwrap().visibility;
    assert_eq!((of(&open).await, of(&shut).await), (Visibility::Public, Visibility::Private));
    bench
        .write(async |tx| {
            assert!(!tx.set_visibility(&shut, Visibility::Opening, Visibility::Public).await.unwrap(), "it is not what it has to be");
            assert!(tx.set_visibility(&shut, Visibility::Private, Visibility::Opening).await.unwrap());
            assert!(!tx.set_visibility(&shut, Visibility::Private, Visibility::Opening).await.unwrap());
            assert!(!tx.set_visibility(&package_name("@acme/none"), Visibility::Private, Visibility::Public).await.unwrap());
        })
        .await;
    assert_eq!((of(&open).await, of(&shut).await), (Visibility::Public, Visibility::Opening));
});

on_both_engines!(packages_of_a_private_scope_are_private_whatever_is_said, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let scope = Scope { is_private: true, ..bench.draft_scope("acme", &ada) };
    let (name, at) = (package_name("@acme/maths"), scope_name("acme"));
    bench
        .write(async |tx| {
            assert!(tx.create_scope(&scope).await.unwrap());
            assert!(tx.create_package(&name, Visibility::Public).await.unwrap());
            assert_eq!(tx.package(&name).await.unwrap().unwrap().visibility, Visibility::Private);
            assert_eq!(tx.open_package_of(&at).await.unwrap(), None);
            assert!(tx.update_scope(&Scope { is_private: false, ..scope.clone() }).await.unwrap());
            assert!(tx.create_package(&package_name("@acme/words"), Visibility::Public).await.unwrap());
            assert_eq!(tx.open_package_of(&at).await.unwrap(), Some(package_name("@acme/words")));
        })
        .await;
    assert!(!bench.read(async |tx| tx.scope(&at).await.unwrap()).await.unwrap().is_private);
});

on_both_engines!(private_packages_are_in_lists_of_members_alone, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = half_hidden(&bench).await;
    for (reader, expected) in [(None, 1), (Some(bob), 1), (Some(ada), 2)] {
        let (listed, found, published) = bench
            .read(async |tx| {
                (
                    tx.packages_of(&scope_name("acme"), reader, true, Page::default()).await.unwrap(),
                    tx.find_packages("acme", "s", reader, Page::default()).await.unwrap(),
                    tx.packages_published_by(ada, reader, 10).await.unwrap(),
                )
            })
            .await;
        let all = &["@acme/open", "@acme/shut"][..expected];
        assert_eq!((names(&listed.items), listed.total), (all.iter().map(ToString::to_string).collect(), expected.try_into().unwrap()));
        assert_eq!((names(&found.items).len(), found.total), (expected, expected.try_into().unwrap()));
        assert_eq!(published.len(), expected, "{reader:?}");
    }
    let announced = bench.read(async |tx| tx.announced_after(None, 10).await.unwrap()).await;
    assert_eq!(announced.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["@acme/open"], "searches find no other");
});

on_both_engines!(dependents_see_what_their_publisher_may_read, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = half_hidden(&bench).await;
    let asked = [package_name("@acme/open"), package_name("@acme/shut")];
    for (home, reader, expected) in [("other", None, 1), ("other", Some(bob), 1), ("other", Some(ada), 2), ("acme", None, 2)] {
        let found = bench.read(async |tx| tx.resolvable_packages(&asked, &scope_name(home), reader).await.unwrap()).await;
        assert_eq!(found.len(), expected, "{home} {reader:?}");
        for (name, package) in found {
            let is_public = name == package_name("@acme/open");
            assert_eq!((package.visibility.is_public(), package.versions.len()), (is_public, 1));
        }
    }
});

on_both_engines!(what_is_under_way_and_what_is_there_is_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let seen =
        async || bench.read(async |tx| (tx.unfinished_publishes(&package).await.unwrap(), tx.has_versions(&package).await.unwrap())).await;
    assert_eq!(seen().await, (0, false));
    let first = bench.publish(&package, "1.0.0").await;
    let second = bench.publish(&package, "2.0.0").await;
    assert_eq!(seen().await, (2, false));
    let taken = bench.write(async |tx| tx.take_publish(first.id).await.unwrap()).await.unwrap();
    assert_eq!(taken.visibility, Visibility::Public);
    assert_eq!(seen().await, (2, false), "it is being judged");
    let error = PublishError { code: "cancelled".to_owned(), message: "never mind".to_owned() };
    bench
        .write(async |tx| {
            let findings = Findings::default();
            tx.end_publish(second.id, PublishState::Queued, PublishState::Cancelled, &error, &findings).await.unwrap();
        })
        .await;
    assert_eq!(seen().await, (1, false));
    bench.committed(&package, "1.0.0").await;
    assert_eq!(seen().await, (1, true), "announced or not");
});

on_both_engines!(private_dependencies_of_any_version_are_found, async |scratch| {
    let bench = Bench::on(scratch).await;
    half_hidden(&bench).await;
    let package = bench.package("@std/path").await;
    let needs = |kind, name: &str| Dependency { kind, name: name.to_owned(), constraint: "^1.0.0".to_owned(), path: String::new() };
    let of_npm = [needs(DependencyKind::Npm, "@acme/shut"), needs(DependencyKind::Jsr, "@acme/open")];
    let draft = bench.draft_version(&package, "1.0.0", bench.ids.next());
    bench.write(async |tx| assert!(tx.create_version(&draft, &of_npm).await.unwrap())).await;
    let found = async || bench.read(async |tx| tx.private_dependencies(&package).await.unwrap()).await;
    assert_eq!(found().await, [], "a package of npm is another one");
    let own = [needs(DependencyKind::Jsr, "@acme/shut"), needs(DependencyKind::Jsr, "@std/path")];
    let draft = bench.draft_version(&package, "2.0.0", bench.ids.next());
    bench
        .write(async |tx| {
            assert!(tx.create_version(&draft, &own).await.unwrap());
            assert!(tx.set_visibility(&package, Visibility::Public, Visibility::Private).await.unwrap());
        })
        .await;
    assert_eq!(found().await, [package_name("@acme/shut")], "and nobody waits for themselves");
});

on_both_engines!(versions_with_provenance_are_listed, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    for version in ["1.0.0", "1.1.0"] {
        bench.stored(&package, version).await;
    }
    let attested = async || bench.read(async |tx| tx.attested_versions(&package).await.unwrap()).await;
    assert_eq!(attested().await, []);
    let of_second = provenance(&bench, &package, "1.1.0");
    bench.write(async |tx| assert!(tx.add_provenance(&of_second).await.unwrap())).await;
    assert_eq!(attested().await.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1.1.0"]);
});
