//! Publishes on their way through the states.

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::db::{DbError, Page};
use slipway_common::jobs;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};
use slipway_common::model::job::Job;
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{Publish, PublishError, PublishState, Stage, Taken, UploadUse};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, version_of};

/// The way from `queued` to a state.
fn way_to(state: PublishState) -> &'static [PublishState] {
    match state {
        PublishState::Queued => &[],
        PublishState::Checking => &[PublishState::Checking],
        PublishState::Committed => &[PublishState::Checking, PublishState::Committed],
        PublishState::Published => &[PublishState::Checking, PublishState::Committed, PublishState::Published],
        PublishState::Rejected => &[PublishState::Checking, PublishState::Rejected],
        PublishState::Failed => &[PublishState::Failed],
        PublishState::Cancelled => &[PublishState::Cancelled],
    }
}

async fn bring(bench: &Bench<'_>, publish: &Publish, to: PublishState) {
    let mut from = PublishState::Queued;
    for next in way_to(to) {
        assert!(bench.write(async |tx| tx.move_publish(publish.id, from, *next).await.unwrap()).await);
        from = *next;
    }
}

fn findings() -> Findings {
    let warning = Finding::warning(FindingCode::InvalidTarball, "odd \u{1f4a5} 'name'").at(Place::at("/a.ts", 3, 4)).hint("rename it");
    [warning, Finding::note(FindingCode::InvalidTarball, "all is well")].into_iter().collect()
}

on_both_engines!(a_publish_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let package = bench.package("@std/path").await;
    let publish = Publish {
        user_id: Some(ada.id),
        upload_id: bench.ids.next(),
        upload_bytes: u64::from(u32::MAX) * 2,
        ..bench.draft_publish(&package, "1.0.0-a+b")
    };
    assert!(bench.write(async |tx| tx.create_publish(&publish).await.unwrap()).await);
    assert_eq!(bench.read(async |tx| tx.publish(publish.id).await.unwrap()).await, Some(publish));
    assert_eq!(bench.read(async |tx| tx.publish(bench.ids.next()).await.unwrap()).await, None);
});

on_both_engines!(who_waits_is_counted_up_to_a_bound, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (package, version) = (bench.package("@std/path").await, version_of("1.0.0"));
    let room = async |most| bench.read(async |tx| tx.room_for_publish(&package, &version, most).await.unwrap()).await;
    let waiting = async |most| room(most).await.unwrap().waiting;
    assert_eq!(waiting(2).await, 0);
    let mut jobs = Vec::new();
    for job in [Job::Publish { task: bench.ids.next() }, Job::Housekeep, Job::Publish { task: bench.ids.next() }] {
        jobs.push(bench.write(async |tx| jobs::enqueue(tx, &bench.ids, &job).await.unwrap()).await);
    }
    assert_eq!((waiting(1).await, waiting(2).await, waiting(10).await), (1, 2, 2));
    assert!(bench.write(async |tx| jobs::claim(tx, jobs[0], "test").await.unwrap()).await.is_some());
    assert_eq!(waiting(10).await, 1, "one that is worked on does not wait");
});

on_both_engines!(the_publishes_of_a_week_are_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (package, other) = (bench.package("@std/path").await, bench.package("@acme/path").await);
    let version = version_of("9.0.0");
    let load = async || bench.read(async |tx| tx.room_for_publish(&package, &version, 1).await.unwrap()).await.unwrap().this_week;
    assert_eq!(load().await, 0);
    bench.publish(&package, "1.0.0").await;
    bench.publish(&other, "1.0.0").await;
    bench.advance(TimeDelta::days(6));
    bench.publish(&package, "1.0.1").await;
    assert_eq!(load().await, 2);
    bench.advance(TimeDelta::days(1));
    assert_eq!(load().await, 1, "the first one is seven days old");
});

on_both_engines!(a_publish_needs_its_package, async |scratch| {
    let bench = Bench::on(scratch).await;
    let publish = bench.draft_publish(&package_name("@std/none"), "1.0.0");
    let mut tx = bench.db.write("test").await.unwrap();
    let refused = tx.create_publish(&publish).await;
    assert!(matches!(refused, Err(DbError::Conflict(_))), "{refused:?}");
});

on_both_engines!(what_is_live_or_published_blocks_its_version, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    for (index, state) in PublishState::ALL.into_iter().enumerate() {
        let version = format!("{index}.0.0");
        let publish = bench.publish(&package, &version).await;
        bring(&bench, &publish, state).await;
        let blocking = bench.read(async |tx| tx.blocking_publish(&package, &publish.version).await.unwrap()).await;
        let room = bench.read(async |tx| tx.room_for_publish(&package, &publish.version, 1).await.unwrap()).await.unwrap();
        assert_eq!(room.blocking, blocking.as_ref().map(|blocking| blocking.id));
        let again = bench.draft_publish(&package, &version);
        let is_new = bench.write(async |tx| tx.create_publish(&again).await.unwrap()).await;
        assert_eq!(blocking.map(|blocking| (blocking.id, blocking.state)), state.blocks_version().then_some((publish.id, state)));
        assert_eq!(is_new, !state.blocks_version(), "{state:?}");
    }
    // Clients take versions that differ in build metadata for one another: the second is the same version.
    let built = bench.draft_publish(&package, "0.0.0+b");
    assert!(!bench.write(async |tx| tx.create_publish(&built).await.unwrap()).await);
    let blocking = bench.read(async |tx| tx.blocking_publish(&package, &version_of("0.0.0+b")).await.unwrap()).await;
    assert_eq!(blocking.map(|blocking| blocking.version), Some(version_of("0.0.0")));
    let free = bench.read(async |tx| tx.blocking_publish(&package, &version_of("9.9.9")).await.unwrap()).await;
    assert_eq!(free, None);
    let (built, none) = (version_of("0.0.0+b"), package_name("@std/none"));
    let room = bench.read(async |tx| tx.room_for_publish(&package, &built, 1).await.unwrap()).await.unwrap();
    assert_eq!((room.blocking.is_some(), room.is_archived, room.visibility), (true, false, Visibility::Public));
    assert_eq!(bench.read(async |tx| tx.room_for_publish(&none, &built, 1).await.unwrap()).await, None);
});

on_both_engines!(a_publish_moves_only_from_where_it_is, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    bench.advance(TimeDelta::microseconds(1));
    bench
        .write(async |tx| {
            let (queued, checking) = (PublishState::Queued, PublishState::Checking);
            assert!(!tx.move_publish(publish.id, checking, queued).await.unwrap());
            assert!(tx.move_publish(publish.id, queued, checking).await.unwrap());
            assert!(!tx.move_publish(publish.id, queued, checking).await.unwrap());
            assert!(!tx.move_publish(publish.id, queued, PublishState::Cancelled).await.unwrap());
            assert!(!tx.move_publish(bench.ids.next(), queued, checking).await.unwrap());
        })
        .await;
    let moved = bench.read(async |tx| tx.publish(publish.id).await.unwrap().unwrap()).await;
    assert_eq!(moved, Publish { state: PublishState::Checking, updated_at: bench.now(), ..publish });
});

on_both_engines!(a_publish_is_taken_up_until_it_is_judged, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let (checking, limits) = (PublishState::Checking, json!({ "entries": 7 }));
    let mut scope = bench.read(async |tx| tx.scope(package.scope()).await.unwrap().unwrap()).await;
    for (stage, expected) in [("first", None), ("after a crash", Some(limits.clone()))] {
        bench.advance(TimeDelta::microseconds(1));
        let taken = bench.write(async |tx| tx.take_publish(publish.id).await.unwrap()).await;
        let state = Publish { state: checking, updated_at: bench.now(), ..publish.clone() };
        assert_eq!(taken, Some(Taken { publish: state, visibility: Visibility::Public, upload_limits: expected, ci: None }), "{stage}");
        scope.upload_limits = Some(limits.clone());
        bench.write(async |tx| tx.limit_scope(&scope).await.unwrap()).await;
    }
    let error = PublishError { code: "invalidTarball".to_owned(), message: "first".to_owned() };
    bench
        .write(async |tx| {
            assert!(tx.end_publish(publish.id, checking, PublishState::Rejected, &error, &findings()).await.unwrap());
            assert_eq!(tx.take_publish(publish.id).await.unwrap(), None);
            assert_eq!(tx.take_publish(bench.ids.next()).await.unwrap(), None);
        })
        .await;
});

on_both_engines!(an_end_keeps_its_reason, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let (checking, rejected) = (PublishState::Checking, PublishState::Rejected);
    let error = PublishError { code: "invalidTarball".to_owned(), message: "first\nsecond".to_owned() };
    bench
        .write(async |tx| {
            assert!(!tx.end_publish(publish.id, checking, rejected, &error, &findings()).await.unwrap());
            assert!(tx.move_publish(publish.id, PublishState::Queued, checking).await.unwrap());
            assert!(tx.end_publish(publish.id, checking, rejected, &error, &findings()).await.unwrap());
            assert!(!tx.end_publish(publish.id, checking, rejected, &error, &findings()).await.unwrap());
        })
        .await;
    let ended = bench.read(async |tx| tx.publish(publish.id).await.unwrap().unwrap()).await;
    assert_eq!(ended, Publish { state: rejected, error: Some(error), findings: findings(), ..publish });
});

on_both_engines!(what_an_author_wrote_can_always_be_said_back, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let hostile = "a\0b \u{fffd} \u{202e} \\u0000";
    let finding = Finding::error(FindingCode::InvalidTarball, hostile).at(Place::file(hostile)).hint(hostile);
    let error = PublishError { code: "invalidTarball".to_owned(), message: hostile.to_owned() };
    bring(&bench, &publish, PublishState::Checking).await;
    let (from, to) = (PublishState::Checking, PublishState::Rejected);
    bench.write(async |tx| assert!(tx.end_publish(publish.id, from, to, &error, &Findings::from(finding)).await.unwrap())).await;
    let ended = bench.read(async |tx| tx.publish(publish.id).await.unwrap().unwrap()).await;
    let shown = hostile.replace('\0', "\u{fffd}");
    let finding = ended.findings.iter().next().unwrap();
    assert_eq!(ended.error.unwrap().message, shown, "no text column of PostgreSQL holds a zero");
    assert_eq!((&finding.message, &finding.place, finding.hint.as_ref()), (&shown, &Some(Place::file(&*shown)), Some(&shown)));
});

on_both_engines!(a_commit_keeps_what_did_not_stop_it, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    bench
        .write(async |tx| {
            assert!(!tx.commit_publish(publish.id, 1, bench.now(), &findings()).await.unwrap());
            assert!(tx.move_publish(publish.id, PublishState::Queued, PublishState::Checking).await.unwrap());
            assert!(tx.commit_publish(publish.id, 2, bench.now(), &findings()).await.unwrap());
            assert!(!tx.commit_publish(publish.id, 3, bench.now(), &findings()).await.unwrap());
        })
        .await;
    let committed = bench.read(async |tx| tx.publish(publish.id).await.unwrap().unwrap()).await;
    assert_eq!(committed, Publish { state: PublishState::Committed, findings: findings(), ..publish });
});

on_both_engines!(publishes_finish_up_to_the_generation, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (package, other) = (bench.package("@std/path").await, bench.package("@std/other").await);
    let mut tasks = Vec::new();
    for (at, version, attempt, stored) in
        [(&package, "1.0.0", 4, Some(1)), (&package, "2.0.0", 5, Some(2)), (&package, "3.0.0", 6, None), (&other, "1.0.0", 7, Some(1))]
    {
        let publish = bench.publish(at, version).await;
        let draft = bench.draft_version(at, version, publish.id);
        bench
            .write(async |tx| {
                assert!(tx.move_publish(publish.id, PublishState::Queued, PublishState::Checking).await.unwrap());
                assert!(tx.commit_publish(publish.id, attempt, bench.now(), &findings()).await.unwrap());
                assert!(tx.create_version(&draft, &[]).await.unwrap());
                if let Some(generation) = stored {
                    assert!(tx.mark_stored(at, &draft.version, generation).await.unwrap());
                }
            })
            .await;
        tasks.push(publish.id);
    }
    let finish = async |generation| bench.write(async |tx| tx.finish_publishes(&package, generation).await.unwrap()).await;
    assert_eq!(finish(0).await, []);
    assert_eq!(finish(1).await, [tasks[0]]);
    assert_eq!(finish(1).await, [], "each is finished once");
    assert_eq!(finish(9).await, [tasks[1]], "what is not stored is not published");
    let states = bench
        .read(async |tx| {
            let mut states = [PublishState::Queued; 4];
            for (state, task) in states.iter_mut().zip(tasks) {
                *state = tx.publish(task).await.unwrap().unwrap().state;
            }
            states
        })
        .await;
    assert_eq!(states.map(PublishState::as_str), ["published", "published", "committed", "committed"]);
});

on_both_engines!(publishes_are_listed_newest_first, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let mut made = Vec::new();
    for (version, pause) in [("1.0.0", 0), ("2.0.0", 1), ("3.0.0", 0), ("1.1.0", 999_999)] {
        bench.advance(TimeDelta::microseconds(pause));
        made.insert(0, bench.publish(&package, version).await);
    }
    bench
        .read(async |tx| {
            let listed = tx.publishes_of(&package, Page::default()).await.unwrap();
            assert_eq!((listed.items, listed.total), (made.clone(), 4));
            let page = tx.publishes_of(&package, Page::new(2, 3)).await.unwrap();
            assert_eq!((page.items, page.total), (made[3..].to_vec(), 4));
            let none = tx.publishes_of(&package_name("@std/none"), Page::new(0, 0)).await.unwrap();
            assert_eq!((none.items, none.total), (vec![], 0));
        })
        .await;
});

on_both_engines!(uploads_are_needed_by_their_publishes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    // More than one question asks for at once.
    let mut tasks: Vec<_> = (0..600).map(|_| bench.ids.next()).collect();
    let (one, two) = (bench.publish(&package, "1.0.0").await, bench.publish(&package, "2.0.0").await);
    tasks.extend([one.id, two.id]);
    bring(&bench, &one, PublishState::Checking).await;
    bench.advance(TimeDelta::microseconds(1));
    bench.write(async |tx| assert!(tx.commit_publish(one.id, 7, bench.now(), &findings()).await.unwrap())).await;
    let uses = bench.read(async |tx| tx.upload_uses(&tasks).await.unwrap()).await;
    let committed = UploadUse { state: PublishState::Committed, plan_attempt: Some(7), updated_at: bench.now() };
    let queued = UploadUse { state: PublishState::Queued, plan_attempt: None, updated_at: two.created_at };
    assert_eq!(uses, [(one.id, committed), (two.id, queued)].into());
    assert!(bench.read(async |tx| tx.upload_uses(&[]).await.unwrap()).await.is_empty());
});

on_both_engines!(stages_are_noted_as_they_are_reached, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let second = TimeDelta::seconds(1);
    let (queued, checking) = (PublishState::Queued, PublishState::Checking);
    let begun = bench.now();
    bench.advance(second);
    for (from, to) in [(queued, checking), (checking, queued), (queued, checking)] {
        bench.write(async |tx| assert!(tx.move_publish(publish.id, from, to).await.unwrap())).await;
        bench.advance(second);
    }
    let planned = bench.now();
    bench.advance(second);
    let draft = bench.draft_version(&package, "1.0.0", publish.id);
    bench
        .write(async |tx| {
            assert!(tx.create_version(&draft, &[]).await.unwrap());
            assert!(tx.commit_publish(publish.id, 1, planned, &findings()).await.unwrap());
        })
        .await;
    bench.advance(second);
    let stages = async |id| bench.read(async |tx| tx.publish_stages(id).await.unwrap()).await;
    let so_far =
        [(Stage::Accepted, begun), (Stage::Claimed, begun + second), (Stage::Planned, planned), (Stage::Committed, planned + second)];
    assert_eq!(stages(publish.id).await, so_far, "the first claim counts");
    bench.write(async |tx| assert!(tx.mark_stored(&package, &draft.version, 1).await.unwrap())).await;
    let stored = bench.now();
    bench.advance(second);
    bench.write(async |tx| assert_eq!(tx.finish_publishes(&package, 1).await.unwrap().len(), 1)).await;
    let whole = [&so_far[..], &[(Stage::Stored, stored), (Stage::Announced, bench.now())]].concat();
    assert_eq!(stages(publish.id).await, whole);
    assert_eq!(stages(bench.ids.next()).await, []);

    // What comes to nothing says how, and takes nothing from the version that another publish made.
    for (state, last) in
        [(PublishState::Rejected, Stage::Rejected), (PublishState::Failed, Stage::Failed), (PublishState::Cancelled, Stage::Cancelled)]
    {
        let publish = bench.publish(&package, "2.0.0").await;
        bring(&bench, &publish, state).await;
        let stages = stages(publish.id).await;
        assert_eq!((stages.first().unwrap().0, *stages.last().unwrap()), (Stage::Accepted, (last, bench.now())));
        assert_eq!(stages.len(), way_to(state).len() + 1);
    }
});

on_both_engines!(an_upload_is_tried_again, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    let failed = bench.publish(&package, "1.0.0").await;
    let again = Publish { id: bench.ids.next(), ..failed.clone() };
    let create = async || bench.write(async |tx| tx.create_publish(&again).await.unwrap()).await;
    assert!(!create().await, "the first one may get there yet");
    bring(&bench, &failed, PublishState::Failed).await;
    assert!(create().await);
    let stored = bench.read(async |tx| tx.publish(again.id).await.unwrap().unwrap()).await;
    assert_eq!((stored.upload_id, stored.state), (failed.id, PublishState::Queued));
    assert!(!bench.write(async |tx| tx.create_publish(&Publish { id: bench.ids.next(), ..failed }).await.unwrap()).await, "once");
});
