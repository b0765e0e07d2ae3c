//! Who may read a package, and what has to be known before that changes.

use super::on::{on, sql};
use super::packages::package_name;
use super::{DbResult, ReadTx, WriteTx, rows};
use crate::ids::{PackageName, ScopeName, Version};
use crate::model::package::Visibility;

impl ReadTx {
    /// How many publishes of a package are waiting or under way.
    pub async fn unfinished_publishes(&mut self, at: &PackageName) -> DbResult<i64> {
        const SQL: &str =
            sql!("SELECT COUNT(*) FROM publishes WHERE scope = $1 AND name = $2 AND state IN ('queued', 'checking', 'committed')");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_one(conn).await)?)
    }

    /// Whether a package has versions, announced or not.
    pub async fn has_versions(&mut self, at: &PackageName) -> DbResult<bool> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM versions WHERE scope = $1 AND name = $2");
        let count = on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_one(conn).await)?;
        Ok(count > 0)
    }

    /// The packages that are not public and that any version of this one depends on, by name.
    pub async fn private_dependencies(&mut self, at: &PackageName) -> DbResult<Vec<PackageName>> {
        const SQL: &str = sql!(
            "SELECT packages.scope, packages.name FROM packages
             WHERE packages.visibility <> 'public' AND EXISTS (
                 SELECT 1 FROM version_dependencies AS needs
                 WHERE needs.scope = $1 AND needs.name = $2 AND needs.kind = 'jsr'
                 AND needs.dependency = '@' || packages.scope || '/' || packages.name)
             AND NOT (packages.scope = $1 AND packages.name = $2)
             ORDER BY packages.scope, packages.name"
        );
        let found =
            on!(self, |conn| sqlx::query_as::<_, (String, String)>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_all(conn).await)?;
        found.iter().map(|(scope, name)| package_name("packages", scope, name)).collect()
    }

    /// The versions of a package of which it is known where they came from.
    pub async fn attested_versions(&mut self, at: &PackageName) -> DbResult<Vec<Version>> {
        const SQL: &str = sql!("SELECT version FROM provenances WHERE scope = $1 AND name = $2 ORDER BY version");
        let found = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(at.scope().as_str()).bind(at.name()).fetch_all(conn).await)?;
        found.iter().map(|version| rows::name("provenances", "version", version)).collect()
    }

    /// A package of a scope that is not private, if there is one.
    pub async fn open_package_of(&mut self, scope: &ScopeName) -> DbResult<Option<PackageName>> {
        const SQL: &str = sql!("SELECT name FROM packages WHERE scope = $1 AND visibility <> 'private' ORDER BY name LIMIT 1");
        let found = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(scope.as_str()).fetch_optional(conn).await)?;
        found.map(|name| package_name("packages", scope.as_str(), &name)).transpose()
    }
}

impl WriteTx {
    /// Changes who may read a package. False when that is not `from`.
    pub async fn set_visibility(&mut self, at: &PackageName, from: Visibility, to: Visibility) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE packages SET visibility = $1, updated_at = $2 WHERE scope = $3 AND name = $4 AND visibility = $5");
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(to.as_str())
            .bind(now)
            .bind(at.scope().as_str())
            .bind(at.name())
            .bind(from.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
