//! More than can be taken in: whoever finds no room is told to come back, and nothing of theirs stays behind.

use futures::future::{Either, join_all, select};
use slipway_tests::registry::{Settings, Work};
use slipway_tests::{Answer, PackageBuilder, TestRegistry};

fn small(number: usize) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", &format!("1.{number}.0"))
}

fn is_told_to_come_back(answer: &Answer) {
    assert_eq!(answer.refusal(), "503 tooManyUploads");
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn uploads_have_room_by_their_bytes() {
    let registry = TestRegistry::configured(&[("limits.incoming_bytes", "100000")]).await;
    let author = registry.author("@acme/maths").await;

    // One that does not say how long it will be, and never ends, may become as long as any.
    let address = small(0).address();
    let mut endless = Box::pin(author.hold(&address));
    let mut sent = 0;
    let refused = loop {
        sent += 1;
        let package = small(sent);
        let publish = Box::pin(author.publish(&package));
        match select(endless, publish).await {
            Either::Left((answer, _)) => panic!("it never ends: {}", answer.text()),
            Either::Right((answer, held)) => {
                endless = held;
                // The first ones may have been faster than the one that takes all the room.
                if answer.status != 200 {
                    break answer;
                }
            }
        }
    };
    is_told_to_come_back(&refused);
    let tasks = author.get(&format!("{}/publishing_tasks", small(0).home())).await.json();
    assert_eq!(tasks.as_array().map(Vec::len), Some(sent - 1), "what was refused has no task");

    drop(endless);
    assert_eq!(author.publish_through(&small(sent)).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_crowd_of_small_ones_has_room() {
    let registry = TestRegistry::configured(&[("limits.incoming_bytes", "100000")]).await;
    let author = registry.author("@acme/maths").await;
    // Each says that it is of a kilobyte, and there is room for 97 of those.
    let packages: Vec<_> = (0..90).map(small).collect();
    let answers = join_all(packages.iter().map(|package| author.publish(package))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    registry.drain().await;
}

#[tokio::test]
async fn publishes_that_wait_are_counted() {
    let config = vec![("limits.waiting_publishes", "2".to_owned())];
    let registry = TestRegistry::with(Settings { work: Work::Never, config }).await;
    let author = registry.author("@acme/maths").await;
    for number in 0..2 {
        registry.accept(&author, &small(number)).await;
    }
    is_told_to_come_back(&author.publish(&small(2)).await);
    // Somebody whose version waits already is told of that, and one who may not publish is told that.
    assert_eq!(author.publish(&small(1)).await.refusal(), "400 duplicateVersionPublish");
    let stranger = registry.person("stranger").await;
    assert_eq!(stranger.publish(&small(2)).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(registry.private_objects().await.len(), 2, "what was refused is not kept");

    registry.drain().await;
    registry.accept(&author, &small(2)).await;
    registry.drain().await;
    let versions = author.get(&format!("{}/versions", small(2).home())).await.json();
    assert_eq!(versions["total"], 3, "{versions}");
}
