//! Versions that staff keeps from everybody, without anything being lost.

use crate::clock::Instant;
use crate::ids::{PackageName, Version};

/// Where a version is on its way into the quarantine and out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Custody {
    /// It is neither listed nor served.
    Held,
    /// The same, and its objects are being put back.
    Releasing,
}

impl Custody {
    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Releasing => "releasing",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Held, Self::Releasing].into_iter().find(|custody| custody.as_str() == text)
    }
}

/// What the documents of a package would say of a version that is kept from everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldVersion {
    /// The version.
    pub version: Version,
    /// Whether it is yanked, too.
    pub is_yanked: bool,
    /// When it was published.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Why it is kept.
    pub reason: String,
    /// Since when.
    pub since: Instant,
}

/// A version that is kept from everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// How far it is.
    pub custody: Custody,
    /// Why, in words for those who depend on it.
    pub reason: String,
    /// The generation of the package from which readers are not shown it any more.
    pub generation: i64,
    /// Since when.
    pub created_at: Instant,
}
