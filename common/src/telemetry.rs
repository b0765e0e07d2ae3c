//! The log.
//!
//! What is never logged: secrets (their types cannot print), bodies, tarball contents, and headers that carry credentials.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging to standard error. `RUST_LOG` wins over the configured filter. A second call does nothing.
///
/// At the level `debug` every stage of a publish, every object and every commit says at its end how long it took.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true)
        .with_span_events(FmtSpan::CLOSE)
        .try_init();
}
