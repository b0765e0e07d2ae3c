//! From the first process to the last look.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use slipway_tests::bucket::Server;
use slipway_tests::bucket::faults::Faults;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::fleet::{self, Fleet, Mode, Own};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::Length;
use crate::client::{Crowd, Heard};
use crate::processes::{Keeper, Processes};
use crate::storm::{Damage, Line, Sky};
use crate::{judge, packages, storm};

/// Clients.
const CLIENTS: usize = 8;
/// Publishes that a client has under way at once, as a workspace of several packages does. One whose worker was killed waits for half a
/// minute, and the storm shall meet others meanwhile.
const AT_ONCE: usize = 8;

/// Tells it. Whatever fails says the seed.
pub(crate) async fn tell(seed: u64, length: Length) {
    eprintln!("SLIPWAY_CHAOS_SEED={seed}");
    let mut said = Said(Some(seed));
    let place = TempDir::with_prefix("slipway-node-").expect("a temporary directory can be made");
    let Some(mut line) = Line::open(length.own_broker, place.path()).await else {
        said.0 = None;
        return;
    };
    let server = Server::start(Faults::seeded(seed)).await;
    let own = Own { bucket: Some(server.bucket()), queue: Some(line.url().to_owned()), ..Own::default() };
    fleet::with_own(Mode::Scaled, own, async |fleet| {
        let (processes, keepers) = Processes::new();
        let unready = AtomicUsize::new(0);
        tokio::join!(
            join_all(keepers.into_iter().map(|keeper: Keeper| keeper.keep(fleet, &unready))),
            live(seed, length, fleet, &processes, &mut line, &server),
        );
        eprintln!("{} processes ended before they were ready", unready.load(Ordering::Relaxed));
    })
    .await;
    line.close().await;
    said.0 = None;
}

/// Says the seed again when the test fails, where people look.
struct Said(Option<u64>);

impl Drop for Said {
    fn drop(&mut self) {
        if let Some(seed) = self.0 {
            eprintln!("failed with SLIPWAY_CHAOS_SEED={seed}");
        }
    }
}

async fn live(seed: u64, length: Length, fleet: &Fleet, processes: &Processes, line: &mut Line, server: &Server) {
    let started = Instant::now();
    let mut addresses = processes.addresses.clone();
    let first = addresses.wait_for(|known| known.iter().any(Option::is_some)).await.expect("processes are kept");
    let caller = fleet.owner_at(first.iter().flatten().copied().next().expect("one is there"));
    drop(first);
    for name in packages::NAMES {
        caller.create_package(name).await;
    }
    let crowd = Crowd {
        caller,
        addresses,
        storage: &fleet.storage,
        orders: packages::orders(seed, length.publishes),
        next: AtomicUsize::new(0),
        pause: length.pause,
        heard: Mutex::new(Heard::default()),
    };
    let random = |number| StdRng::seed_from_u64(seed.wrapping_add(100 + number));
    let clients = join_all((0..CLIENTS * AT_ONCE).map(|number| crowd.publish(random(number as u64))));
    let mut observer = Observer::of(&fleet.storage);

    let (mut damage, mut parked) = (Damage::default(), 0);
    let storm = async {
        let sky = Sky { fleet, processes, bucket: server.faults() };
        let _ = timeout(length.storm, storm::rage(seed, length, sky, line, &mut damage)).await;
        line.mend().await;
        server.faults().end();
        judge::operate(fleet, processes, &mut parked).await;
    };
    tokio::select! {
        _ = clients => {}
        () = storm => {}
        () = judge::watch(&mut observer) => {}
    }
    let told_after = started.elapsed();
    // The last client may be faster than the storm.
    line.mend().await;
    server.faults().end();
    tokio::select! {
        () = judge::drained(fleet) => {}
        () = judge::operate(fleet, processes, &mut parked) => {}
        () = judge::watch(&mut observer) => {}
    }
    processes.end();
    let heard = std::mem::take(&mut *crowd.heard());
    judge::judge(fleet, &heard, &mut observer).await;
    let (count, published) = (crowd.orders.len(), heard.published.len());
    eprintln!("{count} publishes, {published} of them published; all told after {told_after:?}, drained after {:?}", started.elapsed());
    eprintln!("{damage:?}, bucket {:?}, {parked} jobs parked, {} versions looked at", server.faults().happened(), observer.looks());
    let Heard { broken, later, given_up, duplicates, .. } = &heard;
    eprintln!("clients: {broken} connections broke, told to come back {later:?}, {duplicates} duplicates, {given_up} given up");
}
