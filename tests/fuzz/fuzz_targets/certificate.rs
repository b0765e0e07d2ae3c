//! Certificates of CI jobs.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let _ = slipway_common::provenance::certified_job(der);
});
