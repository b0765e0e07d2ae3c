//! What the author declares: the config file, whichever of the five kinds it is, read into one shape.

mod model;

pub use model::{ImportMapSource, JsxOptions, JsxRuntime, Manifest, PathMapping, Resolution};

pub(in crate::pipeline) use super::stand_ins::manifest::read;
