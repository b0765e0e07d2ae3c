//! Connections: one task for each, a deadline for every head, and an end when the process ends.
//!
//! `axum::serve` sets no deadlines. Here a client that opens a connection and says nothing, or says it letter by letter, is let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower::ServiceExt;

use crate::app::App;
use crate::extract::Peer;

/// How long the first head of a connection may still come when the process is to end.
const LAST_HEAD: Duration = Duration::from_secs(3);

/// Answers requests until the shutdown begins and those under way are answered.
pub async fn serve(app: App, mut listener: TcpListener) {
    let router = crate::router(app.clone());
    loop {
        // Accepting waits a moment by itself when the process has no descriptors left.
        let (stream, peer) = tokio::select! {
            () = app.shutdown.begun() => return,
            accepted = Listener::accept(&mut listener) => accepted,
        };
        let asked = Arc::new(AtomicBool::new(false));
        let service = router.clone().map_request({
            let asked = Arc::clone(&asked);
            move |mut request: Request<Incoming>| {
                asked.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(Peer(peer.ip()));
                request.map(Body::new)
            }
        });
        app.shutdown.spawn(answer(app.clone(), stream, service, asked));
    }
}

/// Serves one connection. `asked` tells whether a whole head came on it.
async fn answer<S>(app: App, stream: TcpStream, service: S, asked: Arc<AtomicBool>)
where
    S: tower::Service<Request<Incoming>, Response = axum::response::Response, Error = std::convert::Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.context.config.timeouts.head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.shutdown.begun() => {
            connection.as_mut().graceful_shutdown();
            let nothing_asked = async {
                sleep(LAST_HEAD).await;
                if asked.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                ended = connection => ended,
                () = nothing_asked => return,
                () = app.shutdown.aborted() => return,
            }
        }
    };
    // Clients go away in the middle of everything; that is nobody's fault.
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
