//! What people ask of the staff, and what is said about it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Instant;
use crate::ids::{PackageName, ScopeName, TicketId, UserId, Version};

/// What a ticket is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketKind {
    /// More scopes for a person.
    UserScopeQuotaIncrease,
    /// More in a scope.
    ScopeQuotaIncrease,
    /// A scope whose name is reserved, or that somebody else has.
    ScopeClaim,
    /// A package that should not be here.
    PackageReport,
    /// Anything else.
    Other,
}

impl TicketKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::UserScopeQuotaIncrease, Self::ScopeQuotaIncrease, Self::ScopeClaim, Self::PackageReport, Self::Other];

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserScopeQuotaIncrease => "user_scope_quota_increase",
            Self::ScopeQuotaIncrease => "scope_quota_increase",
            Self::ScopeClaim => "scope_claim",
            Self::PackageReport => "package_report",
            Self::Other => "other",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What is wrong with what is said of a ticket of this kind.
    ///
    /// # Errors
    /// When it does not name the scope, package or version that it is about.
    pub fn check(self, meta: &Map<String, Value>) -> Result<(), String> {
        let named = |key: &str| {
            let value = meta.get(key).and_then(Value::as_str);
            value.ok_or_else(|| format!("a ticket of the kind `{}` needs `{key}` in `meta`, a text", self.as_str()))
        };
        match self {
            Self::UserScopeQuotaIncrease | Self::Other => {}
            Self::ScopeQuotaIncrease | Self::ScopeClaim => {
                ScopeName::try_from(named("scope")?).map_err(|error| error.to_string())?;
            }
            Self::PackageReport => {
                let scope = ScopeName::try_from(named("scope")?).map_err(|error| error.to_string())?;
                PackageName::new(scope, named("name")?).map_err(|error| error.to_string())?;
                if meta.contains_key("version") {
                    Version::try_from(named("version")?).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }
}

impl Ticket {
    /// The scope that it is about, and the package in it.
    #[must_use]
    pub fn about(&self) -> (Option<&str>, Option<&str>) {
        let named = |key: &str| self.meta.get(key).and_then(Value::as_str);
        match self.kind {
            TicketKind::ScopeQuotaIncrease | TicketKind::ScopeClaim => (named("scope"), None),
            TicketKind::PackageReport => (named("scope"), named("name")),
            TicketKind::UserScopeQuotaIncrease | TicketKind::Other => (None, None),
        }
    }
}

/// Something that somebody asks of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The identifier.
    pub id: TicketId,
    /// What it is about.
    pub kind: TicketKind,
    /// Who asks.
    pub creator_id: UserId,
    /// What it is about in particular.
    pub meta: Map<String, Value>,
    /// Whether it is done with.
    pub is_closed: bool,
    /// Whether the last word is somebody else's than the creator's.
    pub is_answered: bool,
    /// When it was asked.
    pub created_at: Instant,
    /// When something was last said or done about it.
    pub updated_at: Instant,
}

/// What somebody said about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketMessage {
    /// Who.
    pub author_id: UserId,
    /// What.
    pub message: String,
    /// When.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(kind: TicketKind, meta: &Value) -> bool {
        kind.check(meta.as_object().unwrap()).is_ok()
    }

    #[test]
    fn a_ticket_names_what_it_is_about() {
        for kind in [TicketKind::ScopeQuotaIncrease, TicketKind::ScopeClaim] {
            assert!(check(kind, &json!({ "scope": "acme", "more": 7 })));
            for bad in [json!({}), json!({ "scope": 7 }), json!({ "scope": "No Scope" })] {
                assert!(!check(kind, &bad), "{bad}");
            }
        }
        let report = TicketKind::PackageReport;
        assert!(check(report, &json!({ "scope": "acme", "name": "maths" })));
        assert!(check(report, &json!({ "scope": "acme", "name": "maths", "version": "1.0.0" })));
        for bad in [json!({ "scope": "acme" }), json!({ "scope": "acme", "name": "maths", "version": "one" }), json!({ "name": "maths" })] {
            assert!(!check(report, &bad), "{bad}");
        }
        assert!(check(TicketKind::Other, &json!({})) && check(TicketKind::UserScopeQuotaIncrease, &json!({})));
    }

    #[test]
    fn words_read_back() {
        for kind in TicketKind::ALL {
            assert_eq!(TicketKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(TicketKind::parse("nothing"), None);
    }
}
