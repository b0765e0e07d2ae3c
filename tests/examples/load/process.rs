//! A process and its children, as `/proc` shows them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Ticks of the processor clock in a second, as Linux shows them to programs on every machine that this runs on.
const TICKS: u64 = 100;

/// How often a watched tree is looked at. The kernel keeps the peak of each process itself; a look only has to come between the
/// peak of a child and its end, and a child that made a peak has an answer to write after it.
const LOOK: Duration = Duration::from_millis(2);

/// The same where only processor time is asked for, which children of small packages keep until they are replaced. Looking takes
/// processor time itself, a fifth of a processor at the quicker pace, which is missing where the pace is measured.
const GLANCE: Duration = Duration::from_millis(50);

/// Time between two searches for new children, which read every process of the machine.
const SEARCH: Duration = Duration::from_millis(50);

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, shared pages of the program included.
    pub(crate) resident: u64,
    /// Resident and its own.
    pub(crate) own: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

impl Memory {
    /// The memory of a process, unless it is gone.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1_024)
        };
        Some(Self { resident: field("VmRSS:")?, own: field("RssAnon:")?, peak: field("VmHWM:")? })
    }
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<u32> = ids.filter(|id| stat(*id).and_then(|fields| fields.get(1)?.parse::<u32>().ok()) == Some(parent)).collect();
    found.sort_unstable();
    found
}

/// The processor time of a process so far.
pub(crate) fn processor_time(process: u32) -> Duration {
    let ticks = stat(process).and_then(|fields| Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?));
    Duration::from_millis(ticks.unwrap_or_default() * 1_000 / TICKS)
}

/// The fields of `/proc/ID/stat` after the name, which may hold anything: state, parent and so on.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// What the children of a process took while they were watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// The largest peak of any of them.
    pub(crate) peak: u64,
    /// The most that they and their parent had resident at one time. Pages of the program that they share count for each.
    pub(crate) together: u64,
    /// The processor time of all of them.
    pub(crate) processor_time: Duration,
}

/// What was seen of each child, and the most that all had with their parent.
type Seen = (BTreeMap<u32, (Memory, Duration)>, u64);

/// Watches the children of a process, of which some are replaced when they have done their share or a large package.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    before: Duration,
    watcher: JoinHandle<Seen>,
}

impl Watch {
    /// Begins to watch so closely that no peak of memory is missed.
    pub(crate) fn start(parent: u32) -> Self {
        Self::every(LOOK, parent)
    }

    /// Begins to watch the processor time.
    pub(crate) fn glance(parent: u32) -> Self {
        Self::every(GLANCE, parent)
    }

    fn every(pause: Duration, parent: u32) -> Self {
        let looks_per_search = u32::try_from(SEARCH.as_millis() / pause.as_millis()).unwrap_or(u32::MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let mut known = children(parent);
        let before = known.iter().copied().map(processor_time).sum();
        let watcher = thread::spawn(move || {
            let mut seen = BTreeMap::new();
            let mut together = 0;
            for look in 1_u32.. {
                let is_last = told.load(Ordering::Relaxed);
                if is_last || look.is_multiple_of(looks_per_search) {
                    known = children(parent);
                }
                // One that is gone keeps what was seen of it last.
                let now: Vec<_> = known.iter().filter_map(|child| Some((*child, (Memory::of(*child)?, processor_time(*child))))).collect();
                let of_parent = Memory::of(parent).unwrap_or_default().resident;
                together = together.max(now.iter().map(|(_, (memory, _))| memory.resident).sum::<u64>() + of_parent);
                seen.extend(now);
                if is_last {
                    break;
                }
                thread::sleep(pause);
            }
            (seen, together)
        });
        Self { stop, before, watcher }
    }

    /// Ends watching.
    pub(crate) fn finish(self) -> Taken {
        self.stop.store(true, Ordering::Relaxed);
        let (seen, together) = self.watcher.join().unwrap_or_default();
        let peak = seen.values().map(|(memory, _)| memory.peak).max().unwrap_or_default();
        let processor_time = seen.values().map(|(_, time)| *time).sum::<Duration>().saturating_sub(self.before);
        Taken { peak, together, processor_time }
    }
}
