//! Objects: bytes under typed keys, in a public and a private store.
//!
//! A key knows its content type, cache policy and mutability. What is immutable is created and never replaced. Mutable
//! documents are replaced on condition that nobody else did, where the backend can.

mod backend;
mod cloud;
mod content_type;
mod error;
mod inventory;
mod key;
mod parse;
mod policy;
mod read;
mod unfinished;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use tokio::io::AsyncWriteExt;

use crate::ids::Sha256;
use crate::shutdown::aside;
use backend::{Backend, Directory};

pub use error::StorageError;
pub use inventory::{Cleared, Listed};
pub use key::{PACKAGE_RECORDS, PROVENANCE_RECORDS, PUBLISHERS_RECORDS, SCOPE_RECORDS, StorageKey, UPLOADS, USER_RECORDS, VERSION_RECORDS};
pub use policy::{CachePolicy, Mutability, Store};
pub use read::{ByteRange, Found, ReadRequest, Reading};

/// From this size on an upload is sent in parts. S3 allows no smaller parts.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// From this size on an object that may be written in parts is: a part that fails is sent again, not the whole.
const LARGE_BYTES: usize = 32 * 1024 * 1024;

/// The two stores of a registry.
#[derive(Debug, Clone)]
pub struct Storage {
    public: Backend,
    private: Backend,
}

/// What was seen of a mutable object.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its bytes, if it exists.
    pub bytes: Option<Bytes>,
    /// By which it is known when it is replaced. Nothing when it does not exist.
    pub tag: Option<Tag>,
}

/// Tells one state of a mutable object from every other.
#[derive(Debug, Clone)]
pub struct Tag(UpdateVersion);

impl Storage {
    /// Opens the stores that two URLs name. Missing directories are made, the private one for its owner alone.
    ///
    /// # Errors
    /// When a URL is of no known kind, or a directory cannot be made.
    pub fn open(public: &str, private: &str) -> Result<Self, StorageError> {
        Ok(Self { public: Backend::open(public, Directory::Make)?, private: Backend::open(private, Directory::MakePrivate)? })
    }

    /// The same for stores that are there: nothing is made.
    ///
    /// # Errors
    /// When a URL is of no known kind, or a directory is missing.
    pub fn open_existing(public: &str, private: &str) -> Result<Self, StorageError> {
        Ok(Self { public: Backend::open(public, Directory::Expect)?, private: Backend::open(private, Directory::Expect)? })
    }

    fn backend(&self, store: Store) -> &Backend {
        match store {
            Store::Public => &self.public,
            Store::Private => &self.private,
        }
    }

    fn place(&self, key: &StorageKey) -> (&Backend, Path) {
        let backend = self.backend(key.store());
        (backend, within(&backend.root, &key.path()))
    }

    /// Creates an object that is written once. When it exists with the same bytes, that is success.
    ///
    /// # Errors
    /// [`StorageError::Defect`] when it exists with other bytes.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn put_once(&self, key: &StorageKey, bytes: Bytes, digest: &Sha256) -> Result<(), StorageError> {
        let (backend, path) = self.place(key);
        let options = PutOptions { mode: PutMode::Create, attributes: attributes(backend, key), ..PutOptions::default() };
        match backend.writes.put_opts(&path, bytes.into(), options).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let found = self.get(key).await?;
                if aside(move || Sha256::of(&found)).await == *digest { Ok(()) } else { Err(StorageError::Defect(key.text())) }
            }
            Err(error) => Err(explain(key, error)),
        }
    }

    /// Writes an object, whatever was there. Only for objects nobody else can be writing: uploads and plan packs.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn put(&self, key: &StorageKey, bytes: Bytes) -> Result<(), StorageError> {
        if bytes.len() >= LARGE_BYTES {
            let mut writer = self.writer(key);
            writer.write(bytes).await?;
            return writer.finish().await;
        }
        let (backend, path) = self.place(key);
        let options = PutOptions { attributes: attributes(backend, key), ..PutOptions::default() };
        backend.writes.put_opts(&path, bytes.into(), options).await.map_err(|error| explain(key, error))?;
        Ok(())
    }

    /// A writer for an object whose length is not known yet. Nothing exists under the key before [`ObjectWriter::finish`].
    #[must_use]
    pub fn writer(&self, key: &StorageKey) -> ObjectWriter {
        let (backend, path) = self.place(key);
        let inner = BufWriter::with_capacity(backend.writes.clone(), path, PART_BYTES).with_attributes(attributes(backend, key));
        ObjectWriter { inner, key: key.clone() }
    }

    /// Looks at a mutable object before it is replaced.
    ///
    /// # Errors
    /// When the store fails; a missing object is no error.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn look(&self, key: &StorageKey) -> Result<Seen, StorageError> {
        let (backend, path) = self.place(key);
        match backend.store.get(&path).await {
            Ok(found) => {
                let tag = Tag(UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() });
                let bytes = found.bytes().await.map_err(|error| explain(key, error))?;
                Ok(Seen { bytes: Some(bytes), tag: Some(tag) })
            }
            Err(error) => match explain(key, error) {
                StorageError::Missing(_) => Ok(Seen { bytes: None, tag: None }),
                error => Err(error),
            },
        }
    }

    /// Replaces a mutable object, provided it is still in the state that `seen` stands for, or still does not exist. Returns the tag
    /// of the new state, with which it can be replaced again without another look; nothing where the backend has no conditions.
    ///
    /// # Errors
    /// [`StorageError::Replaced`] when somebody else was faster.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn replace(&self, key: &StorageKey, bytes: Bytes, seen: Option<Tag>) -> Result<Option<Tag>, StorageError> {
        let (backend, path) = self.place(key);
        let mode = match seen {
            _ if !backend.replaces_conditionally => PutMode::Overwrite,
            Some(Tag(version)) => PutMode::Update(version),
            None => PutMode::Create,
        };
        let options = PutOptions { mode, attributes: attributes(backend, key), ..PutOptions::default() };
        match backend.writes.put_opts(&path, bytes.into(), options).await {
            Ok(put) => Ok(backend.replaces_conditionally.then(|| Tag(put.into()))),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Err(StorageError::Replaced(key.text()))
            }
            Err(error) => Err(explain(key, error)),
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// [`StorageError::Missing`], or when the store fails.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn get(&self, key: &StorageKey) -> Result<Bytes, StorageError> {
        let (backend, path) = self.place(key);
        let found = backend.store.get(&path).await.map_err(|error| explain(key, error))?;
        found.bytes().await.map_err(|error| explain(key, error))
    }

    /// Deletes an object. A missing one is no error.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(level = "debug", skip_all, fields(key = key.text()))]
    pub async fn delete(&self, key: &StorageKey) -> Result<(), StorageError> {
        let (backend, path) = self.place(key);
        match backend.writes.delete(&path).await {
            Ok(()) => Ok(()),
            Err(error) => match explain(key, error) {
                StorageError::Missing(_) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Every key of a store as text with its size, in order. For reconcilers and snapshots, not for readers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, store: Store) -> Result<Vec<(String, u64)>, StorageError> {
        let backend = self.backend(store);
        let root = (!backend.root.as_ref().is_empty()).then_some(&backend.root);
        let skipped = root.map_or(0, |root| root.as_ref().len() + 1);
        let mut keys: Vec<_> = backend
            .store
            .list(root)
            .map_ok(|meta| (meta.location.as_ref()[skipped..].to_owned(), meta.size))
            .try_collect()
            .await
            .map_err(StorageError::Backend)?;
        keys.sort();
        Ok(keys)
    }

    /// Checks that both stores answer.
    ///
    /// # Errors
    /// When one does not.
    pub async fn check(&self) -> Result<(), StorageError> {
        for store in [Store::Public, Store::Private] {
            let backend = self.backend(store);
            let probe = within(&backend.root, &Path::from(UPLOADS));
            if let Some(Err(error)) = backend.store.list(Some(&probe)).next().await {
                return Err(StorageError::Backend(error));
            }
        }
        Ok(())
    }
}

/// Writes an object bit by bit. Dropped without [`finish`](Self::finish), it leaves nothing behind that a reader could see.
#[derive(Debug)]
pub struct ObjectWriter {
    inner: BufWriter,
    key: StorageKey,
}

impl ObjectWriter {
    /// Adds bytes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.inner.put(bytes).await.map_err(|error| explain(&self.key, error))
    }

    /// Makes the object exist.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(level = "debug", skip_all, fields(key = self.key.text()))]
    pub async fn finish(mut self) -> Result<(), StorageError> {
        self.inner.shutdown().await.map_err(|source| StorageError::Directory { path: self.key.text(), source })
    }

    /// Takes back what was sent so far.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn abort(mut self) -> Result<(), StorageError> {
        self.inner.abort().await.map_err(|error| explain(&self.key, error))
    }
}

fn within(root: &Path, key: &Path) -> Path {
    root.parts().chain(key.parts()).collect()
}

fn attributes(backend: &Backend, key: &StorageKey) -> Attributes {
    if !backend.keeps_attributes {
        return Attributes::new();
    }
    Attributes::from_iter([(Attribute::ContentType, key.content_type()), (Attribute::CacheControl, key.cache().header())])
}

fn explain(key: &StorageKey, error: object_store::Error) -> StorageError {
    match error {
        object_store::Error::NotFound { .. } => StorageError::Missing(key.text()),
        other if is_below_a_file(&other) => StorageError::Missing(key.text()),
        other => StorageError::Backend(other),
    }
}

/// Whether a key goes on where a plain file ends. There is nothing below a file, and the file system says so in words of its own.
fn is_below_a_file(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::NotADirectory) {
            return true;
        }
        cause = error.source();
    }
    false
}
