//! Packages.

use sqlx::FromRow;
use sqlx::types::Json;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbError, DbResult, Listing, Page, ReadTx, WriteTx};
use crate::ids::{PackageName, ScopeName, UserId};
use crate::model::package::{DistTags, Package, ReadmeSource, Repository, Visibility};

#[derive(FromRow)]
pub(super) struct PackageRow {
    scope: String,
    name: String,
    description: String,
    repository_owner: Option<String>,
    repository_name: Option<String>,
    repository_id: Option<i64>,
    is_archived: bool,
    readme_source: String,
    runtime_compat: Json<serde_json::Value>,
    dist_tags: Json<serde_json::Value>,
    visibility: String,
    generation: i64,
    announced: i64,
    created_at: Time,
    updated_at: Time,
}

impl TryFrom<PackageRow> for Package {
    type Error = DbError;

    fn try_from(row: PackageRow) -> DbResult<Self> {
        let repository = match (row.repository_owner, row.repository_name, row.repository_id) {
            (Some(owner), Some(name), Some(id)) => Some(Repository { owner, name, id }),
            _ => None,
        };
        Ok(Self {
            name: package_name("packages", &row.scope, &row.name)?,
            description: row.description,
            repository,
            is_archived: row.is_archived,
            readme_source: rows::word("packages", "readme_source", &row.readme_source, ReadmeSource::parse)?,
            runtime_compat: rows::shape("packages", "runtime_compat", row.runtime_compat.0)?,
            tags: rows::shape("packages", "dist_tags", row.dist_tags.0)?,
            visibility: rows::word("packages", "visibility", &row.visibility, Visibility::parse)?,
            generation: row.generation,
            announced: row.announced,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A package name kept in two columns.
pub(super) fn package_name(table: &'static str, scope: &str, name: &str) -> DbResult<PackageName> {
    let scope: ScopeName = rows::name(table, "scope", scope)?;
    PackageName::new(scope, name).map_err(|error| DbError::corrupt(table, "name", error))
}

impl ReadTx {
    /// The package of this name, archived or not.
    pub async fn package(&mut self, at: &PackageName) -> DbResult<Option<Package>> {
        const SQL: &str = sql!(
            "SELECT scope, name, description, repository_owner, repository_name, repository_id, is_archived, readme_source,
                    runtime_compat, dist_tags, visibility, generation, announced, created_at, updated_at
             FROM packages WHERE scope = $1 AND name = $2"
        );
        let row =
            on!(self, |conn| sqlx::query_as::<_, PackageRow>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_optional(conn).await)?;
        row.map(Package::try_from).transpose()
    }

    /// The package that keeps others from being called so: it differs in hyphens alone, or looks like the name.
    pub async fn package_like(&mut self, at: &PackageName) -> DbResult<Option<PackageName>> {
        const SQL: &str = sql!(
            "SELECT name FROM packages WHERE scope = $1 AND (skeleton = $2 OR likeness = $3)
             ORDER BY CASE WHEN skeleton = $2 THEN 0 ELSE 1 END, name LIMIT 1"
        );
        let found = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL)
            .bind(at.scope().as_str())
            .bind(at.skeleton())
            .bind(at.likeness())
            .fetch_optional(conn)
            .await)?;
        found.map(|name| package_name("packages", at.scope().as_str(), &name)).transpose()
    }

    /// A page of the packages of a scope that `reader` may read, by name; archived ones, and those that wait for their first version from
    /// CI, only on demand.
    pub async fn packages_of(
        &mut self,
        scope: &ScopeName,
        reader: Option<UserId>,
        with_archived: bool,
        page: Page,
    ) -> DbResult<Listing<Package>> {
        const ITEMS: &str = sql!(
            "SELECT scope, name, description, repository_owner, repository_name, repository_id, is_archived, readme_source,
                    runtime_compat, dist_tags, visibility, generation, announced, created_at, updated_at
             FROM packages
             WHERE scope = $1 AND (is_archived = $2 OR is_archived = $3)
             AND ($3 OR EXISTS (SELECT 1 FROM versions AS own WHERE own.scope = packages.scope AND own.name = packages.name)
                  OR NOT EXISTS (SELECT 1 FROM trusted_publishers AS awaited
                                 WHERE awaited.scope = packages.scope AND awaited.name = packages.name))
             AND (visibility = 'public'
                  OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = $4))
             ORDER BY name LIMIT $5 OFFSET $6"
        );
        const TOTAL: &str = sql!(
            "SELECT COUNT(*) FROM packages
             WHERE scope = $1 AND (is_archived = $2 OR is_archived = $3)
             AND ($3 OR EXISTS (SELECT 1 FROM versions AS own WHERE own.scope = packages.scope AND own.name = packages.name)
                  OR NOT EXISTS (SELECT 1 FROM trusted_publishers AS awaited
                                 WHERE awaited.scope = packages.scope AND awaited.name = packages.name))
             AND (visibility = 'public'
                  OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = $4))"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, PackageRow>(ITEMS)
            .bind(scope.as_str())
            .bind(false)
            .bind(with_archived)
            .bind(reader.map(UserId::uuid))
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL)
            .bind(scope.as_str())
            .bind(false)
            .bind(with_archived)
            .bind(reader.map(UserId::uuid))
            .fetch_one(conn)
            .await)?;
        Ok(Listing { items: rows.into_iter().map(Package::try_from).collect::<DbResult<_>>()?, total })
    }

    /// A page of the packages that `reader` may read and whose scope contains `scope` or whose name contains `name`, exact names first.
    /// Archived packages are not found, nor are those that wait for their first version from CI.
    pub async fn find_packages(&mut self, scope: &str, name: &str, reader: Option<UserId>, page: Page) -> DbResult<Listing<Package>> {
        const ITEMS: &str = sql!(
            "SELECT scope, name, description, repository_owner, repository_name, repository_id, is_archived, readme_source,
                    runtime_compat, dist_tags, visibility, generation, announced, created_at, updated_at
             FROM packages
             WHERE is_archived = $1 AND (scope LIKE $2 ESCAPE '!' OR name LIKE $3 ESCAPE '!')
             AND (EXISTS (SELECT 1 FROM versions AS own WHERE own.scope = packages.scope AND own.name = packages.name)
                  OR NOT EXISTS (SELECT 1 FROM trusted_publishers AS awaited
                                 WHERE awaited.scope = packages.scope AND awaited.name = packages.name))
             AND (visibility = 'public'
                  OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = $4))
             ORDER BY CASE WHEN name = $5 THEN 0 WHEN scope = $6 THEN 1 ELSE 2 END, name, scope
             LIMIT $7 OFFSET $8"
        );
        const TOTAL: &str = sql!(
            "SELECT COUNT(*) FROM packages
             WHERE is_archived = $1 AND (scope LIKE $2 ESCAPE '!' OR name LIKE $3 ESCAPE '!')
             AND (EXISTS (SELECT 1 FROM versions AS own WHERE own.scope = packages.scope AND own.name = packages.name)
                  OR NOT EXISTS (SELECT 1 FROM trusted_publishers AS awaited
                                 WHERE awaited.scope = packages.scope AND awaited.name = packages.name))
             AND (visibility = 'public'
                  OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = $4))"
        );
        let (scope, name) = (rows::storable(scope).to_lowercase(), rows::storable(name).to_lowercase());
        let (scope_pattern, name_pattern) = (contains(&scope), contains(&name));
        let rows = on!(self, |conn| sqlx::query_as::<_, PackageRow>(ITEMS)
            .bind(false)
            .bind(&scope_pattern)
            .bind(&name_pattern)
            .bind(reader.map(UserId::uuid))
            .bind(&name)
            .bind(&scope)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL)
            .bind(false)
            .bind(&scope_pattern)
            .bind(&name_pattern)
            .bind(reader.map(UserId::uuid))
            .fetch_one(conn)
            .await)?;
        Ok(Listing { items: rows.into_iter().map(Package::try_from).collect::<DbResult<_>>()?, total })
    }
}

/// A pattern for what contains `text`, its own wildcards made harmless.
pub(super) fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl WriteTx {
    /// Adds an empty package; a private one whatever is said, if its scope is. False when the name is taken, or one that differs in
    /// hyphens alone or looks like it.
    pub async fn create_package(&mut self, name: &PackageName, visibility: Visibility) -> DbResult<bool> {
        const SQL: &str = sql!(
            "INSERT INTO packages (scope, name, skeleton, likeness, description, is_archived, readme_source, runtime_compat, dist_tags,
                                   visibility, generation, announced, trust_generation, created_at, updated_at)
             VALUES ($1, $2, $3, $8, '', $4, $5, $6, $6,
                     CASE WHEN EXISTS (SELECT 1 FROM scopes WHERE scope = $1 AND is_private) THEN 'private' ELSE $9 END, 0, 0, 0, $7, $7)
             ON CONFLICT DO NOTHING"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(name.scope().as_str())
            .bind(name.name())
            .bind(name.skeleton())
            .bind(false)
            .bind(ReadmeSource::Jsdoc.as_str())
            .bind(Json(serde_json::json!({})))
            .bind(now)
            .bind(name.likeness())
            .bind(visibility.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Changes what members may change about a package, as `package` has it. False when there is no such package.
    pub async fn update_package(&mut self, package: &Package) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE packages SET description = $1, is_archived = $2, readme_source = $3, runtime_compat = $4, updated_at = $5
             WHERE scope = $6 AND name = $7"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(&package.description)
            .bind(package.is_archived)
            .bind(package.readme_source.as_str())
            .bind(Json(&package.runtime_compat))
            .bind(now)
            .bind(package.name.scope().as_str())
            .bind(package.name.name())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Notes where the source of a package lives, or that nobody knows. False when there is no such package.
    pub async fn set_repository(&mut self, name: &PackageName, repository: Option<&Repository>) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE packages SET repository_owner = $1, repository_name = $2, repository_id = $3, updated_at = $4
             WHERE scope = $5 AND name = $6"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(repository.map(|repository| &repository.owner))
            .bind(repository.map(|repository| &repository.name))
            .bind(repository.map(|repository| repository.id))
            .bind(now)
            .bind(name.scope().as_str())
            .bind(name.name())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Gives a package these dist-tags. False when there is no such package.
    pub async fn set_tags(&mut self, name: &PackageName, tags: &DistTags) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE packages SET dist_tags = $1, updated_at = $2 WHERE scope = $3 AND name = $4");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(Json(tags))
            .bind(now)
            .bind(name.scope().as_str())
            .bind(name.name())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Notes that readers should see something new about a package, and returns the new generation.
    pub async fn bump_generation(&mut self, name: &PackageName) -> DbResult<Option<i64>> {
        const SQL: &str = sql!("UPDATE packages SET generation = generation + 1 WHERE scope = $1 AND name = $2 RETURNING generation");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(name.scope().as_str()).bind(name.name()).fetch_optional(conn).await)?)
    }

    /// Notes that the public documents of a package show `generation`. An older one never replaces a newer.
    pub async fn mark_announced(&mut self, name: &PackageName, generation: i64) -> DbResult<()> {
        const SQL: &str = sql!("UPDATE packages SET announced = $1 WHERE scope = $2 AND name = $3 AND announced < $1");
        on!(self, |conn| sqlx::query(SQL).bind(generation).bind(name.scope().as_str()).bind(name.name()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes a package that never had a publish worth keeping, with the record of those that came to nothing. False, and
    /// nothing is deleted, when it has one, is being given one, or does not exist.
    pub async fn delete_package(&mut self, name: &PackageName) -> DbResult<bool> {
        const PUBLISHES: &str = sql!(
            "DELETE FROM publishes WHERE scope = $1 AND name = $2
             AND NOT EXISTS (SELECT 1 FROM publishes AS live WHERE live.scope = $1 AND live.name = $2
                             AND live.state IN ('queued', 'checking', 'committed', 'published'))
             AND NOT EXISTS (SELECT 1 FROM versions WHERE scope = $1 AND name = $2)"
        );
        const PACKAGE: &str = sql!(
            "DELETE FROM packages WHERE scope = $1 AND name = $2
             AND NOT EXISTS (SELECT 1 FROM publishes WHERE scope = $1 AND name = $2)
             AND NOT EXISTS (SELECT 1 FROM versions WHERE scope = $1 AND name = $2)"
        );
        on!(self, |conn| sqlx::query(PUBLISHES).bind(name.scope().as_str()).bind(name.name()).execute(conn).await.map(drop))?;
        let deleted = on!(self, |conn| sqlx::query(PACKAGE)
            .bind(name.scope().as_str())
            .bind(name.name())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()));
        match deleted.map_err(DbError::from) {
            Ok(rows) => Ok(rows == 1),
            // A publish that was not committed when we looked refers to the package now.
            Err(DbError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
