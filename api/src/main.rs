//! The one binary of Slipway.

use std::process::ExitCode;

fn main() -> ExitCode {
    slipway_api::cli::main()
}
