//! Something that an issuer publishes, as far as it was read.
//!
//! It is fresh for an hour. Who needs something that it does not have, has it read again, but not more often than every half minute:
//! anybody can send tokens with made-up keys, and the issuer must not hear of each. What was read keeps its worth for a day while the
//! issuer does not answer: its outage is not ours.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use slipway_common::clock::Instant;
use tokio::sync::Mutex;

/// How long it is used without asking again. Issuers publish a key long before they sign with it, and withdraw one rarely.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How long it is used when the issuer does not answer.
const STALE: TimeDelta = TimeDelta::days(1);
/// The least time between two attempts, whoever asks.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Seconds after which it makes sense to try again when it could not be read.
pub(crate) const RETRY_AFTER: u32 = 30;

/// Why something is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lacking {
    /// The issuer answered, and it is not in what it said.
    Absent,
    /// The issuer does not answer.
    Away,
}

/// Something that an issuer publishes, as far as it was read.
#[derive(Debug)]
pub(super) struct Known<T> {
    read: RwLock<Option<Arc<Read<T>>>>,
    /// When it was last asked for, and whether that came to nothing. Held while it is asked for: one question at a time.
    asked: Mutex<Option<Asked>>,
}

#[derive(Debug)]
struct Read<T> {
    value: T,
    at: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    was_answered: bool,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { read: RwLock::default(), asked: Mutex::new(None) }
    }
}

impl<T> Known<T> {
    /// What `pick` finds in it, which `fetch` reads when that has to be.
    pub(super) async fn find<P>(
        &self,
        now: Instant,
        pick: impl Fn(&T) -> Option<P>,
        fetch: impl AsyncFnOnce() -> Option<T>,
    ) -> Result<P, Lacking> {
        if let Some(found) = self.within(FRESH, now, &pick) {
            return Ok(found);
        }
        let mut asked = self.asked.lock().await;
        // Somebody else may have asked while we waited for our turn.
        if let Some(found) = self.within(FRESH, now, &pick) {
            return Ok(found);
        }
        if asked.is_none_or(|asked| now - asked.at >= PAUSE) {
            // Noted before: a caller who hangs up ends this here, and must not make the next one ask again at once.
            *asked = Some(Asked { at: now, was_answered: false });
            let answer = fetch().await;
            *asked = Some(Asked { at: now, was_answered: answer.is_some() });
            if let Some(value) = answer {
                *self.read.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Read { value, at: now }));
            }
        }
        let was_answered = asked.is_some_and(|asked| asked.was_answered);
        self.within(STALE, now, &pick).ok_or(if was_answered { Lacking::Absent } else { Lacking::Away })
    }

    fn within<P>(&self, age: TimeDelta, now: Instant, pick: impl Fn(&T) -> Option<P>) -> Option<P> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner).clone();
        read.filter(|read| now - read.at < age).and_then(|read| pick(&read.value))
    }
}
