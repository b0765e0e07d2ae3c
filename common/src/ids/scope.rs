//! The name of a scope: `std` in `@std/path`.

use std::fmt;

use super::{InvalidName, text_serde};

/// Shortest scope or package name. One letter would be a land grab; the rule is JSR's, and clients check it too.
pub const MIN_NAME_BYTES: usize = 2;
/// Longest scope name, in bytes. JSR's rule; it also keeps npm names and file names short enough for every door.
pub const MAX_SCOPE_BYTES: usize = 20;

/// A scope: lower-case ASCII letters, digits and single inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(String);

impl ScopeName {
    /// The name without the `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as uniqueness sees it: without hyphens, so that `my-scope` and `myscope` cannot both exist.
    #[must_use]
    pub fn skeleton(&self) -> String {
        self.0.replace('-', "")
    }

    /// What the name looks like, as [`likeness`](super::likeness()) sees it.
    #[must_use]
    pub fn likeness(&self) -> String {
        super::likeness(&self.0)
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for ScopeName {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        check_hyphenated("scope", text, MAX_SCOPE_BYTES)?;
        Ok(Self(text.to_owned()))
    }
}

text_serde!(ScopeName);

/// The rule scopes and packages share; `what` names the thing in the message.
pub(super) fn check_hyphenated(what: &str, text: &str, max: usize) -> Result<(), InvalidName> {
    let fail = |why: String| Err(InvalidName(why));
    if text.len() < MIN_NAME_BYTES || text.len() > max {
        return fail(format!("{what} name must be {MIN_NAME_BYTES} to {max} characters long, '{}' has {}", shorten(text), text.len()));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return fail(format!("{what} name '{}' may hold only lower-case letters, digits and hyphens, not {bad:?}", shorten(text)));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return fail(format!("{what} name '{text}' must not start or end with a hyphen"));
    }
    if text.contains("--") {
        return fail(format!("{what} name '{text}' must not hold two hyphens in a row"));
    }
    Ok(())
}

/// A hostile name may be megabytes long: the message shows its beginning.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        for good in ["ab", "std", "a1-b2", "01234567890123456789"] {
            assert_eq!(ScopeName::try_from(good).unwrap().to_string(), good);
        }
        for bad in ["", "a", "-ab", "ab-", "a--b", "Ab", "a_b", "a.b", "ä-b", "012345678901234567890"] {
            assert!(ScopeName::try_from(bad).is_err(), "{bad}");
        }
    }
}
