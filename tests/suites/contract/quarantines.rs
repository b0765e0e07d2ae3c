//! Versions that staff keeps from everybody.

use chrono::TimeDelta;
use slipway_common::db::Page;
use slipway_common::formats::record::HeldRecord;
use slipway_common::model::quarantine::Custody;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, version_of};

on_both_engines!(a_version_is_held_and_let_go_in_order, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let (one, two) = (bench.stored(&package, "1.0.0").await, bench.stored(&package, "2.0.0").await);
    let unstored = bench.committed(&package, "3.0.0").await;
    let held_at = bench.now();
    bench
        .write(async |tx| {
            assert!(tx.hold_version(&package, &two, "It steals.", 7).await.unwrap());
            assert!(!tx.hold_version(&package, &unstored, "It steals.", 7).await.unwrap(), "it is on its way");
            assert!(!tx.hold_version(&package, &version_of("9.9.9"), "It steals.", 7).await.unwrap());
            assert!(!tx.begin_release(&package, &one).await.unwrap());
            assert!(!tx.end_release(&package, &two, 8).await.unwrap(), "nobody lets it go");
        })
        .await;
    let (listed, held) = bench.read(async |tx| tx.listed_and_held(&package).await.unwrap()).await;
    assert_eq!(listed.iter().map(|listed| &listed.version).collect::<Vec<_>>(), [&one]);
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0].version, held[0].reason.as_str(), held[0].since, held[0].is_yanked), (&two, "It steals.", held_at, false));
    assert_eq!(bench.read(async |tx| tx.latest_version(&package).await.unwrap()).await.unwrap().version, one);
    assert_eq!(bench.read(async |tx| tx.version(&package, &two).await.unwrap()).await.unwrap().stored_generation, None);

    bench.advance(TimeDelta::minutes(1));
    bench
        .write(async |tx| {
            assert!(tx.begin_release(&package, &two).await.unwrap());
            assert_eq!(tx.quarantine(&package, &two).await.unwrap().unwrap().custody, Custody::Releasing);
            assert!(tx.hold_version(&package, &two, "It steals more.", 9).await.unwrap());
        })
        .await;
    let again = bench.read(async |tx| tx.quarantine(&package, &two).await.unwrap()).await.unwrap();
    assert_eq!((again.custody, again.reason.as_str(), again.created_at), (Custody::Held, "It steals more.", held_at));
    assert_eq!(again.generation, 7, "readers have not been shown it since then");
    assert_eq!(bench.read(async |tx| tx.quarantined_versions(&package).await.unwrap()).await, std::slice::from_ref(&two));
    let all = bench.read(async |tx| tx.quarantines(Page::default()).await.unwrap()).await;
    assert_eq!((all.items, all.total), (vec![again], 1));

    bench
        .write(async |tx| {
            assert!(tx.begin_release(&package, &two).await.unwrap());
            assert!(tx.end_release(&package, &two, 11).await.unwrap());
            assert!(!tx.end_release(&package, &two, 12).await.unwrap());
            assert_eq!(tx.quarantine(&package, &two).await.unwrap(), None);
        })
        .await;
    let (listed, held) = bench.read(async |tx| tx.listed_and_held(&package).await.unwrap()).await;
    assert_eq!((listed[0].stored_generation, listed.len(), held), (11, 2, Vec::new()));
});

on_both_engines!(one_that_is_remembered_is_held_again, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let version = bench.committed(&package, "1.0.0").await;
    let held = HeldRecord { version: version.clone(), reason: "It steals.".to_owned(), since: bench.now() };
    bench.write(async |tx| tx.restore_quarantine(&package, &held).await.unwrap()).await;
    let again = bench.read(async |tx| tx.quarantine(&package, &version).await.unwrap()).await.unwrap();
    assert_eq!((again.custody, again.reason, again.created_at, again.generation), (Custody::Held, held.reason, held.since, 0));
});
