//! Packages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{DistTag, PackageName, Version};

/// The dist-tags of a package beside `latest`, which follows the versions by itself. None of them names a yanked version.
pub type DistTags = BTreeMap<DistTag, Version>;

/// Who may read a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// The members of its scope. Its objects are in the private store.
    Private,
    /// The same, until its objects are copied to the public store. Nothing is published meanwhile, and there is no way back.
    Opening,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Opening];

    /// The word in the database and in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Opening => "opening",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.as_str() == text)
    }

    /// Whether everybody may read it.
    #[must_use]
    pub fn is_public(self) -> bool {
        self == Self::Public
    }

    /// Whether what is published under it must be of use to everybody: it is public, or is about to be.
    #[must_use]
    pub fn is_for_everybody(self) -> bool {
        self != Self::Private
    }
}

/// A package, with or without versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name with its scope.
    pub name: PackageName,
    /// One line about it, or empty.
    pub description: String,
    /// Where its source lives.
    pub repository: Option<Repository>,
    /// Whether it is frozen and hidden from lists.
    pub is_archived: bool,
    /// What its page opens with.
    pub readme_source: ReadmeSource,
    /// Where it is said to run.
    pub runtime_compat: RuntimeCompat,
    /// Its dist-tags beside `latest`.
    pub tags: DistTags,
    /// Who may read it.
    pub visibility: Visibility,
    /// Counts every change readers should see.
    pub generation: i64,
    /// The last generation its public documents show.
    pub announced: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// A repository on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The account.
    pub owner: String,
    /// The repository.
    pub name: String,
    /// GitHub's number for it, which survives renaming.
    pub id: i64,
}

/// What the page of a package opens with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadmeSource {
    /// The readme file.
    Readme,
    /// The documentation of the main entry point.
    Jsdoc,
}

impl ReadmeSource {
    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Readme => "readme",
            Self::Jsdoc => "jsdoc",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Readme, Self::Jsdoc].into_iter().find(|source| source.as_str() == text)
    }
}

/// Where a package is said to run; `None` says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeCompat {
    /// In browsers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<bool>,
    /// In Deno.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deno: Option<bool>,
    /// In Node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<bool>,
    /// In workerd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workerd: Option<bool>,
    /// In Bun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bun: Option<bool>,
}
