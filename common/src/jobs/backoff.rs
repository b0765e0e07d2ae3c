//! How long to wait before a job is tried again.

use chrono::TimeDelta;

use crate::ids::IdSource;

/// The wait after the first failure. Most faults are a connection that was cut.
const FIRST_MILLIS: i64 = 500;
/// The longest wait. A supplier that is down for an hour costs at most this much more.
const LONGEST_MILLIS: i64 = 60_000;

/// The wait after the `attempt`th failure: doubling from half a second to a minute, with up to a quarter taken off at random
/// so that what failed together does not come back together.
#[must_use]
pub fn backoff(attempt: i64, ids: &IdSource) -> TimeDelta {
    let doublings = u32::try_from(attempt.clamp(1, 16) - 1).expect("clamped to a small number");
    let full = (FIRST_MILLIS << doublings).min(LONGEST_MILLIS);
    let mut random = [0; 1];
    ids.fill(&mut random);
    TimeDelta::milliseconds(full - full / 4 * i64::from(random[0]) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_stops_growing() {
        let ids = IdSource::counting();
        let mut last = TimeDelta::zero();
        for attempt in 1..=8 {
            let wait = backoff(attempt, &ids);
            assert!(wait > last && wait <= TimeDelta::milliseconds(FIRST_MILLIS << (attempt - 1)), "{attempt}: {wait}");
            last = wait;
        }
        assert!(backoff(1_000_000, &ids) <= TimeDelta::milliseconds(LONGEST_MILLIS));
        assert!(backoff(-5, &ids) > TimeDelta::zero());
    }
}
