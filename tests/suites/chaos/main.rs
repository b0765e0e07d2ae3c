//! Everything dies all the time, and nothing is lost but time.
//!
//! Clients publish while a storm goes over the registry: processes are killed, the broker goes away, the database throws
//! connections out, the bucket fails. Somebody who trusts nobody reads meanwhile. What is drawn is drawn from a seed, which is said
//! at the start and given back as `SLIPWAY_CHAOS_SEED`; what happens besides is up to the machine. `SLIPWAY_TEST_LENGTH=full` is the
//! long form.

mod burst;
mod client;
mod judge;
mod packages;
mod processes;
mod storm;
mod story;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use slipway_tests::engines::told;
use slipway_tests::fleet::program;

/// How much of it there is.
#[derive(Debug, Clone, Copy)]
struct Length {
    publishes: usize,
    /// How long a client pauses at most before the next publish. A registry does all of them in seconds if it is let.
    pause: Duration,
    /// How long the storm lasts at most. It ends with the last publish.
    storm: Duration,
    /// Whether there is a broker of our own, which is really stopped; otherwise wires to it are cut.
    own_broker: bool,
    /// Whether workers are frozen until their jobs are taken from them, which takes longer than a short storm.
    zombies: bool,
    /// Reached only by a test that fails.
    patience: Duration,
}

/// What `./tests/run` has time for.
const STANDARD: Length = Length {
    publishes: 300,
    pause: Duration::from_secs(8),
    storm: Duration::from_secs(30),
    own_broker: false,
    zombies: false,
    patience: Duration::from_secs(240),
};
/// What `./tests/run full` has.
const FULL: Length = Length {
    publishes: 600,
    pause: Duration::from_secs(40),
    storm: Duration::from_secs(300),
    own_broker: true,
    zombies: true,
    patience: Duration::from_secs(900),
};

fn main() -> ExitCode {
    if let Some(ended) = program::is_called() {
        return ended;
    }
    let is_full = told("SLIPWAY_TEST_LENGTH").is_some_and(|length| length == "full");
    let length = if is_full { FULL } else { STANDARD };
    let seed = told("SLIPWAY_CHAOS_SEED").map_or_else(any, |text| text.parse().expect("SLIPWAY_CHAOS_SEED is a number"));
    let mut trials = vec![trial("what_was_accepted_is_published_or_refused", move || run(length.patience, story::tell(seed, length)))];
    if is_full {
        trials.push(trial("a_thousand_at_once_are_accepted", move || run(length.patience, burst::many())));
        trials.push(trial("large_uploads_come_in_as_there_is_room", move || run(length.patience, burst::large())));
    }
    let mut arguments = Arguments::from_args();
    // Each has the machine for itself.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// A seed that nobody chose.
fn any() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

/// Runs a test to its end, or until nobody would believe any more that it has one.
fn run(patience: Duration, case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime can be made");
    runtime.block_on(async { tokio::time::timeout(patience, case).await.expect("what the test waits for happens") });
}
