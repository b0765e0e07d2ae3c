//! The analysis of a package, in child processes.
//!
//! The bench works on hostile input and has no deadline of its own: a parser overflows its stack on enough brackets, which
//! aborts the process, and a dense file takes forty times its size. So it runs in a small pool of warm children. The binary
//! re-executes itself, and the two talk over pipes in frames of plain data:
//!
//! ```text
//! parent                      child
//!   Upload ──────────────────► examine
//!   ◄── Examined { references } | Rejected | Panicked
//!   (looks at the world, has types inferred)
//!   Facts ───────────────────► plan
//!   ◄──────────────── Planned   | Rejected | Panicked
//!   ◄───────────── Documented   | Panicked
//!   ◄────────────────────────── Ready   for the next package, this one forgotten
//! ```
//!
//! Documentation comes when the plan is with the parent, and has limits of its own. A child that dies over it takes the
//! documentation along, and not the package.
//!
//! Invariants:
//! * A child is in one conversation at a time, and only one that said it is ready goes back to the pool. Whatever else
//!   happens, including the request being dropped, kills that child and no other.
//! * Nobody but the request whose child died notices. The pool puts another in its place.
//! * A child has an empty environment, three pipes, and limits it set on itself before it read its first byte.
//! * A child never outlives its parent: it leaves when its input ends, whatever its bench is doing.
//!
//! Not here: what a package has to obey (`pipeline`), how often a package is tried and what its author is told (`jobs`).

mod child;
mod crash;
mod limits;
mod pool;
mod process;
mod wire;

pub use child::child_main;
pub use crash::{AnalysisError, Crash};
pub use limits::{AnalysisLimits, DOCUMENTATION_WALL};
pub use pool::{Analysis, Examined, Planned, this_program};

use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_common::ids::PackageName;
use slipway_common::model::finding::Findings;

use crate::pipeline::{Facts, Unsaid, Upload};

/// What a child does with a package. The pipeline is the bench of the product; tests put theirs, which misbehaves.
pub trait Bench: 'static {
    /// A package between the two steps. It stays on the thread that made it.
    type Draft;
    /// What a package becomes.
    type Plan: Serialize + DeserializeOwned + Send + 'static;
    /// What is left of a package then.
    type Rest;
    /// What there is to read about it.
    type Documentation: Serialize + DeserializeOwned + Send + 'static;

    /// Everything that can be said of a package without knowing the world.
    ///
    /// # Errors
    /// What is wrong with it.
    fn examine(upload: &Upload) -> Result<Self::Draft, Findings>;

    /// The packages that have to be looked up.
    fn references(draft: &Self::Draft) -> Vec<PackageName>;

    /// What a compiler could find out about it. Asked only where there is one.
    fn unsaid(_draft: &Self::Draft) -> Option<Unsaid> {
        None
    }

    /// The rest, knowing the world.
    ///
    /// # Errors
    /// What is wrong with the package.
    fn plan(draft: Self::Draft, facts: &Facts) -> Result<(Self::Plan, Self::Rest), Findings>;

    /// A courtesy on top. There is nothing to refuse any more.
    fn document(rest: Self::Rest) -> Self::Documentation;
}
