#![doc = include_str!("../README.md")]

pub mod bells;
pub mod broker;
pub mod bucket;
pub mod client;
pub mod database;
pub mod engines;
pub mod fleet;
pub mod identity;
pub mod issuer;
mod loopback;
pub mod node;
pub mod package;
pub mod proxy;
pub mod registry;
pub mod routes;
pub mod sigstore;
pub mod spec;
pub mod tables;
pub mod world;

pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use package::PackageBuilder;
pub use registry::{Settings, TestRegistry, Work};
