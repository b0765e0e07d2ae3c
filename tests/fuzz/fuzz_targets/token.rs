//! Tokens of CI systems before their signature is known to hold, and our own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = slipway_api::can_ci_token_be_read(text);
    let _ = slipway_api::secret::is_well_formed(text);
});
