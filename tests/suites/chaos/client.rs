//! Somebody who publishes, and does what clients do: asks another one when a connection breaks, comes back when they are told to,
//! and sends again what was not answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use slipway_common::storage::Storage;
use slipway_tests::PackageBuilder;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::fleet::{Caller, Reply};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::packages::Order;
use crate::processes::Addresses;

/// How long a client waits at most before it asks again after a connection broke.
const BROKEN: Duration = Duration::from_millis(500);

/// How often a client sends again what the registry says it could not do. A worker that is killed three times over one package
/// gives that package up, which is rare, and never happens to one package so often.
const SENDS: usize = 6;

/// What clients have in common.
pub(crate) struct Crowd<'a> {
    /// The owner, wherever they ask.
    pub(crate) caller: Caller,
    pub(crate) addresses: watch::Receiver<Addresses>,
    pub(crate) storage: &'a Storage,
    pub(crate) orders: Vec<Order>,
    pub(crate) next: AtomicUsize,
    pub(crate) pause: Duration,
    pub(crate) heard: Mutex<Heard>,
}

/// What clients were told.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The ends of publishes, by their ids.
    pub(crate) ends: BTreeMap<String, Value>,
    /// The versions that are published, `@scope/name@version`.
    pub(crate) published: Vec<String>,
    /// Connections that broke.
    pub(crate) broken: usize,
    /// Answers by which a client was told to come back, by their codes.
    pub(crate) later: BTreeMap<String, usize>,
    /// Publishes that the registry could not do, which were sent again.
    pub(crate) given_up: usize,
    /// Uploads that were in place already when they were sent again.
    pub(crate) duplicates: usize,
}

impl Crowd<'_> {
    pub(crate) fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes one after another until there is nothing left to publish.
    pub(crate) async fn publish(&self, mut random: StdRng) {
        while let Some(order) = self.orders.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            sleep(self.pause.mul_f64(random.random())).await;
            let needed = order.needs.and_then(|draw| {
                let heard = self.heard();
                (!heard.published.is_empty()).then(|| heard.published[draw % heard.published.len()].clone())
            });
            let package = order.package(needed.as_deref());
            let (name, version) = (order.name(), order.version());
            let mut sends = 0;
            loop {
                sends += 1;
                assert!(sends <= SENDS, "{name}@{version} was never done");
                let task = self.send(&package, &mut random).await;
                let id = task["id"].as_str().expect("a task has an id").to_owned();
                self.heard().ends.insert(id, task.clone());
                if task["status"] == "success" {
                    assert!(!order.is_wrong, "{name}@{version} is wrong, and was published: {task}");
                    let listed = Observer::of(self.storage).look(&name).await;
                    assert!(listed.iter().all(|listed| listed.contains(&version)), "{name}@{version} is a success that nobody finds");
                    self.heard().published.push(format!("{name}@{version}"));
                    break;
                }
                let code = task["error"]["code"].as_str().unwrap_or_else(|| panic!("a failure without a reason: {task}"));
                if code != "internalServerError" {
                    assert!(order.is_wrong, "{name}@{version} is in order, and was refused: {task}");
                    break;
                }
                assert!(task["error"]["message"].as_str().is_some_and(|text| text.contains("incident ")), "{task}");
                self.heard().given_up += 1;
            }
        }
    }

    /// Sends a package and follows it to its end.
    async fn send(&self, package: &PackageBuilder, random: &mut StdRng) -> Value {
        let mut task: Option<String> = None;
        loop {
            let caller = self.anybody(random).await;
            let answer = match &task {
                None => caller.offer(&package.address(), package.tarball()).await,
                Some(id) => caller.status(id).await,
            };
            let body = match answer {
                Err(_) => {
                    self.heard().broken += 1;
                    sleep(BROKEN.mul_f64(random.random())).await;
                    continue;
                }
                Ok(Reply { status, body, .. }) if status.is_success() => body,
                Ok(Reply { status, body, .. }) if status == 400 && body["code"] == "duplicateVersionPublish" => {
                    self.heard().duplicates += 1;
                    body["task"].clone()
                }
                Ok(Reply { status, retry_after: Some(seconds), body }) if status == 503 => {
                    *self.heard().later.entry(body["code"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
                    sleep(Duration::from_secs(seconds)).await;
                    continue;
                }
                Ok(reply) => panic!("{reply:?}"),
            };
            if ["success", "failure"].iter().any(|end| body["status"] == *end) {
                return body;
            }
            task = Some(body["id"].as_str().unwrap_or_else(|| panic!("a task without an id: {body}")).to_owned());
        }
    }

    /// One of the APIs that are said to listen.
    async fn anybody(&self, random: &mut StdRng) -> Caller {
        let mut addresses = self.addresses.clone();
        let known = *addresses.wait_for(|known| known.iter().any(Option::is_some)).await.expect("processes are kept");
        let known: Vec<_> = known.into_iter().flatten().collect();
        self.caller.at(known[random.random_range(0..known.len())])
    }
}
