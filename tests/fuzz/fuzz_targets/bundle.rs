//! Bundles about where a version came from, as strangers send them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sent) = serde_json::from_slice(bytes) {
        let _ = slipway_common::provenance::can_be_read(&sent);
    }
});
