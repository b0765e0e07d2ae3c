//! What is true about a registry, with no opinion about storage or wire.

pub mod artefact;
pub mod audit;
pub mod authorization;
pub mod ci;
pub mod dependency;
pub mod finding;
pub mod identity;
pub mod job;
pub mod limits;
pub mod member;
pub mod package;
pub mod permission;
pub mod provenance;
pub mod publish;
pub mod quarantine;
pub mod scope;
pub mod ticket;
pub mod token;
pub mod user;
pub mod version;
