//! What follows from the name of an object: where it is kept, whether it changes, and who may keep a copy for how long.

/// Which of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// What a CDN may show to everyone.
    Public,
    /// Uploads, what the registry remembers of itself, and private packages.
    Private,
}

/// Whether an object may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Written once, never replaced.
    Immutable,
    /// Replaced by newer generations.
    Mutable,
}

/// How long a reader may keep an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// A year, without asking again: the bytes never change.
    Forever,
    /// A minute at the edge and in the client. Purging makes it shorter; this bounds it when a purge is lost.
    Short,
    /// Not at all.
    Never,
}

impl CachePolicy {
    /// The `Cache-Control` header.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Short => "public, max-age=60, s-maxage=60",
            Self::Never => "private, no-store",
        }
    }
}
