//! The name of a dist-tag: `next` in `npm install @jsr/std__path@next`.

use std::fmt;

use super::scope::shorten;
use super::{InvalidName, text_serde};

/// Longest dist-tag, in bytes. It stands in every npm document of its package, and people type it.
pub const MAX_TAG_BYTES: usize = 64;

/// A dist-tag: letters, digits, dots, hyphens and underscores, with a letter in front, that no npm client takes for a version or a
/// range. `latest` is one as well; that nobody sets it by hand is not a matter of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistTag(String);

impl DistTag {
    /// The tag that follows the versions by itself.
    pub const LATEST: &str = "latest";

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DistTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for DistTag {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        let fail = |why: &str| Err(InvalidName(format!("dist-tag '{}' {why}", shorten(text))));
        if text.is_empty() || text.len() > MAX_TAG_BYTES {
            return fail(&format!("must be 1 to {MAX_TAG_BYTES} characters long"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            return fail("may hold only letters, digits, dots, hyphens and underscores");
        }
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fail("must start with a letter");
        }
        if is_like_a_range(text) {
            return fail("looks like a version or a range, which clients would take it for");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a client may read it as a version or a range: `v1`, `v2-beta`, `x`, `X.1`. What begins with a letter has no other chance.
fn is_like_a_range(text: &str) -> bool {
    let bare = text.trim_start_matches('v');
    let first = bare.split('.').next().unwrap_or_default();
    bare.starts_with(|c: char| c.is_ascii_digit()) || matches!(first, "x" | "X")
}

text_serde!(DistTag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        for good in
            ["latest", "next", "beta.2", "LTS", "aux", "con", "release-1.x", "x86", "xylo", "v", "very", "vue3", "a_b", &"t".repeat(64)]
        {
            assert_eq!(DistTag::try_from(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "1",
            "1.0.0",
            "v1",
            "vv1.2",
            "v2-beta",
            "x",
            "X",
            "x.x",
            "vx",
            "X.1",
            "*",
            "^1",
            "~1",
            ">1",
            "a b",
            "a/b",
            "ü",
            "a+b",
            "-a",
            ".a",
            "_a",
            "a\0",
            "a%2f",
            &"t".repeat(65),
        ] {
            assert!(DistTag::try_from(bad).is_err(), "{bad}");
        }
    }
}
