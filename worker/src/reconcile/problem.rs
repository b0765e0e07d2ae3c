//! What can be wrong between the rows and the objects, each with a stable code and a remedy.

use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A row says that there is an object, and there is none.
    ObjectMissing,
    /// An object has other bytes than its row says.
    ObjectDamaged,
    /// The manifest of a version and its row do not list the same files.
    ManifestDisagrees,
    /// A document or record that follows from the rows is not there.
    DocumentMissing,
    /// A document or record shows something else than the rows.
    DocumentStale,
    /// A package was changed, and nobody is about to announce it.
    NotAnnounced,
    /// A version was committed, and nobody is about to store it.
    NotStored,
    /// A document or record lists a version that has no row.
    VersionWithoutRow,
    /// No listed key vouches for what npm is told of a version, or for what is attested of it.
    SignatureInvalid,
    /// An object that no row knows.
    ObjectWithoutRow,
    /// An object of a private package is in the public store, or one of a version in quarantine where readers find it.
    ObjectExposed,
}

impl Code {
    /// The word in reports, which never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObjectMissing => "objectMissing",
            Self::ObjectDamaged => "objectDamaged",
            Self::ManifestDisagrees => "manifestDisagrees",
            Self::DocumentMissing => "documentMissing",
            Self::DocumentStale => "documentStale",
            Self::NotAnnounced => "notAnnounced",
            Self::NotStored => "notStored",
            Self::VersionWithoutRow => "versionWithoutRow",
            Self::SignatureInvalid => "signatureInvalid",
            Self::ObjectWithoutRow => "objectWithoutRow",
            Self::ObjectExposed => "objectExposed",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::ObjectMissing | Self::ObjectDamaged => {
                "`slipway doctor --deep --repair` makes it again where the same bytes come out; else restore it from a backup of the bucket"
            }
            Self::ManifestDisagrees => "restore the row or the manifest from a backup",
            Self::DocumentMissing | Self::DocumentStale | Self::NotAnnounced => "`slipway doctor --deep --repair` has it written again",
            Self::NotStored => "restart a worker, or `slipway admin retry` its publish",
            Self::VersionWithoutRow => {
                "`slipway doctor --deep --repair` makes the row again from what is stored; else restore a backup of the database"
            }
            Self::SignatureInvalid => {
                "restore the list of keys (`-/npm/v1/keys`) or the row from a backup; npm clients that audit signatures refuse the version"
            }
            Self::ObjectExposed => {
                "find out who put it there, delete it, and have the edge forget it; `slipway admin quarantine hold` does so for a version that is held"
            }
            Self::ObjectWithoutRow => "restore a backup of the database if it should have a row, else delete it from the bucket",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub code: Code,
    /// The key of the object, or the name of the package or version.
    pub key: String,
    /// More about it.
    pub what: String,
    /// Whether it was put right.
    pub is_repaired: bool,
}

impl Problem {
    pub(super) fn new(code: Code, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { code, key: key.into(), what: what.into(), is_repaired: false }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code.as_str(), self.key, self.what)?;
        if self.is_repaired { write!(f, "; repaired") } else { write!(f, "; {}", self.code.remedy()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_and_what_to_do() {
        let mut problem = Problem::new(Code::DocumentMissing, "@acme/maths/meta.json", "there is no such object");
        let text = "documentMissing @acme/maths/meta.json: there is no such object; `slipway doctor --deep --repair` has it written again";
        assert_eq!(problem.to_string(), text);
        problem.is_repaired = true;
        assert_eq!(problem.to_string(), "documentMissing @acme/maths/meta.json: there is no such object; repaired");
    }
}
