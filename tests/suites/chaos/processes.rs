//! The processes of the registry, and somebody for each who starts it again when it was killed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use slipway_tests::fleet::{Fleet, Process, Role};
use tokio::sync::{mpsc, watch};

/// Who there is.
pub(crate) const ROLES: [Role; 4] = [Role::Api, Role::Api, Role::Worker, Role::Worker];

/// How long somebody who watches over a process waits before they start it again, when it did not get ready: its services are away.
const START_AGAIN: Duration = Duration::from_millis(200);

/// What becomes of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It is killed, and another one is started.
    Kill,
    /// It is stopped in the middle of what it does, and goes on later.
    Freeze(Duration),
    /// It ends in good order, and another one is started.
    Restart,
    /// It ends in good order.
    End,
}

/// Where APIs listen, by the numbers of their processes.
pub(crate) type Addresses = [Option<SocketAddr>; ROLES.len()];

/// What somebody outside does to the processes, and sees of them.
pub(crate) struct Processes {
    fates: Vec<mpsc::UnboundedSender<Fate>>,
    pub(crate) addresses: watch::Receiver<Addresses>,
}

/// Somebody who watches over a process.
pub(crate) struct Keeper {
    number: usize,
    fates: mpsc::UnboundedReceiver<Fate>,
    addresses: watch::Sender<Addresses>,
}

impl Processes {
    pub(crate) fn new() -> (Self, Vec<Keeper>) {
        let (sender, addresses) = watch::channel(Addresses::default());
        let (mut fates, mut keepers) = (Vec::new(), Vec::new());
        for number in 0..ROLES.len() {
            let (fate, orders) = mpsc::unbounded_channel();
            fates.push(fate);
            keepers.push(Keeper { number, fates: orders, addresses: sender.clone() });
        }
        (Self { fates, addresses }, keepers)
    }

    pub(crate) fn let_happen(&self, number: usize, fate: Fate) {
        self.fates[number].send(fate).expect("somebody watches over each process");
    }

    pub(crate) fn end(&self) {
        (0..ROLES.len()).for_each(|number| self.let_happen(number, Fate::End));
    }
}

impl Keeper {
    /// Keeps the process going until it is to end. `unready` counts processes that ended before they were ready.
    pub(crate) async fn keep(mut self, fleet: &Fleet, unready: &AtomicUsize) {
        loop {
            let Some(process) = fleet.start_aside(ROLES[self.number]).await else {
                unready.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(START_AGAIN).await;
                continue;
            };
            if ROLES[self.number] == Role::Api {
                self.say(Some(process.address()));
            }
            let fate = self.fate_of(&process).await;
            self.say(None);
            match fate {
                Fate::Kill => process.kill(),
                Fate::Freeze(_) | Fate::Restart => process.stop().await,
                Fate::End => return process.stop().await,
            }
        }
    }

    /// How it comes to its end.
    async fn fate_of(&mut self, process: &Process) -> Fate {
        loop {
            match self.fates.recv().await.expect("it is told when to end") {
                Fate::Freeze(time) => {
                    process.freeze();
                    tokio::time::sleep(time).await;
                    process.thaw();
                    // It shall have the time to do what it was about to do: who should have been killed meanwhile is not.
                    while let Ok(fate) = self.fates.try_recv() {
                        if matches!(fate, Fate::Restart | Fate::End) {
                            return fate;
                        }
                    }
                }
                fate => return fate,
            }
        }
    }

    fn say(&self, address: Option<SocketAddr>) {
        self.addresses.send_modify(|addresses| addresses[self.number] = address);
    }
}
