//! Markdown tables, and what a list of durations comes to.

use std::fmt::Write as _;
use std::time::Duration;

/// A table with a heading.
pub(crate) struct Table {
    text: String,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        let rule = columns.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }).collect::<Vec<_>>().join(" | ");
        Self { text: format!("### {title}\n\n| {} |\n| {rule} |\n", columns.join(" | ")) }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[String]) {
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// Adds a sentence below the table, which ends it.
    pub(crate) fn note(mut self, text: &str) -> String {
        let _ = write!(self.text, "\n{text}\n");
        self.text
    }
}

/// Durations in order.
pub(crate) struct Sorted(Vec<Duration>);

impl Sorted {
    /// Sorts what was measured.
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The smallest duration that this share of all, in thousandths, does not exceed. Zero when there is none at all.
    pub(crate) fn quantile(&self, thousandths: usize) -> Duration {
        let rank = (self.0.len() * thousandths).div_ceil(1_000).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    /// p50, p90, p99 and the longest, as cells.
    pub(crate) fn cells(&self) -> [String; 4] {
        [500, 900, 990, 1_000].map(|thousandths| milliseconds(self.quantile(thousandths)))
    }
}

/// A duration in milliseconds, with as many digits as mean something.
pub(crate) fn milliseconds(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1_000.0;
    let digits = usize::from(milliseconds < 100.0);
    format!("{milliseconds:.digits$} ms")
}

/// A duration in seconds.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Bytes in millions, with as many digits as mean something.
pub(crate) fn megabytes(bytes: u64) -> String {
    let hundredths = (bytes + 5_000) / 10_000;
    if hundredths < 100 { format!("0.{hundredths:02} MB") } else { format!("{}.{} MB", hundredths / 100, hundredths % 100 / 10) }
}
