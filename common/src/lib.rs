#![doc = include_str!("../README.md")]

pub mod clock;
pub mod formats;
pub mod ids;
pub mod model;
