//! The log.
//!
//! What is never logged: secrets (their types cannot print), bodies, tarball contents, and headers that carry credentials.

use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Libraries that are not heard whatever the filter says. The AMQP client prints every frame at its lowest level, the one with the
/// password included, and calls a lost connection an error, of which the queue says what is to be said.
const SILENT: [&str; 1] = ["lapin"];

/// Starts logging to standard error. `RUST_LOG` wins over the configured filter. A second call does nothing.
///
/// At the level `debug` every stage of a publish, every object and every commit says at its end how long it took.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let heard = filter_fn(|event| !SILENT.contains(&event.target().split("::").next().unwrap_or_default()));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(true).with_span_events(FmtSpan::CLOSE);
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter.and(heard))).try_init();
}
