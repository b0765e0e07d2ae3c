//! Credentials and what they allow.

use std::net::IpAddr;

use chrono::TimeDelta;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{TokenId, UserId};

pub use super::permission::{Granular, Permission, Reach, Verb};

/// What a credential was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A browser session, `jsrw_`.
    Web,
    /// A command line that a person approved, `jsrd_`.
    Device,
    /// Made by a person to be kept, `jsrp_`.
    Personal,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Web, Self::Device, Self::Personal];

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Device => "device",
            Self::Personal => "personal",
        }
    }

    /// What a secret of this kind starts with, so that people and scanners know it when they see it.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Web => "jsrw",
            Self::Device => "jsrd",
            Self::Personal => "jsrp",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How exactly the last use of a credential is known. Its owner wants to know whether it is in use at all; a row that was written with
/// each request would cost more than what it is about.
pub const LAST_USE: TimeDelta = TimeDelta::hours(1);

/// A credential as it is stored: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The identifier.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it was made for.
    pub kind: TokenKind,
    /// What its owner calls it.
    pub description: Option<String>,
    /// What it is restricted to; `None` means everything its owner may do.
    pub permissions: Option<Vec<Permission>>,
    /// The networks it works from; `None` means from everywhere.
    pub networks: Option<Vec<IpNet>>,
    /// The token that this session was opened with, and with which it ends.
    pub opened_by: Option<TokenId>,
    /// When it stops working.
    pub expires_at: Option<Instant>,
    /// When it was last shown, to within [`LAST_USE`].
    pub last_used_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// Reads a network as `192.0.2.0/24` or `2001:db8::/32`, or as the one address that is in it.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|network| network.trunc()).or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl Token {
    /// A credential that is made now, without a name, restrictions or an end.
    #[must_use]
    pub fn new(id: TokenId, user_id: UserId, kind: TokenKind, now: Instant) -> Self {
        Self {
            id,
            user_id,
            kind,
            description: None,
            permissions: None,
            networks: None,
            opened_by: None,
            expires_at: None,
            last_used_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it works from an address, which is not known of a request that came through no connection.
    #[must_use]
    pub fn works_from(&self, address: Option<IpAddr>) -> bool {
        self.networks
            .as_ref()
            .is_none_or(|networks| address.is_some_and(|address| networks.iter().any(|network| network.contains(&address))))
    }

    /// Whether its last use should be noted anew.
    #[must_use]
    pub fn is_use_news(&self, now: Instant) -> bool {
        self.last_used_at.is_none_or(|last| last + LAST_USE <= now)
    }
}
