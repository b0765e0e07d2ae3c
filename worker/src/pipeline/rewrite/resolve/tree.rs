//! The files of the package, and what a path that names none of them exactly may mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::super::files::Files;

/// Endings that are tried after a path without one, when the module is to be run. Source goes before what is built from it.
const CODE_ENDINGS: &[&str] = &[".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".d.ts", ".d.mts", ".json"];
/// The same when only types are wanted: declarations go before JavaScript.
const TYPE_ENDINGS: &[&str] = &[".ts", ".tsx", ".mts", ".d.ts", ".d.mts", ".js", ".jsx", ".mjs", ".json"];
/// What an ending may stand for when there is no file with it. TypeScript lets authors name the file that will be built.
const SUBSTITUTES: &[(&str, &[&str])] = &[
    (".js", &[".ts", ".tsx", ".jsx", ".d.ts"]),
    (".mjs", &[".mts", ".d.mts"]),
    (".jsx", &[".tsx", ".ts", ".d.ts"]),
    (".d.ts", &[]),
    (".d.mts", &[]),
    (".ts", &[".tsx", ".d.ts"]),
    (".mts", &[".d.mts"]),
];

/// The paths of a package.
pub(super) struct Tree<'a> {
    paths: BTreeSet<&'a str>,
    folded: BTreeMap<String, &'a str>,
}

/// Nothing was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFound<'a> {
    /// The places that were looked at, endings in braces: `/src/foo{,.ts,.js}`.
    pub(super) tried: String,
    /// A file that would have been found if case did not matter.
    pub(super) differs_in_case: Option<&'a str>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        let paths = || files.iter().map(|(path, _)| path.as_str());
        Self { paths: paths().collect(), folded: paths().map(|path| (path.to_ascii_lowercase(), path)).collect() }
    }

    /// Whether there is a file at exactly this path.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether any file is below this directory, which ends with a slash.
    pub(super) fn contains_directory(&self, directory: &str) -> bool {
        self.paths.range(directory..).next().is_some_and(|path| path.starts_with(directory))
    }

    /// The file that `path` means: itself, the file it will be built from, itself with an ending, or the index of the
    /// directory. A path that ends with a slash is a directory.
    pub(super) fn probe(&self, path: &str, types: bool) -> Result<&'a str, NotFound<'a>> {
        if let Some(exact) = self.paths.get(path) {
            return Ok(exact);
        }
        let groups = candidates(path, types);
        let places = || groups.iter().flat_map(|(stem, endings)| endings.iter().map(move |ending| format!("{stem}{ending}")));
        if let Some(found) = places().find_map(|place| self.paths.get(place.as_str())) {
            return Ok(found);
        }
        let differs_in_case = places().find_map(|place| self.folded.get(&place.to_ascii_lowercase()).copied());
        Err(NotFound { tried: describe(&groups), differs_in_case })
    }
}

/// What to try for a path, in order: stems, each with its endings.
fn candidates(path: &str, types: bool) -> Vec<(String, Vec<&'static str>)> {
    let endings = if types { TYPE_ENDINGS } else { CODE_ENDINGS };
    let mut groups = Vec::with_capacity(3);
    let file = path.trim_end_matches('/');
    if file.len() == path.len() && !path.is_empty() {
        if let Some((ending, substitutes)) = SUBSTITUTES.iter().find(|(ending, _)| path.ends_with(ending))
            && !substitutes.is_empty()
        {
            groups.push((path[..path.len() - ending.len()].to_owned(), substitutes.to_vec()));
        }
        groups.push((path.to_owned(), std::iter::once("").chain(endings.iter().copied()).collect()));
    }
    groups.push((format!("{file}/index"), endings.to_vec()));
    groups
}

fn describe(groups: &[(String, Vec<&'static str>)]) -> String {
    let mut text = String::new();
    for (stem, endings) in groups {
        if !text.is_empty() {
            text.push_str(", ");
        }
        write!(text, "{stem}{{{}}}", endings.join(",")).expect("writing to a string cannot fail");
    }
    text
}

/// The path that `relative` names from `directory`, which has a slash at both ends. `None` when it leaves the package.
pub(super) fn join(directory: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').collect();
    // A directory ends with a slash, so its last part is empty and makes room for what follows.
    parts.pop();
    let mut ends_in_directory = false;
    for part in relative.split('/') {
        ends_in_directory = matches!(part, "." | ".." | "");
        match part {
            "." => {}
            ".." if parts.len() > 1 => {
                parts.pop();
            }
            ".." => return None,
            _ => parts.push(part),
        }
    }
    // `a/` splits into `a` and an empty part already; `.` and `..` have to be given their slash.
    let mut path = parts.join("/");
    if ends_in_directory && !path.ends_with('/') {
        path.push('/');
    }
    Some(path)
}

/// `target` as seen from `directory`: `./x.ts`, `../x.ts`. Both are absolute, the directory with a slash at its end.
pub(super) fn relative(directory: &str, target: &str) -> String {
    let common = directory.bytes().zip(target.bytes()).take_while(|(a, b)| a == b).count();
    let shared = directory[..common].rfind('/').map_or(0, |slash| slash + 1);
    let up = directory[shared..].matches('/').count();
    match up {
        0 => format!("./{}", &target[shared..]),
        _ => format!("{}{}", "../".repeat(up), &target[shared..]),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use slipway_common::ids::PackagePath;

    use super::*;

    fn files(paths: &[&str]) -> Files {
        paths.iter().map(|path| (PackagePath::try_from(*path).unwrap(), Bytes::new())).collect()
    }

    #[test]
    fn joins_and_relates() {
        for (directory, text, expected) in [
            ("/", "./a.ts", Some("/a.ts")),
            ("/src/", "../a.ts", Some("/a.ts")),
            ("/src/", "../../a.ts", None),
            ("/", "..", None),
            ("/src/", "..", Some("/")),
            ("/src/", ".", Some("/src/")),
            ("/src/", "./a/", Some("/src/a/")),
            ("/src/", "./a/../b.ts", Some("/src/b.ts")),
            ("/src/", ".//a.ts", Some("/src//a.ts")),
            ("/a/b/", "../..", Some("/")),
        ] {
            assert_eq!(join(directory, text).as_deref(), expected, "{directory} {text}");
        }
        for (directory, target, expected) in [
            ("/", "/a.ts", "./a.ts"),
            ("/src/", "/a.ts", "../a.ts"),
            ("/src/", "/src/a.ts", "./a.ts"),
            ("/src/a/", "/src/ab/c.ts", "../ab/c.ts"),
            ("/x/y/", "/a/b.ts", "../../a/b.ts"),
            ("/a/", "/ab.ts", "../ab.ts"),
        ] {
            assert_eq!(relative(directory, target), expected, "{directory} {target}");
            assert_eq!(join(directory, expected).as_deref(), Some(target));
        }
    }

    #[test]
    fn probes_in_order() {
        let files = files(&[
            "/a.ts",
            "/a.js",
            "/a/index.ts",
            "/b/index.tsx",
            "/c.tsx",
            "/d.mts",
            "/e.d.ts",
            "/e.js",
            "/f.css.ts",
            "/g.jsx",
            "/h.d.mts",
            "/i.json",
            "/Case.ts",
            "/j.d.ts",
        ]);
        let tree = Tree::new(&files);
        for (path, code, types) in [
            ("/a", "/a.ts", "/a.ts"),
            ("/a.js", "/a.js", "/a.js"),
            ("/a/", "/a/index.ts", "/a/index.ts"),
            ("/b", "/b/index.tsx", "/b/index.tsx"),
            ("/b/index.js", "/b/index.tsx", "/b/index.tsx"),
            ("/c.js", "/c.tsx", "/c.tsx"),
            ("/c.jsx", "/c.tsx", "/c.tsx"),
            ("/d.mjs", "/d.mts", "/d.mts"),
            ("/e", "/e.js", "/e.d.ts"),
            ("/e.ts", "/e.d.ts", "/e.d.ts"),
            ("/f.css", "/f.css.ts", "/f.css.ts"),
            ("/g", "/g.jsx", "/g.jsx"),
            ("/h.mjs", "/h.d.mts", "/h.d.mts"),
            ("/i", "/i.json", "/i.json"),
            ("/j.js", "/j.d.ts", "/j.d.ts"),
        ] {
            assert_eq!(tree.probe(path, false), Ok(code), "{path}");
            assert_eq!(tree.probe(path, true), Ok(types), "{path}");
        }
    }

    #[test]
    fn says_what_it_tried() {
        let files = files(&["/src/Foo.ts", "/src/dir/a.ts"]);
        let tree = Tree::new(&files);
        let missing = tree.probe("/src/foo.js", false).unwrap_err();
        assert_eq!(missing.differs_in_case, Some("/src/Foo.ts"));
        assert_eq!(
            missing.tried,
            "/src/foo{.ts,.tsx,.jsx,.d.ts}, /src/foo.js{,.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json}, \
             /src/foo.js/index{.ts,.tsx,.mts,.js,.jsx,.mjs,.d.ts,.d.mts,.json}"
        );
        assert_eq!(tree.probe("/src/dir/", false).unwrap_err().differs_in_case, None);
        assert!(tree.contains_directory("/src/dir/") && !tree.contains_directory("/src/di/"));
    }
}
