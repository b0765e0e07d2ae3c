//! Finding the source of a built file by its source map or declaration map.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use slipway_common::ids::PackagePath;

use super::super::index::{FileIndex, join};
use super::kind::{self, Kind};
use super::names;

/// What introduces the address of a map, in the last line of a built file.
const MARK: &str = "sourceMappingURL=";
/// Most sources of one map that are looked at. A map of more belongs to a bundle of a whole application.
const MAX_SOURCES: usize = 1_000;

/// The part of a source map that says what a file was made from.
#[derive(Deserialize)]
struct SourceMap {
    #[serde(default, rename = "sourceRoot")]
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
}

/// The sources that maps name. Every built file and every map is read once: any number of entry points may share one.
pub(super) struct Maps<'a> {
    index: &'a FileIndex<'a>,
    read: RefCell<BTreeMap<String, Rc<Sources>>>,
    answered: RefCell<BTreeMap<PackagePath, Option<PackagePath>>>,
}

/// The TypeScript files of the package that a map names.
#[derive(Default)]
struct Sources {
    found: Vec<PackagePath>,
    /// The map names one file alone, whatever it is.
    single: bool,
}

impl<'a> Maps<'a> {
    pub(super) fn new(index: &'a FileIndex<'a>) -> Self {
        Self { index, read: RefCell::default(), answered: RefCell::default() }
    }

    /// The TypeScript a built file was made from, if its map says so without doubt. The map of a bundle names many files;
    /// of these it is the one with the bundle's own name, nearest to the root.
    pub(super) fn source_of(&self, built: &PackagePath) -> Option<PackagePath> {
        if let Some(answer) = self.answered.borrow().get(built) {
            return answer.clone();
        }
        let answer = self.search(built);
        self.answered.borrow_mut().insert(built.clone(), answer.clone());
        answer
    }

    fn search(&self, built: &PackagePath) -> Option<PackagePath> {
        let sources = self.sources(built)?;
        if sources.single {
            return sources.found.first().cloned();
        }
        let stem = names::bare_stem(built.as_str());
        let depth = |path: &PackagePath| path.as_str().matches('/').count();
        let mut alike: Vec<_> = sources.found.iter().filter(|path| names::bare_stem(path.as_str()) == stem).collect();
        alike.sort_by_key(|path| depth(path));
        match alike.as_slice() {
            [only] => Some((*only).clone()),
            [first, second, ..] if depth(first) < depth(second) => Some((*first).clone()),
            _ => None,
        }
    }

    fn sources(&self, built: &PackagePath) -> Option<Rc<Sources>> {
        let text = self.index.text(built.as_str())?;
        let address = text.rfind(MARK).map(|at| {
            let rest = &text[at + MARK.len()..];
            rest.split(|c: char| c.is_whitespace() || c == '*' || c == '"' || c == '\'').next().unwrap_or_default()
        });
        if let Some(data) = address.and_then(|address| address.strip_prefix("data:")) {
            let bytes = STANDARD.decode(data.split_once(";base64,")?.1).ok()?;
            return Some(Rc::new(self.read(built, &bytes)));
        }
        let map = match address {
            Some(address) => join(built.directory(), address).and_then(|path| self.index.find(&path))?,
            // Some tools write the map and forget the comment.
            None => self.index.find(&format!("{built}.map"))?,
        };
        if let Some(sources) = self.read.borrow().get(map.as_str()) {
            return Some(Rc::clone(sources));
        }
        let sources = Rc::new(self.read(&map, self.index.bytes(&map)?));
        self.read.borrow_mut().insert(map.to_string(), Rc::clone(&sources));
        Some(sources)
    }

    fn read(&self, map: &PackagePath, bytes: &[u8]) -> Sources {
        // Maps are made by tools; one that cannot be read says nothing.
        let Ok(parsed) = serde_json::from_slice::<SourceMap>(bytes) else { return Sources::default() };
        let base = match parsed.source_root.as_deref() {
            None | Some("") => Some(map.directory().to_owned()),
            Some(root) => join(map.directory(), root).map(|root| root.trim_end_matches('/').to_owned() + "/"),
        };
        let find = |source: &str| {
            let path = join(base.as_deref()?, source)?;
            if kind::of(&path) == Kind::Source { self.index.find(&path) } else { None }
        };
        Sources {
            single: parsed.sources.len() == 1,
            found: parsed.sources.iter().take(MAX_SOURCES).flatten().filter_map(|source| find(source)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::files::Files;

    fn source(built: &str, files: &[(&str, &str)]) -> Option<String> {
        let files: Files = files
            .iter()
            .map(|(path, text)| (PackagePath::try_from(*path).unwrap(), bytes::Bytes::copy_from_slice(text.as_bytes())))
            .collect();
        let index = FileIndex::new(&files);
        Maps::new(&index).source_of(&PackagePath::try_from(built).unwrap()).map(|path| path.to_string())
    }

    #[test]
    fn follows_maps() {
        let map = r#"{"version":3,"sourceRoot":"","sources":["../source/main.ts"],"names":[],"mappings":"AAAA"}"#;
        let js = "export {};\n//# sourceMappingURL=index.js.map";
        let found = Some("/source/main.ts");
        assert_eq!(
            source("/dist/index.js", &[("/dist/index.js", js), ("/dist/index.js.map", map), ("/source/main.ts", "")]).as_deref(),
            found
        );
        assert_eq!(
            source("/dist/index.js", &[("/dist/index.js", ""), ("/dist/index.js.map", map), ("/source/main.ts", "")]).as_deref(),
            found
        );
        assert_eq!(source("/dist/index.js", &[("/dist/index.js", js), ("/dist/index.js.map", map)]), None);
        assert_eq!(source("/dist/index.js", &[("/dist/index.js", js), ("/dist/index.js.map", "{"), ("/source/main.ts", "")]), None);
        let inline = format!("//# sourceMappingURL=data:application/json;charset=utf-8;base64,{}\n", STANDARD.encode(map));
        assert_eq!(source("/dist/index.js", &[("/dist/index.js", &inline), ("/source/main.ts", "")]).as_deref(), found);
        let rooted = r#"{"sourceRoot":"../source/","sources":["main.ts"]}"#;
        assert_eq!(
            source("/dist/index.js", &[("/dist/index.js", js), ("/dist/index.js.map", rooted), ("/source/main.ts", "")]).as_deref(),
            found
        );
    }

    #[test]
    fn takes_of_a_bundle_the_file_of_its_name() {
        let map =
            r#"{"sources":["../src/a/index.ts",null,"webpack://x/y.ts","../node_modules/z/index.ts","../src/index.ts","../src/b.ts"]}"#;
        let files = |built| [(built, ""), ("/src/a/index.ts", ""), ("/src/index.ts", ""), ("/src/b.ts", "")];
        let with = |built: &'static str, at: &'static str| {
            let mut list = files(built).to_vec();
            list.push((at, map));
            source(built, &list)
        };
        assert_eq!(with("/dist/index.mjs", "/dist/index.mjs.map").as_deref(), Some("/src/index.ts"));
        assert_eq!(with("/dist/b.min.js", "/dist/b.min.js.map").as_deref(), Some("/src/b.ts"));
        assert_eq!(with("/dist/bundle.js", "/dist/bundle.js.map"), None);
    }
}
