//! The corpora of the fuzz targets with a byte of them changed, at many places: whatever a stranger sends, it is read or refused.

use std::fs;
use std::path::Path;

use slipway_common::provenance::{can_be_read, can_entry_be_read, certified_job};

/// What is put in the place of a byte: ends of texts and of values, signs, and what is no text.
const OTHERS: [u8; 6] = [0, b'"', b'{', b'-', 0x80, 0xff];

/// Hands over every file of a corpus, changed at each `step`th byte and cut off there. Returns how much of it was refused, in per cent.
fn bend(target: &str, step: usize, is_read: impl Fn(&[u8]) -> bool) -> usize {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let (mut tried, mut refused) = (0, 0);
    for file in fs::read_dir(corpus).unwrap() {
        let whole = fs::read(file.unwrap().path()).unwrap();
        for at in (0..whole.len()).step_by(step) {
            let mut changed = whole.clone();
            for other in OTHERS {
                changed[at] = other;
                refused += usize::from(!is_read(&changed));
            }
            refused += usize::from(!is_read(&whole[..at]));
            tried += OTHERS.len() + 1;
        }
    }
    refused * 100 / tried
}

#[test]
fn whatever_is_sent_is_read_or_refused() {
    let shares = [
        bend("bundle", 29, |bytes| serde_json::from_slice(bytes).is_ok_and(|sent| can_be_read(&sent).is_ok())),
        bend("certificate", 1, |der| certified_job(der).is_ok()),
        bend("log_entry", 29, |body| can_entry_be_read(body, 31_821_305).is_ok()),
        bend("token", 1, |bytes| std::str::from_utf8(bytes).is_ok_and(|text| slipway_api::can_ci_token_be_read(text).is_ok())),
    ];
    assert!(shares.iter().all(|share| (10..100).contains(share)), "neither everything nor nothing is refused: {shares:?}");
}
