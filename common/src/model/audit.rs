//! The audit log: who did what, with which credential, from where.
//!
//! What was done is written down by whoever does it, in the same transaction; an act whose record cannot be written does not happen. No
//! secret is in it, and nothing in it is ever changed or deleted.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{ActId, PackageName, ScopeName, UserId, Version};
use crate::model::ci::CiIdentity;
use crate::model::token::Token;
use crate::model::user::User;

macro_rules! acts {
    ($($name:ident = $text:literal $meaning:literal,)+) => {
        /// Everything that is written down. A word once written is never given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Act {
            $(#[doc = $meaning] $name,)+
        }

        impl Act {
            /// All acts.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word in the database and on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

acts! {
    ScopeCreate = "scope.create" "A scope was made.",
    ScopeAssign = "scope.assign" "A scope was made for somebody, whatever its name.",
    ScopeChange = "scope.change" "Something about a scope was changed.",
    ScopeLimits = "scope.limits" "The quotas or upload limits of a scope were changed.",
    ScopeFreeze = "scope.freeze" "Nobody may publish or change anything in a scope any more.",
    ScopeUnfreeze = "scope.unfreeze" "A scope is changed by its people again.",
    ScopeDelete = "scope.delete" "A scope was deleted.",
    MemberRole = "member.role" "A member runs a scope, or no longer.",
    MemberRemove = "member.remove" "A member was taken out of a scope, or left it.",
    InviteCreate = "invite.create" "Somebody was asked to belong to a scope.",
    InviteWithdraw = "invite.withdraw" "An invite was withdrawn.",
    InviteAccept = "invite.accept" "Somebody joined a scope.",
    InviteDecline = "invite.decline" "Somebody did not join a scope.",
    PackageCreate = "package.create" "An empty package was made.",
    PackageChange = "package.change" "Something about a package was changed.",
    PackageOpen = "package.open" "A private package became public.",
    PackageDelete = "package.delete" "An empty package was deleted.",
    PackageTransfer = "package.transfer" "An empty package moved to another scope.",
    PublisherAdd = "publisher.add" "A package trusts a CI job.",
    PublisherRemove = "publisher.remove" "A package trusts a CI job no more.",
    PublishAccept = "publish.accept" "An upload was accepted, to be judged.",
    PublishRefuse = "publish.refuse" "An upload was refused before it was judged.",
    PublishReject = "publish.reject" "An upload was judged, and does not become a version.",
    PublishFail = "publish.fail" "The registry could not do what it had accepted.",
    PublishCancel = "publish.cancel" "A publish was called off before it began.",
    PublishRetry = "publish.retry" "A publish that was failed or parked is tried again.",
    VersionYank = "version.yank" "A version was withdrawn from resolution.",
    VersionUnyank = "version.unyank" "A yank was taken back.",
    VersionQuarantine = "version.quarantine" "Staff keeps a version from everybody.",
    VersionRelease = "version.release" "Staff lets everybody have a version again.",
    TagSet = "tag.set" "A version was given a dist-tag.",
    TagRemove = "tag.remove" "A dist-tag was taken away.",
    ProvenanceAdd = "provenance.add" "A bundle about a version was verified and kept.",
    ProvenanceWait = "provenance.wait" "A bundle about a version waits for the transparency log.",
    ProvenanceRefuse = "provenance.refuse" "A bundle that waited does not hold.",
    TokenCreate = "token.create" "A token was made.",
    TokenDelete = "token.delete" "A token was taken back.",
    DeviceApprove = "device.approve" "A device was allowed what it asks for.",
    DeviceDeny = "device.deny" "A device was denied what it asks for.",
    DeviceExchange = "device.exchange" "A device collected the answer.",
    SessionOpen = "session.open" "Somebody signed in.",
    SessionRefuse = "session.refuse" "Somebody tried to sign in and could not.",
    SessionClose = "session.close" "Somebody signed out, here or everywhere.",
    LinkCreate = "link.create" "The operator made a link that signs somebody in once.",
    IdentityLink = "identity.link" "Somebody signs in with an account elsewhere from now on.",
    IdentityUnlink = "identity.unlink" "Somebody signs in with an account elsewhere no more.",
    UserCreate = "user.create" "An account was made.",
    UserChange = "user.change" "An account was changed by staff.",
    TicketCreate = "ticket.create" "A ticket was opened.",
    TicketSay = "ticket.say" "Something was said about a ticket.",
    TicketClose = "ticket.close" "A ticket was closed.",
    TicketReopen = "ticket.reopen" "A ticket was opened again.",
    DatabaseRebuild = "database.rebuild" "The database was made anew from the objects; what was written down before is not in it.",
}

impl Act {
    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.as_str() == text)
    }
}

/// What somebody is who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoerKind {
    /// A user, on their own account.
    User,
    /// A user who runs the registry, in that office.
    Staff,
    /// A job of a CI system.
    Ci,
    /// Whoever has the command line of the registry.
    Operator,
    /// The registry, with what follows from what somebody did before.
    Registry,
    /// Nobody in particular.
    Anonymous,
}

impl DoerKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::User, Self::Staff, Self::Ci, Self::Operator, Self::Registry, Self::Anonymous];

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Staff => "staff",
            Self::Ci => "ci",
            Self::Operator => "operator",
            Self::Registry => "registry",
            Self::Anonymous => "anonymous",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Somebody who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// What they are.
    pub kind: DoerKind,
    /// The user, if it is one.
    pub user: Option<UserId>,
    /// What the user, or the repository of a CI job, is called.
    pub name: Option<String>,
    /// With what: never the secret.
    pub credential: Map<String, Value>,
    /// From where, if it came over a network.
    pub address: Option<IpAddr>,
}

impl Doer {
    fn nobody(kind: DoerKind, address: Option<IpAddr>) -> Self {
        Self { kind, user: None, name: None, credential: Map::new(), address }
    }

    /// Whoever has the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self::nobody(DoerKind::Operator, None)
    }

    /// The registry itself.
    #[must_use]
    pub fn registry() -> Self {
        Self::nobody(DoerKind::Registry, None)
    }

    /// Nobody in particular, from somewhere.
    #[must_use]
    pub fn anonymous(address: Option<IpAddr>) -> Self {
        Self::nobody(DoerKind::Anonymous, address)
    }

    /// A user who has shown otherwise who they are: with an account elsewhere, which its issuer vouches for, or with a link.
    #[must_use]
    pub fn arriving(user: &User, issuer: Option<&str>, address: Option<IpAddr>) -> Self {
        let credential = match issuer {
            Some(issuer) => [("kind".to_owned(), "identity".into()), ("issuer".to_owned(), issuer.into())].into_iter().collect(),
            None => [("kind".to_owned(), "link".into())].into_iter().collect(),
        };
        Self { user: Some(user.id), name: Some(user.name.clone()), credential, ..Self::nobody(DoerKind::User, address) }
    }

    /// A user with a token or session of theirs.
    #[must_use]
    pub fn user(user: &User, token: &Token, address: Option<IpAddr>) -> Self {
        Self::with(user, token.kind.as_str(), token.id.uuid(), token.description.as_deref()).from(address)
    }

    /// A user with a credential that is no token, such as an approval.
    #[must_use]
    pub fn with(user: &User, kind: &str, id: Uuid, description: Option<&str>) -> Self {
        let mut credential = Map::from_iter([("kind".to_owned(), json!(kind)), ("id".to_owned(), json!(id))]);
        if let Some(description) = description {
            credential.insert("description".to_owned(), json!(description));
        }
        Self { user: Some(user.id), name: Some(user.name.clone()), credential, ..Self::nobody(DoerKind::User, None) }
    }

    /// A CI job with a token of its own.
    #[must_use]
    pub fn ci(job: &CiIdentity, address: Option<IpAddr>) -> Self {
        let mut credential = Map::from_iter([("kind".to_owned(), json!("ci"))]);
        for (key, value) in [
            ("issuer", Some(&job.issuer)),
            ("repository", Some(&job.repository)),
            ("repositoryId", Some(&job.repository_id)),
            ("workflow", job.workflow.as_ref()),
            ("ref", Some(&job.reference)),
            ("environment", job.environment.as_ref()),
            ("actor", job.actor.as_ref()),
            ("run", job.run.as_ref()),
        ] {
            credential.extend(value.map(|value| (key.to_owned(), json!(value))));
        }
        Self { name: Some(job.repository.clone()), credential, ..Self::nobody(DoerKind::Ci, address) }
    }

    /// The same, from somewhere.
    #[must_use]
    pub fn from(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// The same user, in the office of staff.
    #[must_use]
    pub fn as_staff(self) -> Self {
        Self { kind: DoerKind::Staff, ..self }
    }
}

/// What is done, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub act: Act,
    /// The scope that it is about.
    pub scope: Option<ScopeName>,
    /// The package of that scope, by its name in it.
    pub package: Option<String>,
    /// The version of that package.
    pub version: Option<Version>,
    /// The user that it is about.
    pub user: Option<UserId>,
    /// Why it was refused: a stable code.
    pub reason: Option<String>,
    /// What else is worth knowing.
    pub details: Map<String, Value>,
}

impl Deed {
    /// An act about nothing that has a column of its own.
    #[must_use]
    pub fn new(act: Act) -> Self {
        Self { act, scope: None, package: None, version: None, user: None, reason: None, details: Map::new() }
    }

    /// An act about a scope.
    #[must_use]
    pub fn in_scope(act: Act, scope: &ScopeName) -> Self {
        Self { scope: Some(scope.clone()), ..Self::new(act) }
    }

    /// An act about a package.
    #[must_use]
    pub fn of_package(act: Act, package: &PackageName) -> Self {
        Self { package: Some(package.name().to_owned()), ..Self::in_scope(act, package.scope()) }
    }

    /// An act about a version.
    #[must_use]
    pub fn of_version(act: Act, package: &PackageName, version: &Version) -> Self {
        Self { version: Some(version.clone()), ..Self::of_package(act, package) }
    }

    /// The same, about a user.
    #[must_use]
    pub fn about(self, user: UserId) -> Self {
        Self { user: Some(user), ..self }
    }

    /// The same, refused for this reason.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    /// The same, with something else that is worth knowing.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The same, with what something was before and is now, if it is another.
    #[must_use]
    pub fn changing(self, key: &str, before: impl Into<Value>, now: impl Into<Value>) -> Self {
        let (before, now) = (before.into(), now.into());
        if before == now { self } else { self.with(key, json!({ "before": before, "now": now })) }
    }
}

/// An act as it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The identifier, by which acts are in order.
    pub id: ActId,
    /// What was done, a word of [`Act`]; or one that a newer build knows.
    pub act: String,
    /// Who did it.
    pub doer: Doer,
    /// The scope that it is about.
    pub scope: Option<ScopeName>,
    /// The package of that scope, by its name in it.
    pub package: Option<String>,
    /// The version of that package.
    pub version: Option<String>,
    /// The user that it is about.
    pub user: Option<UserId>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// What else is worth knowing.
    pub details: Map<String, Value>,
    /// When.
    pub created_at: Instant,
}

/// How much was refused lately, as far as it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    /// Of anybody of the same kind, anywhere.
    pub all: i64,
    /// Of them, in the same scope.
    pub in_scope: i64,
    /// Of them, from the same address.
    pub from_address: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for act in Act::ALL {
            assert_eq!(Act::parse(act.as_str()), Some(*act));
        }
        for kind in DoerKind::ALL {
            assert_eq!(DoerKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!((Act::parse("nothing"), DoerKind::parse("nothing")), (None, None));
    }

    #[test]
    fn what_did_not_change_is_not_told() {
        let deed = Deed::new(Act::UserChange).changing("isStaff", false, false).changing("scopeLimit", 3, 5);
        assert_eq!(Value::from(deed.details), json!({ "scopeLimit": { "before": 3, "now": 5 } }));
    }
}
