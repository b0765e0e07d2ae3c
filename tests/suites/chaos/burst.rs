//! More than anybody expects, all at once, against a real process: it is accepted as long as there is room for it, and then clients are
//! told to come back. No worker takes anything away meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use slipway_tests::PackageBuilder;
use slipway_tests::bucket::Server;
use slipway_tests::bucket::faults::Faults;
use slipway_tests::fleet::{self, Caller, Mode, Own, Reply, Role};
use tokio::time::sleep;

use crate::judge;

/// Uploads of the burst.
const MANY: usize = 1_000;
/// Those that come when it is full.
const MORE: usize = 50;
/// Descriptors that the suite and its children may have: each upload is a connection.
const DESCRIPTORS: u64 = 4_096;

/// What each process may have at most while there are so many small ones, in mebibytes. An API has a connection for each, a worker eight
/// packages however many wait; about half of this was measured.
const ENOUGH: u64 = 200;

/// Large uploads, together much more than there is room for.
const LARGE: usize = 60;
/// The size of each.
const SIZE: usize = 8 * 1024 * 1024;
/// The room there is for them.
const ROOM: u64 = 64 * 1024 * 1024;
/// What the process may have besides, for connections and what the allocator keeps.
const BESIDES: u64 = 96 * 1024 * 1024;

fn mebibytes(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

/// Sends an upload until it is accepted or refused for good, and counts by code how often its client was told to come back.
async fn insist(caller: &Caller, address: &str, tarball: &Bytes, told: &mut BTreeMap<String, usize>) {
    loop {
        let reply = caller.offer(address, tarball.clone()).await.expect("it answers");
        match reply {
            Reply { status, .. } if status.is_success() => return,
            Reply { status, retry_after: Some(seconds), body } if status == 503 => {
                *told.entry(body["code"].as_str().expect("a refusal has a code").to_owned()).or_default() += 1;
                sleep(Duration::from_secs(seconds)).await;
            }
            reply => panic!("{reply:?}"),
        }
    }
}

async fn own(settings: Vec<(&'static str, String)>) -> (Server, Own) {
    rlimit::increase_nofile_limit(DESCRIPTORS).expect("the system allows some thousand descriptors");
    let server = Server::start(Faults::none()).await;
    let own = Own { bucket: Some(server.bucket()), settings, ..Own::default() };
    (server, own)
}

/// A thousand at once.
pub(crate) async fn many() {
    let settings = vec![
        ("SLIPWAY_LIMITS_WAITING_PUBLISHES", MANY.to_string()),
        ("SLIPWAY_QUOTAS_PUBLISHES_PER_WEEK", "10000".to_owned()),
        ("SLIPWAY_DATABASE_CONNECTIONS", "16".to_owned()),
    ];
    let (_server, own) = own(settings).await;
    fleet::with_own(Mode::Scaled, own, async |fleet| {
        let api = fleet.start(Role::Api, &[]);
        let owner = fleet.owner(&api);
        owner.create_package("crowd").await;
        let (_, before) = api.memory();
        let begun = Instant::now();
        let package = |number| PackageBuilder::small("@acme/crowd", &format!("1.{number}.0"));
        let told = join_all((0..MANY).map(package).map(async |package| {
            let mut told = BTreeMap::new();
            insist(&owner, &package.address(), &package.tarball(), &mut told).await;
            told
        }))
        .await;
        let mut later: BTreeMap<String, usize> = BTreeMap::new();
        told.into_iter().flatten().for_each(|(code, times)| *later.entry(code).or_default() += times);
        assert!(!later.contains_key("tooManyUploads"), "there is room for all of them: {later:?}");
        let (most, _) = api.memory();
        eprintln!(
            "{MANY} accepted after {:?}, told to come back {later:?}, {} MiB, at most {}",
            begun.elapsed(),
            mebibytes(before),
            mebibytes(most)
        );

        let replies =
            join_all((MANY..MANY + MORE).map(package).map(async |package| owner.offer(&package.address(), package.tarball()).await)).await;
        for reply in replies {
            let reply = reply.expect("it answers");
            assert_eq!((reply.status.as_u16(), reply.retry_after, &reply.body["code"]), (503, Some(5), &"tooManyUploads".into()));
        }

        let begun = Instant::now();
        let workers = [fleet.start(Role::Worker, &[]), fleet.start(Role::Worker, &[])];
        judge::drained(fleet).await;
        let memory = workers.each_ref().map(|worker| mebibytes(worker.memory().0));
        eprintln!("drained after {:?}, workers had at most {memory:?} MiB", begun.elapsed());
        assert!(memory.iter().all(|most| *most < ENOUGH));
        let ends = fleet.database().connect().await.texts("SELECT DISTINCT state FROM publishes").await;
        assert_eq!(ends, [Some("published".to_owned())]);
        let package = package(MANY);
        insist(&owner, &package.address(), &package.tarball(), &mut BTreeMap::new()).await;
        judge::drained(fleet).await;
    })
    .await;
}

/// Large ones, of which a few have room.
pub(crate) async fn large() {
    let (_server, own) = own(vec![("SLIPWAY_LIMITS_INCOMING_BYTES", ROOM.to_string())]).await;
    fleet::with_own(Mode::Scaled, own, async |fleet| {
        let api = fleet.start(Role::Api, &[]);
        let owner = fleet.owner(&api);
        owner.create_package("large").await;
        let mut bytes = vec![0; SIZE];
        StdRng::seed_from_u64(0).fill_bytes(&mut bytes);
        let (tarball, begun) = (Bytes::from(bytes), Instant::now());
        let (_, before) = api.memory();
        let told = join_all((0..LARGE).map(async |number| {
            let address = PackageBuilder::small("@acme/large", &format!("1.{number}.0")).address();
            let mut told = BTreeMap::new();
            insist(&owner, &address, &tarball, &mut told).await;
            told.remove("tooManyUploads").unwrap_or_default()
        }))
        .await;
        let (most, _) = api.memory();
        let told: usize = told.iter().sum();
        eprintln!(
            "{LARGE} of {} MiB accepted after {:?}, told to come back {told} times, {} MiB, at most {}",
            mebibytes(SIZE as u64),
            begun.elapsed(),
            mebibytes(before),
            mebibytes(most)
        );
        assert!(told > 0, "they never met");
        assert!(most - before < ROOM + BESIDES, "{} MiB more than before", mebibytes(most - before));
    })
    .await;
}
