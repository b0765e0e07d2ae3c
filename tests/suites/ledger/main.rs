//! The ledger of SQL: every text of `common::db`, read from its sources, is understood by both engines and keeps to the dialect
//! card (`migrations/README.md`).
//!
//! Texts are constants, so all of them can be seen without running anything. A text that is not marked with `sql!` would not be
//! seen, so it is an offence of its own; so is one that no code uses, and a list that is not built of constant parts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod card;
mod source;
mod statements;

use std::collections::BTreeSet;
use std::sync::Arc;

use slipway_common::clock::SystemClock;
use slipway_common::db::Db;
use slipway_tests::on_both_engines;

/// Fails with one line for every offence, after the rule that they break.
fn demand(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "\n\n{rule}\n\n  {}\n", offences.join("\n  "));
}

on_both_engines!(every_text_is_understood, async |scratch| {
    let db = Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap();
    db.migrate().await.unwrap();
    let mut connection = scratch.connect().await;
    let mut offences = Vec::new();
    for statement in statements::all().statements.into_iter().filter(|one| one.only.is_none_or(|engine| engine == scratch.engine)) {
        if let Err(error) = connection.prepare(&statement.text).await {
            offences.push(format!("{}: {error}\n    {}", statement.place, statement.text));
        }
    }
    demand(&format!("Every text is understood by both engines; {:?} does not understand these.", scratch.engine), &offences);
    let wrong = connection.prepare("SELECT nothing FROM users WHERE id = $1").await;
    assert!(wrong.is_err(), "an engine that understands everything proves nothing");
});

on_both_engines!(nullable_columns_are_ordered_explicitly, async |scratch| {
    use slipway_tests::engines::Engine;
    let db = Db::open(&scratch.url, None, Arc::new(SystemClock)).await.unwrap();
    db.migrate().await.unwrap();
    let query = match scratch.engine {
        Engine::Sqlite => {
            "SELECT tables.name || ' ' || columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' AND columns.\"notnull\" = 0"
        }
        Engine::Postgres => {
            "SELECT table_name || ' ' || column_name FROM information_schema.columns
             WHERE table_schema = current_schema() AND is_nullable = 'YES'"
        }
    };
    // The driver's own table is its own business.
    let rows = scratch.connect().await.texts(query).await.into_iter().flatten().filter(|row| !row.starts_with("_sqlx_"));
    let nullable: BTreeSet<_> =
        rows.map(|row| row.split_once(' ').map(|(table, column)| (table.to_owned(), column.to_owned())).unwrap()).collect();
    assert!(nullable.contains(&("versions".to_owned(), "stored_generation".to_owned())), "{nullable:?}");
    let texts = statements::all().statements;
    let offences: Vec<_> =
        texts.iter().flat_map(|text| card::unordered_nulls(&text.text, &nullable).into_iter().map(|why| text.offence(&why))).collect();
    demand("Where null may be among what is ordered, the engines differ: say `NULLS LAST`.", &offences);
});

#[test]
fn the_sources_are_read() {
    let ledger = statements::all();
    let built = ledger.statements.iter().filter(|statement| statement.is_built).count();
    assert!(ledger.statements.len() > 50 && built >= 2, "{} texts, {built} of them built", ledger.statements.len());
}

/// A text for one engine is a photocopy that will drift. `doctor`'s look at the engine itself has one for each.
#[test]
fn few_texts_are_for_one_engine() {
    let texts = statements::all().statements.into_iter().filter(|text| text.only.is_some());
    let elsewhere: Vec<_> = texts.filter(|text| !text.place.starts_with("common/src/db/engine.rs:")).map(|text| text.place).collect();
    demand("A text is for both engines; what only one can tell is asked in `engine`.", &elsewhere);
}

/// The audit log is as good as what nobody can do to it.
#[test]
fn the_audit_log_is_added_to_and_read() {
    let texts = statements::all().statements;
    let named: Vec<_> = texts.iter().filter(|text| card::names(&text.text, "audit")).collect();
    assert!(named.len() >= 3, "the statements of the log are read: {named:?}");
    let is_kept = |text: &str| text.starts_with("SELECT ") || text.starts_with("INSERT INTO audit (") && !text.contains("CONFLICT");
    let offences: Vec<_> =
        named.iter().filter(|text| !is_kept(&text.text)).map(|text| text.offence("it changes what was written")).collect();
    demand("What stands in the audit log is never changed or deleted.", &offences);
    for (changing, is_named) in [("DELETE FROM audit WHERE id = $1", true), ("UPDATE audit SET act = $1", true), ("SELECT auditor", false)]
    {
        assert_eq!((card::names(changing, "audit"), is_kept(changing)), (is_named, !is_named), "{changing}");
    }
}

#[test]
fn every_text_is_marked() {
    demand("A text that is SQL is written as `sql!(\"…\")`, so that this ledger sees it.", &statements::all().unmarked);
}

#[test]
fn every_text_is_used() {
    demand("A text that no code uses is kept by nobody: delete it.", &statements::all().unused);
}

#[test]
fn lists_are_built_of_constant_parts() {
    demand("A QueryBuilder is given literals and binds, nothing else: whatever varies is bound.", &statements::all().improvised);
}

#[test]
fn every_text_keeps_to_the_card() {
    let portable = statements::all().statements.into_iter().filter(|text| text.only.is_none());
    let texts: Vec<_> = portable.collect();
    let offences: Vec<_> = texts.iter().flat_map(|text| card::offences(&text.text).into_iter().map(|why| text.offence(&why))).collect();
    demand("The dialect card (migrations/README.md) keeps one text portable.", &offences);
}

#[test]
fn the_schema_keeps_to_the_card() {
    let mut offences = Vec::new();
    for (file, text) in source::files("migrations", "sql") {
        let text: String = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
        for statement in text.split(';') {
            offences.extend(card::schema_offences(statement).into_iter().map(|why| format!("{file}: {why}")));
        }
    }
    demand("The dialect card (migrations/README.md) keeps one schema portable.", &offences);
}
