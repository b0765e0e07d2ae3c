//! What a package needs from elsewhere.

use serde::{Deserialize, Serialize};

/// Which registry a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    /// This registry, `jsr:`.
    Jsr,
    /// An npm registry, `npm:`.
    Npm,
}

impl DependencyKind {
    /// The word on the wire and in the database: `jsr` or `npm`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsr => "jsr",
            Self::Npm => "npm",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Jsr, Self::Npm].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One dependency of a version: a package, the versions that will do, and the sub-path that is imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dependency {
    /// Where it comes from.
    pub kind: DependencyKind,
    /// `@scope/package`, or the npm name.
    pub name: String,
    /// The range as the specifier has it: `^1.2.3`.
    pub constraint: String,
    /// The sub-path without a leading slash, or the empty text.
    pub path: String,
}
