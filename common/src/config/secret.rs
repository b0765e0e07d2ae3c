//! A text that cannot print itself.

use std::fmt;

/// A value that must not reach a log, such as a URL with a password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one who needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The schemes of doors. Of anything else not even the beginning is shown: a secret may have a colon in it.
const SCHEMES: [&str; 6] = ["sqlite", "postgres", "postgresql", "amqp", "amqps", "in-process"];

/// The scheme of a door, which tells of what kind it is, and nothing else.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split_once(':').map_or("", |(scheme, _)| scheme);
        let scheme = if SCHEMES.contains(&scheme) { scheme } else { "" };
        write!(f, "{scheme}:…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
