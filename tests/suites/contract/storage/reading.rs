//! What a reader gets: all of it, a part, a word that it has it already, or nothing.

use chrono::TimeDelta;
use slipway_common::storage::{ByteRange, ReadRequest, Reading, StorageError};

use super::*;

on_every_store!(what_is_not_there_is_missing, async |shelf: Shelf| {
    let storage = &shelf.storage;
    put(storage, &module("/src/mod.ts"), b"bytes").await.unwrap();
    // A directory is nothing, also where it is a thing on the disk; nor is there anything below a file.
    for key in [module("/mod.ts"), module("/src"), module("/src/mod.ts/x"), meta(), upload()] {
        assert!(matches!(storage.get(&key).await, Err(StorageError::Missing(text)) if text == key.text()), "{key:?}");
        for head_only in [false, true] {
            for range in [None, Some(ByteRange::From(0))] {
                let read = storage.read(&key, ReadRequest { head_only, range, ..ReadRequest::default() }).await;
                assert!(matches!(read, Err(StorageError::Missing(_))), "{key:?}");
            }
        }
        assert_eq!(storage.look(&key).await.unwrap().bytes, None, "{key:?}");
    }
});

on_every_store!(a_reader_gets_the_part_it_asks_for, async |shelf: Shelf| {
    let key = module("/mod.ts");
    put(&shelf.storage, &key, b"0123456789").await.unwrap();
    for (range, bytes, part) in [
        (None, "0123456789", (0, 10)),
        (Some(ByteRange::Between(0, 0)), "0", (0, 1)),
        (Some(ByteRange::Between(2, 4)), "234", (2, 5)),
        (Some(ByteRange::Between(8, u64::MAX)), "89", (8, 10)),
        (Some(ByteRange::From(7)), "789", (7, 10)),
        (Some(ByteRange::Last(3)), "789", (7, 10)),
        (Some(ByteRange::Last(300)), "0123456789", (0, 10)),
    ] {
        let reading = shelf.read(&key, ReadRequest { range, ..ReadRequest::default() }).await;
        let is_partial = matches!(&reading, Reading::Found(found) if found.is_partial);
        assert_eq!((got(reading).await, is_partial), ((Bytes::from_static(bytes.as_bytes()), part, 10), range.is_some()), "{range:?}");
    }
    for range in [ByteRange::From(10), ByteRange::Between(10, 20), ByteRange::Between(4, 2), ByteRange::Last(0)] {
        let reading = shelf.read(&key, ReadRequest { range: Some(range), ..ReadRequest::default() }).await;
        assert!(matches!(reading, Reading::NoSuchRange(10)), "{range:?}: {}", kind(&reading));
    }
    let empty = module("/empty.ts");
    put(&shelf.storage, &empty, b"").await.unwrap();
    assert_eq!(got(shelf.read(&empty, ReadRequest::default()).await).await, (Bytes::new(), (0, 0), 0));
    let range = Some(ByteRange::From(0));
    assert!(matches!(shelf.read(&empty, ReadRequest { range, ..ReadRequest::default() }).await, Reading::NoSuchRange(0)));
});

on_every_store!(head_tells_everything_but_the_bytes, async |shelf: Shelf| {
    let key = module("/mod.ts");
    put(&shelf.storage, &key, b"0123456789").await.unwrap();
    let tag = match shelf.read(&key, ReadRequest::default()).await {
        Reading::Found(found) => found.e_tag,
        other => panic!("{}", kind(&other)),
    };
    let reading = shelf.read(&key, ReadRequest { head_only: true, ..ReadRequest::default() }).await;
    if let Reading::Found(found) = &reading {
        assert_eq!((&found.e_tag, found.is_partial), (&tag, false));
    }
    assert_eq!(got(reading).await, (Bytes::new(), (0, 10), 10));
});

on_every_store!(a_reader_that_has_it_is_told_so, async |shelf: Shelf| {
    let key = meta();
    let read = async |if_none_match: Option<String>, if_modified_since| {
        let reading = shelf.read(&key, ReadRequest { if_none_match, if_modified_since, ..ReadRequest::default() }).await;
        matches!(reading, Reading::NotModified { .. })
    };
    shelf.storage.put(&key, Bytes::from_static(b"one")).await.unwrap();
    let Reading::Found(found) = shelf.read(&key, ReadRequest::default()).await else { panic!("it is there") };
    let (tag, written) = (found.e_tag.unwrap(), found.last_modified);
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "a tag as HTTP has it: {tag}");
    // Whoever compresses on the way makes the tag a weak one; for reading that is the same.
    for tags in [tag.clone(), "*".to_owned(), format!("\"x\", {tag}"), format!("W/{tag}"), format!("W/\"x\",W/{tag}")] {
        assert!(read(Some(tags.clone()), None).await, "{tags}");
        assert!(read(Some(tags.clone()), Some(written - TimeDelta::days(1))).await, "the tag decides: {tags}");
    }
    assert!(!read(Some("\"x\"".to_owned()), Some(written + TimeDelta::days(1))).await, "the tag decides");
    // A date of HTTP has whole seconds: the one that we sent is a little earlier than the truth.
    let sent = chrono::DateTime::from_timestamp(written.timestamp(), 0).unwrap();
    assert!(read(None, Some(sent)).await, "the date that we sent");
    assert!(read(None, Some(sent + TimeDelta::days(1))).await);
    assert!(!read(None, Some(sent - TimeDelta::seconds(1))).await);
    match shelf.read(&key, ReadRequest { if_none_match: Some(tag.clone()), ..ReadRequest::default() }).await {
        Reading::NotModified { e_tag } => assert_eq!(e_tag.as_ref(), Some(&tag)),
        other => panic!("{}", kind(&other)),
    }
    shelf.storage.put(&key, Bytes::from_static(b"other")).await.unwrap();
    assert!(!read(Some(tag), None).await, "other bytes have another tag");
});
