//! How much a package may cost, and how long a child lives. Every default is a named number with its reason.

use std::num::NonZero;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most children by default. Each holds a few megabytes when idle and up to [`DEFAULT_MEMORY`] when not; four keep a machine
/// of any size busy with packages that take milliseconds.
const MAX_DEFAULT_CHILDREN: usize = 4;

/// Memory of a child, without its stack. Five mebibytes of dense TypeScript take just under 600 MB (parsing alone takes forty
/// times the source), and what the allocator has set aside but not used counts as well.
const DEFAULT_MEMORY: u64 = 768 * MEBIBYTE;

/// Processor time of a package. The largest upload that is accepted, twenty mebibytes of source, takes about six seconds in a
/// release build on an ordinary machine; ten times that is left for slow machines.
const DEFAULT_CPU_SECONDS: u64 = 60;

/// Time on the wall of a package. Three times the processor time: children are nice, so on a busy machine a good package may
/// wait for its turn, and only what waits for something that never comes needs this limit.
const DEFAULT_WALL_SECONDS: u64 = 180;

/// Longest answer of a child. A plan holds the package twice (as modules and as npm tarball) and its documentation, which for
/// the largest upload has been seen at five times the source. The parent holds the answer in its own memory.
const DEFAULT_ANSWER: u32 = 192 * 1024 * 1024;

/// Packages after which a child is replaced. Starting one costs a few milliseconds, so this is cheap; it bounds what anything
/// that leaks or grows in the compiler crates can add up to.
const DEFAULT_PACKAGES: u32 = 256;

/// Memory of its own that a child may keep between packages. An ordinary package leaves ten to thirty megabytes behind; after
/// a huge one the allocator and the stack keep hundreds, which nobody else on the machine could use.
const DEFAULT_KEPT: u64 = 96 * MEBIBYTE;

/// One mebibyte.
const MEBIBYTE: u64 = 1024 * 1024;

/// The limits of the analysis. Part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalysisLimits {
    /// Warm children, which is also how many packages are analysed at once. By default one for each processor, at most four.
    pub children: usize,
    /// Bytes of memory a package may take, its stack not counted.
    pub memory_bytes: u64,
    /// Seconds of processor time a package may take, over all threads.
    pub cpu_seconds: u64,
    /// Seconds a package may take in all, the parent's own look at the world not counted.
    pub wall_seconds: u64,
    /// Bytes of the longest answer that is taken from a child.
    pub answer_bytes: u32,
    /// Packages after which a child is replaced.
    pub packages_per_child: u32,
    /// Bytes of its own memory a child may keep between packages; one that keeps more is replaced.
    pub kept_bytes: u64,
}

impl Default for AnalysisLimits {
    fn default() -> Self {
        Self {
            children: std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_DEFAULT_CHILDREN),
            memory_bytes: DEFAULT_MEMORY,
            cpu_seconds: DEFAULT_CPU_SECONDS,
            wall_seconds: DEFAULT_WALL_SECONDS,
            answer_bytes: DEFAULT_ANSWER,
            packages_per_child: DEFAULT_PACKAGES,
            kept_bytes: DEFAULT_KEPT,
        }
    }
}

impl AnalysisLimits {
    /// The time on the wall as a duration.
    pub(super) fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_may_name_some_of_them() {
        let limits: AnalysisLimits = serde_json::from_str(r#"{ "children": 7 }"#).unwrap();
        assert_eq!(limits, AnalysisLimits { children: 7, ..AnalysisLimits::default() });
        assert!(serde_json::from_str::<AnalysisLimits>(r#"{ "childs": 7 }"#).is_err());
    }

    #[test]
    fn there_is_always_a_child() {
        assert!((1..=MAX_DEFAULT_CHILDREN).contains(&AnalysisLimits::default().children));
    }
}
