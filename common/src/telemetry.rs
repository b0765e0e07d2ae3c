//! The log.
//!
//! What is never logged: secrets (their types cannot print), bodies, tarball contents, and headers that carry credentials.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `RUST_LOG` wins over the configured filter. A second call does nothing.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true).try_init();
}
