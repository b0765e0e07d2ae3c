//! How much a package may cost, and how long a child lives. Every default is a named number with its reason.

use std::num::NonZero;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most children by default. An idle one has less than a megabyte of its own, but a busy one may take [`DEFAULT_MEMORY`] and
/// its stack; four are enough for a machine of any size, where a package is a matter of milliseconds.
const MAX_DEFAULT_CHILDREN: usize = 4;

/// Memory of a child, its stack not counted. Five megabytes of dense TypeScript have to fit into 600 MB (parsing alone takes
/// forty times the source), and what the allocator has set aside but not used counts as well.
const DEFAULT_MEMORY: u64 = 768 * MEBIBYTE;

/// Processor time of a package. At thirty milliseconds for 100 KB of source, which is what the bench is held to, the largest
/// upload takes six seconds; a slow machine gets ten times that.
const DEFAULT_CPU_SECONDS: u64 = 60;

/// Time on the wall of a package. Three times the processor time: children are nice, so on a busy machine a good package may
/// wait for its turn, and only what waits for something that never comes needs this limit.
const DEFAULT_WALL_SECONDS: u64 = 180;

/// Processor time of a package's documentation, which costs a third of what the rest costs. A package that would need more
/// publishes without it, and its author is told.
const DEFAULT_DOCUMENTATION_SECONDS: u64 = 20;

/// Time on the wall for each second of processor time, where only the latter is set: three, as for the package itself.
pub const DOCUMENTATION_WALL: u64 = 3;

/// Longest answer of a child, which the parent holds in its own memory. A plan has the package twice, as modules and as npm
/// tarball; beside the twenty mebibytes that are accepted of each this leaves room for several times as much of metadata and
/// documentation.
const DEFAULT_ANSWER: u32 = 192 * 1024 * 1024;

/// Packages after which a child is replaced. Starting one takes a few milliseconds, so this is cheap; it bounds what anything
/// that leaks or grows in the compiler crates can add up to.
const DEFAULT_PACKAGES: u32 = 256;

/// Memory of its own that a child may keep between packages. An ordinary package leaves a few megabytes behind; a huge one, or
/// one that needs a deep stack, hundreds, which nobody else on the machine could use.
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
    /// Seconds of processor time that the documentation of a package may take on top.
    pub documentation_seconds: u64,
    /// Seconds that it may take in all.
    pub documentation_wall_seconds: u64,
    /// Bytes of the longest answer that is taken from a child.
    pub answer_bytes: u32,
    /// Packages after which a child is replaced.
    pub packages_per_child: u32,
    /// Bytes of its own memory a child may keep between packages; one that keeps more is replaced.
    pub kept_bytes: u64,
    /// Whether there is a compiler to find out what sources do not say.
    pub infers: bool,
}

impl Default for AnalysisLimits {
    fn default() -> Self {
        Self {
            children: std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_DEFAULT_CHILDREN),
            memory_bytes: DEFAULT_MEMORY,
            cpu_seconds: DEFAULT_CPU_SECONDS,
            wall_seconds: DEFAULT_WALL_SECONDS,
            documentation_seconds: DEFAULT_DOCUMENTATION_SECONDS,
            documentation_wall_seconds: DEFAULT_DOCUMENTATION_SECONDS * DOCUMENTATION_WALL,
            answer_bytes: DEFAULT_ANSWER,
            packages_per_child: DEFAULT_PACKAGES,
            kept_bytes: DEFAULT_KEPT,
            infers: false,
        }
    }
}

impl AnalysisLimits {
    /// These limits as they hold for documentation.
    pub(super) fn of_documentation(&self) -> Self {
        Self { cpu_seconds: self.documentation_seconds, wall_seconds: self.documentation_wall_seconds, ..self.clone() }
    }

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
