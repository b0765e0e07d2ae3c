//! What an object is called, and everything that follows from its name.
//!
//! The public key is the path of the URL, except that a directory which is also a document ends in a file name, because plain
//! files cannot be both: `/npm/@jsr/X` is `npm/@jsr/X/index.json`. That is the one rewrite an edge needs.

use object_store::path::Path;

use crate::ids::{PackageName, PackagePath, ScopeName, TaskId, UserId, Version};
use crate::model::artefact::ArtefactKind;
use crate::model::package::Visibility;

use super::content_type;
use super::policy::{CachePolicy, Mutability, Store};

/// The directory of uploads and plan packs in the private store.
pub const UPLOADS: &str = "uploads";
/// The directory of the records of users in the private store.
pub const USER_RECORDS: &str = "registry/users";
/// The same of scopes.
pub const SCOPE_RECORDS: &str = "registry/scopes";
/// The same of packages.
pub const PACKAGE_RECORDS: &str = "registry/packages";
/// The same of whom packages trust in CI.
pub const PUBLISHERS_RECORDS: &str = "registry/publishers";
/// The same of where versions came from, in a directory for each package.
pub const PROVENANCE_RECORDS: &str = "registry/provenances";
/// The same of versions, in a directory for each package.
pub const VERSION_RECORDS: &str = "registry/versions";

/// The directory of what staff keeps from everybody, in the private store.
pub(super) const QUARANTINE: &str = "quarantine";
/// The name of the catalogue in the private store.
pub(super) const CATALOGUE: &str = "registry/catalogue.json";
/// The name of what is known of the root of trust in the private store.
pub(super) const SIGSTORE_ROOT: &str = "registry/sigstore.json";

/// The list of the keys that npm versions are signed with. npm asks for it at the root of the host.
pub(super) const NPM_KEYS: &str = "-/npm/v1/keys";
/// What stands before the npm name and version of what is attested.
pub(super) const NPM_ATTESTATIONS: &str = "-/npm/v1/attestations/";

/// The name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StorageKey {
    /// An upload as it came: gzip-compressed tar.
    Upload(TaskId),
    /// Everything a publish will store, written before its commit. A worker that was thought dead writes under its own attempt, so
    /// it cannot replace what another one committed.
    PlanPack {
        /// The publish.
        task: TaskId,
        /// The attempt of the job that made the plan.
        attempt: i64,
    },
    /// A file of a version.
    Module {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The file.
        path: PackagePath,
    },
    /// `<version>_meta.json`.
    VersionMeta {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// `meta.json`.
    PackageMeta(PackageName),
    /// The npm tarball of a version.
    NpmTarball {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// The npm document of a package.
    Packument(PackageName),
    /// The same, abbreviated.
    PackumentAbbreviated(PackageName),
    /// The keys that npm versions are signed with.
    NpmKeys,
    /// What others attest of the npm tarball of a version, such as where it was built.
    NpmAttestations {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// A file of the documentation of a version.
    Docs {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The revision of the documentation's format.
        revision: u32,
        /// The file.
        name: String,
    },
    /// What is remembered of a user.
    UserRecord(UserId),
    /// What is remembered of a scope and its members.
    ScopeRecord(ScopeName),
    /// What is remembered of a package.
    PackageRecord(PackageName),
    /// What is remembered of whom a package trusts in CI.
    PublishersRecord(PackageName),
    /// What is remembered of where a version came from.
    ProvenanceRecord {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// What is remembered of a version.
    VersionRecord {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// A few words about every package, for searches.
    Catalogue,
    /// What is known of the root of trust, from the repository that keeps it up to date.
    SigstoreRoot,
    /// What would be an object of the public store, if its package were public. It is called the same.
    Hidden(Box<StorageKey>),
    /// The same of a version that staff keeps from everybody, apart from what people may read.
    Quarantined(Box<StorageKey>),
}

impl StorageKey {
    /// Where a derived file of a version goes.
    #[must_use]
    pub fn of_artefact(package: &PackageName, version: &Version, kind: &ArtefactKind) -> Self {
        let (package, version) = (package.clone(), version.clone());
        match kind {
            ArtefactKind::Module(path) => Self::Module { package, version, path: path.clone() },
            ArtefactKind::VersionMeta => Self::VersionMeta { package, version },
            ArtefactKind::NpmTarball => Self::NpmTarball { package, version },
            ArtefactKind::Docs { revision, name } => Self::Docs { package, version, revision: *revision, name: name.clone() },
        }
    }

    /// The same object of a package that may be read by these: in the other store, where that is not everybody.
    #[must_use]
    pub fn seen_by(self, visibility: Visibility) -> Self {
        match self {
            Self::Hidden(inner) | Self::Quarantined(inner) => inner.seen_by(visibility),
            key if visibility.is_public() || key.store() == Store::Private => key,
            key => Self::Hidden(Box::new(key)),
        }
    }

    /// The same object of a version that is in quarantine.
    #[must_use]
    pub fn quarantined(&self) -> Self {
        Self::Quarantined(Box::new(self.bare().clone()))
    }

    /// The object, whoever may read it.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match self {
            Self::Hidden(inner) | Self::Quarantined(inner) => inner,
            key => key,
        }
    }

    /// Where everything of a package is kept for its readers, but for attestations.
    #[must_use]
    pub fn directories(package: &PackageName) -> [String; 3] {
        [package.to_string(), format!("npm/{}", package.npm_name()), format!("docs/{package}")]
    }

    /// The directory of what is remembered of a package's versions, in the private store.
    #[must_use]
    pub fn version_records(package: &PackageName) -> String {
        format!("{VERSION_RECORDS}/{}/{}", package.scope(), package.name())
    }

    /// Which store it is in.
    #[must_use]
    pub fn store(&self) -> Store {
        match self {
            Self::Upload(_)
            | Self::PlanPack { .. }
            | Self::UserRecord(_)
            | Self::ScopeRecord(_)
            | Self::PackageRecord(_)
            | Self::PublishersRecord(_)
            | Self::ProvenanceRecord { .. }
            | Self::VersionRecord { .. }
            | Self::Catalogue
            | Self::SigstoreRoot
            | Self::Hidden(_)
            | Self::Quarantined(_) => Store::Private,
            _ => Store::Public,
        }
    }

    /// The key as text. For public objects it is the path of their URL, but for the file names at the end of directories.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Upload(task) => format!("{UPLOADS}/{task}.tgz"),
            Self::PlanPack { task, attempt } => format!("{UPLOADS}/{task}.{attempt}.plan"),
            Self::Module { package, version, path } => format!("{package}/{version}{path}"),
            Self::VersionMeta { package, version } => format!("{package}/{version}_meta.json"),
            Self::PackageMeta(package) => format!("{package}/meta.json"),
            Self::NpmTarball { package, version } => {
                format!("npm/{}/-/{}-{version}.tgz", package.npm_name(), package.npm_stem())
            }
            Self::Packument(package) => format!("npm/{}/index.json", package.npm_name()),
            Self::PackumentAbbreviated(package) => format!("npm/{}/abbreviated.json", package.npm_name()),
            Self::NpmKeys => NPM_KEYS.to_owned(),
            Self::NpmAttestations { package, version } => format!("{NPM_ATTESTATIONS}{}@{version}", package.npm_name()),
            Self::Docs { package, version, revision, name } => format!("docs/{package}/{version}/{revision}/{name}"),
            Self::UserRecord(user) => format!("{USER_RECORDS}/{user}.json"),
            Self::ScopeRecord(scope) => format!("{SCOPE_RECORDS}/{scope}.json"),
            Self::PackageRecord(package) => format!("{PACKAGE_RECORDS}/{}/{}.json", package.scope(), package.name()),
            Self::PublishersRecord(package) => format!("{PUBLISHERS_RECORDS}/{}/{}.json", package.scope(), package.name()),
            Self::ProvenanceRecord { package, version } => {
                format!("{PROVENANCE_RECORDS}/{}/{}/{version}.json", package.scope(), package.name())
            }
            Self::VersionRecord { package, version } => format!("{}/{version}.json", Self::version_records(package)),
            Self::Catalogue => CATALOGUE.to_owned(),
            Self::SigstoreRoot => SIGSTORE_ROOT.to_owned(),
            Self::Hidden(inner) => inner.text(),
            Self::Quarantined(inner) => format!("{QUARANTINE}/{}", inner.text()),
        }
    }

    /// The key as the object store wants it. Parsed, never encoded: `Path::from` would turn `~ [ ] { }` into percent signs, and
    /// the key would no longer be the URL.
    pub(super) fn path(&self) -> Path {
        Path::parse(self.text()).expect("validated names hold no empty, dot or control segments")
    }

    /// The media type, without a charset, as clients of JSR know it.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Upload(_) => "application/gzip",
            Self::PlanPack { .. } => "application/zstd",
            Self::NpmTarball { .. } => "application/octet-stream",
            Self::Module { path, .. } => content_type::of(path.file_name()),
            Self::Hidden(inner) | Self::Quarantined(inner) => inner.content_type(),
            _ => "application/json",
        }
    }

    /// How long a reader may keep it.
    #[must_use]
    pub fn cache(&self) -> CachePolicy {
        match (self.store(), self.mutability()) {
            (Store::Private, _) => CachePolicy::Never,
            (Store::Public, Mutability::Immutable) => CachePolicy::Forever,
            (Store::Public, Mutability::Mutable) => CachePolicy::Short,
        }
    }

    /// Whether it may change.
    #[must_use]
    pub fn mutability(&self) -> Mutability {
        match self {
            Self::PackageMeta(_) | Self::Packument(_) | Self::PackumentAbbreviated(_) => Mutability::Mutable,
            // A statement may come after the version that it is about, and others after it.
            Self::NpmKeys | Self::NpmAttestations { .. } => Mutability::Mutable,
            Self::UserRecord(_) | Self::ScopeRecord(_) | Self::PackageRecord(_) | Self::PublishersRecord(_) => Mutability::Mutable,
            Self::Catalogue | Self::SigstoreRoot => Mutability::Mutable,
            Self::Hidden(inner) | Self::Quarantined(inner) => inner.mutability(),
            _ => Mutability::Immutable,
        }
    }

    /// The path of the URL under which everybody reads it, without a slash in front. Nothing for what nobody outside reads.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        match self {
            _ if self.store() == Store::Private => None,
            Self::Packument(package) | Self::PackumentAbbreviated(package) => Some(format!("npm/{}", package.npm_name())),
            _ => Some(self.text()),
        }
    }

    /// The package whose readers it is for, if it is of one.
    #[must_use]
    pub fn package(&self) -> Option<&PackageName> {
        match self.bare() {
            Self::Module { package, .. }
            | Self::VersionMeta { package, .. }
            | Self::PackageMeta(package)
            | Self::NpmTarball { package, .. }
            | Self::Packument(package)
            | Self::PackumentAbbreviated(package)
            | Self::NpmAttestations { package, .. }
            | Self::Docs { package, .. } => Some(package),
            _ => None,
        }
    }

    /// The version that it is a part of, if it is of one and is fixed with it.
    #[must_use]
    pub fn version(&self) -> Option<(&PackageName, &Version)> {
        match self.bare() {
            Self::Module { package, version, .. }
            | Self::VersionMeta { package, version }
            | Self::NpmTarball { package, version }
            | Self::Docs { package, version, .. } => Some((package, version)),
            _ => None,
        }
    }

    /// The surrogate key by which an edge forgets it: one for each package.
    #[must_use]
    pub fn surrogate(&self) -> Option<String> {
        match self {
            Self::NpmKeys => Some("npm-keys".to_owned()),
            Self::Hidden(_) | Self::Quarantined(_) => None,
            key => key.package().map(|package| format!("package:{package}")),
        }
    }
}
