//! Cold start, and the memory of a registry that has nothing to do.

use std::time::Duration;

use tokio::time::sleep;

use crate::process::{Memory, children};
use crate::registry::{Registry, Starter};
use crate::table::{Sorted, Table, megabytes, milliseconds};

/// Starts that the median is taken of.
const STARTS: usize = 10;

/// How long a registry is left alone before it counts as idle: its children are warm by then, and what starts by itself is done.
const SETTLE: Duration = Duration::from_secs(2);

/// Starts registries and looks at the last of them.
pub(crate) async fn measure(starter: &Starter) -> anyhow::Result<String> {
    let mut took = Vec::with_capacity(STARTS);
    for _ in 1..STARTS {
        let registry = starter.start("start", None).await?;
        took.push(registry.took);
        registry.stop().await?;
    }
    let registry = starter.start("start", None).await?;
    took.push(registry.took);
    let took = Sorted::new(took);
    let mut table = Table::new("Cold start and idle memory", &["what", "figure"]);
    let median = format!("{} (slowest {})", milliseconds(took.quantile(500)), milliseconds(took.quantile(1_000)));
    table.row(&[format!("start with an empty directory to `ready`, median of {STARTS}"), median]);
    sleep(SETTLE).await;
    for row in idle(&registry) {
        table.row(&row);
    }
    registry.stop().await?;
    Ok(table.note("Resident memory counts the pages of the program, which all processes share; in brackets what is a process's own."))
}

/// The memory of a registry and of each of its children, as rows.
pub(crate) fn idle(registry: &Registry) -> Vec<[String; 2]> {
    let row = |what: &str, memory: Memory| [what.to_owned(), format!("{} ({})", megabytes(memory.resident), megabytes(memory.own))];
    let parent = Memory::of(registry.id).map(|memory| row("`slipway up`, idle", memory));
    let warm = children(registry.id).into_iter().filter_map(Memory::of).map(|memory| row("a warm child, idle", memory));
    parent.into_iter().chain(warm).collect()
}
