//! What every object store promises: what is written once stays, what changes changes for one writer at a time, and a reader
//! gets the part it asked for.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::TryStreamExt as _;
use slipway_common::ids::{IdSource, PackageName, PackagePath, Sha256, Version};
use slipway_common::storage::{ReadRequest, Reading, Storage, StorageError, StorageKey, Store};
use slipway_tests::engines::told;
use tempfile::TempDir;

use crate::bench::{package_name, version_of};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Memory,
    Files,
    Bucket,
}

/// Tells the shelves of one bucket apart.
static SHELVES: AtomicU64 = AtomicU64::new(0);

/// The stores of one test in the bucket that `SLIPWAY_TEST_OBJECTS` names, and their URL; or `None`, with a word of why.
#[expect(clippy::print_stdout, reason = "a suite that does not run says so")]
fn shelf_of_bucket() -> Option<(Storage, String)> {
    let Some(bucket) = told("SLIPWAY_TEST_OBJECTS") else {
        let why = "SLIPWAY_TEST_OBJECTS names no bucket; `./tests/run` starts a server with one";
        assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
        println!("not run: {why}");
        return None;
    };
    // The HTTP client wants a provider even though it speaks to loopback in the clear. Another test may have been faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shelf = format!("{bucket}contract/{}-{}", std::process::id(), SHELVES.fetch_add(1, Ordering::Relaxed));
    Some((Storage::open(&format!("{shelf}/public"), &format!("{shelf}/private")).unwrap(), shelf))
}

/// A store for one test; its directory, where it has one.
struct Shelf {
    backend: Backend,
    storage: Storage,
    place: TempDir,
}

impl Shelf {
    /// An empty shelf, unless it takes a service that is not there.
    fn make(backend: Backend) -> Option<Self> {
        let place = TempDir::with_prefix("slipway-objects-").unwrap();
        let storage = match backend {
            Backend::Memory => Storage::open("memory:", "memory:").unwrap(),
            Backend::Files => {
                let url = |name: &str| format!("file:{}", place.path().join(name).display());
                Storage::open(&url("public"), &url("private")).unwrap()
            }
            Backend::Bucket => shelf_of_bucket()?.0,
        };
        Some(Self { backend, storage, place })
    }

    /// Every key of both stores with its size.
    async fn keys(&self) -> Vec<(String, u64)> {
        let mut keys = self.storage.list(Store::Public).await.unwrap();
        keys.extend(self.storage.list(Store::Private).await.unwrap());
        keys
    }

    /// Every file on the disk, unfinished ones included.
    fn files(&self) -> Vec<String> {
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

/// Makes three tests of one body, one for each kind of store.
macro_rules! on_every_store {
    ($name:ident, $case:expr $(,)?) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn memory() {
                let case: fn(Shelf) -> futures::future::LocalBoxFuture<'static, ()> = |shelf| Box::pin(($case)(shelf));
                case(Shelf::make(Backend::Memory).unwrap()).await;
            }

            #[tokio::test]
            async fn files() {
                let case: fn(Shelf) -> futures::future::LocalBoxFuture<'static, ()> = |shelf| Box::pin(($case)(shelf));
                case(Shelf::make(Backend::Files).unwrap()).await;
            }

            #[tokio::test]
            async fn bucket() {
                let case: fn(Shelf) -> futures::future::LocalBoxFuture<'static, ()> = |shelf| Box::pin(($case)(shelf));
                if let Some(shelf) = Shelf::make(Backend::Bucket) {
                    case(shelf).await;
                }
            }
        }
    };
}

mod bucket;
mod keeping;
mod reading;

fn package() -> PackageName {
    package_name("@std/path")
}

fn module(path: &str) -> StorageKey {
    StorageKey::Module { package: package(), version: version_of("1.0.0"), path: PackagePath::try_from(path).unwrap() }
}

fn meta() -> StorageKey {
    StorageKey::PackageMeta(package())
}

fn upload() -> StorageKey {
    StorageKey::Upload(IdSource::counting().next())
}

async fn put(storage: &Storage, key: &StorageKey, bytes: &'static [u8]) -> Result<(), StorageError> {
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

on_every_store!(what_is_written_once_stays, async |shelf: Shelf| {
    let key = module("/mod.ts");
    put(&shelf.storage, &key, b"first").await.unwrap();
    put(&shelf.storage, &key, b"first").await.unwrap();
    let other = put(&shelf.storage, &key, b"other").await;
    assert!(matches!(&other, Err(StorageError::Defect(text)) if *text == key.text()), "{other:?}");
    assert_eq!(shelf.storage.get(&key).await.unwrap(), "first");
    assert_eq!(shelf.keys().await, [("@std/path/1.0.0/mod.ts".to_owned(), 5)]);
});

on_every_store!(one_of_many_writers_wins_whole, async |shelf: Shelf| {
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

on_every_store!(an_upload_may_be_written_again, async |shelf: Shelf| {
    let key = upload();
    shelf.storage.put(&key, Bytes::from_static(b"first")).await.unwrap();
    shelf.storage.put(&key, Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(shelf.storage.get(&key).await.unwrap(), "second");
    assert_eq!(shelf.storage.list(Store::Public).await.unwrap(), [], "uploads are nobody's business");
});

on_every_store!(a_document_is_replaced_by_who_saw_it, async |shelf: Shelf| {
    let (key, storage) = (meta(), &shelf.storage);
    let nothing = storage.look(&key).await.unwrap();
    assert_eq!(nothing.bytes, None);
    let new = storage.replace(&key, Bytes::from_static(b"one"), nothing.tag.clone()).await.unwrap();
    let one = storage.look(&key).await.unwrap();
    assert_eq!(one.bytes.as_deref(), Some(&b"one"[..]));
    assert_eq!(new.is_some(), shelf.backend != Backend::Files, "a tag is for those who can keep to it");
    // Whoever wrote it need not look.
    storage.replace(&key, Bytes::from_static(b"two"), new.or(one.tag.clone())).await.unwrap();
    for late in [nothing.tag, one.tag] {
        let refused = storage.replace(&key, Bytes::from_static(b"late"), late).await;
        match shelf.backend {
            Backend::Memory | Backend::Bucket => {
                assert!(matches!(&refused, Err(StorageError::Replaced(text)) if *text == key.text()), "{refused:?}");
                assert_eq!(storage.get(&key).await.unwrap(), "two");
            }
            // Files belong to one process, whose lease on the job is all there is.
            Backend::Files => assert!(refused.is_ok()),
        }
    }
    let two = storage.look(&key).await.unwrap();
    storage.delete(&key).await.unwrap();
    let refused = storage.replace(&key, Bytes::from_static(b"late"), two.tag).await;
    assert_eq!(refused.is_err(), shelf.backend != Backend::Files, "{refused:?}");
});

on_every_store!(keys_are_addresses_to_the_letter, async |shelf: Shelf| {
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

on_every_store!(the_longest_names_fit, async |shelf: Shelf| {
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

on_every_store!(what_is_deleted_is_gone, async |shelf: Shelf| {
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

/// More than one part of an upload.
const LARGE: usize = 12 * 1024 * 1024 + 7;

on_every_store!(an_object_is_written_bit_by_bit, async |shelf: Shelf| {
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

on_every_store!(what_is_not_finished_leaves_nothing, async |shelf: Shelf| {
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

on_every_store!(a_store_says_whether_it_answers, async |shelf: Shelf| {
    shelf.storage.check().await.unwrap();
    shelf.storage.put(&upload(), Bytes::from_static(b"bytes")).await.unwrap();
    shelf.storage.check().await.unwrap();
});

#[tokio::test]
async fn files_outlive_the_process() {
    let shelf = Shelf::make(Backend::Files).unwrap();
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
