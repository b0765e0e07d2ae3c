//! What the staff of a registry goes through and changes: accounts, scopes, packages and publishes, whoever they belong to.

use super::accounts::UserRow;
use super::on::{on, sql};
use super::packages::{PackageRow, contains};
use super::publishes::PublishRow;
use super::rows;
use super::scopes::ScopeRow;
use super::{DbResult, Listing, Page, ReadTx, WriteTx};
use crate::ids::UserId;
use crate::model::package::Package;
use crate::model::publish::Publish;
use crate::model::scope::Scope;
use crate::model::user::User;

/// A pattern for what contains a text, in lower case as names are stored.
fn pattern(text: &str) -> String {
    contains(&rows::storable(text).to_lowercase())
}

impl ReadTx {
    /// A page of the users whose login contains a text, the latest first.
    pub async fn find_users(&mut self, login: &str, page: Page) -> DbResult<Listing<User>> {
        const ITEMS: &str = sql!(
            "SELECT id, login, name, email, avatar_url, is_staff, is_blocked, scope_limit, created_at, updated_at
             FROM users WHERE login LIKE $1 ESCAPE '!' ORDER BY created_at DESC, login LIMIT $2 OFFSET $3"
        );
        const TOTAL: &str = sql!("SELECT COUNT(*) FROM users WHERE login LIKE $1 ESCAPE '!'");
        let login = pattern(login);
        let rows = on!(self, |conn| sqlx::query_as::<_, UserRow>(ITEMS)
            .bind(&login)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).bind(&login).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(User::from).collect(), total })
    }

    /// A page of the scopes whose name contains a text, by name.
    pub async fn find_scopes(&mut self, name: &str, page: Page) -> DbResult<Listing<Scope>> {
        const ITEMS: &str = sql!(
            "SELECT scope, description, creator_id, package_limit, new_package_per_week_limit, publish_attempts_per_week_limit,
                    verify_oidc_actor, require_publishing_from_ci, is_private, upload_limits, frozen, created_at, updated_at
             FROM scopes WHERE scope LIKE $1 ESCAPE '!' ORDER BY scope LIMIT $2 OFFSET $3"
        );
        const TOTAL: &str = sql!("SELECT COUNT(*) FROM scopes WHERE scope LIKE $1 ESCAPE '!'");
        let name = pattern(name);
        let rows = on!(self, |conn| sqlx::query_as::<_, ScopeRow>(ITEMS)
            .bind(&name)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).bind(&name).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(Scope::try_from).collect::<DbResult<_>>()?, total })
    }

    /// A page of all packages whose scope contains `scope` or whose name contains `name`, or whose source lives in the repository of
    /// this number; by name, archived ones and those that wait for their first version included.
    pub async fn find_all_packages(&mut self, scope: &str, name: &str, repository: Option<i64>, page: Page) -> DbResult<Listing<Package>> {
        const ITEMS: &str = sql!(
            "SELECT scope, name, description, repository_owner, repository_name, repository_id, is_archived, readme_source,
                    runtime_compat, dist_tags, visibility, generation, announced, created_at, updated_at
             FROM packages WHERE scope LIKE $1 ESCAPE '!' OR name LIKE $2 ESCAPE '!' OR repository_id = $3
             ORDER BY scope, name LIMIT $4 OFFSET $5"
        );
        const TOTAL: &str =
            sql!("SELECT COUNT(*) FROM packages WHERE scope LIKE $1 ESCAPE '!' OR name LIKE $2 ESCAPE '!' OR repository_id = $3");
        let (scope, name) = (pattern(scope), pattern(name));
        let rows = on!(self, |conn| sqlx::query_as::<_, PackageRow>(ITEMS)
            .bind(&scope)
            .bind(&name)
            .bind(repository)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).bind(&scope).bind(&name).bind(repository).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(Package::try_from).collect::<DbResult<_>>()?, total })
    }

    /// A page of the publishes whose package's scope contains `scope` or whose name contains `name`, the latest first.
    pub async fn find_publishes(&mut self, scope: &str, name: &str, page: Page) -> DbResult<Listing<Publish>> {
        const ITEMS: &str = sql!(
            "SELECT id, scope, name, version, user_id, config, state, upload_id, upload_sha256, upload_bytes, error_code, error_message,
                    findings, created_at, updated_at
             FROM publishes WHERE scope LIKE $1 ESCAPE '!' OR name LIKE $2 ESCAPE '!'
             ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
        );
        const TOTAL: &str = sql!("SELECT COUNT(*) FROM publishes WHERE scope LIKE $1 ESCAPE '!' OR name LIKE $2 ESCAPE '!'");
        let (scope, name) = (pattern(scope), pattern(name));
        let rows = on!(self, |conn| sqlx::query_as::<_, PublishRow>(ITEMS)
            .bind(&scope)
            .bind(&name)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(conn)
            .await)?;
        let total = on!(self, |conn| sqlx::query_scalar::<_, i64>(TOTAL).bind(&scope).bind(&name).fetch_one(conn).await)?;
        Ok(Listing { items: rows.into_iter().map(Publish::try_from).collect::<DbResult<_>>()?, total })
    }

    /// The packages that a user has published, those first of which they published a version last; at most `most`, and only what is not
    /// archived and what `reader` sees.
    pub async fn packages_published_by(&mut self, user: UserId, reader: Option<UserId>, most: i64) -> DbResult<Vec<Package>> {
        const SQL: &str = sql!(
            "SELECT packages.scope, packages.name, packages.description, packages.repository_owner, packages.repository_name,
                    packages.repository_id, packages.is_archived, packages.readme_source, packages.runtime_compat, packages.dist_tags,
                    packages.visibility, packages.generation, packages.announced, packages.created_at, packages.updated_at
             FROM packages JOIN (SELECT own.scope, own.name, MAX(own.created_at) AS last_at
                                 FROM versions AS own JOIN packages AS its ON its.scope = own.scope AND its.name = own.name
                                 WHERE own.user_id = $1 AND own.stored_generation <= its.announced
                                 GROUP BY own.scope, own.name) AS published
             ON published.scope = packages.scope AND published.name = packages.name
             WHERE packages.is_archived = $2
             AND (packages.visibility = 'public'
                  OR EXISTS (SELECT 1 FROM scope_members AS reader WHERE reader.scope = packages.scope AND reader.user_id = $3))
             ORDER BY published.last_at DESC, packages.scope, packages.name LIMIT $4"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, PackageRow>(SQL)
            .bind(user.uuid())
            .bind(false)
            .bind(reader.map(UserId::uuid))
            .bind(most)
            .fetch_all(conn)
            .await)?;
        rows.into_iter().map(Package::try_from).collect()
    }
}

impl WriteTx {
    /// The user with this identifier, whom nobody else changes until this transaction ends.
    pub async fn user_to_change(&mut self, id: UserId) -> DbResult<Option<User>> {
        const LOCK: &str = sql!("UPDATE users SET updated_at = updated_at WHERE id = $1");
        on!(self, |conn| sqlx::query(LOCK).bind(id.uuid()).execute(conn).await.map(drop))?;
        self.user(id).await
    }

    /// Changes what staff may change about a user, as `user` has it. False when there is no such user.
    pub async fn update_user(&mut self, user: &User) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE users SET is_staff = $1, is_blocked = $2, scope_limit = $3, generation = generation + 1, updated_at = $4
             WHERE id = $5"
        );
        let now = self.now;
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(user.is_staff)
            .bind(user.is_blocked)
            .bind(user.scope_limit)
            .bind(now)
            .bind(user.id.uuid())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
