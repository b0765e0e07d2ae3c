//! Tokens of CI systems before their signature is known to hold.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = slipway_api::can_ci_token_be_read(text);
});
