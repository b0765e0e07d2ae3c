//! Reading for somebody else: conditional, partial, streamed.

use bytes::Bytes;
use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectStoreExt};

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
        if let Some(tags) = request.if_none_match {
            // Whoever compressed the object on its way made its tag a weak one. For reading, weak and strong tags are the same.
            options.if_none_match = Some(tags.replace("W/\"", "\""));
        } else {
            // Dates of HTTP have whole seconds: the one we sent is up to a second before the instant it stands for.
            let second = TimeDelta::nanoseconds(999_999_999);
            options.if_modified_since = request.if_modified_since.map(|since| since.checked_add_signed(second).unwrap_or(since));
        }
        if let Some(range) = request.range {
            // Asking for the size first tells a range that does not exist from a store that fails.
            let size = backend.store.head(&path).await.map_err(|error| explain(key, error))?.size;
            let Some((start, end)) = range.within(size) else { return Ok(Reading::NoSuchRange(size)) };
            options.range = Some(GetRange::Bounded(start..end));
        }
        match backend.store.get_opts(&path, options).await {
            Ok(found) => Ok(Reading::Found(Found {
                size: found.meta.size,
                part: (found.range.start, found.range.end),
                is_partial: request.range.is_some(),
                e_tag: found.meta.e_tag.clone(),
                last_modified: found.meta.last_modified,
                bytes: if request.head_only { futures::stream::empty().boxed() } else { found.into_stream() },
            })),
            Err(object_store::Error::NotModified { .. }) => {
                let e_tag = backend.store.head(&path).await.map_err(|error| explain(key, error))?.e_tag;
                Ok(Reading::NotModified { e_tag })
            }
            Err(error) => Err(explain(key, error)),
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
