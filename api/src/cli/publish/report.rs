//! What the command says: findings, progress, and the outcome.

use std::fmt;
use std::path::{Component, Path};

use serde::Deserialize;
use slipway_common::model::finding::{Finding, Severity};

/// A finding as it is shown, whoever made it. A registry may know codes that this build does not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Entry {
    severity: Severity,
    code: String,
    message: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    line: Option<u32>,
    #[serde(default)]
    column: Option<u32>,
    #[serde(default)]
    hint: Option<String>,
}

impl Entry {
    /// One of our own findings.
    pub(super) fn of(finding: &Finding) -> Self {
        let place = finding.place.as_ref();
        let position = place.filter(|place| place.line > 0);
        Self {
            severity: finding.severity,
            code: finding.code.to_string(),
            message: finding.message.clone(),
            file: place.map(|place| place.path.clone()),
            line: position.map(|place| place.line),
            column: position.map(|place| place.column),
            hint: finding.hint.clone(),
        }
    }

    /// Severity, code and message; the place below, so that terminals and editors can follow it; the remedy below that.
    fn shown(&self, directory: &Path) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let place = self.file.as_ref().map(|file| {
            let file = below(directory, file);
            match (self.line, self.column) {
                (Some(line), Some(column)) => format!("\n  at {file}:{line}:{column}"),
                _ => format!("\n  at {file}"),
            }
        });
        let hint = self.hint.as_ref().map(|hint| format!("\n  hint: {hint}"));
        let (place, hint) = (place.unwrap_or_default(), hint.unwrap_or_default());
        clean(&format!("{severity}[{}]: {}{place}{hint}", self.code, self.message))
    }
}

/// The path of a file of the package as seen from where the command was called.
fn below(directory: &Path, file: &str) -> String {
    let relative = file.trim_start_matches('/');
    if directory.components().all(|component| component == Component::CurDir) {
        return relative.to_owned();
    }
    format!("{}/{relative}", directory.display().to_string().trim_end_matches('/'))
}

/// How many findings there are of each kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) errors: usize,
    pub(super) warnings: usize,
}

impl Tally {
    /// Counts.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let count = |severity| entries.iter().filter(|entry| entry.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning) }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        f.write_str(&counted(self.errors, "error"))?;
        if self.warnings > 0 {
            write!(f, " and {}", counted(self.warnings, "warning"))?;
        }
        Ok(())
    }
}

/// Lists findings.
pub(super) fn list(entries: &[Entry], directory: &Path) {
    for entry in entries {
        tell(&entry.shown(directory));
    }
}

/// Says the outcome.
#[expect(clippy::print_stdout, reason = "this is what the command says")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

/// Says how it goes, where scripts that read the outcome do not trip over it.
#[expect(clippy::print_stderr, reason = "this is what the command says besides")]
pub(super) fn tell(text: &str) {
    eprintln!("{text}");
}

/// A text without characters that would do something to the terminal. Packages and registries are other people's.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A number of bytes as people read it.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        // Below ten one decimal place still says something.
        Some((unit, name)) if bytes / unit < 10 => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let shown: Vec<_> = [0, 999, 1_000, 1_999, 9_999, 10_000, 310_400, 1_250_000, 1 << 30].map(human).to_vec();
        assert_eq!(shown, ["0 bytes", "999 bytes", "1.0 kB", "1.9 kB", "9.9 kB", "10 kB", "310 kB", "1.2 MB", "1.0 GB"]);
    }

    #[test]
    fn findings() {
        let json =
            r#"{"code":"newOne","severity":"error","message":"it \u001b[31mbroke","file":"/a.ts","line":3,"column":1,"hint":"mend it"}"#;
        let entry: Entry = serde_json::from_str(json).unwrap();
        assert_eq!(entry.shown(Path::new(".")), "error[newOne]: it \u{fffd}[31mbroke\n  at a.ts:3:1\n  hint: mend it");
        assert_eq!(entry.shown(Path::new("../kit/")).lines().nth(1), Some("  at ../kit/a.ts:3:1"));
        let bare: Entry = serde_json::from_str(r#"{"code":"c","severity":"note","message":"m","file":null,"line":null}"#).unwrap();
        assert_eq!(bare.shown(Path::new(".")), "note[c]: m");
        assert_eq!(Tally::of(&[entry.clone(), bare]).to_string(), "1 error");
        assert_eq!(Tally { errors: 2, warnings: 1 }.to_string(), "2 errors and 1 warning");
    }
}
