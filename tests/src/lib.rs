#![doc = include_str!("../README.md")]

pub mod bells;
pub mod client;
pub mod database;
pub mod engines;
pub mod package;
pub mod registry;
pub mod spec;
pub mod tables;
pub mod world;

pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use package::PackageBuilder;
pub use registry::{Settings, TestRegistry, Work};
