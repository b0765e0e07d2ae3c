//! Listening, and ending well.

use anyhow::Context as _;
use slipway_common::context::Context;
use slipway_common::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;

/// Opens the port. Done before anything else, so that a taken port is the first thing one hears of.
pub(super) async fn bind(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Answers requests until the shutdown begins and those under way are answered.
pub(super) fn answer(context: &Context, listener: TcpListener, shutdown: &Shutdown) {
    shutdown.spawn(crate::serve(App::new(context.clone(), shutdown), listener));
}

/// Waits for SIGTERM or Ctrl-C, then drains. A second signal leaves at once; what is not done stands in its row.
pub(super) async fn until_signal(shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("finishing what was accepted");
    tokio::select! {
        () = shutdown.finish() => {}
        _ = terminate.recv() => shutdown.abort(),
        _ = interrupt.recv() => shutdown.abort(),
    }
    Ok(())
}
