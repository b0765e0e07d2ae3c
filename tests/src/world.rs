//! Everything that is the case in a registry, as one text: what is stored, what stands in the rows, what was rung, told and
//! purged. With counted ids and a clock that stands still it is the same in every run and on both engines, so a test compares it
//! whole and nothing in it is blacked out.

use std::fmt::Write as _;

use slipway_common::ids::{PackageName, PackagePath, Sha256, TaskId, Version};
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
        let key = key(&text).unwrap_or_else(|| panic!("'{text}' is no key of ours"));
        assert_eq!((key.text(), key.store()), (text.clone(), store), "an object lies where it does not belong");
        let bytes = storage.get(&key).await.expect("what is listed can be read");
        assert_eq!(bytes.len() as u64, size, "'{text}' is not as long as it says");
        lines.push(format!("{text} {size} {}", digest(Sha256::of(&bytes).as_bytes())));
    }
    lines
}

/// Reads a key back.
#[must_use]
pub fn key(text: &str) -> Option<StorageKey> {
    if let Some(rest) = text.strip_prefix("uploads/") {
        if let Some(task) = rest.strip_suffix(".tgz") {
            return Some(StorageKey::Upload(task.parse().ok()?));
        }
        let (task, attempt) = rest.strip_suffix(".plan")?.split_once('.')?;
        return Some(StorageKey::PlanPack { task: task.parse::<TaskId>().ok()?, attempt: attempt.parse().ok()? });
    }
    if let Some(rest) = text.strip_prefix("npm/@jsr/") {
        let (stem, file) = rest.split_once('/')?;
        let package = PackageName::from_npm_stem(stem).ok()?;
        return match file {
            "index.json" => Some(StorageKey::Packument(package)),
            "abbreviated.json" => Some(StorageKey::PackumentAbbreviated(package)),
            _ => {
                let version = file.strip_prefix("-/")?.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(".tgz")?;
                Some(StorageKey::NpmTarball { package, version: Version::try_from(version).ok()? })
            }
        };
    }
    if let Some(rest) = text.strip_prefix("docs/") {
        let (package, rest) = package_and_rest(rest)?;
        let [version, revision, name] = rest.splitn(3, '/').collect::<Vec<_>>().try_into().ok()?;
        let version = Version::try_from(version).ok()?;
        return Some(StorageKey::Docs { package, version, revision: revision.parse().ok()?, name: name.to_owned() });
    }
    let (package, rest) = package_and_rest(text)?;
    if rest == "meta.json" {
        return Some(StorageKey::PackageMeta(package));
    }
    match rest.split_once('/') {
        None => Some(StorageKey::VersionMeta { package, version: Version::try_from(rest.strip_suffix("_meta.json")?).ok()? }),
        Some((version, _)) => {
            let path = PackagePath::try_from(&rest[version.len()..]).ok()?;
            Some(StorageKey::Module { package, version: Version::try_from(version).ok()?, path })
        }
    }
}

/// `@s/p` and what follows it.
fn package_and_rest(text: &str) -> Option<(PackageName, &str)> {
    let slash = text.match_indices('/').nth(1)?.0;
    Some((PackageName::try_from(&text[..slash]).ok()?, &text[slash + 1..]))
}
