//! The pool of the analysis, with real child processes and a bench that misbehaves on demand.
//!
//! The pool starts this very program again, which is why the test has a `main` of its own.

// A test that is not in the list is dead code.
#![deny(dead_code)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this is a test, and its children talk on purpose")]

mod bench;
mod children;
mod crashes;
mod pool;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

/// The longest that any of these takes on a slow machine, many times over. A test that hangs is a failure.
const PATIENCE: Duration = Duration::from_mins(2);

/// A list of tests by the names of their functions.
macro_rules! trials {
    ($($room:ident::$name:ident,)+) => {
        vec![$(Trial::test(concat!(stringify!($room), "::", stringify!($name)), || run($room::$name())),)+]
    };
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("analyse-child") => slipway_worker::analysis::child_main::<bench::Scripted>(),
        Some("babble") => children::babble(),
        Some("mumble") => children::mumble(),
        Some("leave") => ExitCode::from(7),
        Some("parent") => children::parent(),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    trials![
        pool::plans_a_package,
        pool::hands_over_findings_of_either_step,
        pool::hands_over_documentation_after_the_plan,
        pool::keeps_a_child_for_the_next_package,
        pool::never_has_more_packages_than_children,
        pool::a_child_retires_after_its_share,
        pool::a_child_that_keeps_too_much_retires,
        pool::dropping_a_request_kills_its_child_and_no_other,
        pool::an_idle_child_that_died_is_replaced_unseen,
        pool::warm_children_are_there_before_they_are_asked,
        pool::an_answer_over_the_limit_is_a_finding,
        crashes::a_panic_is_told_with_its_text,
        crashes::a_stack_overflow_is_told,
        crashes::memory_has_a_limit,
        crashes::the_stack_is_not_charged_as_memory,
        crashes::processor_time_has_a_limit,
        crashes::processor_time_is_counted_by_package,
        crashes::time_on_the_wall_has_a_limit,
        crashes::a_killed_child_is_told_and_replaced,
        crashes::documentation_dies_alone,
        crashes::rubbish_on_the_pipe_is_told,
        crashes::a_child_that_leaves_is_told,
        crashes::a_program_that_is_not_there_is_told,
        crashes::a_child_that_cannot_start_is_no_fault_of_the_package,
        crashes::a_fall_after_the_last_answer_harms_no_package,
        children::a_child_has_nothing_it_does_not_need,
        children::a_print_does_not_garble_the_conversation,
        children::the_polite_signal_is_ignored,
        children::children_die_with_their_parent,
    ]
}

fn run(test: impl Future<Output = ()>) -> Result<(), libtest_mimic::Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await })?)
}
