//! Wildcards: `./features/*` as one export for every file it stands for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use slipway_common::ids::ExportKey;

use super::super::index::FileIndex;
use super::conditions::Leaf;
use super::kind::{self, Kind};

/// Most keys with a wildcard. Each is laid over every file of the package; no package we know of has a tenth as many.
pub(super) const MAX_PATTERNS: usize = 128;

/// A key with one star, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Pattern<'a> {
    prefix: Cow<'a, str>,
    suffix: &'a str,
}

impl<'a> Pattern<'a> {
    /// Reads a key; `None` if it has no star. `./dir/`, which stood for all that is in it before there were stars, has one at
    /// its end.
    pub(super) fn read(key: &'a str) -> Option<Self> {
        match key.split_once('*') {
            Some((prefix, suffix)) => Some(Self { prefix: prefix.into(), suffix }),
            None if key.ends_with('/') => Some(Self { prefix: key.into(), suffix: "" }),
            None => None,
        }
    }

    fn matches(&self, key: &str) -> bool {
        key.len() > self.prefix.len() + self.suffix.len() && key.starts_with(&*self.prefix) && key.ends_with(self.suffix)
    }

    /// Whether resolvers look at this pattern before `other`: the longer start wins, then the longer whole.
    fn precedes(&self, other: &Self) -> bool {
        let rank = |pattern: &Self| (pattern.prefix.len(), pattern.suffix.len());
        rank(self) > rank(other)
    }
}

/// A target with the star replaced. A target that is a directory takes what the star stands for at its end.
pub(super) fn fill(target: &str, star: &str) -> String {
    if target.ends_with('/') { format!("{target}{star}") } else { target.replace('*', star) }
}

/// What is laid over the files.
pub(super) struct Expansion<'a> {
    pub(super) index: &'a FileIndex<'a>,
    /// All keys with wildcards: the best one for a key takes it, even if it withdraws it.
    pub(super) patterns: &'a [Pattern<'a>],
    /// Keys without wildcards, which come before any with.
    pub(super) exact: &'a BTreeSet<&'a str>,
}

impl Expansion<'_> {
    /// The keys that a pattern offers, each with what its star stands for, at most `most` of them in the order of files. They
    /// follow the first target, in the order given, that leads to any file.
    pub(super) fn expand(&self, pattern: &Pattern<'_>, leaves: &[Leaf<'_>], most: usize) -> Vec<(ExportKey, String)> {
        let mut order: Vec<&Leaf<'_>> = leaves.iter().collect();
        // What users import is what runs; the names of sources and declarations are not the names of exports.
        order.sort_by_key(|leaf| (leaf.source, leaf.types, leaf.distance));
        let keys = order.iter().map(|leaf| self.keys(pattern, leaf.target, most));
        keys.into_iter().find(|keys| !keys.is_empty()).unwrap_or_default()
    }

    fn keys(&self, pattern: &Pattern<'_>, target: &str, most: usize) -> Vec<(ExportKey, String)> {
        let stars = self.index.paths().filter_map(|path| star(target, path.as_str()));
        let offered = stars.filter_map(|star| {
            let key = format!("{}{star}{}", pattern.prefix, pattern.suffix);
            let taken =
                self.exact.contains(key.as_str()) || self.patterns.iter().any(|other| other.precedes(pattern) && other.matches(&key));
            let key = (!taken).then(|| ExportKey::try_from(key.as_str()).ok())??;
            Some((key, star.to_owned()))
        });
        offered.take(most).collect()
    }
}

/// What the star of a target stands for at `path`, if it is a file worth exporting.
fn star<'p>(target: &str, path: &'p str) -> Option<&'p str> {
    let target = target.strip_prefix('.')?;
    let open = target.ends_with('/');
    let (prefix, suffix) = if open { (target, "") } else { target.split_once('*')? };
    let rest = path.strip_prefix(prefix)?;
    // Several stars stand for the same text, so its length follows from that of the path.
    let more = suffix.matches('*').count();
    let fixed = suffix.len() - more;
    let length = rest.len().checked_sub(fixed)? / (more + 1);
    let star = rest.get(..length).filter(|star| !star.is_empty())?;
    let complete = rest.get(length..)? == suffix.replace('*', star);
    let wanted = match kind::of(path) {
        Kind::Source | Kind::Script => true,
        // `./*` is meant for modules; whoever means declarations writes so.
        Kind::Declarations => kind::of(suffix) == Kind::Declarations,
        Kind::CommonJs => kind::of(suffix) == Kind::CommonJs,
        Kind::Other => false,
    };
    (complete && wanted && !path.contains("/node_modules/")).then_some(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        assert_eq!(star("./dist/internal/*.js", "/dist/internal/a/b.js"), Some("a/b"));
        assert_eq!(star("./dist/*/index.js", "/dist/a/b/index.js"), Some("a/b"));
        assert_eq!(star("./dist/*/*.js", "/dist/ab/ab.js"), Some("ab"));
        assert_eq!(star("./dist/*/*.js", "/dist/ab/cd.js"), None);
        assert_eq!(star("./locales/*", "/locales/en.js"), Some("en.js"));
        assert_eq!(star("./src/", "/src/a.ts"), Some("a.ts"));
        for path in [
            "/locales/en.d.ts",
            "/locales/en.cjs",
            "/locales/en.js.map",
            "/locales/style.css",
            "/other/en.js",
            "/locales/node_modules/a.js",
        ] {
            assert_eq!(star("./locales/*", path), None, "{path}");
        }
        assert_eq!(star("./types/*.d.ts", "/types/a.d.ts"), Some("a"));
        assert_eq!(star("./dist/a.js", "/dist/a.js"), None);
        assert_eq!(star("./*.js", "/.js"), None);
    }

    #[test]
    fn the_longer_start_wins() {
        let all = Pattern::read("./*").unwrap();
        let inner = Pattern::read("./internal/*").unwrap();
        assert!(inner.precedes(&all) && !all.precedes(&inner) && !all.precedes(&all));
        assert!(inner.matches("./internal/a") && !inner.matches("./internal/"));
        assert!(Pattern::read("./a").is_none());
        assert_eq!(fill("./src/", "a.ts"), "./src/a.ts");
    }
}
