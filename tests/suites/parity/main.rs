//! Schema parity: what each engine made of the migrations, asked of the engine itself, is the same.
//!
//! Tables, columns in their order, types, nullability, defaults, keys and indexes with their predicates are written as one line
//! each, in words that are the same for both, and the lines are compared.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod postgres;
mod sqlite;

use std::collections::BTreeSet;
use std::sync::Arc;

use slipway_common::clock::SystemClock;
use slipway_common::db::Db;
use slipway_tests::engines::{Connection, Engine, Scratch, run};

/// A schema, one line for each thing in it.
type Lines = BTreeSet<String>;

async fn migrated(scratch: &Scratch) -> Connection {
    let db = Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap();
    db.migrate().await.unwrap();
    scratch.connect().await
}

/// What only one side has, as a person wants to read it.
fn differences(sqlite: &Lines, postgres: &Lines) -> Vec<String> {
    let mut lines: Vec<(&String, &str)> = sqlite.difference(postgres).map(|line| (line, "SQLite    ")).collect();
    lines.extend(postgres.difference(sqlite).map(|line| (line, "PostgreSQL")));
    lines.sort();
    lines.into_iter().map(|(line, engine)| format!("only {engine}  {line}")).collect()
}

#[test]
fn both_engines_have_one_schema() {
    run(Engine::Postgres, async |server| {
        let postgres = postgres::schema(&mut migrated(server).await).await;
        let file = Scratch::make(Engine::Sqlite).await.unwrap();
        let sqlite = sqlite::schema(&mut migrated(&file).await).await;
        let differences = differences(&sqlite, &postgres);
        assert!(differences.is_empty(), "\n\nThe engines read the migrations differently.\n\n  {}\n", differences.join("\n  "));
        assert!(sqlite.len() > 80, "a schema of {} lines is not ours", sqlite.len());
    });
}

#[test]
fn the_introspection_sees_what_there_is() {
    run(Engine::Sqlite, async |scratch| {
        let lines = sqlite::schema(&mut migrated(scratch).await).await;
        for line in [
            "jobs: column 1 id uuid not null",
            "jobs: column 10 lease_until timestamptz null",
            "jobs: unique index (dedup_key) where state = 'queued'",
            "publishes: unique index (scope, name, precedence) where state in ('queued', 'checking', 'committed', 'published')",
            "scope_members: primary key (scope, user_id)",
            "versions: foreign key (scope, name) to packages (scope, name) on delete no action on update no action",
            "versions: column 19 stored_generation bigint null",
            "versions: index (scope, name, sort_key)",
        ] {
            assert!(lines.contains(line), "{line} is not in\n  {}", lines.iter().cloned().collect::<Vec<_>>().join("\n  "));
        }
    });
}

#[test]
fn a_difference_is_seen() {
    run(Engine::Sqlite, async |scratch| {
        let mut connection = migrated(scratch).await;
        let before = sqlite::schema(&mut connection).await;
        for change in [
            "ALTER TABLE users ADD COLUMN shoe_size BIGINT",
            "DROP INDEX jobs_one_queued",
            "CREATE UNIQUE INDEX jobs_one_queued ON jobs (dedup_key) WHERE state = 'done'",
            "CREATE TABLE extras (id UUID NOT NULL PRIMARY KEY, user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE)",
        ] {
            connection.execute(change).await;
        }
        let after = sqlite::schema(&mut connection).await;
        assert_eq!(
            differences(&after, &before),
            [
                "only SQLite      extras: column 1 id uuid not null",
                "only SQLite      extras: column 2 user_id uuid not null",
                "only SQLite      extras: foreign key (user_id) to users (id) on delete cascade on update no action",
                "only SQLite      extras: primary key (id)",
                "only SQLite      extras: table",
                "only SQLite      jobs: unique index (dedup_key) where state = 'done'",
                "only PostgreSQL  jobs: unique index (dedup_key) where state = 'queued'",
                "only SQLite      users: column 12 shoe_size bigint null",
            ]
        );
    });
}
