//! A wire that can be cut: a TCP proxy on loopback before any service.

use slipway_common::shutdown::Shutdown;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The state of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// It carries.
    Whole,
    /// It carries nothing; connections stay open, and new ones are accepted.
    Stalled,
    /// Connections are closed, and new ones as soon as they are made.
    Cut,
}

/// A proxy before a service.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    wire: watch::Sender<Wire>,
    traffic: watch::Receiver<u64>,
}

impl Proxy {
    /// A proxy with a port of its own, on a whole wire.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn before(service: (String, u16)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let (wire, state) = watch::channel(Wire::Whole);
        let (counter, traffic) = watch::channel(0);
        // What is left runs as long as the runtime of the test.
        let tasks = Shutdown::default();
        tasks.clone().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (service, state, counter) = (service.clone(), state.clone(), counter.clone());
                tasks.spawn(async move {
                    if *state.borrow() == Wire::Cut {
                        return counter.send_modify(|count| *count += 1);
                    }
                    let mut cut = state.clone();
                    tokio::select! {
                        _ = cut.wait_for(|wire| *wire == Wire::Cut) => {}
                        () = join(near, service, state, counter) => {}
                    }
                });
            }
        });
        Self { port, wire, traffic }
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection, and those that are made from now on.
    pub fn cut(&self) {
        self.wire.send_replace(Wire::Cut);
    }

    /// Carries nothing from now on, and closes nothing.
    pub fn stall(&self) {
        self.wire.send_replace(Wire::Stalled);
    }

    /// Carries again.
    pub fn mend(&self) {
        self.wire.send_replace(Wire::Whole);
    }

    /// Waits until something passes, or is turned away.
    ///
    /// # Panics
    /// When the proxy has ended.
    pub async fn traffic(&mut self) {
        self.traffic.changed().await.expect("the proxy runs");
    }
}

/// Carries in both directions until one side closes.
async fn join(near: TcpStream, service: (String, u16), wire: watch::Receiver<Wire>, counter: watch::Sender<u64>) {
    let Ok(far) = TcpStream::connect(service).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = carry(near_in, far_out, wire.clone(), counter.clone()) => {}
        () = carry(far_in, near_out, wire, counter) => {}
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut wire: watch::Receiver<Wire>,
    counter: watch::Sender<u64>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if wire.wait_for(|wire| *wire == Wire::Whole).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        counter.send_modify(|count| *count += 1);
    }
}
