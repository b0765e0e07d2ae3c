//! What the queue between processes promises beyond [`queue`](crate::queue): nothing that a broker does stops anybody for long, and
//! whoever listened before it went away listens when it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt as _, StreamExt as _};
use serde_json::json;
use slipway_common::ids::{IdSource, JobId, TaskId};
use slipway_common::model::job::Lane;
use slipway_common::queue::{Queue, QueueError};
use slipway_tests::broker::with_broker;
use slipway_tests::proxy::Proxy;

/// The queue of the lane that these tests ring in.
const QUEUE: &str = "slipway.publish";
/// What a request can be made to wait for a broker, with some room for a busy machine.
const BOUND: Duration = Duration::from_secs(8);

async fn ring(queue: &Arc<dyn Queue>, ids: &IdSource) -> JobId {
    let job = ids.next();
    queue.ring(Lane::Publish, job).await.unwrap();
    job
}

fn unavailable(outcome: Result<(), QueueError>) {
    assert!(matches!(outcome, Err(QueueError::Unavailable(_))), "{outcome:?}");
}

/// Rings until it is heard by the broker, each time something moves on the wire.
async fn ring_again(queue: &Arc<dyn Queue>, proxy: &mut Proxy, job: JobId) {
    while queue.ring(Lane::Publish, job).await.is_err() {
        proxy.traffic().await;
    }
}

#[test]
fn bells_are_kept_on_disk_and_say_nothing_but_an_id() {
    with_broker(async |broker| {
        let job = ring(&broker.queue(), &IdSource::counting()).await;
        for lane in Lane::ALL {
            let queue = broker.describe(&format!("slipway.{}", lane.as_str())).await;
            let arguments = json!({ "x-queue-type": "quorum", "x-max-length": 4096 });
            assert_eq!((&queue["durable"], &queue["arguments"]), (&json!(true), &arguments), "{lane:?}");
        }
        let message = broker.peek(QUEUE).await;
        assert_eq!(message["payload"], job.to_string());
        assert_eq!(message["properties"]["delivery_mode"], 2);
    });
}

#[test]
fn bells_that_were_not_answered_come_back_when_their_listener_leaves() {
    with_broker(async |broker| {
        let (queue, ids) = (broker.queue(), IdSource::counting());
        let mut first = queue.listen(Lane::Publish, 3).await.unwrap();
        let rung = [ring(&queue, &ids).await, ring(&queue, &ids).await, ring(&queue, &ids).await];
        let held = first.next().await.unwrap();
        drop(first);
        let mut second = queue.listen(Lane::Publish, 1).await.unwrap();
        let mut heard = Vec::new();
        for _ in &rung {
            heard.push(second.next().await.unwrap().job);
        }
        heard.sort();
        assert_eq!(heard, rung, "the one that was held, and those that waited");
        drop(held);
        let last = ring(&queue, &ids).await;
        assert_eq!(second.next().await.unwrap().job, last, "answering late does no harm");
    });
}

#[test]
fn a_listener_holds_no_more_than_its_capacity() {
    with_broker(async |broker| {
        let (queue, ids) = (broker.queue(), IdSource::counting());
        let mut busy = queue.listen(Lane::Publish, 2).await.unwrap();
        let (one, two, three) = (ring(&queue, &ids).await, ring(&queue, &ids).await, ring(&queue, &ids).await);
        let held = (busy.next().await.unwrap(), busy.next().await.unwrap());
        assert_eq!((held.0.job, held.1.job), (one, two));
        let mut free = queue.listen(Lane::Publish, 1).await.unwrap();
        assert_eq!(free.next().await.unwrap().job, three, "it did not wait behind those that are held");
        // One of two is answered: there is room for one, and only for one.
        let still = free.next();
        drop(held.0);
        let four = ring(&queue, &ids).await;
        let (heard, _) = futures::future::select(busy.next(), still).await.factor_first();
        assert_eq!(heard.unwrap().job, four);
    });
}

#[test]
fn a_bell_that_was_answered_does_not_ring_again() {
    with_broker(async |broker| {
        let (queue, ids) = (broker.queue(), IdSource::counting());
        let mut first = queue.listen(Lane::Publish, 1).await.unwrap();
        let (one, two) = (ring(&queue, &ids).await, ring(&queue, &ids).await);
        assert_eq!(first.next().await.unwrap().job, one);
        // The broker sends the second one when it has the answer to the first.
        let held = first.next().await.unwrap();
        drop(first);
        let mut second = queue.listen(Lane::Publish, 1).await.unwrap();
        assert_eq!((held.job, second.next().await.unwrap().job), (two, two));
        let three = ring(&queue, &ids).await;
        assert_eq!(second.next().await.unwrap().job, three);
    });
}

#[test]
fn a_message_that_is_no_id_does_no_harm() {
    with_broker(async |broker| {
        let (queue, ids) = (broker.queue(), IdSource::counting());
        let mut bells = queue.listen(Lane::Publish, 1).await.unwrap();
        // `hello`, nothing, and more than an id.
        for message in ["aGVsbG8=", "", "MDE5NzAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIGFuZCBtb3Jl"] {
            broker.put(QUEUE, message).await;
        }
        let job = ring(&queue, &ids).await;
        assert_eq!(bells.next().await.unwrap().job, job);
        // The sixteen bytes of an id are an id.
        broker.put(QUEUE, "AZcAAAAAcACAAAAAAAAAAQ==").await;
        assert_eq!(bells.next().await.unwrap().job.to_string(), "01970000-0000-7000-8000-000000000001");
        drop(bells);
        let last = ring(&queue, &ids).await;
        assert_eq!(queue.listen(Lane::Publish, 1).await.unwrap().next().await.unwrap().job, last, "they are gone for good");
    });
}

#[test]
fn a_wire_that_was_cut_and_mended_rings_without_anybodys_help() {
    with_broker(async |broker| {
        let ((queue, mut proxy), ids) = (broker.behind_proxy().await, IdSource::counting());
        let (worker, wire) = broker.behind_proxy().await;
        let mut bells = worker.listen(Lane::Publish, 2).await.unwrap();
        let mut news = queue.news().await.unwrap();
        let job = ring(&queue, &ids).await;
        let held = bells.next().await.unwrap();
        assert_eq!(held.job, job);

        proxy.cut();
        wire.cut();
        let started = Instant::now();
        unavailable(queue.ring(Lane::Publish, ids.next()).await);
        unavailable(queue.tell(ids.next()).await);
        unavailable(queue.check().await);
        assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
        let started = Instant::now();
        for _ in 0..100 {
            unavailable(queue.ring(Lane::Publish, ids.next()).await);
        }
        assert!(started.elapsed() < Duration::from_secs(1), "it is known to be down: {:?}", started.elapsed());

        proxy.mend();
        wire.mend();
        assert_eq!(bells.next().await.unwrap().job, job, "what was held is rung again");
        drop(held);
        let job = ids.next();
        ring_again(&queue, &mut proxy, job).await;
        assert_eq!(bells.next().await.unwrap().job, job);
        queue.check().await.unwrap();
        let task: TaskId = ids.next();
        // Whether the news are listened to again can only be heard.
        let told = async {
            loop {
                queue.tell(task).await.unwrap();
                proxy.traffic().await;
            }
        };
        let heard = futures::future::select(Box::pin(news.next()), Box::pin(told)).await;
        assert_eq!(heard.factor_first().0, Some(task));
    });
}

#[test]
fn a_wire_that_carries_nothing_stops_nobody() {
    with_broker(async |broker| {
        let ((queue, mut proxy), ids) = (broker.behind_proxy().await, IdSource::counting());
        ring(&queue, &ids).await;
        proxy.stall();
        let started = Instant::now();
        let rings = (0..50).map(|_| queue.ring(Lane::Publish, ids.next()));
        futures::future::join_all(rings).await.into_iter().for_each(unavailable);
        assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
        proxy.cut();
        proxy.mend();
        ring_again(&queue, &mut proxy, ids.next()).await;
    });
}

#[test]
fn a_broker_that_is_away_at_the_start_delays_it_and_is_found_later() {
    with_broker(async |broker| {
        let ((queue, mut proxy), ids) = (broker.behind_proxy().await, IdSource::counting());
        proxy.cut();
        let started = Instant::now();
        unavailable(queue.check().await);
        unavailable(queue.ring(Lane::Publish, ids.next()).await);
        let mut bells = queue.listen(Lane::Publish, 1).await.unwrap();
        let _news = queue.news().await.unwrap();
        assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
        proxy.mend();
        let job = ids.next();
        ring_again(&queue, &mut proxy, job).await;
        assert_eq!(bells.next().await.unwrap().job, job);
    });
}

#[test]
fn a_broker_that_sends_everybody_away_has_them_back() {
    with_broker(async |broker| {
        let ((queue, mut proxy), ids) = (broker.behind_proxy().await, IdSource::counting());
        let mut bells = broker.queue().listen(Lane::Publish, 1).await.unwrap();
        ring(&queue, &ids).await;
        assert!(bells.next().await.is_some());
        broker.start_over().await;
        let job = ids.next();
        ring_again(&queue, &mut proxy, job).await;
        assert_eq!(bells.next().await.unwrap().job, job);
    });
}

#[test]
fn a_queue_that_somebody_deleted_is_made_again() {
    with_broker(async |broker| {
        let ((queue, mut proxy), ids) = (broker.behind_proxy().await, IdSource::counting());
        let mut bells = broker.queue().listen(Lane::Publish, 1).await.unwrap();
        ring(&queue, &ids).await;
        assert!(bells.next().await.is_some());
        broker.delete(QUEUE).await;
        let job = ids.next();
        ring_again(&queue, &mut proxy, job).await;
        assert_eq!(bells.next().await.unwrap().job, job);
    });
}

#[test]
fn a_bell_that_the_broker_does_not_take_rings_at_home() {
    with_broker(async |broker| {
        let ((worker, wire), ids) = (broker.behind_proxy().await, IdSource::counting());
        let mut bells = worker.listen(Lane::Publish, 1).await.unwrap();
        let mut others = worker.listen(Lane::Announce, 1).await.unwrap();
        wire.cut();
        let job = ring(&worker, &ids).await;
        assert_eq!(bells.next().await.unwrap().job, job);
        assert!(others.next().now_or_never().is_none(), "in its lane alone");
        worker.check().await.unwrap();
        drop((bells, others));
        unavailable(worker.ring(Lane::Publish, ids.next()).await);
        unavailable(worker.check().await);
    });
}

#[test]
fn a_login_that_is_refused_is_told_without_the_password() {
    with_broker(async |broker| {
        let mut url = url::Url::parse(&broker.url).unwrap();
        url.set_password(Some("open-sesame")).unwrap();
        let queue = slipway_common::queue::open(url.as_str()).unwrap();
        match queue.check().await {
            Err(QueueError::Unavailable(text)) => assert!(!text.contains("sesame"), "{text}"),
            other => panic!("{other:?}"),
        }
    });
}
