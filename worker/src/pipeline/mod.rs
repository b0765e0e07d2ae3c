//! The bench: from an uploaded tarball to a plan, or to everything that is wrong with it.
//!
//! Pure. Nothing here reads a clock, a database, an object, the network or the environment; what must be known about the
//! world comes in as [`Facts`]. The dance has two steps with one look at the world between them:
//!
//! ```text
//! examine(&upload) -> Draft      unpack, config, rewrite, graph, rules
//! draft.references()             which packages have to be looked up
//! draft.unsaid()                 what a compiler could find out, if there is one
//! draft.plan(&facts) -> Plan     dependencies checked, everything emitted
//! undocumented.document()        a courtesy, which the plan no longer depends on
//! ```
//!
//! Findings are collected all the way, so that an author sees every mistake at once.

pub mod dependencies;
pub mod docs;
pub mod files;
#[cfg(test)]
pub(crate) mod fixture;
pub mod graph;
mod inference;
pub mod manifest;
pub mod meta;
pub mod nesting;
pub mod npm;
mod outputs;
pub mod plan;
mod reach;
pub mod rewrite;
pub mod rules;
pub mod unpack;
mod values;

pub use self::docs::{Documentation, Undocumented};
pub use self::inference::{Imports, Inferred, InferredModule, Unsaid};
pub use self::plan::{Draft, NpmPackage, Plan, PlannedFile, examine};
pub use self::reach::{Reach, Target, reach};

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_common::model::limits::UploadLimits;
use url::Url;

/// What the author sent, and what they said it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// The package named in the request.
    pub package: PackageName,
    /// The version named in the request.
    pub version: Version,
    /// The config file named in the request: `/jsr.json`, `/deno.json`, `/package.json` and their like.
    pub config: PackagePath,
    /// The gzip-compressed tar, byte for byte.
    pub tarball: Bytes,
    /// How much is accepted.
    pub limits: UploadLimits,
}

/// What the bench needs to know about the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// The registry's own address, with a trailing slash.
    pub public_url: Url,
    /// The versions of every package that [`Draft::references`] names and that exists. A missing key is a missing package.
    pub packages: BTreeMap<PackageName, Vec<PublishedVersion>>,
    /// Those of them that the readers of this package may not read: they are private, and it is not.
    #[serde(default)]
    pub hidden: BTreeSet<PackageName>,
    /// What a compiler made of what [`Draft::unsaid`] handed out, if one was asked.
    #[serde(default)]
    pub inferred: Option<Inferred>,
}

/// A version somebody may depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishedVersion {
    /// The version.
    pub version: Version,
    /// Whether it was withdrawn from resolution.
    pub yanked: bool,
    /// The keys of its exports.
    pub exports: Vec<ExportKey>,
}
