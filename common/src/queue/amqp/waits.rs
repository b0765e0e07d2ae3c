//! How long to wait before the broker is tried again.
//!
//! What is random here comes from the library, not from the source of ids: it names nothing and hides nothing.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// The first wait. Most connections are cut for a moment only.
const FIRST: Duration = Duration::from_millis(100);
/// What the waits grow to. A broker that comes back after an hour is found within twice this, and a thousand processes that look for
/// it cost it a few hundred attempts a second.
const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double, each up to twice as long at random, so that processes that lost the broker together do not come back together.
#[derive(Debug)]
pub(super) struct Waits(ExponentialBackoff);

impl Default for Waits {
    fn default() -> Self {
        let waits = ExponentialBuilder::new().with_jitter().with_min_delay(FIRST).with_max_delay(LONGEST).without_max_times();
        Self(waits.build())
    }
}

impl Waits {
    /// Waits, longer than the last time.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.next()).await;
    }

    /// What was waited for has come: the next wait is a short one.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grow_to_a_bound_and_start_again() {
        let mut waits = Waits::default();
        let mut full = FIRST;
        for _ in 0..1_000 {
            let wait = waits.next();
            assert!(wait >= full && wait <= full * 2, "{wait:?}");
            full = (full * 2).min(LONGEST);
        }
        waits.reset();
        assert!(waits.next() <= FIRST * 2);
    }

    #[test]
    fn differ_from_process_to_process() {
        let mut waits = [Waits::default(), Waits::default()];
        let [one, two] = waits.each_mut().map(|waits| (0..8).map(|_| waits.next()).collect::<Vec<_>>());
        assert_ne!(one, two);
    }
}
