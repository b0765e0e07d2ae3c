//! The entry points of a package: `.` and `./sub`, and the files they name.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::text_serde;

/// The key of an export: `.` or `./name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportKey(String);

impl ExportKey {
    /// The key of the main entry point, `.`.
    #[must_use]
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// The key as it is written: `.` or `./sub`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the main entry point.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// The key for the sub-path of a specifier, `sub` in `jsr:@s/p/sub`; `None` means the main entry point.
    ///
    /// # Errors
    /// When the sub-path is not a valid key.
    pub fn from_sub_path(sub_path: Option<&str>) -> Result<Self, ExportKeyProblem> {
        match sub_path {
            None | Some("" | ".") => Ok(Self::root()),
            Some(sub_path) => Self::try_from(format!("./{sub_path}").as_str()),
        }
    }
}

impl fmt::Display for ExportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which rule an export key breaks. Each reads on after `export '<key>'`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportKeyProblem {
    /// It is neither `.` nor does it start with `./`.
    #[error("must be '.' or start with './', did you mean './{0}'?")]
    MissingPrefix(String),
    /// It ends with a slash.
    #[error("must not end with '/'")]
    TrailingSlash,
    /// A character outside `[A-Za-z0-9_./-]`.
    #[error("holds invalid characters: only letters, digits, '_', '.', '/' and '-' are allowed")]
    Character,
    /// An empty part, or one of dots alone.
    #[error("must not hold double slashes, or parts made of dots alone")]
    EmptyPart,
}

impl TryFrom<&str> for ExportKey {
    type Error = ExportKeyProblem;

    fn try_from(text: &str) -> Result<Self, ExportKeyProblem> {
        if text == "." {
            return Ok(Self::root());
        }
        let rest =
            text.strip_prefix("./").ok_or_else(|| ExportKeyProblem::MissingPrefix(text.trim_start_matches(['.', '/']).to_owned()))?;
        if text.ends_with('/') {
            return Err(ExportKeyProblem::TrailingSlash);
        }
        if !rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_./-".contains(&b)) {
            return Err(ExportKeyProblem::Character);
        }
        if rest.split('/').any(|part| part.bytes().all(|b| b == b'.')) {
            return Err(ExportKeyProblem::EmptyPart);
        }
        Ok(Self(text.to_owned()))
    }
}

text_serde!(ExportKey);

/// The file an export names, as the author wrote it: `./mod.ts`. Clients compare this text, so it is never normalised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportTarget(String);

impl ExportTarget {
    /// The text as written, with `./` in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a path from the package's root: `/mod.ts`. It need not be a valid package path, nor exist.
    #[must_use]
    pub fn rooted(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Display for ExportTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which rule the file of an export breaks. Each reads on after `the path '<path>' for <subject>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportTargetProblem {
    /// Nothing is written.
    #[error("must be a non-empty relative path")]
    Empty,
    /// The leading `./` is missing.
    #[error("could not be resolved as a relative path from the config file, did you mean './{0}'?")]
    MissingPrefix(String),
    /// It names a directory, or a file without an extension.
    #[error("must not end in / and must have a file extension")]
    NoExtension,
}

impl TryFrom<&str> for ExportTarget {
    type Error = ExportTargetProblem;

    fn try_from(text: &str) -> Result<Self, ExportTargetProblem> {
        if text.is_empty() {
            return Err(ExportTargetProblem::Empty);
        }
        if !text.starts_with("./") {
            return Err(ExportTargetProblem::MissingPrefix(text.trim_start_matches('/').to_owned()));
        }
        let last = text.rsplit('/').next().expect("a split has at least one part");
        if last.is_empty() || !last.contains('.') {
            return Err(ExportTargetProblem::NoExtension);
        }
        Ok(Self(text.to_owned()))
    }
}

text_serde!(ExportTarget);

/// The exports of a version, in the order the author wrote them. That order is part of the version's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Exports(pub IndexMap<ExportKey, ExportTarget>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in [".", "./a", "./a/b-c_d.e", "./.hidden"] {
            assert_eq!(ExportKey::try_from(good).unwrap().as_str(), good);
        }
        assert_eq!(ExportKey::try_from("a"), Err(ExportKeyProblem::MissingPrefix("a".into())));
        assert_eq!(ExportKey::try_from("./a/"), Err(ExportKeyProblem::TrailingSlash));
        assert_eq!(ExportKey::try_from("./a*"), Err(ExportKeyProblem::Character));
        for bad in ["./a//b", "./..", "./a/./b", "./"] {
            assert!(ExportKey::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(ExportKey::from_sub_path(Some("a/b")).unwrap().as_str(), "./a/b");
        assert!(ExportKey::from_sub_path(None).unwrap().is_root());
    }

    #[test]
    fn targets() {
        assert_eq!(ExportTarget::try_from("./src/mod.ts").unwrap().rooted(), "/src/mod.ts");
        assert_eq!(ExportTarget::try_from(""), Err(ExportTargetProblem::Empty));
        assert_eq!(ExportTarget::try_from("mod.ts"), Err(ExportTargetProblem::MissingPrefix("mod.ts".into())));
        assert_eq!(ExportTarget::try_from("./src/"), Err(ExportTargetProblem::NoExtension));
        assert_eq!(ExportTarget::try_from("./src/mod"), Err(ExportTargetProblem::NoExtension));
    }
}
