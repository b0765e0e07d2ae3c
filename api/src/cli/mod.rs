//! The commands: each builds what it needs, runs, and exits.
//!
//! Exit 0 on success, 1 on failure with one clear line on standard error, 2 on wrong usage.

mod addresses;
mod admin;
mod admin_token;
mod api;
mod arguments;
mod audit;
mod deep;
mod doctor;
mod doors;
mod migrate;
mod people;
mod publish;
mod quarantine;
mod rebuild;
mod roles;
mod serve;
mod signing;
mod up;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// The whole program. Before anything else it looks whether it is a child that analyses packages: such a child has no arguments,
/// no environment and no business with the rest.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(worker::CHILD) {
        return worker::child();
    }
    if std::env::args().nth(1).as_deref() == Some(worker::COMPILER) {
        return worker::compiler_child();
    }
    let arguments = Arguments::parse();
    // One provider for every client: it is chosen here because the libraries bring none of their own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start")),
    };
    let outcome = runtime.block_on(run(arguments.command));
    // Whatever a task still holds after the drain stands in its row.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Api(arguments) => api::run(arguments).await,
        Command::Worker(arguments) => worker::run(arguments).await,
        Command::Publish(arguments) => publish::run(*arguments).await,
        Command::Migrate(arguments) => migrate::run(arguments).await,
        Command::Doctor(arguments) => Box::pin(doctor::run(arguments)).await,
        Command::Admin(command) => Box::pin(admin::run(command)).await,
    }
}

#[expect(clippy::print_stderr, reason = "a command ends with one line for the person who called it")]
fn fail(error: &anyhow::Error) -> ExitCode {
    let text = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    eprintln!("error: {text}");
    ExitCode::FAILURE
}
