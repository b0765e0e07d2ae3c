//! Listening, and ending well.

use anyhow::Context as _;
use slipway_common::config::{Config, Layers};
use slipway_common::context::Context;
use slipway_common::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;

/// Opens the port. Done before anything else, so that a taken port is the first thing one hears of. With port 0 the system chooses
/// one, the configuration is told, and the registry's address follows from it.
pub(super) async fn bind(layers: &mut Layers) -> anyhow::Result<TcpListener> {
    let address = Config::load(layers)?.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    layers.flags.push(("listen", listener.local_addr().context("the listener has no address")?.to_string()));
    Ok(listener)
}

/// Says who answers, and where.
#[expect(clippy::print_stdout, reason = "this is what the command says to whoever started it")]
pub(super) fn introduce(config: &Config) {
    println!("Slipway {} at {}, listening on {}", env!("CARGO_PKG_VERSION"), config.public_url, config.listen);
}

/// Says that the process is at work: the line that scripts wait for.
#[expect(clippy::print_stdout, reason = "this is what the command says to whoever started it")]
pub(super) fn ready(config: &Config) {
    println!("ready {}", config.public_url);
}

/// Answers requests until the shutdown begins and those under way are answered.
pub(super) fn answer(context: &Context, listener: TcpListener, shutdown: &Shutdown) {
    shutdown.spawn(crate::serve(App::new(context.clone(), shutdown), listener));
}

/// Ears for SIGTERM and Ctrl-C. Opened before a process says that it is ready: who reads that may ask it to end at once, and a signal
/// that nobody listens for ends a process in the middle of its work.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let ear = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: ear(SignalKind::terminate())?, interrupt: ear(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for the first, then drains. A second signal leaves at once; what is not done stands in its row.
    pub(super) async fn obey(mut self, shutdown: &Shutdown) {
        self.next().await;
        tracing::info!("finishing what was accepted");
        tokio::select! {
            () = shutdown.finish() => return,
            () = self.next() => {}
        }
        tracing::warn!("leaving at once; what is not done stands in its row");
        shutdown.abort();
    }
}
