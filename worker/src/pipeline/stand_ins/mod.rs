//! Stages that are built elsewhere, in the smallest form that lets the assembly run.

pub(super) mod manifest;
pub(super) mod nesting;
pub(super) mod npm;
pub(super) mod rewrite;
pub(super) mod unpack;
