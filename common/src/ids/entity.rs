//! Identifiers of rows, and the one place that makes them.

#![expect(clippy::disallowed_methods, reason = "this is the one place that asks for randomness")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngCore;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;

/// A row that has an identifier of its own.
pub trait Entity: From<Uuid> {
    /// A number that keeps the identifiers of different tables apart in tests: ids of table `n` start at `n * 10 000`, so
    /// that an id handed to the wrong table cannot pass by luck.
    const TABLE: u64;
}

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident = $table:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier as the database stores it.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl Entity for $name {
            const TABLE: u64 = $table;
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

entity!(
    /// A person with an account.
    UserId = 1
);
entity!(
    /// One attempt to publish one version; `id` on the wire.
    TaskId = 2
);
entity!(
    /// A piece of work in the `jobs` table.
    JobId = 3
);
entity!(
    /// A credential. Never the secret itself.
    TokenId = 4
);
entity!(
    /// A request of a device to be allowed to publish.
    AuthorizationId = 5
);
entity!(
    /// A CI identity that a package trusts.
    PublisherId = 6
);
entity!(
    /// Somebody who is asked to belong to a scope.
    InviteId = 9
);
entity!(
    /// Something that somebody asks of the staff.
    TicketId = 10
);
entity!(
    /// Somebody's account elsewhere, with which they sign in.
    IdentityId = 12
);
entity!(
    /// Something that was done, in the audit log.
    ActId = 14
);

/// Makes identifiers and random bytes. Production draws from the system; tests count, so that snapshots need no redaction.
#[derive(Debug, Clone)]
pub struct IdSource(Arc<Source>);

#[derive(Debug)]
enum Source {
    Entropy { clock: Arc<dyn Clock> },
    Counting { next: AtomicU64 },
}

/// How far apart the counters of two tables start.
const TABLE_SPACING: u64 = 10_000;

impl IdSource {
    /// Identifiers that sort by the time they were made (`UUIDv7`), and bytes from the operating system.
    #[must_use]
    pub fn entropy(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Source::Entropy { clock }))
    }

    /// Identifiers and bytes that are the same in every run.
    #[must_use]
    pub fn counting() -> Self {
        Self(Arc::new(Source::Counting { next: AtomicU64::new(1) }))
    }

    /// A fresh identifier.
    #[must_use]
    pub fn next<E: Entity>(&self) -> E {
        match &*self.0 {
            Source::Entropy { clock } => {
                let now = clock.now();
                let seconds = u64::try_from(now.timestamp()).expect("the clock is past 1970");
                let timestamp = uuid::Timestamp::from_unix_time(seconds, now.timestamp_subsec_nanos(), 0, 0);
                let (seconds, nanos) = timestamp.to_unix();
                let millis = seconds * 1_000 + u64::from(nanos) / 1_000_000;
                let mut random = [0; 10];
                rand::rng().fill_bytes(&mut random);
                // The twelve bits after the milliseconds count on, to a quarter of a microsecond (RFC 9562, 6.2, method 3): what one process
                // makes one after the other is in that order.
                let fraction = u64::from(nanos % 1_000_000) * 4_096 / 1_000_000;
                random[..2].copy_from_slice(&fraction.to_be_bytes()[6..]);
                E::from(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
            Source::Counting { next } => {
                let count = next.fetch_add(1, Ordering::Relaxed);
                E::from(Uuid::from_u128(u128::from(E::TABLE * TABLE_SPACING + count)))
            }
        }
    }

    /// Fills `bytes` with randomness fit for secrets (or, in tests, with a counter).
    pub fn fill(&self, bytes: &mut [u8]) {
        match &*self.0 {
            Source::Entropy { .. } => rand::rng().fill_bytes(bytes),
            Source::Counting { next } => {
                let count = next.fetch_add(1, Ordering::Relaxed);
                let mut state = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                for byte in bytes {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    *byte = state.to_be_bytes()[0];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    #[test]
    fn counting_is_repeatable_and_tables_are_apart() {
        let (one, two) = (IdSource::counting(), IdSource::counting());
        assert_eq!(one.next::<TaskId>(), two.next::<TaskId>());
        assert_eq!(one.next::<JobId>().uuid().as_u128(), 30_002);
        let (mut a, mut b) = ([0; 8], [0; 8]);
        let _: JobId = two.next();
        one.fill(&mut a);
        two.fill(&mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn entropy_makes_version_seven() {
        let ids = IdSource::entropy(Arc::new(SystemClock));
        let (a, b) = (ids.next::<UserId>(), ids.next::<UserId>());
        assert_ne!(a, b);
        assert_eq!(a.uuid().get_version_num(), 7);
    }

    #[test]
    fn entropy_counts_on_within_a_millisecond() {
        let clock = Arc::new(ManualClock::at("2026-02-03T04:05:06.123001Z".parse().unwrap()));
        let ids = IdSource::entropy(clock.clone());
        let mut made: Vec<UserId> = Vec::new();
        for _ in 0..998 {
            made.push(ids.next());
            clock.advance(chrono::TimeDelta::microseconds(1));
        }
        assert!(made.is_sorted(), "{made:?}");
        assert!(made.iter().all(|id| id.uuid().get_version_num() == 7));
    }
}
