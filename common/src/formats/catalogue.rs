//! The catalogue: a few words about every package that can be installed, for who searches without the database.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{PackageName, Version};

/// All packages that readers can install, archived ones aside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The packages, by name.
    pub packages: Vec<Entry>,
}

/// A package of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    pub package: PackageName,
    /// The generation of its public documents that this follows from.
    pub generation: i64,
    /// The version that clients take who name none.
    pub version: Version,
    /// One line about it, or empty.
    pub description: String,
    /// Words that its author chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where people read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// When that version was published.
    pub published_at: Instant,
}

impl Catalogue {
    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys always serialise")
    }
}
