//! The addresses that documents state.

use slipway_common::db::Addresses;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name};

on_both_engines!(other_addresses_are_noted_once_and_begin_anew, async |scratch| {
    let bench = Bench::on(scratch).await;
    let noted = async || bench.read(async |tx| tx.addresses().await.unwrap()).await;
    let state = async |urls: &str| bench.write(async |tx| tx.state_addresses(urls).await.unwrap()).await;
    assert_eq!(noted().await, None);
    assert!(state("a").await && !state("a").await, "of several processes that start one notes it");
    let of = |urls: &str, after: Option<&str>, is_done| Some(Addresses { urls: urls.to_owned(), after: after.map(package_name), is_done });
    assert_eq!(noted().await, of("a", None, false));
    let far = package_name("@std/path");
    assert!(bench.write(async |tx| tx.note_addresses("a", Some(&far), false).await.unwrap()).await);
    assert_eq!(noted().await, of("a", Some("@std/path"), false));
    assert!(!state("a").await);
    assert_eq!(noted().await, of("a", Some("@std/path"), false), "whoever starts meanwhile goes on");
    assert!(bench.write(async |tx| tx.note_addresses("a", None, true).await.unwrap()).await);
    assert!(state("b").await);
    assert_eq!(noted().await, of("b", None, false));
    assert!(!bench.write(async |tx| tx.note_addresses("a", Some(&far), true).await.unwrap()).await, "that is over");
    assert_eq!(noted().await, of("b", None, false));
});
