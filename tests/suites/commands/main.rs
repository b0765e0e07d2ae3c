//! The commands, each in a process of its own.
//!
//! The program of this suite is the binary, too: called as `slipway`, or as one of the children that analyse packages, it does
//! what the binary does. So nothing has to be built beforehand, and nothing that was built before is run by mistake.

mod deep;
mod doctor;
mod keys;
mod process;
mod publisher;
mod purge;
mod secrets;
mod twice;
mod warnings;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut said = std::env::args();
    let (called, first) = (said.next(), said.next());
    if called.as_deref() == Some(process::NAME) || first.as_deref() == Some("analyse-child") {
        return slipway_api::cli::main();
    }
    let mut trials = Vec::new();
    let tests = [doctor::TESTS, deep::TESTS, keys::TESTS, publisher::TESTS, purge::TESTS, secrets::TESTS, twice::TESTS, warnings::TESTS];
    for (name, test) in tests.into_iter().flatten() {
        trials.push(Trial::test(*name, move || {
            test();
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
