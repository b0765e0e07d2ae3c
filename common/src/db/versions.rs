//! Versions and what they depend on.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::on::{on, sql};
use super::packages::package_name;
use super::rows::{self, List, Time};
use super::{DbResult, Listing, Page, ReadTx, WriteTx};
use crate::ids::{Exports, PackageName, ScopeName, UserId, Version};
use crate::model::dependency::{Dependency, DependencyKind};
use crate::model::package::Visibility;
use crate::model::quarantine::HeldVersion;
use crate::model::version::{
    ArtefactRecord, ListedVersion, PackageVersion, ResolvablePackage, ResolvableVersion, VersionContent, is_verified_by_npm,
};

/// Rows of one insert. Seven values each stay well below the 32 766 parameters that SQLite allows.
const ROWS_PER_INSERT: usize = 1_000;

#[derive(FromRow)]
struct VersionRow {
    scope: String,
    name: String,
    version: String,
    is_yanked: bool,
    task_id: Uuid,
    user_id: Option<Uuid>,
    exports: String,
    license: Option<String>,
    readme_path: Option<String>,
    uses_npm: bool,
    augmentations: bool,
    meta_sha256: Vec<u8>,
    npm_manifest: String,
    npm_revision: i64,
    artefacts: Json<serde_json::Value>,
    attestation: Option<String>,
    logged: Option<String>,
    stored_generation: Option<i64>,
    created_at: Time,
    updated_at: Time,
}

#[derive(FromRow)]
struct ListedRow {
    version: String,
    is_yanked: bool,
    created_at: Time,
    updated_at: Time,
    stored_generation: Option<i64>,
    is_logged_for_npm: bool,
    npm_manifest: String,
    reason: Option<String>,
    held_at: Option<Time>,
}

impl TryFrom<VersionRow> for PackageVersion {
    type Error = super::DbError;

    fn try_from(row: VersionRow) -> DbResult<Self> {
        const TABLE: &str = "versions";
        let artefacts: List<ArtefactRecord> = rows::shape(TABLE, "artefacts", row.artefacts.0)?;
        Ok(Self {
            package: package_name(TABLE, &row.scope, &row.name)?,
            version: rows::name(TABLE, "version", &row.version)?,
            is_yanked: row.is_yanked,
            task_id: row.task_id.into(),
            user_id: row.user_id.map(UserId::from),
            content: VersionContent {
                exports: rows::read_document(TABLE, "exports", &row.exports)?,
                license: row.license,
                readme: row.readme_path.map(|path| rows::name(TABLE, "readme_path", &path)).transpose()?,
                uses_npm: row.uses_npm,
                augmentations: row.augmentations,
                meta: rows::digest(TABLE, "meta_sha256", &row.meta_sha256)?,
                npm_manifest: rows::read_document(TABLE, "npm_manifest", &row.npm_manifest)?,
                npm_revision: row.npm_revision,
                artefacts: artefacts.list,
                attestation: row.attestation.map(|text| rows::read_document(TABLE, "attestation", &text)).transpose()?,
                logged: row.logged.map(|text| rows::read_document(TABLE, "logged", &text)).transpose()?,
            },
            stored_generation: row.stored_generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl ReadTx {
    /// A version, whether readers can see it yet or not.
    pub async fn version(&mut self, at: &PackageName, version: &Version) -> DbResult<Option<PackageVersion>> {
        const SQL: &str = sql!(
            "SELECT scope, name, version, is_yanked, task_id, user_id, exports, license, readme_path, uses_npm, augmentations,
                    meta_sha256, npm_manifest, npm_revision, artefacts, attestation, logged, stored_generation, created_at,
                    updated_at
             FROM versions WHERE scope = $1 AND name = $2 AND version = $3"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, VersionRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .fetch_optional(conn)
            .await)?;
        row.map(PackageVersion::try_from).transpose()
    }

    /// The highest stable version that is not yanked and that readers can see.
    pub async fn latest_version(&mut self, at: &PackageName) -> DbResult<Option<PackageVersion>> {
        const SQL: &str = sql!(
            "SELECT scope, name, version, is_yanked, task_id, user_id, exports, license, readme_path, uses_npm, augmentations,
                    meta_sha256, npm_manifest, npm_revision, artefacts, attestation, logged, stored_generation, created_at,
                    updated_at
             FROM versions
             WHERE scope = $1 AND name = $2 AND is_stable = $3 AND is_yanked = $4
               AND stored_generation <= (SELECT announced FROM packages WHERE scope = $1 AND name = $2)
             ORDER BY sort_key DESC LIMIT 1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, VersionRow>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(true)
            .bind(false)
            .fetch_optional(conn)
            .await)?;
        row.map(PackageVersion::try_from).transpose()
    }

    /// The version that clients take who name none: the highest stable one, else the highest, of those that are not yanked and that
    /// readers can see.
    pub async fn default_version(&mut self, at: &PackageName) -> DbResult<Option<Version>> {
        const SQL: &str = sql!(
            "SELECT version FROM versions
             WHERE scope = $1 AND name = $2 AND is_yanked = $3
               AND stored_generation <= (SELECT announced FROM packages WHERE scope = $1 AND name = $2)
             ORDER BY is_stable DESC, sort_key DESC LIMIT 1"
        );
        let version = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(false)
            .fetch_optional(conn)
            .await)?;
        version.map(|version| rows::name("versions", "version", &version)).transpose()
    }

    /// A page of the versions of a package that readers can see, highest first.
    pub async fn versions_of(&mut self, at: &PackageName, page: Page) -> DbResult<Listing<PackageVersion>> {
        const ITEMS: &str = sql!(
            "SELECT scope, name, version, is_yanked, task_id, user_id, exports, license, readme_path, uses_npm, augmentations,
                    meta_sha256, npm_manifest, npm_revision, artefacts, attestation, logged, stored_generation, created_at,
                    updated_at
             FROM versions
             WHERE scope = $1 AND name = $2 AND stored_generation <= (SELECT announced FROM packages WHERE scope = $1 AND name = $2)
             ORDER BY sort_key DESC LIMIT $3 OFFSET $4"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, VersionRow>(ITEMS)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = self.count_versions(at).await?;
        Ok(Listing { items: rows.into_iter().map(PackageVersion::try_from).collect::<DbResult<_>>()?, total })
    }

    /// How many versions of a package readers can see.
    pub async fn count_versions(&mut self, at: &PackageName) -> DbResult<i64> {
        const SQL: &str = sql!(
            "SELECT COUNT(*) FROM versions
             WHERE scope = $1 AND name = $2 AND stored_generation <= (SELECT announced FROM packages WHERE scope = $1 AND name = $2)"
        );
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_one(conn).await)?)
    }

    /// How many versions that readers can see are higher than `version`, stable and not yanked: those that somebody who has
    /// `version` should move to.
    pub async fn count_newer_versions(&mut self, at: &PackageName, version: &Version) -> DbResult<i64> {
        const SQL: &str = sql!(
            "SELECT COUNT(*) FROM versions
             WHERE scope = $1 AND name = $2 AND sort_key > $3 AND is_yanked = $4 AND is_stable = $5
               AND stored_generation <= (SELECT announced FROM packages WHERE scope = $1 AND name = $2)"
        );
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.sort_key().as_bytes())
            .bind(false)
            .bind(true)
            .fetch_one(conn)
            .await)?)
    }

    /// What the public documents of a package list, highest version first.
    pub async fn listed_versions(&mut self, at: &PackageName) -> DbResult<Vec<ListedVersion>> {
        Ok(self.listed_and_held(at).await?.0)
    }

    /// What the public documents of a package list, and beside it what they would list if staff did not keep it from everybody; highest
    /// version first.
    pub async fn listed_and_held(&mut self, at: &PackageName) -> DbResult<(Vec<ListedVersion>, Vec<HeldVersion>)> {
        const SQL: &str = sql!(
            "SELECT its.version, its.is_yanked, its.created_at, its.updated_at, its.stored_generation, its.is_logged_for_npm,
                    its.npm_manifest, held.reason, held.created_at AS held_at
             FROM versions AS its
             LEFT JOIN quarantines AS held ON held.scope = its.scope AND held.name = its.name AND held.version = its.version
             WHERE its.scope = $1 AND its.name = $2 AND (its.stored_generation IS NOT NULL OR held.state IS NOT NULL)
             ORDER BY its.sort_key DESC"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, ListedRow>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_all(conn).await)?;
        let (mut listed, mut held) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let version = rows::name("versions", "version", &row.version)?;
            let ListedRow { is_yanked, is_logged_for_npm, created_at, updated_at, .. } = row;
            match (row.reason, row.held_at, row.stored_generation) {
                (Some(reason), Some(since), _) => held.push(HeldVersion { version, is_yanked, created_at, updated_at, reason, since }),
                (_, _, Some(stored_generation)) => {
                    let npm_manifest = rows::read_document("versions", "npm_manifest", &row.npm_manifest)?;
                    let listing =
                        ListedVersion { version, is_yanked, created_at, updated_at, stored_generation, is_logged_for_npm, npm_manifest };
                    listed.push(listing);
                }
                _ => {}
            }
        }
        Ok((listed, held))
    }

    /// Several packages with the versions that a dependent can be resolved to, as far as whoever publishes it may read them: a member of a
    /// scope what is in it, and what is published in a scope what is in the same one. A package without any is left out.
    pub async fn resolvable_packages(
        &mut self,
        packages: &[PackageName],
        home: &ScopeName,
        reader: Option<UserId>,
    ) -> DbResult<BTreeMap<PackageName, ResolvablePackage>> {
        let mut found: BTreeMap<PackageName, ResolvablePackage> = BTreeMap::new();
        for chunk in packages.chunks(ROWS_PER_INSERT) {
            let rows: Vec<(String, String, String, bool, String, String)> = on!(self, |conn| {
                let mut query = QueryBuilder::new(
                    "SELECT its.scope, its.name, its.version, its.is_yanked, its.exports, packages.visibility
                     FROM versions AS its JOIN packages ON packages.scope = its.scope AND packages.name = its.name
                     WHERE its.stored_generation IS NOT NULL AND (packages.visibility = 'public' OR packages.scope = ",
                );
                query.push_bind(home.as_str());
                query.push(" OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = ");
                query.push_bind(reader.map(UserId::uuid));
                query.push(")) AND (its.scope, its.name) IN (");
                query.push_values(chunk, |mut row, package| {
                    row.push_bind(package.scope().as_str()).push_bind(package.name());
                });
                query.push(") ORDER BY its.scope, its.name, its.sort_key");
                query.build_query_as().fetch_all(conn).await
            })?;
            for (scope, name, version, is_yanked, exports, visibility) in rows {
                let exports: Exports = rows::read_document("versions", "exports", &exports)?;
                let visibility = rows::word("packages", "visibility", &visibility, Visibility::parse)?;
                let package = found.entry(package_name("versions", &scope, &name)?);
                package.or_insert_with(|| ResolvablePackage { visibility, versions: Vec::new() }).versions.push(ResolvableVersion {
                    version: rows::name("versions", "version", &version)?,
                    is_yanked,
                    exports: exports.0.into_keys().collect(),
                });
            }
        }
        Ok(found)
    }

    /// What a version needs from elsewhere.
    pub async fn dependencies_of(&mut self, at: &PackageName, version: &Version) -> DbResult<Vec<Dependency>> {
        const SQL: &str = sql!(
            "SELECT kind, dependency, version_range, sub_path FROM version_dependencies
             WHERE scope = $1 AND name = $2 AND version = $3
             ORDER BY kind, dependency, version_range, sub_path"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, (String, String, String, String)>(SQL)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .fetch_all(conn)
            .await)?;
        rows.into_iter()
            .map(|(kind, name, constraint, path)| {
                let kind = rows::word("version_dependencies", "kind", &kind, DependencyKind::parse)?;
                Ok(Dependency { kind, name, constraint, path })
            })
            .collect()
    }
}

impl WriteTx {
    /// Fixes a version. False when it exists, or one that differs in build metadata alone.
    pub async fn create_version(&mut self, version: &PackageVersion, dependencies: &[Dependency]) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO versions (scope, name, version, sort_key, is_stable, is_yanked, task_id, user_id, exports, license,
                                   readme_path, uses_npm, augmentations, meta_sha256, npm_manifest, npm_revision, artefacts,
                                   created_at, updated_at, precedence, attestation, logged,
                                   is_logged_for_npm)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20, $21, $22)
             ON CONFLICT DO NOTHING"
        );
        let content = &version.content;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(version.package.scope().as_str())
            .bind(version.package.name())
            .bind(version.version.to_string())
            .bind(version.version.sort_key().as_bytes())
            .bind(version.version.is_stable())
            .bind(version.is_yanked)
            .bind(version.task_id.uuid())
            .bind(version.user_id.map(UserId::uuid))
            .bind(rows::document(&content.exports))
            .bind(&content.license)
            .bind(content.readme.as_ref().map(crate::ids::PackagePath::as_str))
            .bind(content.uses_npm)
            .bind(content.augmentations)
            .bind(content.meta.as_bytes())
            .bind(rows::document(&content.npm_manifest))
            .bind(content.npm_revision)
            .bind(rows::list(&content.artefacts))
            .bind(version.created_at)
            .bind(version.version.precedence().as_bytes())
            .bind(content.attestation.as_ref().map(rows::document))
            .bind(content.logged.as_ref().map(rows::document))
            .bind(content.logged.as_ref().is_some_and(is_verified_by_npm))
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 0 {
            return Ok(false);
        }
        self.insert_dependencies(version, dependencies).await?;
        Ok(true)
    }

    pub(super) async fn insert_dependencies(&mut self, version: &PackageVersion, dependencies: &[Dependency]) -> DbResult<()> {
        for chunk in dependencies.chunks(ROWS_PER_INSERT) {
            on!(self, |conn| {
                let mut query = QueryBuilder::new(
                    "INSERT INTO version_dependencies (scope, name, version, kind, dependency, version_range, sub_path) ",
                );
                query.push_values(chunk, |mut row, dependency| {
                    row.push_bind(version.package.scope().as_str())
                        .push_bind(version.package.name())
                        .push_bind(version.version.to_string())
                        .push_bind(dependency.kind.as_str())
                        .push_bind(&dependency.name)
                        .push_bind(&dependency.constraint)
                        .push_bind(&dependency.path);
                });
                query.build().execute(conn).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Notes that all bytes of a version are in place as of `generation`. False when that was noted before.
    pub async fn mark_stored(&mut self, at: &PackageName, version: &Version, generation: i64) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE versions SET stored_generation = $1, stored_at = $5
             WHERE scope = $2 AND name = $3 AND version = $4 AND stored_generation IS NULL"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(generation)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .bind(now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Withdraws a version from resolution, or takes that back. False when there is no such version.
    pub async fn set_yanked(&mut self, at: &PackageName, version: &Version, is_yanked: bool) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE versions SET is_yanked = $1, updated_at = $2 WHERE scope = $3 AND name = $4 AND version = $5");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(is_yanked)
            .bind(now)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(version.to_string())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
