//! Where versions came from, and bundles about that which are not verified.

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::db::DbError;
use slipway_common::ids::PackageName;
use slipway_common::model::provenance::{Provenance, Standing, Step, TimeFrom, Unverified};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, version_of};
use crate::ci::identity;

/// Something of everything, with characters that not every column takes.
pub(crate) fn provenance(bench: &Bench<'_>, package: &PackageName, version: &str) -> Provenance {
    Provenance {
        package: package.clone(),
        version: version_of(version),
        predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
        job: identity(),
        time_from: TimeFrom::Log,
        log_index: Some("42".to_owned()),
        logged_at: Some(bench.now()),
        bundle: json!({ "dsseEnvelope": { "payload": "e30=", "keyid": "\u{0}" } }),
        created_at: bench.now(),
    }
}

on_both_engines!(what_was_shown_first_stays, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    bench.stored(&package, "1.0.0").await;
    let first = provenance(&bench, &package, "1.0.0");
    let shown = async || bench.read(async |tx| tx.provenance(&package, &first.version).await.unwrap()).await;
    assert_eq!(shown().await, None);
    assert!(bench.write(async |tx| tx.add_provenance(&first).await.unwrap()).await);
    let second = Provenance { time_from: TimeFrom::Publish, log_index: None, logged_at: None, ..first.clone() };
    assert!(!bench.write(async |tx| tx.add_provenance(&second).await.unwrap()).await);
    assert_eq!(shown().await, Some(first.clone()));
    assert_eq!(serde_json::from_slice::<Provenance>(&serde_json::to_vec(&first).unwrap()).unwrap(), first);
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.add_provenance(&Provenance { version: version_of("9.0.0"), ..second }).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "there is no such version: {refused:?}");
});

on_both_engines!(they_are_listed_behind_any_name, async |scratch| {
    let bench = Bench::on(scratch).await;
    let mut all = Vec::new();
    for name in ["@aa/a-b", "@aa/bb", "@b-b/aa"] {
        let package = bench.package(name).await;
        for version in ["1.0.0", "2.0.0"] {
            bench.stored(&package, version).await;
            let provenance = provenance(&bench, &package, version);
            assert!(bench.write(async |tx| tx.add_provenance(&provenance).await.unwrap()).await);
            all.push((package.clone(), version_of(version)));
        }
        bench.stored(&package, "3.0.0").await;
    }
    let mut listed = Vec::new();
    while let [next] = &bench.read(async |tx| tx.provenances_after(listed.last(), 1).await.unwrap()).await[..] {
        listed.push(next.clone());
    }
    assert_eq!(listed, all);
    assert_eq!(bench.read(async |tx| tx.provenances_after(None, 4).await.unwrap()).await, all[..4]);
});

on_both_engines!(a_bundle_waits_until_it_is_judged, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    bench.stored(&package, "1.0.0").await;
    let version = version_of("1.0.0");
    let known = async || bench.read(async |tx| tx.unverified(&package, &version).await.unwrap()).await;
    assert_eq!(known().await, None);
    let waiting = |bundle| Unverified {
        package: package.clone(),
        version: version.clone(),
        standing: Standing::Waiting(bundle),
        updated_at: bench.now(),
    };
    let (first, second) = (json!({ "b": "\u{0}", "a": 1 }), json!([]));
    bench.write(async |tx| tx.keep_unverified(&package, &version, &first).await.unwrap()).await;
    let judged = waiting(first);
    assert_eq!(known().await, Some(judged.clone()));
    bench.advance(TimeDelta::seconds(1));
    bench.write(async |tx| tx.keep_unverified(&package, &version, &second).await.unwrap()).await;
    let failure = Step::Identity.fails("not \u{0} his");
    assert!(!bench.write(async |tx| tx.refuse_unverified(&judged, &failure).await.unwrap()).await, "another one waits by now");
    let judged = waiting(second);
    assert_eq!(known().await, Some(judged.clone()));
    assert!(bench.write(async |tx| tx.refuse_unverified(&judged, &failure).await.unwrap()).await);
    let refused = Standing::Refused(Step::Identity.fails("not \u{fffd} his"));
    assert_eq!(known().await.map(|known| known.standing), Some(refused));
    assert!(!bench.write(async |tx| tx.refuse_unverified(&judged, &failure).await.unwrap()).await, "it is refused once");
    bench.write(async |tx| tx.keep_unverified(&package, &version, &json!({})).await.unwrap()).await;
    assert_eq!(known().await, Some(waiting(json!({}))), "a later one waits again");
    bench.write(async |tx| tx.drop_unverified(&package, &version).await.unwrap()).await;
    assert_eq!(known().await, None);
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.keep_unverified(&package, &version_of("9.0.0"), &json!({})).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "there is no such version: {refused:?}");
});
