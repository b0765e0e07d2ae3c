//! A process dies after each step of a publish, and nothing is lost but time.
//!
//! A debug build stops itself at the step that `SLIPWAY_CRASH_AT` names; here it is killed, and another one is started. At the end
//! the registry is the same as one in which nothing happened: objects, documents and rows. The steps are those of the code, so that
//! a new one has its case from the beginning.

mod endings;
mod opening;
mod quarantine;
mod steps;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use slipway_tests::fleet::program;

/// A test of this suite: its name, and what it does.
type Test = (String, Box<dyn FnOnce() + Send>);

fn main() -> ExitCode {
    if let Some(ended) = program::is_called() {
        return ended;
    }
    let trials =
        steps::tests().into_iter().chain(endings::tests()).chain(opening::tests()).chain(quarantine::tests()).map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
        });
    let mut arguments = Arguments::from_args();
    // Most of the time goes by in waiting for leases to run out: all of them at once.
    let trials: Vec<_> = trials.collect();
    arguments.test_threads = arguments.test_threads.or(Some(trials.len()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a test to its end, or until nobody would believe any more that it has one.
fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be made");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, case).await.expect("what the test waits for happens") });
}

/// A lease runs for half a minute, and a machine may be busy.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(240);
