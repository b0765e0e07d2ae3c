//! What every object store promises: what is written once stays, what changes changes for one writer at a time, and a reader
//! gets the part it asked for.

use std::path::Path;

use bytes::Bytes;
use chrono::TimeDelta;
use futures::TryStreamExt as _;
use slipway_common::ids::{IdSource, PackageName, PackagePath, Sha256, Version};
use slipway_common::storage::{ByteRange, ReadRequest, Reading, Storage, StorageError, StorageKey, Store};
use tempfile::TempDir;

use crate::bench::{package_name, version_of};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Files,
}

/// A store for one test; its directory, where it has one.
pub(crate) struct Shelf {
    pub(crate) backend: Backend,
    pub(crate) storage: Storage,
    pub(crate) place: TempDir,
}

impl Shelf {
    pub(crate) fn make(backend: Backend) -> Self {
        let place = TempDir::with_prefix("slipway-objects-").unwrap();
        let storage = match backend {
            Backend::Memory => Storage::open("memory:", "memory:"),
            Backend::Files => {
                let url = |name: &str| format!("file:{}", place.path().join(name).display());
                Storage::open(&url("public"), &url("private"))
            }
        };
        Self { backend, storage: storage.unwrap(), place }
    }

    /// Every key of both stores with its size.
    async fn keys(&self) -> Vec<(String, u64)> {
        let mut keys = self.storage.list(Store::Public).await.unwrap();
        keys.extend(self.storage.list(Store::Private).await.unwrap());
        keys
    }

    /// Every file on the disk, unfinished ones included.
    pub(crate) fn files(&self) -> Vec<String> {
        fn walk(directory: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() { walk(&entry.path(), found) } else { found.push(entry.path().display().to_string()) }
            }
        }
        let mut found = Vec::new();
        walk(self.place.path(), &mut found);
        let root = format!("{}/", self.place.path().display());
        found.iter().map(|path| path.replacen(&root, "", 1)).collect()
    }

    async fn read(&self, key: &StorageKey, request: ReadRequest) -> Reading {
        self.storage.read(key, request).await.unwrap()
    }
}

/// Makes two tests of one body, one for each store that needs no service.
macro_rules! on_both_stores {
    ($name:ident, $case:expr $(,)?) => {
        mod $name {
            use super::*;
            use $crate::storage::{Backend, Shelf};

            #[tokio::test]
            async fn memory() {
                let case: fn(Shelf) -> futures::future::LocalBoxFuture<'static, ()> = |shelf| Box::pin(($case)(shelf));
                case(Shelf::make(Backend::Memory)).await;
            }

            #[tokio::test]
            async fn files() {
                let case: fn(Shelf) -> futures::future::LocalBoxFuture<'static, ()> = |shelf| Box::pin(($case)(shelf));
                case(Shelf::make(Backend::Files)).await;
            }
        }
    };
}
pub(crate) use on_both_stores;

fn package() -> PackageName {
    package_name("@std/path")
}

pub(crate) fn module(path: &str) -> StorageKey {
    StorageKey::Module { package: package(), version: version_of("1.0.0"), path: PackagePath::try_from(path).unwrap() }
}

fn meta() -> StorageKey {
    StorageKey::PackageMeta(package())
}

fn upload() -> StorageKey {
    StorageKey::Upload(IdSource::counting().next())
}

pub(crate) async fn put(storage: &Storage, key: &StorageKey, bytes: &'static [u8]) -> Result<(), StorageError> {
    storage.put_once(key, Bytes::from_static(bytes), &Sha256::of(bytes)).await
}

/// The bytes that a reader got, with their place in the whole.
async fn got(reading: Reading) -> (Bytes, (u64, u64), u64) {
    let found = match reading {
        Reading::Found(found) => found,
        other => panic!("{}", kind(&other)),
    };
    let (part, size) = (found.part, found.size);
    let bytes: Vec<Bytes> = found.bytes.try_collect().await.unwrap();
    (Bytes::from(bytes.concat()), part, size)
}

fn kind(reading: &Reading) -> &'static str {
    match reading {
        Reading::Found(_) => "found",
        Reading::NotModified { .. } => "not modified",
        Reading::NoSuchRange(_) => "no such range",
    }
}

on_both_stores!(what_is_written_once_stays, async |shelf: Shelf| {
    let key = module("/mod.ts");
    put(&shelf.storage, &key, b"first").await.unwrap();
    put(&shelf.storage, &key, b"first").await.unwrap();
    let other = put(&shelf.storage, &key, b"other").await;
    assert!(matches!(&other, Err(StorageError::Defect(text)) if *text == key.text()), "{other:?}");
    assert_eq!(shelf.storage.get(&key).await.unwrap(), "first");
    assert_eq!(shelf.keys().await, [("@std/path/1.0.0/mod.ts".to_owned(), 5)]);
});

on_both_stores!(one_of_many_writers_wins_whole, async |shelf: Shelf| {
    let key = module("/mod.ts");
    let texts: [Bytes; 8] = std::array::from_fn(|index| vec![u8::try_from(index).unwrap(); 100_000].into());
    let digests = texts.each_ref().map(|text| Sha256::of(text));
    let writes = texts.iter().zip(&digests).map(|(text, digest)| shelf.storage.put_once(&key, text.clone(), digest));
    let outcomes = futures::future::join_all(writes).await;
    let won: Vec<usize> = (0..8).filter(|index| outcomes[*index].is_ok()).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    assert_eq!(shelf.storage.get(&key).await.unwrap(), texts[won[0]]);
    let again = (0..8).map(|_| shelf.storage.put_once(&key, texts[won[0]].clone(), &digests[won[0]]));
    assert!(futures::future::join_all(again).await.iter().all(Result::is_ok));
    assert_eq!(shelf.keys().await.len(), 1);
});

on_both_stores!(an_upload_may_be_written_again, async |shelf: Shelf| {
    let key = upload();
    shelf.storage.put(&key, Bytes::from_static(b"first")).await.unwrap();
    shelf.storage.put(&key, Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(shelf.storage.get(&key).await.unwrap(), "second");
    assert_eq!(shelf.storage.list(Store::Public).await.unwrap(), [], "uploads are nobody's business");
});

on_both_stores!(a_document_is_replaced_by_who_saw_it, async |shelf: Shelf| {
    let (key, storage) = (meta(), &shelf.storage);
    let nothing = storage.look(&key).await.unwrap();
    assert_eq!(nothing.bytes, None);
    storage.replace(&key, Bytes::from_static(b"one"), nothing.clone()).await.unwrap();
    let one = storage.look(&key).await.unwrap();
    assert_eq!(one.bytes.as_deref(), Some(&b"one"[..]));
    storage.replace(&key, Bytes::from_static(b"two"), one.clone()).await.unwrap();
    for late in [nothing, one] {
        let refused = storage.replace(&key, Bytes::from_static(b"late"), late).await;
        match shelf.backend {
            Backend::Memory => {
                assert!(matches!(&refused, Err(StorageError::Replaced(text)) if *text == key.text()), "{refused:?}");
                assert_eq!(storage.get(&key).await.unwrap(), "two");
            }
            // Files belong to one process, whose lease on the job is all there is.
            Backend::Files => assert!(refused.is_ok()),
        }
    }
    let two = storage.look(&key).await.unwrap();
    storage.delete(&key).await.unwrap();
    let refused = storage.replace(&key, Bytes::from_static(b"late"), two).await;
    assert_eq!(refused.is_err(), shelf.backend == Backend::Memory, "{refused:?}");
});

on_both_stores!(keys_are_addresses_to_the_letter, async |shelf: Shelf| {
    let version: Version = version_of("1.0.0-rc.1+b-2");
    let paths =
        ["/[id]/{x}~$.ts", "/(group)/@slot/a+b.tsx", "/.hidden/_x-y.z", "/[[...all]].js", "/a.ts~", "/UPPER/lower.TS", "/upper.d/x"];
    let mut expected = Vec::new();
    for path in paths {
        let path = PackagePath::try_from(path).unwrap();
        let key = StorageKey::Module { package: package(), version: version.clone(), path: path.clone() };
        let text = format!("the bytes of {path}");
        shelf.storage.put_once(&key, Bytes::from(text.clone()), &Sha256::of(text.as_bytes())).await.unwrap();
        assert_eq!(shelf.storage.get(&key).await.unwrap(), text);
        expected.push((format!("@std/path/1.0.0-rc.1+b-2{path}"), u64::try_from(text.len()).unwrap()));
    }
    expected.sort();
    assert_eq!(shelf.keys().await, expected);
    if shelf.backend == Backend::Files {
        let mut files = shelf.files();
        files.sort();
        let names: Vec<_> = expected.iter().map(|(key, _)| format!("public/{key}")).collect();
        assert_eq!(files, names, "a file system shows the address as it is");
    }
});

on_both_stores!(the_longest_names_fit, async |shelf: Shelf| {
    let package = package_name(&format!("@{}/{}", "s".repeat(20), "p".repeat(58)));
    let version = version_of(&format!("1.0.0-{}", "v".repeat(122)));
    let path = PackagePath::try_from(format!("/{}/{}", "d".repeat(58), "f".repeat(95)).as_str()).unwrap();
    for key in [
        StorageKey::Module { package: package.clone(), version: version.clone(), path },
        StorageKey::VersionMeta { package: package.clone(), version: version.clone() },
        StorageKey::NpmTarball { package, version },
    ] {
        put(&shelf.storage, &key, b"bytes").await.unwrap();
        assert_eq!(shelf.storage.get(&key).await.unwrap(), "bytes");
    }
});

on_both_stores!(what_is_not_there_is_missing, async |shelf: Shelf| {
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

on_both_stores!(what_is_deleted_is_gone, async |shelf: Shelf| {
    let storage = &shelf.storage;
    let (one, two) = (module("/src/one.ts"), module("/src/two.ts"));
    put(storage, &one, b"bytes").await.unwrap();
    put(storage, &two, b"bytes").await.unwrap();
    storage.delete(&one).await.unwrap();
    storage.delete(&one).await.unwrap();
    storage.delete(&meta()).await.unwrap();
    assert_eq!(shelf.keys().await, [("@std/path/1.0.0/src/two.ts".to_owned(), 5)]);
    put(storage, &one, b"other").await.unwrap();
    assert_eq!(storage.get(&one).await.unwrap(), "other");
});

on_both_stores!(a_reader_gets_the_part_it_asks_for, async |shelf: Shelf| {
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

on_both_stores!(head_tells_everything_but_the_bytes, async |shelf: Shelf| {
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

on_both_stores!(a_reader_that_has_it_is_told_so, async |shelf: Shelf| {
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

/// More than one part of an upload.
const LARGE: usize = 12 * 1024 * 1024 + 7;

on_both_stores!(an_object_is_written_bit_by_bit, async |shelf: Shelf| {
    for (index, size) in [0, 1, 5 * 1024 * 1024, LARGE].into_iter().enumerate() {
        let key = StorageKey::PlanPack { task: IdSource::counting().next(), attempt: i64::try_from(index).unwrap() };
        let whole: Bytes = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect::<Vec<_>>().into();
        let mut writer = shelf.storage.writer(&key);
        for start in (0..size).step_by(700_000) {
            writer.write(whole.slice(start..size.min(start + 700_000))).await.unwrap();
            assert!(matches!(shelf.storage.get(&key).await, Err(StorageError::Missing(_))), "nothing is there before the end");
        }
        writer.finish().await.unwrap();
        assert_eq!(Sha256::of(&shelf.storage.get(&key).await.unwrap()), Sha256::of(&whole), "{size}");
    }
});

on_both_stores!(what_is_not_finished_leaves_nothing, async |shelf: Shelf| {
    for size in [0, 1_000, LARGE] {
        for aborts in [true, false] {
            let mut writer = shelf.storage.writer(&upload());
            for _ in (0..size).step_by(1_000_000) {
                writer.write(Bytes::from(vec![7; size.min(1_000_000)])).await.unwrap();
            }
            if aborts {
                writer.abort().await.unwrap();
                assert_eq!(shelf.files(), [""; 0], "after an abort at {size} bytes");
            } else {
                drop(writer);
            }
            assert_eq!(shelf.keys().await, []);
            assert!(matches!(shelf.storage.get(&upload()).await, Err(StorageError::Missing(_))));
        }
    }
});

on_both_stores!(a_store_says_whether_it_answers, async |shelf: Shelf| {
    shelf.storage.check().await.unwrap();
    shelf.storage.put(&upload(), Bytes::from_static(b"bytes")).await.unwrap();
    shelf.storage.check().await.unwrap();
});

#[tokio::test]
async fn files_outlive_the_process() {
    let shelf = Shelf::make(Backend::Files);
    let key = module("/mod.ts");
    put(&shelf.storage, &key, b"bytes").await.unwrap();
    let url = |name: &str| format!("file:{}", shelf.place.path().join(name).display());
    let reopened = Storage::open(&url("public"), &url("private")).unwrap();
    assert_eq!(reopened.get(&key).await.unwrap(), "bytes");
    assert!(matches!(put(&reopened, &key, b"other").await, Err(StorageError::Defect(_))));
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in ["", "memory", "ftp://host/x", "objects"] {
        assert!(matches!(Storage::open(url, "memory:"), Err(StorageError::Url(_))), "{url}");
        assert!(matches!(Storage::open("memory:", url), Err(StorageError::Url(_))), "{url}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = format!("file:{}/objects", file.path().display());
    assert!(matches!(Storage::open(&inside, "memory:"), Err(StorageError::Directory { .. })));
}
