//! Everything that is the case in a registry, as one text: what is stored, what stands in the rows, what was rung, told and
//! purged. With counted ids and a clock that stands still it is the same in every run and on both engines, so a test compares it
//! whole and nothing in it is blacked out.

use std::fmt::Write as _;

use slipway_common::ids::Sha256;
use slipway_common::storage::{Storage, StorageKey, Store};

use crate::database::TestDatabase;
use crate::tables::{digest, tables};

/// Objects and rows.
pub(crate) async fn standing(storage: &Storage, database: &TestDatabase) -> String {
    let mut text = String::new();
    for (store, title) in [(Store::Public, "public objects"), (Store::Private, "private objects")] {
        section(&mut text, title, &objects(storage, store).await);
    }
    for table in tables(database).await {
        section(&mut text, &table.name, &table.rows);
    }
    text
}

/// Adds a section, unless it is empty: what is not there is best seen by its absence.
pub(crate) fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    writeln!(text, "== {title}").expect("writing to a string cannot fail");
    for line in lines {
        writeln!(text, "{line}").expect("writing to a string cannot fail");
    }
}

/// Every object of a store: key, size, digest. A key that the house's table of keys would not make fails the test.
pub(crate) async fn objects(storage: &Storage, store: Store) -> Vec<String> {
    let mut lines = Vec::new();
    for (text, size) in storage.list(store).await.expect("the store can be listed") {
        let key = StorageKey::parse(store, &text).unwrap_or_else(|| panic!("'{text}' is no key of ours"));
        assert_eq!((key.text(), key.store()), (text.clone(), store), "an object lies where it does not belong");
        let bytes = storage.get(&key).await.expect("what is listed can be read");
        assert_eq!(bytes.len() as u64, size, "'{text}' is not as long as it says");
        lines.push(format!("{text} {size} {}", digest(Sha256::of(&bytes).as_bytes())));
    }
    lines
}
