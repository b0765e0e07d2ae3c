//! Brings the schema up to date, on either engine, from one set of files.

use std::sync::LazyLock;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::on::sql;
use super::{DbError, DbResult, Pools, dialect};

/// The schema of this build, compiled in: number, name and text of each file in `migrations/`.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "accounts", include_str!("../../../migrations/0001_accounts.sql")),
    (2, "packages", include_str!("../../../migrations/0002_packages.sql")),
    (3, "publishing", include_str!("../../../migrations/0003_publishing.sql")),
    (4, "ci", include_str!("../../../migrations/0004_ci.sql")),
    (5, "parcels", include_str!("../../../migrations/0005_parcels.sql")),
    (6, "provenance", include_str!("../../../migrations/0006_provenance.sql")),
    (7, "people", include_str!("../../../migrations/0007_people.sql")),
    (8, "tokens", include_str!("../../../migrations/0008_tokens.sql")),
    (9, "visibility", include_str!("../../../migrations/0009_visibility.sql")),
    (10, "identities", include_str!("../../../migrations/0010_identities.sql")),
    (11, "audit", include_str!("../../../migrations/0011_audit.sql")),
    (12, "abuse", include_str!("../../../migrations/0012_abuse.sql")),
    (13, "quarantine", include_str!("../../../migrations/0013_quarantine.sql")),
    (14, "attestations", include_str!("../../../migrations/0014_attestations.sql")),
];

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, text)| Migration::new(*version, (*name).into(), MigrationType::Simple, text.into_sql_str(), false));
    Migrator::with_migrations(migrations.collect())
});

pub(super) async fn run(pools: &Pools) -> DbResult<()> {
    match pools {
        Pools::Postgres { primary, .. } => MIGRATOR.run(primary).await.map_err(explain),
        Pools::Sqlite { writer, .. } => {
            // The driver holds a lock on PostgreSQL and none here. In one transaction the second process waits for the first, and
            // then finds nothing to do.
            let mut tx = writer.begin_with(dialect::SQLITE_WRITE).await?;
            MIGRATOR.run(&mut *tx).await.map_err(explain)?;
            Ok(tx.commit().await?)
        }
    }
}

pub(super) async fn check(pools: &Pools) -> DbResult<()> {
    const SQL: &str = sql!("SELECT version FROM _sqlx_migrations ORDER BY version");
    let applied: Vec<i64> = match pools {
        Pools::Postgres { primary, .. } => sqlx::query_scalar(SQL).fetch_all(primary).await,
        Pools::Sqlite { writer, .. } => sqlx::query_scalar(SQL).fetch_all(writer).await,
    }
    .map_err(|error| match error {
        sqlx::Error::Database(_) => DbError::Schema("the database has no schema yet: run `slipway migrate`".into()),
        other => other.into(),
    })?;
    let known: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
        return Err(newer(*unknown));
    }
    match known.iter().filter(|version| !applied.contains(version)).count() {
        0 => Ok(()),
        missing => Err(DbError::Schema(format!("the database schema is {missing} migration(s) behind: run `slipway migrate`"))),
    }
}

fn newer(version: i64) -> DbError {
    DbError::Schema(format!(
        "the database was migrated by a newer slipway (migration {version} is unknown here): run that release, or restore a backup"
    ))
}

fn explain(error: MigrateError) -> DbError {
    match error {
        MigrateError::VersionMissing(version) => newer(version),
        MigrateError::VersionMismatch(version) => {
            DbError::Schema(format!("migration {version} was changed after it was applied: this build and the database do not fit"))
        }
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, version) => DbError::Schema(format!("migration {version} failed: {error}")),
        other => DbError::Schema(format!("the schema cannot be migrated: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed() {
        let mut files: Vec<_> = std::fs::read_dir("../migrations")
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| std::path::Path::new(name).extension().is_some_and(|extension| extension == "sql"))
            .collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, listed);
    }
}
