//! Who belongs to a scope.

use crate::clock::Instant;
use crate::ids::ScopeName;
use crate::model::user::User;

/// Somebody who belongs to a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The scope.
    pub scope: ScopeName,
    /// Who.
    pub user: User,
    /// Whether they run it.
    pub is_admin: bool,
    /// Since when they belong to it.
    pub created_at: Instant,
    /// When that was last changed.
    pub updated_at: Instant,
}
