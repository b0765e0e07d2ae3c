//! The steps of a publish, and of what else is done bit by bit, after each of which a process may die and nothing is lost but time.
//!
//! A debug build stops itself at the step that `SLIPWAY_CRASH_AT` names: the whole process stands still, as the kernel's `STOP`
//! leaves it, and the crash suite kills it there. A release build knows no such variable, and reaching a step costs it nothing.

/// A step, named after what is done when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The upload is an object, and nothing knows it.
    UploadStored,
    /// The publish and its job are rows, and nobody rang.
    RowsWritten,
    /// A worker holds the lease.
    Claimed,
    /// The package was judged to be sound.
    Planned,
    /// Everything that will be stored is in the plan pack.
    PackStored,
    /// The version exists.
    Committed,
    /// One of its objects is in place, and perhaps others.
    SomeStored,
    /// All of its objects are in place.
    AllStored,
    /// The rows say so, and the announcement is claimed.
    Stored,
    /// The documents list the version.
    DocumentsWritten,
    /// The publish is done, and the bell is not acknowledged.
    Settled,
    /// A version of a package that is made public is copied, and perhaps others.
    SomeCopied,
    /// The package is public, and nobody rang for what follows.
    Opened,
    /// An object of a version is in the quarantine too, and perhaps others.
    SomeKept,
    /// One is nowhere else any more, and perhaps others.
    SomeWithdrawn,
    /// One is back in its place, and perhaps others.
    SomeReturned,
    /// The version is let go, and nobody rang for what follows.
    Released,
}

impl Step {
    /// The steps of a publish, in the order in which it reaches them.
    pub const ALL: [Self; 11] = [
        Self::UploadStored,
        Self::RowsWritten,
        Self::Claimed,
        Self::Planned,
        Self::PackStored,
        Self::Committed,
        Self::SomeStored,
        Self::AllStored,
        Self::Stored,
        Self::DocumentsWritten,
        Self::Settled,
    ];

    /// The steps in which a private package becomes public.
    pub const OF_OPENING: [Self; 2] = [Self::SomeCopied, Self::Opened];

    /// The steps in which a version goes into the quarantine and comes out of it.
    pub const OF_QUARANTINE: [Self; 4] = [Self::SomeKept, Self::SomeWithdrawn, Self::SomeReturned, Self::Released];

    /// The name by which the crash suite asks for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UploadStored => "upload-stored",
            Self::RowsWritten => "rows-written",
            Self::Claimed => "claimed",
            Self::Planned => "planned",
            Self::PackStored => "pack-stored",
            Self::Committed => "committed",
            Self::SomeStored => "some-stored",
            Self::AllStored => "all-stored",
            Self::Stored => "stored",
            Self::DocumentsWritten => "documents-written",
            Self::Settled => "settled",
            Self::SomeCopied => "some-copied",
            Self::Opened => "opened",
            Self::SomeKept => "some-kept",
            Self::SomeWithdrawn => "some-withdrawn",
            Self::SomeReturned => "some-returned",
            Self::Released => "released",
        }
    }
}

/// Says that a step is reached. Does not return where the crash suite wants the process to end.
#[cfg(debug_assertions)]
pub fn reached(step: Step) {
    use std::sync::LazyLock;

    static WANTED: LazyLock<Option<String>> = LazyLock::new(crate::config::crash_at);
    if WANTED.as_deref() == Some(step.name()) {
        // Every thread stands still, as for a machine that lost its power. Nothing goes on if the signal is late.
        let stopped = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        tracing::error!(step = step.name(), ?stopped, "went on after the step at which it was to end");
    }
}

/// Says that a step is reached.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reached(_step: Step) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<_> = Step::ALL.iter().chain(&Step::OF_OPENING).chain(&Step::OF_QUARANTINE).map(|step| step.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Step::ALL.len() + Step::OF_OPENING.len() + Step::OF_QUARANTINE.len());
        assert!(Step::ALL.is_sorted());
    }
}
