//! Who belongs to what, and who may change that: members, invites, names, packages that move, tickets, and what staff does, by the
//! front door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod abuse;
mod audit;
mod company;
mod invites;
mod members;
mod names;
mod quarantine;
mod staff;
mod tickets;
mod transfers;
