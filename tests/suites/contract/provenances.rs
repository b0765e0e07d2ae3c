//! Where versions came from.

use serde_json::json;
use slipway_common::db::DbError;
use slipway_common::model::provenance::Provenance;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, version_of};
use crate::ci::identity;

on_both_engines!(what_was_shown_first_stays, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    bench.stored(&package, "1.0.0").await;
    let first = Provenance {
        package: package.clone(),
        version: version_of("1.0.0"),
        predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
        job: identity(),
        log_index: Some("42".to_owned()),
        logged_at: Some(bench.now()),
        bundle: json!({ "dsseEnvelope": { "payload": "e30=" } }),
        created_at: bench.now(),
    };
    let shown = async || bench.read(async |tx| tx.provenance(&package, &first.version).await.unwrap()).await;
    assert_eq!(shown().await, None);
    assert!(bench.write(async |tx| tx.add_provenance(&first).await.unwrap()).await);
    let second = Provenance { log_index: None, logged_at: None, ..first.clone() };
    assert!(!bench.write(async |tx| tx.add_provenance(&second).await.unwrap()).await);
    assert_eq!(shown().await, Some(first.clone()));
    assert_eq!(serde_json::from_slice::<Provenance>(&serde_json::to_vec(&first).unwrap()).unwrap(), first);
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.add_provenance(&Provenance { version: version_of("9.0.0"), ..second }).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "there is no such version: {refused:?}");
});
