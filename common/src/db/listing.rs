//! Pages of a list.

/// Most items of a page, as JSR clamps it.
const MAX_LIMIT: u32 = 100;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    limit: u32,
}

impl Page {
    /// Page `number` (counted from one; zero means one) of at most `limit` items (1 to 100).
    #[must_use]
    pub fn new(number: u32, limit: u32) -> Self {
        Self { number: number.max(1), limit: limit.clamp(1, MAX_LIMIT) }
    }

    pub(super) fn limit(self) -> i64 {
        i64::from(self.limit)
    }

    pub(super) fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.limit)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new(1, MAX_LIMIT)
    }
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// How many items there are on all pages.
    pub total: i64,
}
