//! What is true about a registry, with no opinion about storage or wire.

pub mod artefact;
pub mod dependency;
pub mod finding;
pub mod limits;
pub mod publish;
