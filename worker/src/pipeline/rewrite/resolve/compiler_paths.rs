//! TypeScript's `paths`: patterns with at most one star, each with what to try for it.

use super::super::super::manifest::PathMapping;
use super::MAX_SPECIFIER_BYTES;
use super::tree::join;

/// Most patterns that are looked at. Every import is held against each of them; the largest workspaces have a few hundred.
const MAX_PATTERNS: usize = 1000;
/// Most substitutions of one pattern that are looked at.
const MAX_SUBSTITUTIONS: usize = 32;

/// The paths in the package that `specifier` may mean, in the order in which TypeScript tries them. It takes the pattern
/// without a star if it fits, and else the one with the longest text before its star.
pub(super) fn candidates(mapping: &PathMapping, specifier: &str) -> Vec<String> {
    let patterns = || mapping.patterns.iter().take(MAX_PATTERNS);
    let exact = patterns().find(|(pattern, _)| *pattern == specifier).map(|(_, substitutions)| (substitutions, ""));
    let starred = || {
        let mut best: Option<(usize, &Vec<String>, &str)> = None;
        for (pattern, substitutions) in patterns() {
            let Some((prefix, suffix)) = pattern.split_once('*') else { continue };
            let Some(star) = matched(specifier, prefix, suffix) else { continue };
            if best.is_none_or(|(length, ..)| prefix.len() > length) {
                best = Some((prefix.len(), substitutions, star));
            }
        }
        best.map(|(_, substitutions, star)| (substitutions, star))
    };
    let Some((substitutions, star)) = exact.or_else(starred) else { return Vec::new() };
    let usable = substitutions.iter().take(MAX_SUBSTITUTIONS).filter(|text| text.len() <= MAX_SPECIFIER_BYTES);
    usable.filter_map(|text| join(&mapping.base, &text.replacen('*', star, 1))).collect()
}

fn matched<'a>(specifier: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    specifier.strip_prefix(prefix)?.strip_suffix(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_then_longest_prefix() {
        let mapping = PathMapping {
            base: "/".into(),
            patterns: [
                ("*", vec!["./types/*", "../outside/*"]),
                ("@/*", vec!["./src/*"]),
                ("@/lib/*", vec!["./lib/*", "./fallback/*"]),
                ("@/lib/exact", vec!["src/exact.ts"]),
                ("*.css", vec!["./css/*.css.ts"]),
            ]
            .into_iter()
            .map(|(pattern, substitutions)| (pattern.to_owned(), substitutions.into_iter().map(str::to_owned).collect()))
            .collect(),
        };
        assert_eq!(candidates(&mapping, "@/a/b"), ["/src/a/b"]);
        assert_eq!(candidates(&mapping, "@/lib/b"), ["/lib/b", "/fallback/b"]);
        assert_eq!(candidates(&mapping, "@/lib/exact"), ["/src/exact.ts"]);
        assert_eq!(candidates(&mapping, "chalk"), ["/types/chalk"]);
        assert_eq!(candidates(&PathMapping { base: "/src/".into(), ..mapping.clone() }, "@/a"), ["/src/src/a"]);
        assert_eq!(candidates(&mapping, "a.css"), ["/types/a.css"]);
    }
}
