//! What is wrong with a package, said to its author.
//!
//! A package is judged whole: every finding is reported, each with a code that never changes, the place, and a remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing; the package publishes as it is.
    Note,
    /// Something the author did not ask for, or lost; the package publishes all the same.
    Warning,
    /// The package cannot be published.
    Error,
}

/// Where in the package a finding is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, with a leading slash where it is a package path. A hostile path is shown as it came, cut short.
    pub path: String,
    /// The line, counted from one. Zero when the finding is about the whole file.
    pub line: u32,
    /// The column, counted from one in characters. Zero when the finding is about the whole file.
    pub column: u32,
}

impl Place {
    /// The file as a whole.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: 0, column: 0 }
    }

    /// A position in a file, both numbers counted from one.
    pub fn at(path: impl Into<String>, line: u32, column: u32) -> Self {
        Self { path: path.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.path),
            (line, column) => write!(f, "{}:{line}:{column}", self.path),
        }
    }
}

/// One thing that is wrong with, or worth knowing about, a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// The stable code.
    pub code: FindingCode,
    /// Whether it stops the publish.
    pub severity: Severity,
    /// What is wrong, in lower case without a full stop. It can be read alone.
    pub message: String,
    /// Where, if it is somewhere.
    pub place: Option<Place>,
    /// What to do about it, if the message does not say so already.
    pub hint: Option<String>,
}

impl Finding {
    /// An error without place or hint.
    pub fn error(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: None, hint: None }
    }

    /// A warning without place or hint.
    pub fn warning(code: FindingCode, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// A note without place or hint.
    pub fn note(code: FindingCode, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, message) }
    }

    /// The same finding at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same finding with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Message, then place, then remedy, on one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Every code a finding can have, in the order in which JSR looks for them: the first error of a package in this
        /// order is the task's `error.code`. A code once published is never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FindingCode {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl FindingCode {
            /// All codes, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is written on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The upload is not a gzip-compressed tar, or is cut short.
    InvalidTarball = "invalidTarball",
    /// A symbolic or hard link.
    LinkInTarball = "linkInTarball",
    /// A device, a pipe, or any other entry that is neither a file nor a directory.
    InvalidEntryType = "invalidEntryType",
    /// A path that breaks the rules for package paths.
    InvalidPath = "invalidPath",
    /// A path inside `.git`.
    InvalidGitPath = "invalidGitPath",
    /// One file is over the limit.
    FileTooLarge = "fileTooLarge",
    /// All files together are over the limit.
    PackageTooLarge = "packageTooLarge",
    /// More entries than the limit allows.
    TooManyFiles = "tooManyFiles",
    /// Two paths that are one on a file system that folds case or Unicode forms, or twice the same path.
    CaseInsensitiveDuplicatePath = "caseInsensitiveDuplicatePath",
    /// A file where another file needs a directory.
    PathIsFileAndDirectory = "pathIsFileAndDirectory",
    /// The config file named in the request is not in the upload.
    MissingConfigFile = "missingConfigFile",
    /// The config file cannot be read.
    InvalidConfigFile = "invalidConfigFile",
    /// The config file names another package than the request.
    ConfigFileNameMismatch = "configFileNameMismatch",
    /// The config file names another version than the request.
    ConfigFileVersionMismatch = "configFileVersionMismatch",
    /// The exports are missing, malformed, or name files that do not exist.
    ConfigFileExportsInvalid = "configFileExportsInvalid",
    /// No licence is declared and no licence file is found.
    MissingLicense = "missingLicense",
    /// The licence is not a known one.
    InvalidLicense = "invalidLicense",
    /// A specifier cannot be resolved to a file or a package.
    UnresolvedSpecifier = "unresolvedSpecifier",
    /// A dependency in the config is written in a protocol that means nothing outside its workspace.
    UnsupportedDependencyProtocol = "unsupportedDependencyProtocol",
    /// A file nests deeper than the parser can follow.
    NestingTooDeep = "nestingTooDeep",
    /// The module graph has a syntax error, a missing module, or the like.
    GraphError = "graphError",
    /// An `npm:` specifier that cannot be read.
    InvalidNpmSpecifier = "invalidNpmSpecifier",
    /// A `jsr:` specifier that cannot be read.
    InvalidJsrSpecifier = "invalidJsrSpecifier",
    /// A `jsr:` or `npm:` specifier without a version.
    MissingConstraint = "missingConstraint",
    /// An import from a place that cannot be imported from.
    InvalidExternalImport = "invalidExternalImport",
    /// A construct that changes types outside the package.
    GlobalTypeAugmentation = "globalTypeAugmentation",
    /// A CommonJS construct.
    CommonJs = "commonJs",
    /// `import … assert { … }`.
    BannedImportAssertion = "bannedImportAssertion",
    /// A triple-slash directive that changes the consumer's compilation.
    BannedTripleSlashDirectives = "bannedTripleSlashDirectives",
    /// The documentation could not be made. Never stops a publish.
    DocError = "docError",
    /// The npm tarball could not be made.
    NpmTarballError = "npmTarballError",
    /// A `jsr:` dependency whose name is not `@scope/package`.
    InvalidJsrScopedPackageName = "invalidJsrScopedPackageName",
    /// A `jsr:` dependency of which no published version matches.
    UnresolvableJsrDependency = "unresolvableJsrDependency",
    /// A `jsr:` dependency of a package that everybody may read on one that is private.
    PrivateDependency = "privateDependency",
    /// A `jsr:` dependency on a path that the package does not export.
    InvalidJsrDependencySubPath = "invalidJsrDependencySubPath",
    /// The package was too much for the analysis: time, memory, or a crash of the parser.
    AnalysisCrashed = "analysisCrashed",
    /// What is derived from the package would be too large for the doors it has to pass.
    OutputTooLarge = "outputTooLarge",
    /// Public declarations whose types the compiler would have to infer. The npm package has no types for them.
    SlowTypes = "slowTypes",
    /// The package declares types outside itself, with `"augmentations": true`.
    Augmentations = "augmentations",
    /// An entry point was taken from TypeScript source although the config names a built file.
    SourceChosen = "sourceChosen",
    /// An entry of the config's exports has no meaning here and was left out.
    ExportSkipped = "exportSkipped",
    /// An import that cannot be analysed, so what it loads is not known to be in the package.
    UnanalyzableImport = "unanalyzableImport",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All findings of a package. Never empty when used as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

/// Most findings that are kept of one package. A hostile one can have millions; nobody reads past a hundred.
pub const MAX_FINDINGS: usize = 100;

impl Findings {
    /// Adds a finding, unless the same was said before. When [`MAX_FINDINGS`] are held, a graver one takes the place of a
    /// lesser one, so that a flood of warnings can never hide an error.
    pub fn push(&mut self, finding: Finding) {
        if self.0.contains(&finding) {
            return;
        }
        if self.0.len() >= MAX_FINDINGS {
            let Some(lesser) = self.0.iter().rposition(|held| held.severity < finding.severity) else { return };
            self.0.remove(lesser);
        }
        self.0.push(finding);
    }

    /// Whether any of them stops the publish.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, as they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// Errors first and in JSR's order of codes, then by file and place. Makes the outcome independent of how the package
    /// was walked.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| {
            let key = |f: &Finding| (std::cmp::Reverse(f.severity), f.code);
            key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place)).then_with(|| a.message.cmp(&b.message))
        });
    }

    /// The first error in JSR's order, which gives a task its `error.code`.
    #[must_use]
    pub fn first_error(&self) -> Option<&Finding> {
        self.0.iter().filter(|f| f.severity == Severity::Error).min_by(|a, b| (a.code, &a.place).cmp(&(b.code, &b.place)))
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self(vec![finding])
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        for finding in findings {
            self.push(finding);
        }
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<T: IntoIterator<Item = Finding>>(findings: T) -> Self {
        let mut all = Self::default();
        all.extend(findings);
        all
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for code in FindingCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<FindingCode>(&json).unwrap(), *code);
        }
    }

    #[test]
    fn sorts_errors_first_in_order() {
        let mut findings = Findings::default();
        findings.push(Finding::warning(FindingCode::SlowTypes, "slow"));
        findings.push(Finding::error(FindingCode::CommonJs, "b").at(Place::at("/b.ts", 1, 1)));
        findings.push(Finding::error(FindingCode::CommonJs, "a").at(Place::at("/a.ts", 1, 1)));
        findings.push(Finding::error(FindingCode::InvalidPath, "p"));
        findings.push(Finding::error(FindingCode::InvalidPath, "p"));
        findings.sort();
        let order: Vec<_> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(order, ["p", "a", "b", "slow"]);
        assert_eq!(findings.first_error().unwrap().message, "p");
    }

    #[test]
    fn warnings_make_room_for_errors() {
        let mut findings = Findings::default();
        for line in 0..200 {
            findings.push(Finding::warning(FindingCode::SlowTypes, "slow").at(Place::at("/a.ts", line, 1)));
        }
        assert!(!findings.has_errors());
        findings.push(Finding::error(FindingCode::CommonJs, "late"));
        assert!(findings.has_errors());
        assert_eq!(findings.iter().count(), MAX_FINDINGS);
    }
}
