//! The commands, each in a process of its own.
//!
//! The program of this suite is the binary, too: called as `slipway`, or as one of the children that analyse packages or become a
//! compiler, it does what the binary does. So nothing has to be built beforehand, and nothing that was built before is run by mistake.

mod audit;
mod confinement;
mod deep;
mod doctor;
mod keys;
mod people;
mod process;
mod publisher;
mod purge;
mod quarantine;
mod secrets;
mod twice;
mod warnings;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut said = std::env::args();
    let (called, first) = (said.next(), said.next());
    let is_child = matches!(first.as_deref(), Some("analyse-child" | "compile-child"));
    if called.as_deref() == Some(process::NAME) || is_child {
        return slipway_api::cli::main();
    }
    let called = called.unwrap_or_default();
    if called.ends_with(confinement::compiler::NAME) {
        return confinement::compiler::main();
    }
    if let Some(code) = confinement::lacking::become_binary(&called) {
        return code;
    }
    let mut trials = Vec::new();
    let tests = [
        audit::TESTS,
        confinement::TESTS,
        doctor::TESTS,
        deep::TESTS,
        keys::TESTS,
        people::TESTS,
        publisher::TESTS,
        purge::TESTS,
        quarantine::TESTS,
        secrets::TESTS,
        twice::TESTS,
        warnings::TESTS,
    ];
    for (name, test) in tests.into_iter().flatten() {
        trials.push(Trial::test(*name, move || {
            test();
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
