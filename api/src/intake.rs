//! Room for uploads on their way in.
//!
//! What is on its way to the store is in memory, most of it, so room is taken in bytes: a crowd of small uploads has it where a few
//! large ones fill it. Nobody waits for room; whoever finds none comes back later.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which room is taken, in bytes. What a request costs besides its body is about as much.
const UNIT: u64 = 1024;

/// The room that one process has.
#[derive(Clone)]
pub(crate) struct Intake {
    free: Arc<Semaphore>,
    units: u32,
}

/// A place that is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Room(#[expect(dead_code, reason = "it is there to be dropped")] OwnedSemaphorePermit);

impl Intake {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let units = units(bytes);
        // On a machine of 32 bits there is less memory than this counts.
        let free = usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(free)), units }
    }

    /// Room for an upload. One that is larger than all there is takes all there is, so that it has its turn.
    pub(crate) fn take(&self, bytes: u64) -> Option<Room> {
        let wanted = units(bytes.max(UNIT)).min(self.units);
        Arc::clone(&self.free).try_acquire_many_owned(wanted).ok().map(Room)
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_ones_or_a_few_large_ones() {
        let intake = Intake::new(10 * UNIT);
        let small: Vec<_> = (0..20).map_while(|_| intake.take(100)).collect();
        assert_eq!(small.len(), 10);
        drop(small);
        let large = intake.take(7 * UNIT).unwrap();
        assert!(intake.take(4 * UNIT).is_none());
        assert!(intake.take(3 * UNIT).is_some());
        drop(large);
        assert!(intake.take(10 * UNIT).is_some());
    }

    #[test]
    fn what_is_larger_than_the_room_comes_alone() {
        let intake = Intake::new(10 * UNIT);
        let alone = intake.take(1_000 * UNIT).unwrap();
        assert!(intake.take(1).is_none());
        drop(alone);
        assert!(intake.take(1).is_some());
    }
}
