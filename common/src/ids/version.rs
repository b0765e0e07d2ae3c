//! The version of a package, and the bytes that order it.

#![expect(clippy::disallowed_types, reason = "this is the type that stands in front of it")]

use std::cmp::Ordering;
use std::fmt;

use super::scope::shorten;
use super::{InvalidName, text_serde};

/// Longest version, in bytes. A version is part of two file names (`<v>_meta.json`, `s__p-<v>.tgz`), which with the longest
/// scope and package must stay below the 255 bytes that file systems allow.
pub const MAX_VERSION_BYTES: usize = 128;

/// Highest major, minor or patch number: JavaScript's largest safe integer. npm clients refuse a whole package for one version
/// above it.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A strict semantic version: what is read is exactly what is printed (no `v`, no blanks, no leading zeros).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// Whether this is not a prerelease. Build metadata plays no part, whatever characters it holds.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.0.pre.is_empty()
    }

    /// The bytes that order this version among others: `a < b` by semver precedence exactly when their keys are so ordered
    /// byte by byte. Versions that differ in build metadata alone are ordered by that text.
    ///
    /// Shape: major, minor, patch as eight big-endian bytes each; then `FF` for a release, or the prerelease identifiers, a
    /// numeric one as `01`, length and digits, any other as `02`, text and `00`, ended by `00`; then the build text.
    #[must_use]
    pub fn sort_key(&self) -> SortKey {
        let mut key = self.precedence().0;
        key.extend_from_slice(self.0.build.as_bytes());
        SortKey(key)
    }

    /// The sort key without the build text: equal for versions that no client tells apart when it resolves a range or a pin.
    #[must_use]
    pub fn precedence(&self) -> SortKey {
        let mut key = Vec::with_capacity(32);
        for number in [self.0.major, self.0.minor, self.0.patch] {
            key.extend_from_slice(&number.to_be_bytes());
        }
        if self.0.pre.is_empty() {
            key.push(0xff);
        } else {
            for part in self.0.pre.split('.') {
                if part.bytes().all(|byte| byte.is_ascii_digit()) {
                    key.push(0x01);
                    key.push(u8::try_from(part.len()).expect("a version is shorter than 256 bytes"));
                    key.extend_from_slice(part.as_bytes());
                } else {
                    key.push(0x02);
                    key.extend_from_slice(part.as_bytes());
                    key.push(0x00);
                }
            }
            key.push(0x00);
        }
        SortKey(key)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<&str> for Version {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(InvalidName(format!("version '{}' is longer than {MAX_VERSION_BYTES} bytes", shorten(text))));
        }
        let version = semver::Version::parse(text)
            .map_err(|error| InvalidName(format!("'{}' is not a semantic version such as `1.2.3`: {error}", shorten(text))))?;
        if [version.major, version.minor, version.patch].into_iter().any(|number| number > MAX_NUMBER) {
            return Err(InvalidName(format!("version '{text}' has a number above {MAX_NUMBER}, which JavaScript cannot count to")));
        }
        if version.to_string() == text {
            Ok(Self(version))
        } else {
            Err(InvalidName(format!("version '{text}' must be written `{version}`")))
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0).then_with(|| self.0.build.as_str().cmp(other.0.build.as_str()))
    }
}

text_serde!(Version);

/// Semver precedence as bytes, see [`Version::sort_key`]. Both engines order bytes as bytes, which no collation can change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(Vec<u8>);

impl SortKey {
    /// The bytes as they are stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chain of the semver specification, section 11, with the cases that text ordering gets wrong.
    const ASCENDING: &[&str] = &[
        "0.0.0-0",
        "0.9.0",
        "0.10.0",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-99999999999999999999",
        "1.0.0--",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-alpha0",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.0+0",
        "1.0.0+a-b",
        "1.0.1-a",
        "2.0.0",
        "10.0.0",
        "9007199254740991.0.0",
    ];

    #[test]
    fn keys_order_as_versions_do() {
        for (i, a) in ASCENDING.iter().enumerate() {
            for (j, b) in ASCENDING.iter().enumerate() {
                let (a, b) = (Version::try_from(*a).unwrap(), Version::try_from(*b).unwrap());
                assert_eq!(a.cmp(&b), i.cmp(&j), "{a} and {b}");
                assert_eq!(a.sort_key().cmp(&b.sort_key()), i.cmp(&j), "keys of {a} and {b}");
            }
        }
    }

    #[test]
    fn refuses_what_does_not_read_back() {
        for bad in ["", "1", "1.2", "v1.2.3", "1.2.3 ", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "latest", "9007199254740992.0.0"] {
            assert!(Version::try_from(bad).is_err(), "{bad}");
        }
        assert!(Version::try_from(format!("1.2.3-{}", "a".repeat(200)).as_str()).is_err());
        assert!(!Version::try_from("1.2.3-a").unwrap().is_stable());
        assert!(Version::try_from("1.2.3+a-b").unwrap().is_stable());
    }
}
