//! Why there is no plan: how a child can end, and what its author is told.

use std::fmt;
use std::io;
use std::process::ExitStatus;

use slipway_common::model::finding::{Finding, FindingCode, Findings};
use thiserror::Error;

use super::AnalysisLimits;

/// Signals by their numbers, which are the same on every architecture that Linux and macOS know.
const SIGABRT: i32 = 6;
/// The one that `RLIMIT_CPU` sends.
const SIGXCPU: i32 = 24;

/// What the runtime prints before it aborts for want of memory, and for want of stack.
const OUT_OF_MEMORY: &str = "memory allocation of ";
const OUT_OF_STACK: &str = "has overflowed its stack";

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum AnalysisError {
    /// The package has findings.
    #[error("the package was rejected")]
    Rejected(Findings),
    /// The child died, or had to be killed.
    #[error("{how}")]
    Crashed {
        /// What happened.
        how: Crash,
        /// The last that the child printed, for the log and nobody else.
        stderr: String,
    },
    /// There was no child to ask, because none could be started.
    #[error("no child process can be started for the analysis: {0}")]
    Spawn(#[source] io::Error),
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crash {
    /// It wanted more memory than the limit in bytes.
    Memory(u64),
    /// It overflowed its stack.
    Stack,
    /// It used more seconds of processor time than the limit.
    Cpu(u64),
    /// It took more seconds than the limit.
    Wall(u64),
    /// A signal ended it that is none of the above: the machine ran out of memory, somebody killed it, or a bug.
    Signal(i32),
    /// It left in the middle of a conversation, with this code.
    Exit(i32),
    /// The bench panicked with this message.
    Panic(String),
    /// It said something that makes no sense.
    Protocol(String),
}

impl Crash {
    /// Reads the end of a child that nobody meant to end.
    pub(super) fn of(status: ExitStatus, stderr: &str, limits: &AnalysisLimits) -> Self {
        match signal(status) {
            Some(SIGXCPU) => Self::Cpu(limits.cpu_seconds),
            Some(SIGABRT) if stderr.contains(OUT_OF_STACK) => Self::Stack,
            Some(SIGABRT) if stderr.contains(OUT_OF_MEMORY) => Self::Memory(limits.memory_bytes),
            Some(signal) => Self::Signal(signal),
            None => Self::Exit(status.code().unwrap_or_default()),
        }
    }

    /// Whether the package ran into a limit that was set for it, as opposed to a defect of the registry or bad luck.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Memory(_) | Self::Stack | Self::Cpu(_) | Self::Wall(_))
    }

    /// What the author is told when the package is given up. A limit is named; what only the operator can act on stays in
    /// the operator's log.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let message = if self.is_limit() { self.to_string() } else { "the analysis failed on this package".to_owned() };
        Finding::error(FindingCode::AnalysisCrashed, message).hint(match self {
            Self::Memory(_) | Self::Cpu(_) | Self::Wall(_) => "leave generated files out of the package, or split it",
            Self::Stack => "break up the most deeply nested or longest expression or type in the package",
            _ => "tell the operator of this registry, whose log has the details",
        })
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => write!(f, "the analysis ran out of memory (limit {} MiB)", limit / (1024 * 1024)),
            Self::Stack => f.write_str("the analysis ran out of stack: something in the package nests too deep"),
            Self::Cpu(limit) => write!(f, "the analysis ran out of processor time (limit {limit} s)"),
            Self::Wall(limit) => write!(f, "the analysis took too long (limit {limit} s)"),
            Self::Signal(signal) => write!(f, "the analysis was ended by signal {signal}"),
            Self::Exit(code) => write!(f, "the analysis left with code {code}"),
            Self::Panic(message) => write!(f, "the analysis panicked: {message}"),
            Self::Protocol(message) => write!(f, "the analysis answered nonsense: {message}"),
        }
    }
}

fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn crash(status: i32, stderr: &str) -> Crash {
        let limits = AnalysisLimits { memory_bytes: 600 << 20, cpu_seconds: 9, ..AnalysisLimits::default() };
        Crash::of(ExitStatus::from_raw(status), stderr, &limits)
    }

    #[test]
    fn tells_the_ends_of_a_child_apart() {
        assert_eq!(crash(6, "memory allocation of 12 bytes failed\n"), Crash::Memory(600 << 20));
        assert_eq!(crash(6, "\nthread 'bench' (7) has overflowed its stack\n"), Crash::Stack);
        assert_eq!(crash(6, "free(): invalid pointer\n"), Crash::Signal(6));
        assert_eq!(crash(24, ""), Crash::Cpu(9));
        assert_eq!(crash(9, "memory allocation of 12 bytes failed\n"), Crash::Signal(9));
        assert_eq!(crash(3 << 8, ""), Crash::Exit(3));
    }

    #[test]
    fn names_the_limit_and_keeps_the_rest_to_the_log() {
        let memory = Crash::Memory(600 << 20).finding();
        assert_eq!(memory.message, "the analysis ran out of memory (limit 600 MiB)");
        assert!(!Crash::Panic("index 7 at /home".into()).finding().to_string().contains("/home"));
    }
}
