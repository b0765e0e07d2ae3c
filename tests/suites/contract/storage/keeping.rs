//! What housekeeping sees of a store: its keys a page at a time, and files that a crash left unfinished.

use chrono::TimeDelta;
use slipway_common::clock::Instant;
use slipway_common::storage::{Cleared, UPLOADS};

use super::*;

on_every_store!(a_store_is_gone_through_page_by_page, async |shelf: Shelf| {
    let ids = IdSource::counting();
    let mut expected = Vec::new();
    for size in 0..7 {
        let key = StorageKey::Upload(ids.next());
        shelf.storage.put(&key, Bytes::from(vec![0; size])).await.unwrap();
        expected.push((key.text(), size as u64));
    }
    put(&shelf.storage, &module("/mod.ts"), b"elsewhere").await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = shelf.storage.page(Store::Private, UPLOADS, after.as_deref(), 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        seen.extend(page.into_iter().map(|object| (object.key, object.size)));
    }
    assert_eq!(seen, expected);
    assert_eq!(shelf.storage.page(Store::Public, UPLOADS, None, 3).await.unwrap(), []);
});

on_every_store!(unfinished_files_are_cleared_when_they_are_old, async |shelf: Shelf| {
    let storage = &shelf.storage;
    for path in ["/a.ts", "/b/c.ts", "/d.ts"] {
        put(storage, &module(path), b"bytes").await.unwrap();
    }
    let clear =
        async |before: Instant, after: Option<String>, limit| storage.clear_unfinished(Store::Public, before, after, limit).await.unwrap();
    let new_year: Instant = "2020-01-01T00:00:00Z".parse().unwrap();
    if shelf.backend != Backend::Files {
        assert_eq!(clear(new_year, None, 1).await, Cleared { deleted: 0, next: None });
        return;
    }
    let place = shelf.place.path().join("public/@std/path/1.0.0");
    // Two were left by a crash long ago, one is being written, and two only look like them.
    for (name, age) in [("a.ts#1", 1), ("b/c.ts#23", 2), ("b/e.ts#1", -1), ("b/f.ts#x", 9), ("b/#", 9)] {
        let file = std::fs::File::create(place.join(name)).unwrap();
        file.set_modified((new_year - TimeDelta::days(age)).into()).unwrap();
    }
    let files = || {
        let mut files = shelf.files();
        files.sort();
        files.iter().map(|path| path.replacen("public/@std/path/1.0.0/", "", 1)).collect::<Vec<_>>().join(" ")
    };
    let all = "a.ts a.ts#1 b/# b/c.ts b/c.ts#23 b/e.ts#1 b/f.ts#x d.ts";
    assert_eq!((clear(new_year - TimeDelta::days(2), None, 100).await, files().as_str()), (Cleared { deleted: 0, next: None }, all));
    // A file at a time, and the one after which it went on is gone meanwhile.
    let (mut deleted, mut steps, mut after) = (0, 0, None);
    loop {
        let cleared = clear(new_year, after, 1).await;
        deleted += cleared.deleted;
        steps += 1;
        after = cleared.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((deleted, steps, files().as_str()), (2, 9, "a.ts b/# b/c.ts b/e.ts#1 b/f.ts#x d.ts"));
});

on_every_store!(digests_are_read_and_the_whole_store_is_listed, async |shelf: Shelf| {
    let key = module("/mod.ts");
    assert_eq!(shelf.storage.digest(&key).await.unwrap(), None);
    put(&shelf.storage, &key, b"export {};").await.unwrap();
    assert_eq!(shelf.storage.digest(&key).await.unwrap(), Some((10, Sha256::of(b"export {};"))));
    let listed = shelf.storage.page(Store::Public, "", None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), [key.text()]);
    assert_eq!(StorageKey::parse(Store::Public, &listed[0].key), Some(key));
});
