//! What the desk can do, in domain words. It takes the context and an actor; it knows neither axum nor HTTP.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod identities;
pub(crate) mod invites;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod packages;
pub(crate) mod people;
pub(crate) mod provenance;
pub(crate) mod publish;
pub(crate) mod publishers;
pub(crate) mod quarantine;
mod rates;
pub(crate) mod scopes;
pub(crate) mod sign_in;
pub(crate) mod staff;
pub(crate) mod tags;
pub(crate) mod tasks;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod transfers;
pub(crate) mod users;
pub(crate) mod versions;
pub(crate) mod visibility;
pub(crate) mod wait;
