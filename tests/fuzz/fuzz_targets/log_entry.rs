//! What a transparency log, or who stands between, answers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = slipway_common::provenance::can_entry_be_read(body, 31_821_305);
});
