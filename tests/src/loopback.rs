//! Other people's servers, on loopback.

use std::sync::{Arc, mpsc};
use std::thread;

use axum::Router;
use tokio::sync::oneshot;

/// A server that answers until this is dropped.
pub(crate) struct Loopback {
    _end: oneshot::Sender<()>,
}

/// Starts a server on a free port. `open` is told its address and says what it keeps and what it answers.
///
/// # Panics
/// When loopback has no port.
pub(crate) fn serve<S: Send + Sync + 'static>(open: impl FnOnce(String) -> (Arc<S>, Router) + Send + 'static) -> (Arc<S>, Loopback) {
    // Whoever asks it does so with a client that has to be given one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (ready, wait) = mpsc::channel();
    let (end, ended) = oneshot::channel();
    // A runtime of its own: suites of real clients have none.
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
            let (inside, router) = open(format!("http://{}", listener.local_addr().expect("a listener has an address")));
            ready.send(inside).expect("somebody waits");
            tokio::select! {
                served = axum::serve(listener, router) => served.expect("loopback serves"),
                _ = ended => {}
            }
        });
    });
    (wait.recv().expect("the server starts"), Loopback { _end: end })
}
