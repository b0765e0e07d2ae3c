//! What time it is, handed in.
//!
//! Nothing else in the house may ask the operating system, and no SQL statement asks the engine: rows of one act share one
//! instant, and tests move time by hand.

use std::fmt::Debug;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// An instant, always in UTC and always whole microseconds: PostgreSQL keeps no more, and a time must read back as it was
/// written on both engines.
pub type Instant = DateTime<Utc>;

/// A source of time.
pub trait Clock: Debug + Send + Sync {
    /// Now, truncated to microseconds.
    fn now(&self) -> Instant;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now(&self) -> Instant {
        to_microseconds(Utc::now())
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Instant) -> Self {
        Self(Mutex::new(to_microseconds(start)))
    }

    /// Moves the clock by `by`.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self.0.lock().expect("no holder of the clock panics");
        *now = to_microseconds(*now + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().expect("no holder of the clock panics")
    }
}

fn to_microseconds(instant: Instant) -> Instant {
    DateTime::from_timestamp_micros(instant.timestamp_micros()).expect("an instant in microseconds is in the range it came from")
}
