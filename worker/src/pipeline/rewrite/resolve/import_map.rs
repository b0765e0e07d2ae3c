//! Import maps: exact keys, prefixes, scopes.
//!
//! `import_map` reads the map and makes its keys comparable. Looking up is done here, because a tarball may hold a map of
//! a hundred thousand prefixes and as many imports, and going through the one for each of the other never ends.

use std::collections::BTreeMap;

use super::super::super::manifest::ImportMapSource;
use super::super::source;
use super::MAX_SPECIFIER_BYTES;
use super::tree::join;

/// What an import map makes of a specifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// A path in the package, which need not exist.
    File(String),
    /// An address outside the file tree: `npm:chalk@^5`.
    Address(String),
    /// A path above the package's root, as it is written in the map.
    Outside(String),
}

/// An import map that can be asked.
pub(super) struct ImportMap {
    /// The directory that relative addresses start from.
    directory: String,
    imports: BTreeMap<String, String>,
    scopes: BTreeMap<String, BTreeMap<String, String>>,
}

impl ImportMap {
    /// Reads a map. What is malformed in it maps nothing; whether that is worth a word is for the room that reads configs.
    pub(super) fn new(source: &ImportMapSource) -> Option<Self> {
        let base = source::specifier(&source.base);
        let map = import_map::parse_from_value(base, source.json.clone()).ok()?.import_map;
        Some(Self {
            directory: source.base.directory().to_owned(),
            imports: entries(map.imports()),
            scopes: map.scopes().map(|scope| (scope.key.to_owned(), entries(scope.imports))).collect(),
        })
    }

    /// What the map makes of `key`, imported by the module at `referrer`. A relative specifier is looked up by its address
    /// in the module graph, everything else as it is written.
    pub(super) fn lookup(&self, key: &str, referrer: &str) -> Option<Mapped> {
        let exact = self.scopes.get(referrer);
        let enclosing = referrer.rmatch_indices('/').filter_map(|(slash, _)| self.scopes.get(&referrer[..=slash]));
        exact.into_iter().chain(enclosing).chain([&self.imports]).find_map(|entries| self.lookup_in(entries, key))
    }

    fn lookup_in(&self, entries: &BTreeMap<String, String>, key: &str) -> Option<Mapped> {
        if let Some(target) = entries.get(key) {
            return Some(self.follow(target, ""));
        }
        key.rmatch_indices('/').find_map(|(slash, _)| {
            let rest = &key[slash + 1..];
            if let Some(target) = entries.get(&key[..=slash]) {
                return (target.ends_with('/') && stays_below(rest)).then(|| self.follow(target, rest));
            }
            // A package in the map stands for its sub-paths too, as in Deno.
            let target = entries.get(&key[..slash])?;
            let is_package = (target.starts_with("npm:") || target.starts_with("jsr:")) && !target.ends_with('/');
            (is_package && stays_below(rest)).then(|| self.follow(&format!("{target}/"), rest))
        })
    }

    fn follow(&self, target: &str, rest: &str) -> Mapped {
        let text = format!("{target}{rest}");
        let in_package = match text.strip_prefix('/') {
            Some(rooted) => join("/", rooted),
            None if text.starts_with("./") || text.starts_with("../") => join(&self.directory, &text),
            None => return Mapped::Address(exact_address(&text)),
        };
        in_package.map_or(Mapped::Outside(text), Mapped::File)
    }
}

fn entries(map: &import_map::SpecifierMap) -> BTreeMap<String, String> {
    // An entry without a value blocks its key, and one with an invalid value does the same.
    let valid = map.entries().filter(|entry| entry.value.is_some());
    let pairs = valid.filter_map(|entry| Some((entry.key, entry.raw_value.filter(|target| target.len() <= MAX_SPECIFIER_BYTES)?)));
    pairs.map(|(key, target)| (key.to_owned(), target.to_owned())).collect()
}

/// Whether what follows a prefix cannot climb out of it.
fn stays_below(rest: &str) -> bool {
    rest.split('/').all(|part| part != "..")
}

/// `jsr:/@std/path@^1/posix` as `jsr:@std/path@^1/posix`: maps need the slash to have prefixes, specifiers do not.
fn exact_address(text: &str) -> String {
    for scheme in ["jsr:", "npm:"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return format!("{scheme}{}", rest.trim_start_matches('/'));
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use slipway_common::ids::PackagePath;

    use super::*;

    fn map(base: &str, json: Value) -> ImportMap {
        ImportMap::new(&ImportMapSource { base: PackagePath::try_from(base).unwrap(), json }).unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what a look-up answers")]
    fn address(text: &str) -> Option<Mapped> {
        Some(Mapped::Address(text.to_owned()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what a look-up answers")]
    fn file(text: &str) -> Option<Mapped> {
        Some(Mapped::File(text.to_owned()))
    }

    #[test]
    fn exact_prefix_and_expansion() {
        let map = map(
            "/deno.json",
            json!({"imports": {
                "oak": "jsr:@oak/oak@^14", "h/": "jsr:/@fix/hello@^1.0.0/", "react": "npm:react@>=18 <20", "@/": "./src/", "@/deep/": "./other/",
                "x": "./src/x.ts", "out": "../x.ts", "std/": "npm:std/", "bad": "nothing", "none": null, "npm:pinned@1": "npm:pinned@1.2.3",
            }}),
        );
        let look = |key: &str| map.lookup(key, "file:///mod.ts");
        assert_eq!(look("oak"), address("jsr:@oak/oak@^14"));
        assert_eq!(look("oak/router"), address("jsr:@oak/oak@^14/router"));
        assert_eq!(look("h/util"), address("jsr:@fix/hello@^1.0.0/util"));
        assert_eq!(look("react/jsx-runtime"), address("npm:react@>=18 <20/jsx-runtime"));
        assert_eq!(look("@/a/b"), file("/src/a/b"));
        assert_eq!(look("@/deep/b"), file("/other/b"));
        assert_eq!(look("@/../b"), None);
        assert_eq!(look("x"), file("/src/x.ts"));
        assert_eq!(look("x/y"), None);
        assert_eq!(look("out"), Some(Mapped::Outside("../x.ts".into())));
        assert_eq!((look("bad"), look("none"), look("unknown")), (None, None, None));
        assert_eq!(look("npm:pinned@1"), address("npm:pinned@1.2.3"));
    }

    #[test]
    fn scopes_go_first_and_relative_keys_are_addresses() {
        let map = map(
            "/config/map.json",
            json!({
                "imports": {"a": "./a.ts", "../lib/old.ts": "../lib/new.ts", "https://deno.land/std@0.200.0/": "jsr:/@std/"},
                "scopes": {"../src/": {"a": "npm:a@1"}, "../src/deep/": {"a": "npm:a@2"}, "../src/deep/only.ts": {"a": "npm:a@3"}},
            }),
        );
        assert_eq!(map.lookup("a", "file:///mod.ts"), file("/config/a.ts"));
        assert_eq!(map.lookup("a", "file:///src/mod.ts"), address("npm:a@1"));
        assert_eq!(map.lookup("a", "file:///src/deep/mod.ts"), address("npm:a@2"));
        assert_eq!(map.lookup("a", "file:///src/deep/only.ts"), address("npm:a@3"));
        assert_eq!(map.lookup("file:///lib/old.ts", "file:///mod.ts"), file("/lib/new.ts"));
        assert_eq!(map.lookup("https://deno.land/std@0.200.0/path", "file:///mod.ts"), address("jsr:@std/path"));
    }
}
