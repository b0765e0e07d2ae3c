//! The load driver: what a registry costs and how long it makes people wait, as tables.
//!
//! It starts the real binary, one `slipway up` after the other on loopback, publishes to it as a client would, and reads from
//! `/proc` what that took. Nothing is asserted: the figures of a machine are that machine's. What is measured is checked to
//! have happened, though, because a fast refusal looks like a fast publish.
//!
//! Everything is bounded: the counts are constants or arguments, and no question to the registry may take longer than
//! `--patience`. The packages come from a generator without chance, so that two builds are measured with the same bytes.

mod chain;
mod client;
mod code;
mod machine;
mod package;
mod process;
mod publishes;
mod registry;
mod scaled;
mod sizes;
mod start;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use slipway_tests::fleet::program;
use tempfile::TempDir;
use tokio::runtime::Builder;

use registry::Starter;
use scaled::Amount;

/// Measures a `slipway` binary and prints Markdown tables.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `slipway` to measure
    #[arg(long, env = "SLIPWAY_BIN", value_name = "FILE")]
    slipway: PathBuf,
    /// The directory that holds the clients' `node_modules`; without it there is no chain
    #[arg(long, env = "SLIPWAY_CLIENTS", value_name = "DIR")]
    clients: Option<PathBuf>,
    /// What to measure [default: everything]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Small packages that are published one after the other, and as many by several clients at once
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    publishes: u32,
    /// Where the registries have their data [default: the temporary directory]; the disk that is measured
    #[arg(long, value_name = "DIR")]
    place: Option<PathBuf>,
    /// What the registries log, in the syntax of `RUST_LOG`; it lands beside their data, which is then kept
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Publishes of which it is measured when a worker takes them up, in a registry of several processes
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    submissions: u32,
    /// Publishes that wait when a worker begins
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=9_000))]
    queued: u32,
    /// Longest wait for one answer, in seconds
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    patience: u64,
}

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Cold start and idle memory
    Start,
    /// Small packages
    Publishes,
    /// Forty packages by one `deno publish`
    Chain,
    /// Large packages and their memory
    Sizes,
    /// Several processes between three services, which the environment names as it does for the suites
    Scaled,
}

fn main() -> ExitCode {
    // The processes of a registry of several are this program.
    if let Some(ended) = program::is_called() {
        return ended;
    }
    let arguments = Arguments::parse();
    let outcome =
        Builder::new_current_thread().enable_all().build().context("no runtime").and_then(|runtime| runtime.block_on(run(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever measures wants to know")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // The HTTP client wants a provider even though it speaks to loopback in the clear.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let binary = arguments.slipway.canonicalize().with_context(|| format!("there is no `{}`", arguments.slipway.display()))?;
    ensure!(binary.is_file(), "`{}` is no file", binary.display());
    let mut place = match &arguments.place {
        Some(place) => TempDir::with_prefix_in("slipway-load-", place),
        None => TempDir::with_prefix("slipway-load-"),
    }
    .context("cannot make a directory for the data")?;
    place.disable_cleanup(arguments.log.is_some());
    let starter = Starter::new(binary, place.path().to_owned(), arguments.log.clone(), Duration::from_secs(arguments.patience));

    say(&machine::describe(place.path())?);
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if wanted(Part::Start) {
        say(&start::measure(&starter).await?);
    }
    if wanted(Part::Publishes) {
        say(&publishes::measure(&starter, arguments.publishes).await?);
    }
    if wanted(Part::Chain) {
        match &arguments.clients {
            Some(clients) => say(&chain::measure(&starter, clients).await?),
            None => say("Not measured: the chain, since `--clients` does not say where `deno` is.\n"),
        }
    }
    if wanted(Part::Sizes) {
        say(&sizes::measure(&starter).await?);
    }
    if wanted(Part::Scaled) {
        let patience = Duration::from_secs(arguments.patience);
        say(&scaled::measure(Amount { submissions: arguments.submissions, queued: arguments.queued, patience }).await?);
    }
    if arguments.log.is_some() {
        say(&format!("The logs are in {}.\n", place.path().display()));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the tables are what this program is for")]
fn say(text: &str) {
    println!("{text}");
}
