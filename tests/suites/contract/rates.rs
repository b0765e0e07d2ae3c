//! How often somebody does something.

use chrono::TimeDelta;
use slipway_common::db::WriteTx;
use slipway_tests::on_both_engines;

use crate::bench::Bench;

on_both_engines!(acts_are_counted_from_the_first_one_on, async |scratch| {
    let bench = Bench::on(scratch).await;
    let count = async |subject: &str| {
        let since = bench.now() - TimeDelta::hours(1);
        bench.write(async |tx| tx.count_use(subject, since).await.unwrap()).await
    };
    let first = bench.now();
    assert_eq!(count("invites scope std").await, (1, first));
    bench.advance(TimeDelta::minutes(59));
    assert_eq!(count("invites scope std").await, (2, first));
    assert_eq!(count("invites scope st\0d").await, (1, bench.now()), "everybody is counted by themselves");
    bench.advance(TimeDelta::minutes(1) - TimeDelta::microseconds(1));
    assert_eq!(count("invites scope std").await, (3, first));
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(count("invites scope std").await, (1, bench.now()), "an hour later it begins anew");
    let mut tx = bench.db.write("test").await.unwrap();
    assert_eq!(tx.count_use("invites scope std", first).await.unwrap().0, 2);
    drop(tx);
    assert_eq!(count("invites scope std").await.0, 2, "what did not happen does not count");
    bench.advance(TimeDelta::hours(2));
    assert_eq!(bench.write(async |tx| tx.sweep().await.unwrap()).await, 1, "the one that was counted before");
    bench.advance(TimeDelta::microseconds(1));
    assert_eq!(bench.write(async |tx| tx.sweep().await.unwrap()).await, 1);
});

on_both_engines!(of_two_acts_at_once_both_are_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let since = bench.now() - TimeDelta::hours(1);
    let count = async |tx: &mut WriteTx| tx.count_use("tokens account ada", since).await.unwrap().0;
    assert_eq!(bench.race(async |tx| count(tx).await, async |tx| count(tx).await).await, (1, 2));
});
