//! The sweeper, with the queue of a process.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::{FutureExt as _, StreamExt as _};
use slipway_common::config::{Config, Layers};
use slipway_common::context::Context;
use slipway_common::ids::JobId;
use slipway_common::jobs::{self, LEASE};
use slipway_common::model::job::{Job, Lane};
use slipway_common::provenance::Notary;
use slipway_common::queue::InProcess;
use slipway_common::storage::Storage;
use slipway_tests::broker::Broker;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name};
use crate::jobs::announce;

/// After this long a bell counts as lost.
const LOST: TimeDelta = TimeDelta::seconds(3);
const TICK: TimeDelta = TimeDelta::microseconds(1);

fn context(bench: &Bench<'_>) -> Context {
    let flags = vec![("database", bench.scratch.url.clone()), ("objects", "memory:".to_owned()), ("queue", "in-process:".to_owned())];
    let config = Config::load(&Layers { flags, ..Layers::default() }).unwrap();
    let storage = Storage::open("memory:", "memory:").unwrap();
    let notary = Arc::new(Notary::open(&config, &bench.ids, &storage).unwrap());
    Context {
        db: bench.db.clone(),
        storage,
        queue: Arc::new(InProcess::default()),
        clock: bench.clock.clone(),
        ids: bench.ids.clone(),
        notary,
        config: Arc::new(config),
    }
}

/// The bells that hang in a lane.
async fn heard(context: &Context, lane: Lane) -> Vec<JobId> {
    let mut bells = context.queue.listen(lane, 1).await.unwrap();
    let mut heard = Vec::new();
    // Without the budget by which a task makes room for others: there are none.
    while let Some(bell) = tokio::task::unconstrained(bells.next()).now_or_never() {
        heard.push(bell.unwrap().job);
    }
    heard
}

on_both_engines!(a_bell_that_was_lost_rings_again, async |scratch| {
    let bench = Bench::on(scratch).await;
    let context = context(&bench);
    assert_eq!(jobs::relay(&context).await.unwrap(), 0);
    let (one, two) = (bench.enqueue(&announce()).await, bench.enqueue(&Job::Housekeep).await);
    bench.advance(LOST - TICK);
    assert_eq!(jobs::relay(&context).await.unwrap(), 0, "whoever put it rings it");
    bench.advance(TICK);
    assert_eq!(jobs::relay(&context).await.unwrap(), 2);
    assert_eq!(heard(&context, Lane::Announce).await, [one]);
    assert_eq!(heard(&context, Lane::Housekeeping).await, [two]);
    assert_eq!(jobs::relay(&context).await.unwrap(), 0, "not twice at once");
    bench.advance(LOST);
    assert_eq!(jobs::relay(&context).await.unwrap(), 2, "but until somebody comes");
    let claim = bench.claim(one, "one").await.unwrap();
    bench.advance(LOST);
    assert_eq!(jobs::relay(&context).await.unwrap(), 1, "somebody has come");
    bench.advance(LEASE);
    assert_eq!(jobs::relay(&context).await.unwrap(), 2, "and is not heard of any more");
    bench.write(async |tx| jobs::settle(tx, &claim).await.map(drop).unwrap()).await;
    bench.advance(LOST);
    assert_eq!(jobs::relay(&context).await.unwrap(), 1);
});

on_both_engines!(a_job_that_waited_for_its_time_is_rung_when_it_comes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let context = context(&bench);
    let id = bench.enqueue(&announce()).await;
    let claim = bench.claim(id, "one").await.unwrap();
    let wait = TimeDelta::milliseconds(500);
    assert!(bench.write(async |tx| jobs::put_back(tx, &claim, bench.now() + wait, "it rained", false).await.unwrap()).await);
    bench.advance(wait - TICK);
    assert_eq!(jobs::relay(&context).await.unwrap(), 0);
    bench.advance(TICK);
    assert_eq!(jobs::relay(&context).await.unwrap(), 1, "nobody else rings it");
    assert_eq!(heard(&context, Lane::Announce).await, [id]);
    assert_eq!(jobs::relay(&context).await.unwrap(), 0);
});

on_both_engines!(relays_of_two_processes_do_not_hinder_each_other, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (one, two) = (context(&bench), context(&bench));
    let mut put = Vec::new();
    for index in 0..20 {
        put.push(bench.enqueue(&Job::Announce { package: package_name(&format!("@std/p{index}")) }).await);
    }
    bench.advance(LOST);
    let (first, second) = tokio::join!(jobs::relay(&one), jobs::relay(&two));
    let rung = first.unwrap() + second.unwrap();
    let mut heard = [heard(&one, Lane::Announce).await, heard(&two, Lane::Announce).await].concat();
    assert_eq!(heard.len(), rung);
    heard.sort();
    heard.dedup();
    assert_eq!(heard, put, "each is rung, by one of them or by both");
});

on_both_engines!(a_burst_is_rung_in_sweeps, async |scratch| {
    let bench = Bench::on(scratch).await;
    let context = context(&bench);
    let put: Vec<JobId> = bench
        .write(async |tx| {
            let mut put = Vec::new();
            for index in 0..450 {
                let job = Job::Announce { package: package_name(&format!("@std/p{index}")) };
                put.push(jobs::enqueue(tx, &bench.ids, &job).await.unwrap());
            }
            put
        })
        .await;
    bench.advance(LOST);
    let mut sweeps = Vec::new();
    for _ in 0..4 {
        sweeps.push(jobs::relay(&context).await.unwrap());
    }
    assert_eq!(sweeps, [200, 200, 50, 0]);
    let mut heard = heard(&context, Lane::Announce).await;
    heard.sort();
    assert_eq!(heard, put);
});

on_both_engines!(a_bell_that_the_broker_lost_rings_again, async |scratch| {
    let Some(broker) = Broker::make().await else { return };
    let bench = Bench::on(scratch).await;
    let context = Context { queue: broker.queue(), ..context(&bench) };
    let id = bench.enqueue(&announce()).await;
    context.ring(Lane::Announce, id).await;
    broker.purge("slipway.announce").await;
    bench.advance(LOST);
    assert_eq!(jobs::relay(&context).await.unwrap(), 1);
    let mut bells = context.queue.listen(Lane::Announce, 1).await.unwrap();
    assert_eq!(bells.next().await.unwrap().job, id);
    broker.remove().await;
});

on_both_engines!(a_worker_finds_its_work_without_a_broker, async |scratch| {
    let Some(broker) = Broker::make().await else { return };
    let bench = Bench::on(scratch).await;
    let ((desk, cut), (workshop, cut_as_well)) = (broker.behind_proxy().await, broker.behind_proxy().await);
    cut.cut();
    cut_as_well.cut();
    let (desk, workshop) = (Context { queue: desk, ..context(&bench) }, Context { queue: workshop, ..context(&bench) });
    let mut bells = workshop.queue.listen(Lane::Announce, 1).await.unwrap();
    let id = bench.enqueue(&announce()).await;
    desk.ring(Lane::Announce, id).await;
    bench.advance(LOST);
    assert_eq!(jobs::relay(&desk).await.unwrap(), 0, "it leaves the job to those who are heard");
    assert_eq!(jobs::relay(&workshop).await.unwrap(), 1);
    assert_eq!(bells.next().await.unwrap().job, id);
    broker.remove().await;
});
