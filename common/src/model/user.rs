//! People.

use crate::clock::Instant;
use crate::ids::UserId;

/// Scopes a person may create before staff has to raise the number. JSR's default.
pub const DEFAULT_SCOPE_LIMIT: i64 = 3;

/// A person, or a robot that acts like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// The name on the command line, lower case and unique.
    pub login: String,
    /// The name that is shown.
    pub name: String,
    /// The address for mail, if one is known.
    pub email: Option<String>,
    /// The address of a picture, or empty.
    pub avatar_url: String,
    /// Whether they run the registry.
    pub is_staff: bool,
    /// Whether every credential of theirs is refused.
    pub is_blocked: bool,
    /// How many scopes they may create.
    pub scope_limit: i64,
    /// When the account was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}
