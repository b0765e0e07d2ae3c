//! Reads survive the failure of everything but the bucket.
//!
//! A registry in several processes publishes, and ends. What it leaves is a bucket; nginx in front of it does what a CDN would, by the
//! configuration that the README tells people to copy. Then Deno and npm install everything and run it, and every object is asked
//! for in every way that a cache asks.

mod clients;
mod edge;
mod headers;
mod routes;
mod story;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use slipway_tests::fleet::program;

/// Clients compile for some seconds each, and a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    if let Some(ended) = program::is_called() {
        return ended;
    }
    let trials = vec![
        trial("everything_is_read_from_the_bucket_alone", || run(story::everything_is_read_from_the_bucket_alone())),
        trial("the_edge_sends_everybody_where_the_table_says", || run(routes::the_edge_sends_everybody_where_the_table_says())),
        trial("what_the_bucket_does_not_have_is_asked_of_the_api_by_who_shows_a_credential", || {
            run(routes::what_the_bucket_does_not_have_is_asked_of_the_api_by_who_shows_a_credential());
        }),
        trial("the_edge_says_what_the_table_says", routes::the_edge_says_what_the_table_says),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// Runs a test to its end, or until nobody would believe any more that it has one.
fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be made");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, case).await.expect("what the test waits for happens") });
}
