//! Opening, and bringing the schema up to date.

use std::sync::Arc;

use slipway_common::clock::SystemClock;
use slipway_common::db::{Db, DbError, OLDEST_POSTGRES};
use slipway_tests::engines::{Engine, Scratch};
use slipway_tests::on_both_engines;

async fn open(scratch: &Scratch) -> Db {
    Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap()
}

fn said(outcome: Result<(), DbError>) -> String {
    match outcome {
        Err(DbError::Schema(text)) => text,
        other => panic!("the schema is wrong, and yet: {other:?}"),
    }
}

on_both_engines!(an_old_schema_is_told_from_a_new_one, async |scratch| {
    let db = open(scratch).await;
    assert!(said(db.check_schema().await).contains("no schema yet"));
    db.migrate().await.unwrap();
    db.check_schema().await.unwrap();
    db.migrate().await.unwrap();

    let mut raw = scratch.connect().await;
    raw.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    for outcome in [db.check_schema().await, db.migrate().await] {
        assert!(said(outcome).contains("migrated by a newer slipway (migration 9999"));
    }
    raw.execute("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    assert!(said(db.check_schema().await).contains("1 migration(s) behind"));
    db.close().await;
});

on_both_engines!(a_migration_that_was_changed_is_noticed, async |scratch| {
    let db = open(scratch).await;
    db.migrate().await.unwrap();
    let mut raw = scratch.connect().await;
    raw.execute("UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 2) WHERE version = 1").await;
    assert!(said(db.migrate().await).contains("migration 1 was changed"));
});

on_both_engines!(several_processes_may_migrate_at_once, async |scratch| {
    let (one, two, three) = tokio::join!(open(scratch), open(scratch), open(scratch));
    let outcomes = tokio::join!(one.migrate(), two.migrate(), three.migrate());
    assert!(matches!(outcomes, (Ok(()), Ok(()), Ok(()))), "{outcomes:?}");
    one.check_schema().await.unwrap();
});

on_both_engines!(a_closed_database_is_unavailable, async |scratch| {
    let db = open(scratch).await;
    db.migrate().await.unwrap();
    db.close().await;
    assert!(matches!(db.read().await, Err(DbError::Unavailable(_))));
    assert!(matches!(db.write("test").await, Err(DbError::Unavailable(_))));
});

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    for url in ["mysql://ada:secret@host/db", "postgres://ada:secret@host:port/db", "secret", ""] {
        match Db::open(url, None, Arc::new(SystemClock)).await {
            Err(DbError::Url(text)) => assert!(!text.contains("secret") || url == "secret", "{text}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

on_both_engines!(an_engine_says_what_it_is, async |scratch| {
    let db = Db::open_sized(&scratch.url, None, 1, Arc::new(SystemClock)).await.unwrap();
    let engine = db.engine().await.unwrap();
    let (name, is_server) = match scratch.engine {
        Engine::Sqlite => ("SQLite 3.", false),
        Engine::Postgres => ("PostgreSQL ", true),
    };
    assert!(engine.version.starts_with(name), "{engine:?}");
    assert_eq!(engine.release.map(|release| release >= OLDEST_POSTGRES), is_server.then_some(true), "{engine:?}");
    assert_eq!((engine.collation.as_str(), engine.may_migrate), ("C", true));
    // Both run on this machine.
    assert!(engine.ahead.abs() < chrono::TimeDelta::seconds(1), "{engine:?}");
});
