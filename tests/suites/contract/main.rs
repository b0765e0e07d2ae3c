//! What the doors promise, on everything that stands behind them.
//!
//! Each method of the database is exercised on both engines through its public face, races included; objects on every backend
//! that needs no service; bells in every queue. A test has one body: `on_both_engines!`, `on_both_stores!` and `on_both_queues!` make
//! several of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod accounts;
mod addresses;
mod audit;
mod authorizations;
mod bench;
mod broker;
mod ci;
mod corrupt;
mod coverage;
mod directories;
mod identities;
mod inventory;
mod invites;
mod jobs;
mod members;
mod names;
mod packages;
mod provenances;
mod publishes;
mod quarantines;
mod queue;
mod races;
mod rates;
mod records;
mod relay;
mod restore;
mod schema;
mod scopes;
mod sign_ins;
mod staff;
mod storage;
mod sweep;
mod tickets;
mod tokens;
mod transactions;
mod versions;
mod visibility;
