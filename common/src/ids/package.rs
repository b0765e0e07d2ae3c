//! The name of a package with its scope: `@std/path`, and `@jsr/std__path` to npm.

use std::fmt;

use super::scope::{check_hyphenated, shorten};
use super::{InvalidName, ScopeName, text_serde};

/// Longest package name without its scope, in bytes. JSR's rule.
pub const MAX_PACKAGE_BYTES: usize = 58;

/// A package: a scope and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    scope: ScopeName,
    name: String,
}

impl PackageName {
    /// The package `name` in `scope`.
    ///
    /// # Errors
    /// When `name` breaks the rule for package names.
    pub fn new(scope: ScopeName, name: &str) -> Result<Self, InvalidName> {
        check_hyphenated("package", name, MAX_PACKAGE_BYTES)?;
        Ok(Self { scope, name: name.to_owned() })
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &ScopeName {
        &self.scope
    }

    /// The name without the scope: `path` in `@std/path`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name without scope and hyphens, as uniqueness inside a scope sees it.
    #[must_use]
    pub fn skeleton(&self) -> String {
        self.name.replace('-', "")
    }

    /// What the name without its scope looks like, as [`likeness`](super::likeness()) sees it.
    #[must_use]
    pub fn likeness(&self) -> String {
        super::likeness(&self.name)
    }

    /// The name npm clients use: `@jsr/std__path`. Neither part can hold an underscore, so it reads back unambiguously.
    #[must_use]
    pub fn npm_name(&self) -> String {
        format!("@jsr/{}", self.npm_stem())
    }

    /// The npm name without its scope: `std__path`.
    #[must_use]
    pub fn npm_stem(&self) -> String {
        format!("{}__{}", self.scope, self.name)
    }

    /// Reads `std__path`.
    ///
    /// # Errors
    /// When the text is not two valid names joined by two underscores.
    pub fn from_npm_stem(stem: &str) -> Result<Self, InvalidName> {
        let (scope, name) =
            stem.split_once("__").ok_or_else(|| InvalidName(format!("npm name '{}' must look like `scope__package`", shorten(stem))))?;
        Self::new(ScopeName::try_from(scope)?, name)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}/{}", self.scope, self.name)
    }
}

impl TryFrom<&str> for PackageName {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        let (scope, name) = text
            .strip_prefix('@')
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| InvalidName(format!("package name '{}' must look like `@scope/package`", shorten(text))))?;
        Self::new(ScopeName::try_from(scope)?, name)
    }
}

text_serde!(PackageName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings() {
        let name = PackageName::try_from("@std/path").unwrap();
        assert_eq!(name.to_string(), "@std/path");
        assert_eq!(name.npm_name(), "@jsr/std__path");
        assert_eq!(PackageName::from_npm_stem("std__path").unwrap(), name);
        for bad in ["std/path", "@std", "@std/", "@/path", "@std/a/b", "@std/Path"] {
            assert!(PackageName::try_from(bad).is_err(), "{bad}");
        }
        assert!(PackageName::from_npm_stem("std_path").is_err());
    }
}
