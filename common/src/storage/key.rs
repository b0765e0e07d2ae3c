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
            Self::Catalogue => Mutability::Mutable,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_of_keys() {
        let package = PackageName::try_from("@ss/pp").unwrap();
        let version = Version::try_from("1.0.0-rc.1+b").unwrap();
        let path = PackagePath::try_from("/[id]/{x}~$.ts").unwrap();
        let task = TaskId::from(uuid::Uuid::nil());
        let keys = [
            StorageKey::Upload(task),
            StorageKey::PlanPack { task, attempt: 2 },
            StorageKey::Module { package: package.clone(), version: version.clone(), path },
            StorageKey::VersionMeta { package: package.clone(), version: version.clone() },
            StorageKey::PackageMeta(package.clone()),
            StorageKey::NpmTarball { package: package.clone(), version: version.clone() },
            StorageKey::Packument(package.clone()),
            StorageKey::PackumentAbbreviated(package.clone()),
            StorageKey::NpmKeys,
            StorageKey::NpmAttestations { package: package.clone(), version: version.clone() },
            StorageKey::Docs { package: package.clone(), version: version.clone(), revision: 1, name: "index.json".into() },
            StorageKey::UserRecord(UserId::from(uuid::Uuid::nil())),
            StorageKey::ScopeRecord(package.scope().clone()),
            StorageKey::PackageRecord(package.clone()),
            StorageKey::PublishersRecord(package.clone()),
            StorageKey::ProvenanceRecord { package: package.clone(), version: version.clone() },
            StorageKey::VersionRecord { package: package.clone(), version: version.clone() },
            StorageKey::Catalogue,
            StorageKey::NpmTarball { package: package.clone(), version: version.clone() }.seen_by(Visibility::Private),
            StorageKey::NpmTarball { package, version }.quarantined(),
        ];
        assert!(keys.iter().all(|key| StorageKey::parse(key.store(), &key.text()).as_ref() == Some(key)));
        let table: Vec<_> =
            keys.iter().map(|key| format!("{:?} {} {} {}", key.store(), key.path(), key.content_type(), key.cache().header())).collect();
        let (year, minute) = ("public, max-age=31536000, immutable", "public, max-age=60, s-maxage=60");
        assert_eq!(
            table,
            [
                "Private uploads/00000000-0000-0000-0000-000000000000.tgz application/gzip private, no-store".to_owned(),
                "Private uploads/00000000-0000-0000-0000-000000000000.2.plan application/zstd private, no-store".to_owned(),
                format!("Public @ss/pp/1.0.0-rc.1+b/[id]/{{x}}~$.ts text/typescript {year}"),
                format!("Public @ss/pp/1.0.0-rc.1+b_meta.json application/json {year}"),
                format!("Public @ss/pp/meta.json application/json {minute}"),
                format!("Public npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream {year}"),
                format!("Public npm/@jsr/ss__pp/index.json application/json {minute}"),
                format!("Public npm/@jsr/ss__pp/abbreviated.json application/json {minute}"),
                format!("Public -/npm/v1/keys application/json {minute}"),
                format!("Public -/npm/v1/attestations/@jsr/ss__pp@1.0.0-rc.1+b application/json {minute}"),
                format!("Public docs/@ss/pp/1.0.0-rc.1+b/1/index.json application/json {year}"),
                "Private registry/users/00000000-0000-0000-0000-000000000000.json application/json private, no-store".to_owned(),
                "Private registry/scopes/ss.json application/json private, no-store".to_owned(),
                "Private registry/packages/ss/pp.json application/json private, no-store".to_owned(),
                "Private registry/publishers/ss/pp.json application/json private, no-store".to_owned(),
                "Private registry/provenances/ss/pp/1.0.0-rc.1+b.json application/json private, no-store".to_owned(),
                "Private registry/versions/ss/pp/1.0.0-rc.1+b.json application/json private, no-store".to_owned(),
                "Private registry/catalogue.json application/json private, no-store".to_owned(),
                "Private npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream private, no-store".to_owned(),
                "Private quarantine/npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream private, no-store".to_owned(),
            ]
        );
    }
}
