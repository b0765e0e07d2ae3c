//! What goes wrong, at a rhythm that the seed gives.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use slipway_tests::broker::Broker;
use slipway_tests::bucket::faults::Faults;
use slipway_tests::fleet::{Fleet, Role};
use slipway_tests::node::Node;
use slipway_tests::proxy::Proxy;
use tokio::time::sleep;

use crate::Length;
use crate::processes::{Fate, Processes, ROLES};

/// How often a process is killed.
const KILLS: Duration = Duration::from_secs(1);
/// How often connections to the database are ended.
const TERMINATIONS: Duration = Duration::from_secs(3);
/// How often a wire to the broker is cut, and for how long.
const CUTS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_millis(1_500));
/// How often the broker is stopped, and for how long. It takes ten seconds to start.
const STOPS: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(2));
/// How often the bucket refuses everything, and for how long: a request is tried for nine seconds, so most of them fail for good and
/// some do not.
const OUTAGES: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(12));
/// How often a worker is frozen.
const FREEZES: Duration = Duration::from_secs(10);
/// How long: until its leases have run out, and somebody else has taken its jobs.
const FROZEN: Duration = Duration::from_secs(35);

/// What went wrong.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    pub(crate) kills: usize,
    pub(crate) frozen: usize,
    pub(crate) terminated: usize,
    pub(crate) outages: usize,
    pub(crate) broker: usize,
}

/// The way to the broker.
pub(crate) enum Line {
    /// A virtual host of everybody's broker, behind a wire.
    Wire { url: String, broker: Broker, proxy: Proxy },
    /// A broker of our own.
    Node(Box<Node>),
}

impl Line {
    /// None where there is no broker and none was promised.
    pub(crate) async fn open(own: bool, place: &Path) -> Option<Self> {
        let broker = Broker::make().await?;
        if own {
            broker.remove().await;
            return Some(Self::Node(Box::new(Node::start(place).await)));
        }
        let (url, proxy) = broker.proxy().await;
        Some(Self::Wire { url, broker, proxy })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Wire { url, .. } => url,
            Self::Node(node) => &node.url,
        }
    }

    /// Goes away and comes back, once. A broker that is stopped for good may have lost what it had.
    async fn fail(&mut self, random: &mut StdRng) {
        match self {
            Self::Wire { broker, proxy, .. } => {
                sleep(about(CUTS.0, random)).await;
                match random.random_range(0..3) {
                    0 => proxy.cut(),
                    1 => proxy.stall(),
                    _ => broker.start_over().await,
                }
                sleep(about(CUTS.1, random)).await;
                proxy.mend();
            }
            Self::Node(node) => {
                sleep(about(STOPS.0, random)).await;
                node.halt().await;
                sleep(about(STOPS.1, random)).await;
                node.boot().await;
            }
        }
    }

    /// Everything is well again, wherever the storm was cut short.
    pub(crate) async fn mend(&mut self) {
        match self {
            Self::Wire { proxy, .. } => proxy.mend(),
            Self::Node(node) => node.boot().await,
        }
    }

    pub(crate) async fn close(self) {
        if let Self::Wire { broker, .. } = self {
            broker.remove().await;
        }
    }
}

/// What the storm goes over, besides the broker.
#[derive(Clone, Copy)]
pub(crate) struct Sky<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) processes: &'a Processes,
    pub(crate) bucket: &'a Faults,
}

/// Rages until it is stopped.
pub(crate) async fn rage(seed: u64, length: Length, sky: Sky<'_>, line: &mut Line, damage: &mut Damage) {
    let random = |part| StdRng::seed_from_u64(seed.wrapping_add(part));
    let Sky { fleet, processes, bucket } = sky;
    let Damage { kills, frozen, terminated, outages, broker } = damage;
    let freeze = async {
        if length.zombies {
            freeze(processes, random(4), frozen).await;
        }
    };
    tokio::join!(
        freeze,
        kill(sky, random(1), kills),
        terminate(fleet, random(2), terminated),
        fail(line, random(3), broker),
        refuse(bucket, random(5), outages),
    );
}

async fn kill(sky: Sky<'_>, mut random: StdRng, count: &mut usize) {
    loop {
        sleep(about(KILLS, &mut random)).await;
        if sky.bucket.are_all() {
            // Who is killed after a few seconds never learns that a request fails for good.
            continue;
        }
        sky.processes.let_happen(random.random_range(0..ROLES.len()), Fate::Kill);
        *count += 1;
    }
}

async fn freeze(processes: &Processes, mut random: StdRng, count: &mut usize) {
    let workers: Vec<_> = (0..ROLES.len()).filter(|number| ROLES[*number] == Role::Worker).collect();
    loop {
        sleep(about(FREEZES, &mut random)).await;
        processes.let_happen(workers[random.random_range(0..workers.len())], Fate::Freeze(FROZEN));
        *count += 1;
        sleep(FROZEN).await;
    }
}

async fn terminate(fleet: &Fleet, mut random: StdRng, count: &mut usize) {
    loop {
        sleep(about(TERMINATIONS, &mut random)).await;
        // All of them, or every other one.
        let (share, rest) = (random.random_range(1..3), random.random_range(0..2));
        let terminate = format!(
            "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % {share} = {rest} % {share}"
        );
        *count += fleet.database().connect().await.texts(&terminate).await.len();
    }
}

async fn refuse(bucket: &Faults, mut random: StdRng, count: &mut usize) {
    loop {
        sleep(about(OUTAGES.0, &mut random)).await;
        bucket.go_away(true);
        *count += 1;
        sleep(about(OUTAGES.1, &mut random)).await;
        bucket.go_away(false);
        // As long again, so that something comes in between.
        sleep(OUTAGES.1).await;
    }
}

async fn fail(line: &mut Line, mut random: StdRng, count: &mut usize) {
    loop {
        line.fail(&mut random).await;
        *count += 1;
    }
}

/// A time that is up to half as long or as much longer.
fn about(time: Duration, random: &mut StdRng) -> Duration {
    time.mul_f64(random.random_range(0.5..1.5))
}
