//! What every queue promises: a bell rings in its lane, news reach who listens, and nothing is an error that the relay heals.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _};
use slipway_common::ids::{IdSource, JobId, TaskId};
use slipway_common::model::job::Lane;
use slipway_common::queue::{self, Queue, QueueError};

/// Every queue that needs no service.
fn queues() -> Vec<(&'static str, Arc<dyn Queue>)> {
    ["in-process:"].map(|url| (url, queue::open(url).unwrap())).into()
}

#[tokio::test]
async fn a_bell_rings_in_its_lane_alone() {
    for (url, queue) in queues() {
        let ids = IdSource::counting();
        let rung: Vec<(Lane, JobId)> = Lane::ALL.into_iter().map(|lane| (lane, ids.next())).collect();
        for (lane, job) in &rung {
            queue.ring(*lane, *job).await.unwrap();
        }
        for (lane, job) in rung {
            let mut bells = queue.listen(lane, 1).await.unwrap();
            assert_eq!(bells.next().await.unwrap().job, job, "{url}: a bell that rang before anybody listened");
            assert!(bells.next().now_or_never().is_none(), "{url}: {lane:?}");
        }
    }
}

#[tokio::test]
async fn bells_of_a_lane_are_shared_between_its_listeners() {
    for (url, queue) in queues() {
        let ids = IdSource::counting();
        let rung: Vec<JobId> = (0..6).map(|_| ids.next()).collect();
        let (mut one, mut two) = (queue.listen(Lane::Publish, 1).await.unwrap(), queue.listen(Lane::Publish, 1).await.unwrap());
        for job in &rung {
            queue.ring(Lane::Publish, *job).await.unwrap();
        }
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(one.next().await.unwrap().job);
            heard.push(two.next().await.unwrap().job);
        }
        heard.sort();
        assert_eq!(heard, rung, "{url}: each bell is heard once");
    }
}

#[tokio::test]
async fn a_listener_that_left_takes_no_bell_along() {
    for (url, queue) in queues() {
        let job = IdSource::counting().next();
        let mut first = queue.listen(Lane::Publish, 1).await.unwrap();
        assert!(first.next().now_or_never().is_none());
        drop(first);
        let mut second = queue.listen(Lane::Publish, 1).await.unwrap();
        queue.ring(Lane::Publish, job).await.unwrap();
        assert_eq!(second.next().await.unwrap().job, job, "{url}");
    }
}

#[tokio::test]
async fn a_job_may_be_rung_more_than_once() {
    for (url, queue) in queues() {
        let job = IdSource::counting().next();
        let mut bells = queue.listen(Lane::Announce, 8).await.unwrap();
        queue.ring(Lane::Announce, job).await.unwrap();
        queue.ring(Lane::Announce, job).await.unwrap();
        assert_eq!(bells.next().await.unwrap().job, job, "{url}");
        assert_eq!(bells.next().await.unwrap().job, job, "{url}");
    }
}

#[tokio::test]
async fn a_lane_that_nobody_empties_refuses_nobody() {
    for (url, queue) in queues() {
        let ids = IdSource::counting();
        for _ in 0..10_000 {
            queue.ring(Lane::Housekeeping, ids.next()).await.unwrap();
        }
        let mut bells = queue.listen(Lane::Housekeeping, 1).await.unwrap();
        assert!(bells.next().await.is_some(), "{url}");
    }
}

#[tokio::test]
async fn news_reach_everybody_who_listens() {
    for (url, queue) in queues() {
        let ids = IdSource::counting();
        let (before, after): (TaskId, TaskId) = (ids.next(), ids.next());
        queue.tell(before).await.unwrap();
        let (mut one, mut two) = (queue.news().await.unwrap(), queue.news().await.unwrap());
        queue.tell(after).await.unwrap();
        assert_eq!((one.next().await, two.next().await), (Some(after), Some(after)), "{url}: from now on, not from before");
        assert!(one.next().now_or_never().is_none(), "{url}");
    }
}

#[tokio::test]
async fn a_listener_that_sleeps_misses_news_and_hears_later_ones() {
    for (url, queue) in queues() {
        let ids = IdSource::counting();
        let mut news = queue.news().await.unwrap();
        for _ in 0..10_000 {
            queue.tell(ids.next()).await.unwrap();
        }
        let last: TaskId = ids.next();
        queue.tell(last).await.unwrap();
        let mut heard = None;
        // Without the budget by which a task makes room for others: there are none.
        while let Some(Some(task)) = tokio::task::unconstrained(news.next()).now_or_never() {
            heard = Some(task);
        }
        assert_eq!(heard, Some(last), "{url}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_without_its_password() {
    for url in ["amqp://ada:secret@host", "redis://ada:secret@host", "in-process", "secret", ""] {
        match queue::open(url) {
            Err(QueueError::Url(text)) => assert!(!text.contains("secret"), "{text}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}
