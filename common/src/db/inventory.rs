//! Everything there is, a bounded part at a time, for who compares rows with objects. The order is that of names as bytes, so a round
//! can go on behind any of them.

use uuid::Uuid;

use super::on::{on, sql};
use super::packages::package_name;
use super::rows;
use super::{DbResult, ReadTx};
use crate::ids::{PackageName, ScopeName, TaskId, UserId, Version};
use crate::model::job::Job;

impl ReadTx {
    /// The next users.
    pub async fn users_after(&mut self, after: Option<UserId>, limit: i64) -> DbResult<Vec<UserId>> {
        const SQL: &str = sql!("SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2");
        let after = after.map_or(Uuid::nil(), UserId::uuid);
        let ids = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(after).bind(limit).fetch_all(conn).await)?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }

    /// The next scopes.
    pub async fn scopes_after(&mut self, after: Option<&ScopeName>, limit: i64) -> DbResult<Vec<ScopeName>> {
        const SQL: &str = sql!("SELECT scope FROM scopes WHERE scope > $1 ORDER BY scope LIMIT $2");
        let after = after.map_or("", ScopeName::as_str);
        let names = on!(self, |conn| sqlx::query_scalar::<_, String>(SQL).bind(after).bind(limit).fetch_all(conn).await)?;
        names.iter().map(|name| rows::name("scopes", "scope", name)).collect()
    }

    /// The next packages.
    pub async fn packages_after(&mut self, after: Option<&PackageName>, limit: i64) -> DbResult<Vec<PackageName>> {
        const SQL: &str = sql!("SELECT scope, name FROM packages WHERE (scope, name) > ($1, $2) ORDER BY scope, name LIMIT $3");
        let (scope, name) = after.map_or(("", ""), |after| (after.scope().as_str(), after.name()));
        let found = on!(self, |conn| sqlx::query_as::<_, (String, String)>(SQL).bind(scope).bind(name).bind(limit).fetch_all(conn).await)?;
        found.iter().map(|(scope, name)| package_name("packages", scope, name)).collect()
    }

    /// The next packages that trust CI identities, or did.
    pub async fn trusting_after(&mut self, after: Option<&PackageName>, limit: i64) -> DbResult<Vec<PackageName>> {
        const SQL: &str =
            sql!("SELECT scope, name FROM packages WHERE (scope, name) > ($1, $2) AND trust_generation > 0 ORDER BY scope, name LIMIT $3");
        let (scope, name) = after.map_or(("", ""), |after| (after.scope().as_str(), after.name()));
        let found = on!(self, |conn| sqlx::query_as::<_, (String, String)>(SQL).bind(scope).bind(name).bind(limit).fetch_all(conn).await)?;
        found.iter().map(|(scope, name)| package_name("packages", scope, name)).collect()
    }

    /// The next public packages that have been announced and are not archived, each with the generation that its documents show.
    pub async fn announced_after(&mut self, after: Option<&PackageName>, limit: i64) -> DbResult<Vec<(PackageName, i64)>> {
        const SQL: &str = sql!(
            "SELECT scope, name, announced FROM packages WHERE (scope, name) > ($1, $2) AND announced > 0 AND is_archived = $3
             AND visibility = 'public'
             ORDER BY scope, name LIMIT $4"
        );
        let (scope, name) = after.map_or(("", ""), |after| (after.scope().as_str(), after.name()));
        let found = on!(self, |conn| sqlx::query_as::<_, (String, String, i64)>(SQL)
            .bind(scope)
            .bind(name)
            .bind(false)
            .bind(limit)
            .fetch_all(conn)
            .await)?;
        found.iter().map(|(scope, name, announced)| Ok((package_name("packages", scope, name)?, *announced))).collect()
    }

    /// A number that grows with every announcement of any package.
    pub async fn announcements(&mut self) -> DbResult<i64> {
        const SQL: &str = sql!("SELECT CAST(SUM(announced) AS BIGINT) FROM packages");
        Ok(on!(self, |conn| sqlx::query_scalar::<_, Option<i64>>(SQL).fetch_one(conn).await)?.unwrap_or_default())
    }

    /// The next versions of all packages.
    pub async fn versions_after(&mut self, after: Option<&(PackageName, Version)>, limit: i64) -> DbResult<Vec<(PackageName, Version)>> {
        const SQL: &str = sql!(
            "SELECT scope, name, version FROM versions WHERE (scope, name, version) > ($1, $2, $3)
             ORDER BY scope, name, version LIMIT $4"
        );
        self.next_versions(SQL, "versions", after, limit).await
    }

    /// The versions that a statement finds behind one, in a table that names them in three columns.
    pub(super) async fn next_versions(
        &mut self,
        sql: &'static str,
        table: &'static str,
        after: Option<&(PackageName, Version)>,
        limit: i64,
    ) -> DbResult<Vec<(PackageName, Version)>> {
        let text = after.map_or_else(String::new, |(_, version)| version.to_string());
        let (scope, name) = after.map_or(("", ""), |(package, _)| (package.scope().as_str(), package.name()));
        let found = on!(self, |conn| sqlx::query_as::<_, (String, String, String)>(sql)
            .bind(scope)
            .bind(name)
            .bind(&text)
            .bind(limit)
            .fetch_all(conn)
            .await)?;
        found.iter().map(|(scope, name, version)| Ok((package_name(table, scope, name)?, rows::name(table, "version", version)?))).collect()
    }

    /// The next publishes.
    pub async fn publishes_after(&mut self, after: Option<TaskId>, limit: i64) -> DbResult<Vec<TaskId>> {
        const SQL: &str = sql!("SELECT id FROM publishes WHERE id > $1 ORDER BY id LIMIT $2");
        let after = after.map_or(Uuid::nil(), TaskId::uuid);
        let ids = on!(self, |conn| sqlx::query_scalar::<_, Uuid>(SQL).bind(after).bind(limit).fetch_all(conn).await)?;
        Ok(ids.into_iter().map(TaskId::from).collect())
    }

    /// Whether a job of the same key waits or works, or was given up until a person looks.
    pub async fn is_known(&mut self, job: &Job) -> DbResult<bool> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM jobs WHERE dedup_key = $1 AND state IN ('queued', 'running', 'parked')");
        let key = job.dedup_key();
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(&key).fetch_one(conn).await)? > 0)
    }

    /// Whether a job of the same key waits or works.
    pub async fn is_under_way(&mut self, job: &Job) -> DbResult<bool> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM jobs WHERE dedup_key = $1 AND state IN ('queued', 'running')");
        let key = job.dedup_key();
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(&key).fetch_one(conn).await)? > 0)
    }
}
