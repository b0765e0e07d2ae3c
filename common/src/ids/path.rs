//! The path of a file in a package: `/src/mod.ts`.

use std::fmt;

use super::text_serde;

/// Longest path in bytes, the leading slash included. JSR's rule: with scope, package and version in front, the key of an
/// object still fits every store, and with `package/` in front the plain tar header of an npm tarball.
pub const MAX_PATH_BYTES: usize = 155;
/// Longest last segment in bytes. JSR's rule; the name field of a plain tar header holds 100.
pub const MAX_SEGMENT_BYTES: usize = 95;

/// Device names that Windows takes for itself, whatever extension follows.
const WINDOWS_DEVICES: &[&str] = &[
    "aux", "con", "nul", "prn", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4",
    "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A file of a package, from its root, with a leading slash. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackagePath(String);

impl PackagePath {
    /// The path with its leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its leading slash: the entry of a tarball, the tail of a key.
    #[must_use]
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().expect("a split has at least one part")
    }

    /// The directory, with a trailing slash: `/src/` for `/src/mod.ts`, `/` for `/mod.ts`.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.0[..self.0.len() - self.file_name().len()]
    }

    /// The path as case-insensitive file systems see it.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for PackagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which rule a path breaks. The wording names the remedy; `/`-joined with the path it makes a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// The whole path is over [`MAX_PATH_BYTES`].
    #[error("a package path must not be longer than {MAX_PATH_BYTES} bytes, this one has {0}")]
    TooLong(usize),
    /// The leading slash is missing.
    #[error("a package path must start with a slash")]
    MissingPrefix,
    /// It ends in a slash.
    #[error("a package path must not end with a slash")]
    TrailingSlash,
    /// Two slashes in a row.
    #[error("a package path must not hold an empty segment (two slashes in a row)")]
    EmptySegment,
    /// `.` or `..`.
    #[error("a package path must not hold `.` or `..` segments")]
    DotSegment,
    /// A backslash or a colon, which Windows reads as a separator.
    #[error("a package path must not hold {0:?}, which Windows reads as a separator; use slashes")]
    WindowsSeparator(char),
    /// One of `<>"|?*`.
    #[error("a package path must not hold {0:?}, which Windows does not allow in file names")]
    WindowsCharacter(char),
    /// A blank of any kind.
    #[error("a package path must not hold white space ({0:?})")]
    Whitespace(char),
    /// `%` or `#`, which mean something in URLs.
    #[error("a package path must not hold {0:?}, which has a meaning in URLs")]
    UrlCharacter(char),
    /// Anything else outside the allowed set.
    #[error("a package path must not hold {0:?}; allowed are letters, digits and `$()+-.@[]_{{}}~`")]
    Character(char),
    /// A segment ends with a dot.
    #[error("a segment of a package path must not end with a dot, which Windows would drop")]
    TrailingDot,
    /// A Windows device name.
    #[error("'{0}' is a device name on Windows and cannot be a file or directory there")]
    WindowsDevice(String),
    /// The file name is over [`MAX_SEGMENT_BYTES`].
    #[error("the file name in a package path must not be longer than {MAX_SEGMENT_BYTES} bytes, this one has {0}")]
    FileNameTooLong(usize),
}

impl TryFrom<&str> for PackagePath {
    type Error = PathProblem;

    fn try_from(text: &str) -> Result<Self, PathProblem> {
        if text.len() > MAX_PATH_BYTES {
            return Err(PathProblem::TooLong(text.len()));
        }
        let relative = text.strip_prefix('/').ok_or(PathProblem::MissingPrefix)?;
        if relative.ends_with('/') || relative.is_empty() {
            return Err(PathProblem::TrailingSlash);
        }
        for segment in relative.split('/') {
            check_segment(segment)?;
        }
        let path = Self(text.to_owned());
        match path.file_name().len() {
            length if length > MAX_SEGMENT_BYTES => Err(PathProblem::FileNameTooLong(length)),
            _ => Ok(path),
        }
    }
}

fn check_segment(segment: &str) -> Result<(), PathProblem> {
    if segment.is_empty() {
        return Err(PathProblem::EmptySegment);
    }
    if segment == "." || segment == ".." {
        return Err(PathProblem::DotSegment);
    }
    if let Some(problem) = segment.chars().find_map(check_character) {
        return Err(problem);
    }
    if segment.ends_with('.') {
        return Err(PathProblem::TrailingDot);
    }
    let stem = segment.rsplit_once('.').map_or(segment, |(stem, _)| stem);
    if WINDOWS_DEVICES.contains(&stem.to_ascii_lowercase().as_str()) {
        return Err(PathProblem::WindowsDevice(segment.to_owned()));
    }
    Ok(())
}

fn check_character(c: char) -> Option<PathProblem> {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '$' | '(' | ')' | '+' | '-' | '.' | '@' | '[' | ']' | '_' | '{' | '}' | '~' => None,
        '\\' | ':' => Some(PathProblem::WindowsSeparator(c)),
        '<' | '>' | '"' | '|' | '?' | '*' => Some(PathProblem::WindowsCharacter(c)),
        '%' | '#' => Some(PathProblem::UrlCharacter(c)),
        _ if c.is_whitespace() => Some(PathProblem::Whitespace(c)),
        _ => Some(PathProblem::Character(c)),
    }
}

text_serde!(PackagePath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_takes_apart() {
        for good in ["/mod.ts", "/src/a-b_c.d.ts", "/$id/[slug]/(group)/@x/{a}~+.ts", "/.github/x.yml", "/_dist/a.js", "/console.ts"] {
            assert_eq!(PackagePath::try_from(good).unwrap().as_str(), good);
        }
        let path = PackagePath::try_from("/src/Mod.ts").unwrap();
        assert_eq!((path.directory(), path.file_name(), path.relative()), ("/src/", "Mod.ts", "src/Mod.ts"));
        assert_eq!(path.folded(), "/src/mod.ts");
    }

    #[test]
    fn names_the_rule() {
        let problem = |text: &str| PackagePath::try_from(text).unwrap_err();
        assert_eq!(problem("mod.ts"), PathProblem::MissingPrefix);
        assert_eq!(problem(""), PathProblem::MissingPrefix);
        assert_eq!(problem("/"), PathProblem::TrailingSlash);
        assert_eq!(problem("/a/"), PathProblem::TrailingSlash);
        assert_eq!(problem("/a//b"), PathProblem::EmptySegment);
        assert_eq!(problem("/a/../b"), PathProblem::DotSegment);
        assert_eq!(problem("/a\\b"), PathProblem::WindowsSeparator('\\'));
        assert_eq!(problem("/a?b"), PathProblem::WindowsCharacter('?'));
        assert_eq!(problem("/a b"), PathProblem::Whitespace(' '));
        assert_eq!(problem("/a%20b"), PathProblem::UrlCharacter('%'));
        assert_eq!(problem("/ä.ts"), PathProblem::Character('ä'));
        assert_eq!(problem("/a./b"), PathProblem::TrailingDot);
        assert_eq!(problem("/AUX.ts"), PathProblem::WindowsDevice("AUX.ts".into()));
        assert_eq!(problem("/lpt1/a"), PathProblem::WindowsDevice("lpt1".into()));
        assert_eq!(problem(&format!("/{}", "a".repeat(96))), PathProblem::FileNameTooLong(96));
        assert_eq!(problem(&format!("/{}", "a/".repeat(90))), PathProblem::TooLong(181));
    }
}
