//! What every queue promises: a bell rings in its lane, news reach who listens, and nothing is an error that the relay heals.

use futures::{FutureExt as _, StreamExt as _};
use slipway_common::ids::{IdSource, JobId, TaskId};
use slipway_common::model::job::Lane;
use slipway_common::queue::{self, QueueError};
use slipway_tests::on_both_queues;

on_both_queues!(a_bell_rings_in_its_lane_alone, async |queue| {
    let ids = IdSource::counting();
    let rung: Vec<(Lane, JobId, JobId)> = Lane::ALL.into_iter().map(|lane| (lane, ids.next(), ids.next())).collect();
    for (lane, job, _) in &rung {
        queue.ring(*lane, *job).await.unwrap();
    }
    for (lane, job, last) in rung {
        let mut bells = queue.listen(lane, 1).await.unwrap();
        assert_eq!(bells.next().await.unwrap().job, job, "a bell that rang before anybody listened");
        queue.ring(lane, last).await.unwrap();
        assert_eq!(bells.next().await.unwrap().job, last, "{lane:?}: nothing rang in between");
        assert!(bells.next().now_or_never().is_none(), "{lane:?}");
    }
});

on_both_queues!(bells_of_a_lane_are_shared_between_its_listeners, async |queue| {
    let ids = IdSource::counting();
    let rung: Vec<JobId> = (0..6).map(|_| ids.next()).collect();
    let (mut one, mut two) = (queue.listen(Lane::Publish, 3).await.unwrap(), queue.listen(Lane::Publish, 3).await.unwrap());
    for job in &rung {
        queue.ring(Lane::Publish, *job).await.unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(one.next().await.unwrap());
        heard.push(two.next().await.unwrap());
    }
    let mut heard: Vec<JobId> = heard.iter().map(|bell| bell.job).collect();
    heard.sort();
    assert_eq!(heard, rung, "each bell is heard once");
});

on_both_queues!(a_listener_that_left_takes_no_bell_along, async |queue| {
    let job = IdSource::counting().next();
    let mut first = queue.listen(Lane::Publish, 1).await.unwrap();
    assert!(first.next().now_or_never().is_none());
    drop(first);
    let mut second = queue.listen(Lane::Publish, 1).await.unwrap();
    queue.ring(Lane::Publish, job).await.unwrap();
    assert_eq!(second.next().await.unwrap().job, job);
});

on_both_queues!(a_job_may_be_rung_more_than_once, async |queue| {
    let job = IdSource::counting().next();
    let mut bells = queue.listen(Lane::Announce, 8).await.unwrap();
    queue.ring(Lane::Announce, job).await.unwrap();
    queue.ring(Lane::Announce, job).await.unwrap();
    assert_eq!(bells.next().await.unwrap().job, job);
    assert_eq!(bells.next().await.unwrap().job, job);
});

on_both_queues!(a_lane_that_nobody_empties_refuses_nobody, async |queue| {
    let ids = IdSource::counting();
    let rings = futures::stream::iter((0..10_000).map(|_| queue.ring(Lane::Housekeeping, ids.next())));
    rings.buffer_unordered(64).for_each(|rung| async { rung.unwrap() }).await;
    let mut bells = queue.listen(Lane::Housekeeping, 1).await.unwrap();
    assert!(bells.next().await.is_some());
});

on_both_queues!(news_reach_everybody_who_listens, async |queue| {
    let ids = IdSource::counting();
    let (before, after): (TaskId, TaskId) = (ids.next(), ids.next());
    queue.tell(before).await.unwrap();
    let (mut one, mut two) = (queue.news().await.unwrap(), queue.news().await.unwrap());
    queue.tell(after).await.unwrap();
    assert_eq!((one.next().await, two.next().await), (Some(after), Some(after)), "from now on, not from before");
    assert!(one.next().now_or_never().is_none());
});

on_both_queues!(a_listener_that_sleeps_misses_news_and_hears_later_ones, async |queue| {
    let ids = IdSource::counting();
    let mut news = queue.news().await.unwrap();
    for _ in 0..2_500 {
        queue.tell(ids.next()).await.unwrap();
    }
    let last: TaskId = ids.next();
    queue.tell(last).await.unwrap();
    let mut heard = 1;
    while news.next().await != Some(last) {
        heard += 1;
    }
    assert!(heard < 2_000, "{heard} were kept for somebody who sleeps");
});

on_both_queues!(a_queue_that_can_be_reached_says_so, async |queue| {
    queue.check().await.unwrap();
});

#[test]
fn an_address_that_is_none_is_refused_without_its_password() {
    for url in
        ["amqp://ada:secret", "amqps:secret", "amqp://ada:sec/ret:secret@host", "redis://ada:secret@host", "in-process", "secret", ""]
    {
        match queue::open(url) {
            Err(QueueError::Url(text)) => assert!(!text.contains("secret"), "{text}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn an_open_queue_does_not_print_its_password() {
    let queue = queue::open("amqp://ada:secret@host/vhost").unwrap();
    let text = format!("{queue:?} {queue:#?}");
    assert!(!text.contains("secret") && text.contains("Amqp"), "{text}");
}
