//! CI identities: whom packages trust, who asked for which publish, and what tokens were used for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use slipway_common::db::{DbError, Page};
use slipway_common::formats::record::{self, PublishersRecord};
use slipway_common::ids::PackageName;
use slipway_common::model::ci::{CiIdentity, Demands, TrustedPublisher};
use slipway_common::model::package::Repository;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name};

fn demands(repository_id: &str) -> Demands {
    Demands {
        issuer: "https://i.example".to_owned(),
        repository: "acme/widgets".to_owned(),
        repository_id: repository_id.to_owned(),
        workflow: Some("publish.yml".to_owned()),
        reference: None,
        environment: None,
    }
}

pub(crate) fn identity() -> CiIdentity {
    CiIdentity {
        issuer: "https://i.example".to_owned(),
        repository: "acme/widgets".to_owned(),
        repository_id: "1".to_owned(),
        reference: "refs/heads/main".to_owned(),
        workflow: None,
        environment: Some("release".to_owned()),
        actor: Some("ada".to_owned()),
        actor_id: None,
        commit: None,
        run: None,
    }
}

fn draft(bench: &Bench<'_>, package: &PackageName, demands: Demands) -> TrustedPublisher {
    TrustedPublisher { id: bench.ids.next(), package: package.clone(), demands, created_by: None, created_at: bench.now() }
}

on_both_engines!(publishers_read_back_as_written_and_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (package, other) = (bench.package("@std/path").await, bench.package("@std/other").await);
    let ada = bench.user("ada").await;
    let first = TrustedPublisher { created_by: Some(ada.id), ..draft(&bench, &package, demands("1")) };
    let exact = Demands { reference: Some("refs/tags/v*".to_owned()), environment: Some("release".to_owned()), ..demands("1") };
    let second = draft(&bench, &package, exact);
    bench
        .write(async |tx| {
            assert!(tx.add_publisher(&first).await.unwrap());
            assert!(tx.add_publisher(&second).await.unwrap());
            let renamed = Demands { repository: "acme/renamed".to_owned(), ..demands("1") };
            assert!(!tx.add_publisher(&draft(&bench, &package, renamed)).await.unwrap(), "what it is called makes no difference");
            assert!(tx.add_publisher(&draft(&bench, &other, demands("1"))).await.unwrap());
        })
        .await;
    let found = bench.read(async |tx| tx.publishers_of(&package).await.unwrap()).await;
    assert_eq!(found, [first.clone(), second.clone()]);
    bench
        .write(async |tx| {
            assert!(!tx.remove_publisher(&other, first.id).await.unwrap());
            assert!(tx.remove_publisher(&package, first.id).await.unwrap());
            assert!(!tx.remove_publisher(&package, first.id).await.unwrap());
        })
        .await;
    assert_eq!(bench.read(async |tx| tx.publishers_of(&package).await.unwrap()).await, [second]);
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.add_publisher(&draft(&bench, &package_name("@std/none"), demands("1"))).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "{refused:?}");
});

on_both_engines!(a_package_goes_with_its_publishers, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    bench.write(async |tx| tx.add_publisher(&draft(&bench, &package, demands("1"))).await.unwrap()).await;
    assert!(bench.write(async |tx| tx.delete_package(&package).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.publishers_of(&package).await.unwrap()).await, []);
});

on_both_engines!(a_package_that_waits_is_in_no_list, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (awaited, plain) = (bench.package("@std/awaited").await, bench.package("@std/plain").await);
    bench.write(async |tx| tx.add_publisher(&draft(&bench, &awaited, demands("1"))).await.unwrap()).await;
    let scope = scope_name("std");
    let listed = async |all| {
        let list = bench.read(async |tx| tx.packages_of(&scope, None, all, Page::default()).await.unwrap()).await;
        assert_eq!(usize::try_from(list.total), Ok(list.items.len()));
        list.items.into_iter().map(|package| package.name).collect::<Vec<_>>()
    };
    assert_eq!(listed(false).await, std::slice::from_ref(&plain));
    assert_eq!(listed(true).await, [awaited, plain.clone()]);
    let found = bench.read(async |tx| tx.find_packages("std", "a", None, Page::default()).await.unwrap()).await;
    assert_eq!((found.total, found.items.into_iter().map(|package| package.name).collect::<Vec<_>>()), (1, vec![plain]));
});

on_both_engines!(the_job_that_asked_is_noted_with_the_publish, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (one, two) = (bench.publish(&package, "1.0.0").await, bench.publish(&package, "2.0.0").await);
    bench.write(async |tx| tx.note_ci_publish(one.id, &identity()).await.unwrap()).await;
    assert_eq!(bench.read(async |tx| tx.ci_identity(one.id).await.unwrap()).await, Some(identity()));
    assert_eq!(bench.read(async |tx| tx.ci_identity(two.id).await.unwrap()).await, None);
    let tasks = BTreeSet::from([one.id, two.id]);
    let found = bench.read(async |tx| tx.ci_identities(&tasks).await.unwrap()).await;
    assert_eq!(found, BTreeMap::from([(one.id, identity())]));
    assert_eq!(bench.read(async |tx| tx.ci_identities(&BTreeSet::new()).await.unwrap()).await, BTreeMap::new());
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.note_ci_publish(bench.ids.next(), &identity()).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "there is no such publish: {refused:?}");
});

on_both_engines!(trust_is_counted_and_remembered, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (package, other) = (bench.package("@std/path").await, bench.package("@std/other").await);
    let remembered = async |of: &PackageName| bench.read(async |tx| tx.publishers_record(of).await.unwrap()).await;
    let trusting = async |after: Option<&PackageName>| bench.read(async |tx| tx.trusting_after(after, 10).await.unwrap()).await;
    assert_eq!((remembered(&package).await, trusting(None).await), (None, Vec::new()));
    let (one, two) = (draft(&bench, &package, demands("1")), draft(&bench, &package, demands("2")));
    bench
        .write(async |tx| {
            assert!(tx.add_publisher(&one).await.unwrap() && tx.add_publisher(&two).await.unwrap());
            assert!(!tx.add_publisher(&draft(&bench, &package, demands("2"))).await.unwrap());
            assert!(!tx.remove_publisher(&other, one.id).await.unwrap());
        })
        .await;
    let both = remembered(&package).await.unwrap();
    assert_eq!(
        (both.generation, both.publishers.iter().map(|trusted| trusted.of(&package)).collect::<Vec<_>>()),
        (2, vec![one.clone(), two])
    );
    assert_eq!(serde_json::from_slice::<PublishersRecord>(&record::to_bytes(&both)).unwrap(), both);
    assert_eq!((trusting(None).await, trusting(Some(&package)).await), (vec![package.clone()], Vec::new()));
    assert!(bench.write(async |tx| tx.remove_publisher(&package, one.id).await.unwrap()).await);
    assert_eq!(remembered(&package).await.map(|record| (record.generation, record.publishers.len())), Some((3, 1)));

    let of_other = PublishersRecord { package: other.clone(), ..both.clone() };
    let mut raw = scratch.connect().await;
    raw.execute("DELETE FROM trusted_publishers").await;
    bench
        .write(async |tx| {
            assert!(!tx.restore_publishers(&both).await.unwrap(), "it was told something since");
            let reborn = PublishersRecord { created_at: of_other.created_at + TimeDelta::seconds(1), ..of_other.clone() };
            assert!(!tx.restore_publishers(&reborn).await.unwrap(), "that was another package");
        })
        .await;
    let made = bench.read(async |tx| tx.package(&other).await.unwrap()).await.unwrap();
    let of_other = PublishersRecord { created_at: made.created_at, ..of_other };
    assert!(bench.write(async |tx| tx.restore_publishers(&of_other).await.unwrap()).await);
    assert_eq!(remembered(&other).await, Some(of_other));
});

on_both_engines!(a_version_is_remembered_with_its_job, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    bench.write(async |tx| tx.note_ci_publish(publish.id, &identity()).await.unwrap()).await;
    let taken = bench.write(async |tx| tx.take_publish(publish.id).await.unwrap()).await.unwrap();
    assert_eq!((taken.publish.id, taken.ci), (publish.id, Some(identity())));
    let draft = bench.draft_version(&package, "1.0.0", publish.id);
    bench
        .write(async |tx| {
            assert!(tx.create_version(&draft, &[]).await.unwrap());
            tx.mark_stored(&package, &draft.version, 1).await.unwrap();
        })
        .await;
    let records = bench.read(async |tx| tx.version_records(&package, -1).await.unwrap()).await;
    assert_eq!(records.iter().map(|record| record.ci.clone()).collect::<Vec<_>>(), [Some(identity())]);
    let version = bench.read(async |tx| tx.version(&package, &draft.version).await.unwrap()).await.unwrap();
    let mut raw = scratch.connect().await;
    for table in ["versions", "publishes"] {
        raw.execute(&format!("DELETE FROM {table}")).await;
    }
    assert_eq!(bench.read(async |tx| tx.ci_identity(publish.id).await.unwrap()).await, None);
    assert!(bench.write(async |tx| tx.restore_version(&version, &records[0]).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.version_records(&package, -1).await.unwrap()).await, records);
});

on_both_engines!(a_token_is_used_once_for_each_thing, async |scratch| {
    let bench = Bench::on(scratch).await;
    let end = bench.now() + TimeDelta::minutes(5);
    let using = async |issuer: &str, token: &str, subject: &str| {
        bench.write(async |tx| tx.use_ci_token(issuer, token, subject, end).await.unwrap()).await
    };
    assert!(using("https://i.example", "t", "@std/path@1.0.0").await);
    assert!(!using("https://i.example", "t", "@std/path@1.0.0").await);
    assert!(using("https://i.example", "t", "@std/path@1.0.1").await);
    assert!(using("https://i.example", "u", "@std/path@1.0.0").await);
    assert!(using("https://j.example", "t", "@std/path@1.0.0").await);
    bench.advance(TimeDelta::minutes(5));
    assert_eq!(bench.write(async |tx| tx.sweep().await.unwrap()).await, 0);
    assert!(!using("https://i.example", "t", "@std/path@1.0.0").await, "to its last moment");
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(bench.write(async |tx| tx.sweep().await.unwrap()).await, 4);
});

on_both_engines!(of_two_at_once_one_uses_a_token, async |scratch| {
    let bench = Bench::on(scratch).await;
    let end = bench.now() + TimeDelta::minutes(5);
    let race = bench.race(
        async |tx| tx.use_ci_token("https://i.example", "t", "@std/path", end).await.unwrap(),
        async |tx| tx.use_ci_token("https://i.example", "t", "@std/path", end).await.unwrap(),
    );
    assert_eq!(race.await, (true, false));
});

on_both_engines!(a_repository_is_noted_and_forgotten, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    for repository in [Some(Repository { owner: "acme".to_owned(), name: "widgets".to_owned(), id: 1 }), None] {
        assert!(bench.write(async |tx| tx.set_repository(&package, repository.as_ref()).await.unwrap()).await);
        let found = bench.read(async |tx| tx.package(&package).await.unwrap()).await;
        assert_eq!(found.map(|package| package.repository), Some(repository));
    }
    assert!(!bench.write(async |tx| tx.set_repository(&package_name("@std/none"), None).await.unwrap()).await);
});
