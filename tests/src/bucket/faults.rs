//! What fails at a bucket, and how often.
//!
//! Whether a request fails is drawn from the seed, the request and how often it was made before. So a seed gives the same faults
//! to the same requests, in whatever order they come.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The answer is 500.
    Error,
    /// The answer is 503, as S3 gives it to those who ask too much.
    SlowDown,
    /// The connection ends in the middle of the answer, or before it when the answer has no bytes.
    Cut,
    /// There is never an answer.
    Hang,
}

/// When it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was done.
    Before,
    /// All was done, and nobody hears of it.
    After,
}

/// Requests of a thousand that each fault befalls. A publish makes about twenty requests, so nearly all of them meet one and
/// few of them so many that the retries of a request are used up. A request that hangs costs its process 20 seconds, the time
/// after which a silent bucket is given up, so this befalls one publish of
/// twenty-five.
const SHARES: [(Fault, u32); 4] = [(Fault::Error, 20), (Fault::SlowDown, 20), (Fault::Cut, 15), (Fault::Hang, 2)];

/// How long a request takes at most. S3 takes tens of milliseconds for one, and whoever is killed is mostly waiting for it.
const LATENCY: Duration = Duration::from_millis(80);

/// What befalls a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    /// How long it takes.
    pub(super) latency: Duration,
    /// What goes wrong, and when.
    pub(super) fault: Option<(Fault, Moment)>,
}

/// What fails at a bucket.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    are_over: AtomicBool,
    is_away: AtomicBool,
    asked: Mutex<BTreeMap<String, u64>>,
    happened: Mutex<BTreeMap<Fault, u64>>,
}

impl Faults {
    /// Nothing fails.
    #[must_use]
    pub fn none() -> Self {
        Self { are_over: AtomicBool::new(true), ..Self::seeded(0) }
    }

    /// Each request may.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            are_over: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            asked: Mutex::default(),
            happened: Mutex::default(),
        }
    }

    /// Nothing fails from now on.
    pub fn end(&self) {
        self.are_over.store(true, Ordering::Relaxed);
    }

    /// From now on every request fails, or no more than usual.
    pub fn go_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    /// Whether every request fails.
    #[must_use]
    pub fn are_all(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// How often each fault happened.
    #[must_use]
    pub fn happened(&self) -> BTreeMap<Fault, u64> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What befalls the next request.
    pub(super) fn next(&self, method: &Method, path: &str) -> Fate {
        if self.are_over.load(Ordering::Relaxed) {
            return Fate { latency: Duration::ZERO, fault: None };
        }
        let request = format!("{method} {path}");
        let times = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry(request.clone()).or_default();
            *times += 1;
            *times
        };
        let mut hasher = DefaultHasher::new();
        (self.seed, request, times).hash(&mut hasher);
        let mut random = StdRng::seed_from_u64(hasher.finish());
        let latency = LATENCY.mul_f64(random.random());
        let moment = if random.random() { Moment::Before } else { Moment::After };
        let fault = if self.are_all() { Some(Fault::SlowDown) } else { draw(random.random_range(0..1_000)) };
        if let Some(fault) = fault {
            *self.happened.lock().unwrap_or_else(PoisonError::into_inner).entry(fault).or_default() += 1;
        }
        Fate { latency, fault: fault.map(|fault| (fault, moment)) }
    }
}

fn draw(mut drawn: u32) -> Option<Fault> {
    for (fault, share) in SHARES {
        if drawn < share {
            return Some(fault);
        }
        drawn -= share;
    }
    None
}
