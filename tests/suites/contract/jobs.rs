//! Work that outlives the request.

use chrono::TimeDelta;
use slipway_common::ids::{JobId, TaskId};
use slipway_common::jobs::{self, LEASE, Settled};
use slipway_common::model::job::{Claim, Job, Lane, Subject};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, version_of};

/// The smallest step of time.
const TICK: TimeDelta = TimeDelta::microseconds(1);

pub(crate) fn announce() -> Job {
    Job::Announce { package: package_name("@std/path") }
}

impl Bench<'_> {
    pub(crate) async fn enqueue(&self, job: &Job) -> JobId {
        self.write(async |tx| jobs::enqueue(tx, &self.ids, job).await.unwrap()).await
    }

    pub(crate) async fn claim(&self, id: JobId, worker: &str) -> Option<Claim> {
        let mut tx = self.db.write("test").await.unwrap();
        let claim = jobs::claim(&mut tx, id, worker).await.unwrap()?;
        tx.commit().await.unwrap();
        Some(claim)
    }

    pub(crate) async fn settle(&self, claim: &Claim) -> Settled {
        self.write(async |tx| jobs::settle(tx, claim).await.unwrap()).await
    }

    async fn put_back(&self, claim: &Claim, wait: TimeDelta) -> bool {
        self.write(async |tx| jobs::put_back(tx, claim, self.now() + wait, "it rained", false).await.unwrap()).await
    }

    async fn due(&self) -> Vec<JobId> {
        self.write(async |tx| tx.due_jobs().await.unwrap()).await
    }

    async fn is_open(&self) -> bool {
        self.read(async |tx| tx.has_open_jobs().await.unwrap()).await
    }

    /// The states of all jobs, oldest first.
    pub(crate) async fn states(&self) -> String {
        let states = self.scratch.connect().await.texts("SELECT state FROM jobs ORDER BY created_at, id").await;
        states.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

on_both_engines!(a_job_is_put_taken_and_settled, async |scratch| {
    let bench = Bench::on(scratch).await;
    assert!(!bench.is_open().await);
    assert_eq!(bench.read(async |tx| tx.next_job_due().await.unwrap()).await, None);
    let id = bench.enqueue(&announce()).await;
    assert!(bench.is_open().await);
    assert_eq!(bench.due().await, [id]);
    assert_eq!(bench.read(async |tx| tx.next_job_due().await.unwrap()).await, Some(bench.now()));
    let claim = bench.claim(id, "one").await.unwrap();
    assert_eq!(claim, Claim { id, job: announce(), attempt: 1, crashes: 0 });
    assert_eq!(bench.due().await, []);
    assert_eq!(bench.read(async |tx| tx.next_job_due().await.unwrap()).await, Some(bench.now() + LEASE));
    assert_eq!(bench.settle(&claim).await, Settled::Ours(None));
    assert!(!bench.is_open().await);
    assert_eq!(bench.settle(&claim).await, Settled::Zombie, "a job is settled once");
    assert_eq!(bench.claim(id, "one").await, None, "the bell was stale");
    assert_eq!(bench.claim(bench.ids.next(), "one").await, None, "there is no such job");
});

on_both_engines!(what_has_time_is_due_later, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.write(async |tx| jobs::enqueue_for_later(tx, &bench.ids, &announce(), TimeDelta::minutes(1)).await.unwrap()).await;
    assert_eq!(bench.read(async |tx| tx.next_job_due().await.unwrap()).await, Some(bench.now() + TimeDelta::minutes(1)));
    assert_eq!(bench.due().await, []);
    bench.advance(TimeDelta::minutes(1));
    assert_eq!(bench.claim(id, "one").await.map(|claim| claim.job), Some(announce()));
});

on_both_engines!(every_kind_is_known_and_a_newer_one_is_left_alone, async |scratch| {
    let bench = Bench::on(scratch).await;
    let task = bench.ids.next();
    let record = Job::Record { subject: Subject::User(bench.ids.next()) };
    let attest = Job::Attest { package: package_name("@std/path"), version: version_of("1.0.0") };
    let readdress = Job::Readdress { urls: "https://r.example/ https://r.example/npm/".to_owned() };
    let all = [
        Job::Publish { task },
        Job::Store { task, plan: 3 },
        announce(),
        record,
        attest,
        Job::Log { package: package_name("@std/path"), version: version_of("1.0.0") },
        Job::Open { package: package_name("@std/path") },
        Job::Quarantine { package: package_name("@std/path"), version: version_of("1.0.0") },
        readdress,
        Job::Catalogue,
        Job::Housekeep,
        Job::Reconcile,
    ];
    assert_eq!(all.each_ref().map(Job::kind), Job::KINDS);
    for job in all {
        let id = bench.enqueue(&job).await;
        assert_eq!(bench.claim(id, "one").await.map(|claim| claim.job), Some(job));
    }
    let id = bench.enqueue(&Job::Publish { task: bench.ids.next() }).await;
    scratch.connect().await.execute("UPDATE jobs SET kind = 'dance' WHERE state = 'queued'").await;
    assert_eq!(bench.claim(id, "one").await, None);
});

on_both_engines!(a_lease_runs_out_and_the_zombie_is_fenced_off, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let first = bench.claim(id, "one").await.unwrap();
    bench.advance(LEASE);
    assert_eq!(bench.claim(id, "two").await, None, "until the last tick it is ours");
    assert_eq!(bench.due().await, []);
    bench.advance(TICK);
    assert_eq!(bench.due().await, [id]);
    let second = bench.claim(id, "two").await.unwrap();
    assert_eq!(second.attempt, 2);
    bench
        .write(async |tx| {
            assert!(!jobs::heartbeat(tx, &first).await.unwrap());
            assert_eq!(jobs::settle(tx, &first).await.unwrap(), Settled::Zombie);
            assert_eq!(jobs::give_up(tx, &first, "late").await.unwrap(), Settled::Zombie);
            assert!(!jobs::put_back(tx, &first, bench.now(), "late", true).await.unwrap());
            assert!(jobs::heartbeat(tx, &second).await.unwrap());
        })
        .await;
    assert_eq!(bench.settle(&second).await, Settled::Ours(None));
});

on_both_engines!(a_heartbeat_extends_the_lease, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let claim = bench.claim(id, "one").await.unwrap();
    for _ in 0..3 {
        bench.advance(LEASE - TICK);
        assert!(bench.write(async |tx| jobs::heartbeat(tx, &claim).await.unwrap()).await);
    }
    assert_eq!(bench.claim(id, "two").await, None);
    bench.advance(LEASE + TICK);
    assert!(bench.write(async |tx| jobs::heartbeat(tx, &claim).await.unwrap()).await, "late, but nobody has taken it");
    assert_eq!(bench.claim(id, "two").await, None);
});

on_both_engines!(the_one_process_takes_over_at_once, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let claim = bench.claim(id, "one").await.unwrap();
    assert_eq!(bench.write(async |tx| jobs::outlive(tx).await.unwrap()).await, 1);
    assert_eq!(bench.due().await, [id], "nobody waits for the lease of a process that is gone");
    let second = bench.claim(id, "two").await.unwrap();
    assert_eq!((second.attempt, second.crashes), (2, 1));
    assert_eq!(bench.settle(&claim).await, Settled::Zombie);
    assert_eq!(bench.settle(&second).await, Settled::Ours(None));
    assert_eq!(bench.write(async |tx| jobs::outlive(tx).await.unwrap()).await, 0);
});

on_both_engines!(a_job_that_failed_waits_for_its_time, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let claim = bench.claim(id, "one").await.unwrap();
    assert!(bench.put_back(&claim, TimeDelta::minutes(1)).await);
    assert!(!bench.put_back(&claim, TimeDelta::minutes(1)).await, "it is not ours any more");
    bench.advance(TimeDelta::minutes(1) - TICK);
    assert_eq!((bench.claim(id, "two").await, bench.due().await), (None, vec![]));
    bench.advance(TICK);
    assert_eq!(bench.due().await, [id]);
    assert_eq!(bench.claim(id, "two").await.unwrap().attempt, 2);
    assert_eq!(scratch.connect().await.texts("SELECT last_fault FROM jobs").await, [Some("it rained".to_owned())]);
});

on_both_engines!(a_job_that_is_given_up_stays_for_people, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let claim = bench.claim(id, "one").await.unwrap();
    let given_up = bench.write(async |tx| jobs::give_up(tx, &claim, "it rained\0").await.unwrap()).await;
    assert_eq!(given_up, Settled::Ours(None));
    bench.advance(TimeDelta::days(30));
    assert_eq!((bench.is_open().await, bench.due().await, bench.claim(id, "two").await), (false, vec![], None));
    assert_eq!(scratch.connect().await.texts("SELECT last_fault FROM jobs").await, [Some("it rained\u{fffd}".to_owned())]);
    assert_eq!(bench.states().await, "failed");
});

on_both_engines!(a_waiting_twin_is_touched, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    assert_eq!(bench.enqueue(&announce()).await, id);
    let claim = bench.claim(id, "one").await.unwrap();
    assert!(bench.put_back(&claim, TimeDelta::minutes(1)).await);
    assert_eq!(bench.enqueue(&announce()).await, id, "what waits for its time is wanted now");
    assert_eq!(bench.due().await, [id]);
    bench.advance(TimeDelta::hours(1));
    bench.enqueue(&announce()).await;
    let due = bench.read(async |tx| tx.next_job_due().await.unwrap()).await;
    assert_eq!(due, Some(bench.now() - TimeDelta::hours(1)), "a touch never makes it wait longer");
});

on_both_engines!(one_works_and_one_waits_for_each_key, async |scratch| {
    let bench = Bench::on(scratch).await;
    let first = bench.enqueue(&announce()).await;
    let working = bench.claim(first, "one").await.unwrap();
    let second = bench.enqueue(&announce()).await;
    assert_ne!(second, first);
    assert_eq!(bench.enqueue(&announce()).await, second);
    assert_eq!(bench.claim(second, "two").await, None, "its twin is being worked on");
    assert_eq!(bench.settle(&working).await, Settled::Ours(Some((second, Lane::Announce))));
    let next = bench.claim(second, "two").await.unwrap();
    assert_eq!(next.attempt, 1);
    let other = bench.enqueue(&Job::Announce { package: package_name("@std/other") }).await;
    assert!(bench.claim(other, "one").await.is_some(), "another key has nothing to do with it");
});

on_both_engines!(a_job_is_born_claimed_unless_its_twin_works, async |scratch| {
    let bench = Bench::on(scratch).await;
    let enqueue_claimed = async || bench.write(async |tx| jobs::enqueue_claimed(tx, &bench.ids, announce(), "one").await.unwrap()).await;
    let first = enqueue_claimed().await.unwrap();
    assert_eq!((&first.job, first.attempt), (&announce(), 1));
    assert_eq!(bench.read(async |tx| tx.next_job_due().await.unwrap()).await, Some(bench.now() + LEASE));
    assert_eq!(enqueue_claimed().await, None);
    let Settled::Ours(Some((waiting, Lane::Announce))) = bench.settle(&first).await else { panic!("a twin waits") };
    assert_eq!(bench.due().await, [waiting]);
    // One that waits keeps nobody from being born.
    let third = enqueue_claimed().await.unwrap();
    assert_eq!(bench.claim(waiting, "two").await, None);
    bench.advance(LEASE + TICK);
    assert_eq!(bench.claim(third.id, "two").await.map(|claim| claim.attempt), Some(2), "its lease runs out like any other");
});

on_both_engines!(a_job_carries_bytes_until_it_is_done, async |scratch| {
    let bench = Bench::on(scratch).await;
    let store = Job::Store { task: bench.ids.next(), plan: 1 };
    let parcel = [0, 255, b'x'];
    let put = async || {
        bench.write(async |tx| jobs::enqueue_claimed_with(tx, &bench.ids, store.clone(), Some(&parcel), "one").await.unwrap()).await
    };
    let carried = async |id| bench.write(async |tx| jobs::parcel(tx, id).await.unwrap()).await;
    let first = put().await.unwrap();
    assert_eq!(put().await, None, "it is being worked on");
    assert_eq!(bench.states().await, "running", "what would have lost its bytes was not enqueued");
    assert_eq!(carried(first.id).await.as_deref(), Some(&parcel[..]));
    assert!(bench.put_back(&first, TICK).await);
    bench.advance(TICK);
    let second = bench.claim(first.id, "two").await.unwrap();
    bench.write(async |tx| assert_eq!(jobs::park(tx, &second, "it rained").await.unwrap(), Settled::Ours(None))).await;
    assert_eq!(carried(first.id).await.as_deref(), Some(&parcel[..]), "what waits for the operator has it still");
    bench.write(async |tx| jobs::take_up(tx, None).await.unwrap()).await;
    let third = bench.claim(first.id, "three").await.unwrap();
    assert_eq!(bench.settle(&third).await, Settled::Ours(None));
    assert_eq!(carried(first.id).await, None);
    assert_eq!(carried(bench.enqueue(&announce()).await).await, None);
});

on_both_engines!(a_failed_job_gives_way_to_its_waiting_twin, async |scratch| {
    let bench = Bench::on(scratch).await;
    let first = bench.enqueue(&announce()).await;
    let working = bench.claim(first, "one").await.unwrap();
    bench.advance(TICK);
    let second = bench.enqueue(&announce()).await;
    assert!(bench.put_back(&working, TimeDelta::minutes(1)).await);
    assert_eq!(bench.states().await, "done queued");
    assert_eq!(bench.due().await, [second]);
    assert_eq!(bench.settle(&working).await, Settled::Zombie);
});

on_both_engines!(what_is_due_comes_oldest_first, async |scratch| {
    let bench = Bench::on(scratch).await;
    let mut expected = Vec::new();
    for index in 0..5 {
        expected.push(bench.enqueue(&Job::Announce { package: package_name(&format!("@std/p{index}")) }).await);
        bench.advance(TICK * (index % 2));
    }
    assert_eq!(bench.due().await, expected);
});

on_both_engines!(crashes_are_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    let put_back = async |claim: &Claim, is_crash| {
        bench.write(async |tx| assert!(jobs::put_back(tx, claim, bench.now(), "it rained", is_crash).await.unwrap())).await;
    };
    assert_eq!(bench.claim(id, "one").await.unwrap().crashes, 0);
    bench.advance(LEASE + TICK);
    let silent = bench.claim(id, "two").await.unwrap();
    assert_eq!(silent.crashes, 1, "the first worker ended without a word");
    put_back(&silent, false).await;
    let patient = bench.claim(id, "three").await.unwrap();
    assert_eq!(patient.crashes, 1, "a fault that passes is no crash");
    put_back(&patient, true).await;
    let claim = bench.claim(id, "four").await.unwrap();
    assert_eq!((claim.attempt, claim.crashes), (4, 2));
});

on_both_engines!(a_parked_job_waits_until_it_is_taken_up, async |scratch| {
    let bench = Bench::on(scratch).await;
    let task: TaskId = bench.ids.next();
    let store = Job::Store { task, plan: 1 };
    let ids = [bench.enqueue(&announce()).await, bench.enqueue(&store).await];
    let park = async |id| {
        let claim = bench.claim(id, "one").await.unwrap();
        bench.write(async |tx| assert_eq!(jobs::park(tx, &claim, "it rained").await.unwrap(), Settled::Ours(None))).await;
        bench.write(async |tx| assert_eq!(jobs::park(tx, &claim, "it rained").await.unwrap(), Settled::Zombie)).await;
    };
    for id in ids {
        park(id).await;
    }
    bench.advance(TimeDelta::days(30));
    assert_eq!((bench.is_open().await, bench.due().await, bench.claim(ids[0], "two").await), (false, vec![], None));
    let take_up = async |key: Option<&str>| bench.write(async |tx| jobs::take_up(tx, key).await.unwrap()).await;
    assert_eq!(take_up(Some("store:nothing")).await, []);
    assert_eq!(take_up(Some(&store.dedup_key())).await, [(ids[1], Lane::Announce)]);
    assert_eq!(bench.states().await, "parked queued");
    let claim = bench.claim(ids[1], "two").await.unwrap();
    assert_eq!((claim.attempt, claim.crashes), (2, 0), "it begins anew");
    assert_eq!(bench.settle(&claim).await, Settled::Ours(None));
    assert_eq!(take_up(None).await, [(ids[0], Lane::Announce)]);

    // Two of a key are parked, and a third waits: it does the work of all.
    park(ids[0]).await;
    park(bench.enqueue(&announce()).await).await;
    let third = bench.enqueue(&announce()).await;
    assert_eq!(take_up(None).await, [(third, Lane::Announce)]);
    assert_eq!(take_up(None).await, []);
    assert_eq!((bench.states().await.as_str(), bench.due().await), ("done done done queued", vec![third]));
});
