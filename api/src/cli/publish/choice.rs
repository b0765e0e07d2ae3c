//! Which files belong to a package that no module names: what always does, what never does, and what the config's patterns say.
//!
//! `files` means what it means to npm, roughly: paths and globs from the root of the package, a directory with all that is in it, `!`
//! for what is taken away again, the last pattern that fits deciding. What is taken away is gone before the exports are looked
//! at, so that wildcard exports do not offer it.

use std::collections::BTreeSet;

use anyhow::Context as _;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, Findings, Severity};

/// Directories that are never looked into: histories, and what package managers install.
const NEVER_ENTERED: [&str; 6] = [".git", ".hg", ".jj", ".svn", "CVS", "node_modules"];
/// Files that are never packed: they hold credentials, or are litter.
const NEVER_PACKED: [&str; 7] = [".DS_Store", ".npmrc", ".yarnrc.yml", ".netrc", ".envrc", ".env", "npm-debug.log"];
/// What the names of further such files start with: variants of `.env`, and what macOS leaves beside files.
const NEVER_PACKED_STARTS: [&str; 2] = [".env.", "._"];
/// Lock files, which pin what the author has installed and mean nothing to whoever depends on the package.
const LOCKS: [&str; 7] = ["bun.lock", "bun.lockb", "deno.lock", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"];
/// What the names of files start with that belong to every package, at its root and in any case: people look for them.
const ALWAYS_PACKED: [&str; 5] = ["readme", "license", "licence", "copying", "notice"];

/// Whether a directory of this name is left alone.
pub(super) fn is_never_entered(name: &str) -> bool {
    NEVER_ENTERED.contains(&name)
}

/// Whether a file of this name is left alone.
pub(super) fn is_never_packed(name: &str) -> bool {
    NEVER_PACKED.contains(&name) || NEVER_PACKED_STARTS.iter().any(|start| name.starts_with(start))
}

/// Whether this is the lock file of a package manager, wherever it is.
pub(super) fn is_lock(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| LOCKS.contains(&name))
}

/// Whether this file, by its path with a leading slash, belongs to every package.
pub(super) fn is_always_packed(path: &str) -> bool {
    let name = path.trim_start_matches('/').to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    !name.contains('/') && ALWAYS_PACKED.contains(&stem)
}

/// The patterns of a config file.
#[derive(Debug)]
pub(super) struct Patterns(Gitignore);

impl Default for Patterns {
    fn default() -> Self {
        Self(Gitignore::empty())
    }
}

impl Patterns {
    /// Reads patterns in their order.
    ///
    /// # Errors
    /// When one of them is not a pattern.
    pub(super) fn read(patterns: &[String]) -> anyhow::Result<Self> {
        let mut builder = GitignoreBuilder::new("/");
        for pattern in patterns {
            for line in lines(pattern) {
                builder.add_line(None, &line).with_context(|| format!("`{pattern}` in the config file is not a pattern"))?;
            }
        }
        Ok(Self(builder.build().context("the patterns in the config file cannot be used")?))
    }

    /// Whether a file, by its path with a leading slash, belongs to the package.
    pub(super) fn name(&self, path: &str) -> bool {
        matches!(self.fit(path), Match::Ignore(()))
    }

    /// Whether it is taken away.
    pub(super) fn take_away(&self, path: &PackagePath) -> bool {
        matches!(self.fit(path.as_str()), Match::Whitelist(()))
    }

    /// The language is that of `.gitignore`, whose point of view is the opposite one: what fits is what git would ignore.
    fn fit(&self, path: &str) -> Match<()> {
        self.0.matched_path_or_any_parents(path, false).map(|_| ())
    }
}

/// A pattern as lines of a `.gitignore`, anchored at the root as npm and Deno have it.
fn lines(pattern: &str) -> Vec<String> {
    let (mark, rest) = match pattern.trim().strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", pattern.trim()),
    };
    let rest = rest.trim_start_matches("./").trim_start_matches('/');
    match rest {
        "" if pattern.trim().is_empty() => Vec::new(),
        "" | "." => vec![format!("{mark}/**")],
        rest => vec![format!("{mark}/{rest}")],
    }
}

/// The findings, with a word of explanation where a module is missed that the config takes away.
pub(super) fn explained(findings: Findings, taken_away: &BTreeSet<PackagePath>) -> Findings {
    let explain = |mut finding: Finding| {
        let missed = finding.message.split_once("\"file://").and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| stem(path));
        let taken = missed.and_then(|missed| taken_away.iter().find(|path| is_meant(missed, stem(path.as_str()))));
        if let (Severity::Error, Some(path)) = (finding.severity, taken) {
            finding.hint = Some(format!("a pattern in the config file takes '{path}' away, so it is not packed"));
        }
        finding
    };
    findings.into_iter().map(explain).collect()
}

/// A path without the extension that imports leave out or write differently.
fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    path[name..].find('.').map_or(path, |dot| &path[..name + dot])
}

fn is_meant(missed: &str, taken: &str) -> bool {
    taken == missed || taken.strip_suffix("/index").is_some_and(|directory| directory == missed.trim_end_matches('/'))
}
