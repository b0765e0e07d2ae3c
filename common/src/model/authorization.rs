//! A device asks a person for permission.

use ipnet::IpNet;

use crate::clock::Instant;
use crate::ids::{AuthorizationId, UserId};
use crate::model::token::Permission;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationState {
    /// Nobody decided yet.
    Pending,
    /// A person said yes.
    Approved,
    /// A person said no.
    Denied,
}

impl AuthorizationState {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Denied].into_iter().find(|state| state.as_str() == text)
    }
}

/// A request for permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The identifier.
    pub id: AuthorizationId,
    /// What the person types or follows.
    pub code: String,
    /// Base64 of the SHA-256 of the verifier that only the device knows.
    pub challenge: String,
    /// What is asked for; `None` asks for everything.
    pub permissions: Option<Vec<Permission>>,
    /// Where it stands.
    pub state: AuthorizationState,
    /// Who decided.
    pub user_id: Option<UserId>,
    /// The networks that whoever approved it is bound to, and with them what the device is given; `None` means none.
    pub networks: Option<Vec<IpNet>>,
    /// When it is void.
    pub expires_at: Instant,
}
