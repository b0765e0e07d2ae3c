//! Ends that were asked for, and services that are away.

use std::time::{Duration, Instant};

use slipway_tests::PackageBuilder;
use slipway_tests::broker::Broker;
use slipway_tests::fleet::{self, Mode, Own};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Test, run};

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for mode in [Mode::Embedded, Mode::Scaled] {
        let name = format!("endings::{}::a_second_signal_leaves_at_once", format!("{mode:?}").to_lowercase());
        tests.push((name, Box::new(move || run(a_second_signal_leaves_at_once(mode)))));
    }
    tests.push((
        "endings::scaled::what_is_submitted_without_a_broker_is_done".to_owned(),
        Box::new(|| run(what_is_submitted_without_a_broker_is_done())),
    ));
    tests
}

/// How long a publish may take of which nobody hears but the relay, which looks every second.
const WITHOUT_BELLS: Duration = Duration::from_secs(10);

/// The broker cannot be reached, from before the first process on. What is submitted is accepted, and done by the relay with nothing but
/// the database. When the broker comes back, nothing is done twice.
async fn what_is_submitted_without_a_broker_is_done() {
    let Some(broker) = Broker::make().await else { return };
    let (url, wire) = broker.proxy().await;
    wire.cut();
    fleet::with_own(Mode::Scaled, Own { queue: Some(url), ..Own::default() }, async |fleet| {
        let processes = fleet.start_all();
        let owner = fleet.owner(&processes[0]);
        owner.create_package("calm").await;
        let begun = Instant::now();
        let package = PackageBuilder::small("@acme/calm", "1.0.0");
        let task = owner.go_on(&package, None).await.expect("it answers");
        assert_eq!(task["status"], "success", "{task}");
        assert!(begun.elapsed() < WITHOUT_BELLS, "it took {:?}", begun.elapsed());

        wire.mend();
        let task = owner.go_on(&package.version("1.0.1"), None).await.expect("it answers");
        assert_eq!(task["status"], "success", "{task}");
        for process in processes {
            process.stop().await;
        }
        let attempts = fleet.database().connect().await.texts("SELECT kind FROM jobs WHERE attempt <> 1 AND kind <> 'housekeep'").await;
        assert_eq!(attempts, []);
    })
    .await;
    broker.remove().await;
}

/// Somebody who begins to send and never goes on keeps a process from ending, and a second signal does not wait for them. What was
/// accepted is done by the next process.
async fn a_second_signal_leaves_at_once(mode: Mode) {
    fleet::with(mode, async |fleet| {
        let listening = fleet.start(fleet.roles()[0], &[]);
        let owner = fleet.owner(&listening);
        owner.create_package("calm").await;
        let package = PackageBuilder::small("@acme/calm", "1.0.0");
        let (status, accepted) = owner.upload(&package).await.expect("it answers");
        assert!(status.is_success(), "{status} {accepted}");

        let mut stalled = TcpStream::connect(listening.address()).await.expect("it listens");
        let address = package.address().replace("1.0.0", "1.0.1");
        let head = format!(
            "POST {address} HTTP/1.1\r\nhost: registry.test\r\nauthorization: Bearer {}\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n",
            fleet.token()
        );
        stalled.write_all(head.as_bytes()).await.expect("it reads");
        // It says so when it begins to wait for the body.
        let mut go_on = [0; 12];
        stalled.read_exact(&mut go_on).await.expect("it answers");
        assert_eq!(&go_on, b"HTTP/1.1 100");
        listening.ask_to_end();
        while TcpStream::connect(listening.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        listening.ask_to_end();
        let status = listening.ended().await;
        assert!(status.success(), "{status}");
        assert!(fleet.log(fleet.roles()[0]).contains("leaving at once"), "it waited for the one who never goes on");
        drop(stalled);

        let processes = fleet.start_all();
        let task = fleet.owner(&processes[0]).go_on(&package, Some(accepted)).await.expect("it answers");
        assert_eq!(task["status"], "success", "{task}");
        for process in processes {
            process.stop().await;
        }
    })
    .await;
}
