//! What is true about a registry, with no opinion about storage or wire.

pub mod artefact;
pub mod authorization;
pub mod ci;
pub mod dependency;
pub mod finding;
pub mod job;
pub mod limits;
pub mod package;
pub mod provenance;
pub mod publish;
pub mod scope;
pub mod token;
pub mod user;
pub mod version;
