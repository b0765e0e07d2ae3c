//! Stages that are built elsewhere, in the smallest form that lets the assembly run.

pub(super) mod npm;
