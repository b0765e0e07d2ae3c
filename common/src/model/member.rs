//! Who belongs to a scope, and who is asked to.

use crate::clock::Instant;
use crate::ids::{InviteId, ScopeName, UserId};
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

/// Who is asked to belong to a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invitee {
    /// Somebody with an account.
    Account(UserId),
    /// Whoever has an account with this address for mail, now or later. In lower case.
    Email(String),
}

/// Somebody is asked to belong to a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The identifier.
    pub id: InviteId,
    /// The scope.
    pub scope: ScopeName,
    /// Who is asked.
    pub invitee: Invitee,
    /// The admin who asks.
    pub requested_by: UserId,
    /// When they did.
    pub created_at: Instant,
}
