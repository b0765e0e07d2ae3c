//! What the private store remembers of the registry, so that a database can be made anew from the stores alone.
//!
//! A record says what the other objects do not: who there is, who belongs to what, who published, what was yanked. What they say is
//! not said twice: the files of a version stand in its manifest, which is pinned here by its digest. No record has a secret in it, or
//! anything made from one.
//!
//! A version has a record of its own, which never changes, so that publishing one costs the same whatever the number of the others.
//!
//! A record shows a generation of its row, as the public documents do, so that an older one is told from a newer one. A row that was
//! deleted and made again counts anew; when it was made tells the two apart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{IdentityId, PackageName, PackagePath, PublisherId, ScopeName, Sha256, TaskId, UserId, Version};
use crate::model::artefact::ArtefactKind;
use crate::model::ci::{CiIdentity, Demands, TrustedPublisher};
use crate::model::dependency::Dependency;
use crate::model::identity::{Identity, ProviderKind};
use crate::model::package::{DistTags, ReadmeSource, Repository, RuntimeCompat, Visibility};
use crate::model::version::ArtefactRecord;

/// A person, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The identifier.
    pub id: UserId,
    /// The name on the command line.
    pub login: String,
    /// The name that is shown.
    pub name: String,
    /// The address for mail.
    pub email: Option<String>,
    /// The address of a picture, or empty.
    pub avatar_url: String,
    /// Whether they run the registry.
    pub is_staff: bool,
    /// Whether every credential of theirs is refused.
    pub is_blocked: bool,
    /// How many scopes they may create.
    pub scope_limit: i64,
    /// With which accounts elsewhere they sign in, those first that are known the longest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<IdentityRecord>,
    /// When the account was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Which state of the row this shows.
    pub generation: i64,
}

/// An account that somebody has elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// The identifier.
    pub id: IdentityId,
    /// Of what kind the provider is.
    pub kind: ProviderKind,
    /// Who vouches for it.
    pub issuer: String,
    /// Under what it is known there for good.
    pub subject: String,
    /// What it was called there when it was last seen.
    pub login: Option<String>,
    /// The address for mail that the provider had verified then.
    pub email: Option<String>,
    /// Since when it is known here.
    pub created_at: Instant,
}

impl From<Identity> for IdentityRecord {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            kind: identity.kind,
            issuer: identity.issuer,
            subject: identity.subject,
            login: identity.login,
            email: identity.email,
            created_at: identity.created_at,
        }
    }
}

impl IdentityRecord {
    /// The identity of this user that it shows. When it was last seen is forgotten.
    #[must_use]
    pub fn of(&self, user: UserId) -> Identity {
        Identity {
            id: self.id,
            user_id: user,
            kind: self.kind,
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            login: self.login.clone(),
            email: self.email.clone(),
            created_at: self.created_at,
            seen_at: self.created_at,
        }
    }
}

/// A scope with its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScopeRecord {
    /// The name.
    pub scope: ScopeName,
    /// One line about it, or empty.
    pub description: String,
    /// Who made it.
    pub creator_id: UserId,
    /// Packages in all.
    pub package_limit: i64,
    /// New packages within seven days.
    pub new_package_per_week_limit: i64,
    /// Publish attempts within seven days.
    pub publish_attempts_per_week_limit: i64,
    /// Whether a CI identity publishes only on behalf of a member.
    pub verify_oidc_actor: bool,
    /// Whether people cannot publish by hand.
    pub require_publishing_from_ci: bool,
    /// Whether it is known to its members alone.
    #[serde(default)]
    pub is_private: bool,
    /// The limits in which it differs from the configuration.
    pub upload_limits: Option<serde_json::Value>,
    /// Why nobody may change anything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// Who belongs to it, by identifier.
    pub members: Vec<MemberRecord>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Which state of the row and its members this shows.
    pub generation: i64,
}

/// A member of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Who.
    pub user_id: UserId,
    /// Whether they run the scope.
    pub is_admin: bool,
    /// Since when.
    pub created_at: Instant,
    /// When that was last changed.
    pub updated_at: Instant,
}

/// A package, apart from what its versions say of themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// The name with its scope.
    pub package: PackageName,
    /// One line about it, or empty.
    pub description: String,
    /// Where its source lives.
    pub repository: Option<Repository>,
    /// Whether it is frozen.
    pub is_archived: bool,
    /// What its page opens with.
    pub readme_source: ReadmeSource,
    /// Where it is said to run.
    pub runtime_compat: RuntimeCompat,
    /// Its dist-tags beside `latest`.
    #[serde(default)]
    pub tags: DistTags,
    /// Who may read it.
    #[serde(default)]
    pub visibility: Visibility,
    /// The versions of which something was changed after they were published, highest first.
    pub changed: Vec<ChangedVersion>,
    /// The versions that staff keeps from everybody, highest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldRecord>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// The first state of the package that reads so. A new version alone changes nothing here, so the package may be in a later one.
    pub generation: i64,
}

/// Whom a package trusts in CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishersRecord {
    /// The name with its scope.
    pub package: PackageName,
    /// Whom, oldest first; perhaps nobody any more.
    pub publishers: Vec<PublisherRecord>,
    /// When the package was made.
    pub created_at: Instant,
    /// Which state of its trust this shows.
    pub generation: i64,
}

/// A CI identity that a package trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherRecord {
    /// The identifier.
    pub id: PublisherId,
    /// What is demanded of a job.
    pub demands: Demands,
    /// Who trusted it; nobody, when it was the operator.
    pub created_by: Option<UserId>,
    /// Since when.
    pub created_at: Instant,
}

impl From<TrustedPublisher> for PublisherRecord {
    fn from(publisher: TrustedPublisher) -> Self {
        Self { id: publisher.id, demands: publisher.demands, created_by: publisher.created_by, created_at: publisher.created_at }
    }
}

impl PublisherRecord {
    /// The publisher of this package that it shows.
    #[must_use]
    pub fn of(&self, package: &PackageName) -> TrustedPublisher {
        TrustedPublisher {
            id: self.id,
            package: package.clone(),
            demands: self.demands.clone(),
            created_by: self.created_by,
            created_at: self.created_at,
        }
    }
}

/// What can be changed of a version, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedVersion {
    /// The version.
    pub version: Version,
    /// Whether it was withdrawn from resolution.
    pub is_yanked: bool,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// A version that staff keeps from everybody. That it is to be let go is not remembered: staff says so again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// The version.
    pub version: Version,
    /// Why, in words for those who depend on it.
    pub reason: String,
    /// Since when.
    pub since: Instant,
}

/// What the row of a version knows and no other object says. It never changes: what can be changed is in the record of its package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// The version.
    pub version: Version,
    /// Who published it, if a person did.
    pub user_id: Option<UserId>,
    /// The publish that made it.
    pub task_id: TaskId,
    /// What is known of that publish.
    pub publish: Option<PublishRecord>,
    /// The CI job that asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<CiIdentity>,
    /// SPDX expression.
    pub license: Option<String>,
    /// The readme file.
    pub readme: Option<PackagePath>,
    /// Whether it depends on npm packages.
    pub uses_npm: bool,
    /// What the npm documents were made to say of it.
    pub npm_manifest: Value,
    /// The revision of the emit that made the npm tarball.
    pub npm_revision: i64,
    /// Every derived file but the modules, which the manifest lists.
    pub artefacts: Vec<ArtefactRecord>,
    /// By what the registry vouches for the npm tarball.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Value>,
    /// What it needs from elsewhere.
    pub dependencies: Vec<Dependency>,
    /// The generation of the package from which all its bytes are in place.
    pub stored_generation: i64,
    /// When that was noted.
    pub stored_at: Option<Instant>,
    /// When it was published.
    pub created_at: Instant,
}

/// The publish that made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishRecord {
    /// The config file named in the request.
    pub config: PackagePath,
    /// The publish that the upload came with.
    pub upload_id: TaskId,
    /// The digest of the upload.
    pub upload: Sha256,
    /// The length of the upload.
    pub upload_bytes: u64,
    /// The attempt that was committed.
    pub plan_attempt: Option<i64>,
    /// When its plan was ready.
    pub planned_at: Option<Instant>,
    /// When the version came to exist.
    pub committed_at: Option<Instant>,
    /// When it was asked for.
    pub created_at: Instant,
}

impl PackageRecord {
    /// Whether two records say the same of a package, whichever state of it they were written in.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        *self == Self { generation: self.generation, ..other.clone() }
    }
}

impl VersionRecord {
    /// The digest of `<version>_meta.json`.
    #[must_use]
    pub fn meta(&self) -> Option<Sha256> {
        self.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::VersionMeta).map(|artefact| artefact.digest)
    }
}

/// The bytes of a record, as they are stored.
#[must_use]
pub fn to_bytes(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("maps with text keys always serialise")
}

/// Which state of its row a record shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// When the row was made.
    pub created_at: Instant,
    /// The generation of the row.
    pub generation: i64,
}

impl Shown {
    /// What a stored record shows. Nothing when it is no record.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether this is a later state than `other`, of the same row or of one that took its place.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.created_at, self.generation) > (other.created_at, other.generation)
    }
}
