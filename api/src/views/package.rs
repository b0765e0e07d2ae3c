//! Packages and versions on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::ids::{PackagePath, ScopeName, Version};
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::package::{ReadmeSource, Repository, RuntimeCompat, Visibility};
use slipway_common::model::version::PackageVersion;

use super::{CiView, ProvenanceView, UnverifiedView, UserView};
use crate::service::packages::Counted;
use crate::service::users::By;
use crate::service::versions::Seen;

/// A package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackageView {
    scope: ScopeName,
    name: String,
    description: String,
    github_repository: Option<RepositoryView>,
    runtime_compat: RuntimeCompat,
    updated_at: Instant,
    created_at: Instant,
    version_count: i64,
    dependency_count: i64,
    dependent_count: i64,
    score: Option<u32>,
    latest_version: Option<Version>,
    when_featured: Option<Instant>,
    is_archived: bool,
    /// Who may read it.
    visibility: Visibility,
    readme_source: ReadmeSource,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryView {
    id: i64,
    owner: String,
    name: String,
    updated_at: Instant,
    created_at: Instant,
}

impl RepositoryView {
    fn new(repository: &Repository, at: Instant) -> Self {
        Self { id: repository.id, owner: repository.owner.clone(), name: repository.name.clone(), updated_at: at, created_at: at }
    }
}

impl PackageView {
    pub(crate) fn new(counted: Counted) -> Self {
        let Counted { package, versions, latest, dependencies } = counted;
        Self {
            scope: package.name.scope().clone(),
            name: package.name.name().to_owned(),
            github_repository: package.repository.as_ref().map(|repository| RepositoryView::new(repository, package.updated_at)),
            description: package.description,
            runtime_compat: package.runtime_compat,
            updated_at: package.updated_at,
            created_at: package.created_at,
            version_count: versions,
            dependency_count: dependencies,
            dependent_count: 0,
            score: None,
            latest_version: latest.map(|latest| latest.version),
            when_featured: None,
            is_archived: package.is_archived,
            visibility: package.visibility,
            readme_source: package.readme_source,
        }
    }
}

/// A version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionView {
    scope: ScopeName,
    package: String,
    version: Version,
    yanked: bool,
    uses_npm: bool,
    newer_versions_count: Option<i64>,
    /// The CI job that published it, where none of the users did.
    ci: Option<CiView>,
    rekor_log_id: Option<String>,
    /// Where it came from, if that was shown and holds.
    provenance: Option<ProvenanceView>,
    /// What has become of a statement about that which could not be verified at once.
    unverified_provenance: Option<UnverifiedView>,
    license: Option<String>,
    readme_path: Option<PackagePath>,
    /// Whether it declares types outside itself.
    augmentations: bool,
    /// By which edition of the rules its npm package was made, once.
    npm_revision: i64,
    /// The exports whose types npm clients see as `any` for want of better, by module.
    untyped: BTreeMap<String, Vec<String>>,
    /// The compiler that made declarations where the source does not say its types, if one did.
    compiler: Option<String>,
    updated_at: Instant,
    created_at: Instant,
}

impl VersionView {
    pub(crate) fn new(seen: Seen) -> Self {
        let Seen { version, newer, by, provenance, unverified } = seen;
        Self {
            scope: version.package.scope().clone(),
            package: version.package.name().to_owned(),
            version: version.version,
            yanked: version.is_yanked,
            uses_npm: version.content.uses_npm,
            untyped: version.content.untyped(),
            compiler: version.content.compiler().map(ToOwned::to_owned),
            newer_versions_count: Some(newer),
            ci: by.ci.as_ref().map(CiView::new),
            rekor_log_id: provenance.as_ref().and_then(|provenance| provenance.log_index.clone()),
            provenance: provenance.as_ref().map(ProvenanceView::new),
            unverified_provenance: unverified.as_ref().map(UnverifiedView::new),
            license: version.content.license,
            readme_path: version.content.readme,
            augmentations: version.content.augmentations,
            npm_revision: version.content.npm_revision,
            updated_at: version.updated_at,
            created_at: version.created_at,
        }
    }
}

/// A version in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionWithUserView {
    scope: ScopeName,
    package: String,
    version: Version,
    user: Option<UserView>,
    /// The CI job that published it, where none of the users did.
    ci: Option<CiView>,
    yanked: bool,
    uses_npm: bool,
    rekor_log_id: Option<String>,
    readme_path: Option<PackagePath>,
    updated_at: Instant,
    created_at: Instant,
}

impl VersionWithUserView {
    pub(crate) fn new(version: PackageVersion, by: &By) -> Self {
        Self {
            scope: version.package.scope().clone(),
            package: version.package.name().to_owned(),
            version: version.version,
            user: by.user.as_ref().map(UserView::new),
            ci: by.ci.as_ref().map(CiView::new),
            yanked: version.is_yanked,
            uses_npm: version.content.uses_npm,
            rekor_log_id: None,
            readme_path: version.content.readme,
            updated_at: version.updated_at,
            created_at: version.created_at,
        }
    }
}

/// What a version needs from elsewhere.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DependencyView {
    kind: DependencyKind,
    name: String,
    constraint: String,
    path: String,
    fallback_url: Option<String>,
}

impl DependencyView {
    pub(crate) fn new(dependency: Dependency) -> Self {
        Self { kind: dependency.kind, name: dependency.name, constraint: dependency.constraint, path: dependency.path, fallback_url: None }
    }
}
