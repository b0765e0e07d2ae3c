#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod fault;
pub mod formats;
pub mod ids;
pub mod jobs;
pub mod model;
pub mod provenance;
pub mod queue;
pub mod shutdown;
pub mod signing;
pub mod steps;
pub mod storage;
pub mod telemetry;
