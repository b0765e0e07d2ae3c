//! Scopes, their members and their quotas.

use crate::clock::Instant;
use crate::ids::{ScopeName, UserId};

/// Packages in a scope. JSR's default.
pub const DEFAULT_PACKAGE_LIMIT: i64 = 100;
/// New packages in a scope within seven days. JSR's default.
pub const DEFAULT_NEW_PACKAGES_PER_WEEK: i64 = 20;
/// Publish attempts in a scope within seven days, failed ones included. JSR's default.
pub const DEFAULT_PUBLISHES_PER_WEEK: i64 = 1000;

/// How much may happen in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Packages in all.
    pub packages: i64,
    /// New packages within seven days.
    pub new_packages_per_week: i64,
    /// Publish attempts within seven days.
    pub publishes_per_week: i64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            packages: DEFAULT_PACKAGE_LIMIT,
            new_packages_per_week: DEFAULT_NEW_PACKAGES_PER_WEEK,
            publishes_per_week: DEFAULT_PUBLISHES_PER_WEEK,
        }
    }
}

/// A name space that people share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The name.
    pub name: ScopeName,
    /// One line about it, or empty.
    pub description: String,
    /// Who made it; it counts against their limit.
    pub creator_id: UserId,
    /// How much may happen in it.
    pub quotas: Quotas,
    /// Whether a CI identity publishes only on behalf of a member.
    pub verify_oidc_actor: bool,
    /// Whether people cannot publish by hand.
    pub require_publishing_from_ci: bool,
    /// Whether it is known to its members alone, and none of its packages may be public.
    pub is_private: bool,
    /// The limits in which it differs from the configuration.
    pub upload_limits: Option<serde_json::Value>,
    /// Why staff lets nobody publish or change anything in it, if it does not.
    pub frozen: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// How much of its quotas a scope has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Packages in all.
    pub packages: i64,
    /// New packages within seven days.
    pub new_packages_per_week: i64,
    /// Publish attempts within seven days.
    pub publishes_per_week: i64,
}
