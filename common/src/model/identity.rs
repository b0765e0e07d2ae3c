//! Accounts that people have elsewhere, and with which they sign in here.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{IdentityId, UserId};

/// Of what kind a provider of identities is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// GitHub or GitHub Enterprise, which have an interface of their own. The subject is the account's number.
    Github,
    /// GitLab, wherever it runs: OpenID Connect whose subject is the account's number.
    Gitlab,
    /// Any other issuer of OpenID Connect.
    Oidc,
}

impl ProviderKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Github, Self::Gitlab, Self::Oidc];

    /// The word in the database, in the configuration and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Oidc => "oidc",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Somebody's account elsewhere. One belongs to one user here; a user may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The identifier.
    pub id: IdentityId,
    /// Whose it is.
    pub user_id: UserId,
    /// Of what kind the provider is.
    pub kind: ProviderKind,
    /// Who vouches for it: the issuer of tokens, or the address of a GitHub.
    pub issuer: String,
    /// Under what it is known there for good.
    pub subject: String,
    /// What it was called there when it was last seen, in lower case. Names change hands, so nobody is known by them for good.
    pub login: Option<String>,
    /// The address for mail that the provider had verified when it was last seen.
    pub email: Option<String>,
    /// Since when it is known here.
    pub created_at: Instant,
    /// When somebody last signed in with it.
    pub seen_at: Instant,
}

impl Identity {
    /// The number of the account at a provider of this kind, where accounts have numbers.
    #[must_use]
    pub fn number(&self, kind: ProviderKind) -> Option<i64> {
        (self.kind == kind).then(|| self.subject.parse().ok()).flatten()
    }
}
