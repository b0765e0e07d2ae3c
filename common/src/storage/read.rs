//! Reading for somebody else: conditional, partial, streamed.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};

use super::{Storage, StorageError, StorageKey, explain};
use crate::clock::Instant;

/// What a reader asks for.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    /// `If-None-Match` as it came.
    pub if_none_match: Option<String>,
    /// `If-Modified-Since`, looked at only without `If-None-Match`.
    pub if_modified_since: Option<Instant>,
    /// A part of the object.
    pub range: Option<ByteRange>,
    /// Everything but the bytes.
    pub head_only: bool,
}

/// A part of an object, as a reader may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first to the last byte, both included.
    Between(u64, u64),
    /// From a byte to the end.
    From(u64),
    /// The last bytes.
    Last(u64),
}

impl ByteRange {
    /// The bytes of an object of `size` that this means, end excluded; `None` when it has none of them.
    fn within(self, size: u64) -> Option<(u64, u64)> {
        let (start, end) = match self {
            Self::Between(first, last) if first <= last => (first, last.saturating_add(1).min(size)),
            Self::Between(..) => return None,
            Self::From(first) => (first, size),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        (start < end).then_some((start, end))
    }
}

/// What a reader gets.
pub enum Reading {
    /// The object, or a part of it.
    Found(Found),
    /// The reader has it already.
    NotModified {
        /// The tag it has.
        e_tag: Option<String>,
    },
    /// The object has no such part; it has this many bytes.
    NoSuchRange(u64),
}

/// An object on its way to a reader.
pub struct Found {
    /// Length of the whole object.
    pub size: u64,
    /// The part that is sent, end excluded.
    pub part: (u64, u64),
    /// Whether the reader asked for a part.
    pub is_partial: bool,
    /// Changes whenever the bytes do.
    pub e_tag: Option<String>,
    /// When it was written.
    pub last_modified: Instant,
    /// The bytes; empty when the reader asked for none.
    pub bytes: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

impl Storage {
    /// Reads an object for somebody else.
    ///
    /// # Errors
    /// [`StorageError::Missing`], or when the store fails.
    pub async fn read(&self, key: &StorageKey, request: ReadRequest) -> Result<Reading, StorageError> {
        let (backend, path) = self.place(key);
        let mut options = GetOptions { head: request.head_only, ..GetOptions::default() };
        if request.range.is_some() || request.is_conditional() {
            // Looking first tells what there is to send. Stores differ in what they make of several tags, weak ones, and ranges
            // that do not exist; here all of them are alike.
            let meta = backend.store.head(&path).await.map_err(|error| explain(key, error))?;
            if request.is_satisfied_by(&meta) {
                return Ok(Reading::NotModified { e_tag: meta.e_tag });
            }
            if let Some(range) = request.range {
                let Some((start, end)) = range.within(meta.size) else { return Ok(Reading::NoSuchRange(meta.size)) };
                options.range = Some(GetRange::Bounded(start..end));
            }
        }
        let found = backend.store.get_opts(&path, options).await.map_err(|error| explain(key, error))?;
        Ok(Reading::Found(Found {
            size: found.meta.size,
            part: (found.range.start, found.range.end),
            is_partial: request.range.is_some(),
            e_tag: found.meta.e_tag.clone(),
            last_modified: found.meta.last_modified,
            bytes: if request.head_only { futures::stream::empty().boxed() } else { found.into_stream() },
        }))
    }
}

impl ReadRequest {
    fn is_conditional(&self) -> bool {
        self.if_none_match.is_some() || self.if_modified_since.is_some()
    }

    /// Whether the reader has what there is. A tag decides where there is one, as RFC 9110 (13.2.2) has it.
    fn is_satisfied_by(&self, meta: &ObjectMeta) -> bool {
        // Whoever compressed the object on its way made its tag a weak one. For reading, weak and strong tags are the same.
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if tags.trim() == "*" => true,
            (Some(tags), _) => meta.e_tag.as_deref().is_some_and(|tag| tags.split(',').any(|theirs| opaque(theirs) == opaque(tag))),
            // Dates of HTTP have whole seconds: the one we sent is up to a second before the instant it stands for.
            (None, Some(since)) => meta.last_modified.timestamp() <= since.timestamp(),
            (None, None) => false,
        }
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("size", &self.size).field("part", &self.part).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(ByteRange::Between(0, 0).within(10), Some((0, 1)));
        assert_eq!(ByteRange::Between(5, 500).within(10), Some((5, 10)));
        assert_eq!(ByteRange::Between(10, 12).within(10), None);
        assert_eq!(ByteRange::Between(5, 4).within(10), None);
        assert_eq!(ByteRange::From(3).within(10), Some((3, 10)));
        assert_eq!(ByteRange::Last(3).within(10), Some((7, 10)));
        assert_eq!(ByteRange::Last(30).within(10), Some((0, 10)));
        assert_eq!(ByteRange::Last(0).within(10), None);
        assert_eq!(ByteRange::Last(3).within(0), None);
        assert_eq!(ByteRange::Between(0, u64::MAX).within(10), Some((0, 10)));
    }
}
