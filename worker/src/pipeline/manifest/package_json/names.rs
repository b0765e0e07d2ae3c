//! Finding the source of a built file by its name: `/dist/esm/a.js` is likely made from `/src/a.ts`.

use super::super::index::FileIndex;
use super::kind::{self, Kind};
use slipway_common::ids::PackagePath;

/// Directories that build tools write to.
const BUILT: &[&str] = &[
    "dist",
    "lib",
    "build",
    "built",
    "out",
    "output",
    "esm",
    "esm5",
    "esm2015",
    "esm2020",
    "esm2022",
    "esnext",
    "es",
    "es5",
    "es6",
    "es2015",
    "es2020",
    "es2022",
    "mjs",
    "cjs",
    "commonjs",
    "umd",
    "module",
    "modules",
    "types",
    "typings",
    "dts",
    "node",
    "browser",
    "npm",
    "_esm",
    "_cjs",
    "_types",
    "production",
    "development",
    "compiled",
    "target",
];
/// Directories that people write in.
const WRITTEN: &[&str] = &["src", "source", "ts"];
/// Most build directories in a row that are looked through: `dist/esm/es2022` has three.
const MAX_RUN: usize = 4;
/// What bundlers put before the extension.
const INFIXES: &[&str] = &[
    ".esm",
    ".es",
    ".module",
    ".modern",
    ".min",
    ".umd",
    ".cjs",
    ".mjs",
    ".prod",
    ".production",
    ".dev",
    ".development",
    ".node",
    ".browser",
];

/// The source of a built file, if the package has a file where the source would be.
pub(super) fn source_of(built: &PackagePath, index: &FileIndex<'_>) -> Option<PackagePath> {
    candidates(built).into_iter().find_map(|path| index.find(&path))
}

/// Where the source would be, the likeliest place first.
fn candidates(built: &PackagePath) -> Vec<String> {
    let (stem, extension, _) = kind::split(built.file_name());
    let stem = INFIXES.iter().find_map(|infix| stem.strip_suffix(infix)).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    let mut candidates = Vec::new();
    for directory in directories(built.directory()) {
        for extension in extensions(extension) {
            candidates.push(format!("{directory}{stem}{extension}"));
            candidates.push(format!("{directory}{stem}/index{extension}"));
        }
    }
    candidates
}

/// The directories a source may be in: the same one, then those with a build directory exchanged for a written one.
fn directories(built: &str) -> Vec<String> {
    let segments: Vec<&str> = built.split('/').filter(|segment| !segment.is_empty()).collect();
    let with = |start: usize, middle: Option<&str>, end: usize| {
        let parts = segments[..start].iter().copied().chain(middle).chain(segments[end..].iter().copied());
        parts.fold("/".to_owned(), |path, part| path + part + "/")
    };
    let is_built = |segment: &&str| BUILT.contains(segment);
    let mut directories = vec![built.to_owned()];
    let start = segments.iter().position(is_built).unwrap_or(0);
    let run = segments[start..].iter().take(MAX_RUN).take_while(|segment| is_built(segment)).count();
    // `dist/esm/a.js` is made from `src/a.ts`, rarely from `src/esm/a.ts`. A file that is in no build directory may still
    // have its source in one that is written: packages that build into their root.
    for end in (start + run.min(1)..=start + run).rev() {
        directories.extend(WRITTEN.iter().map(|written| with(start, Some(written), end)));
    }
    if run > 0 {
        directories.push(with(start, None, start + run));
    }
    directories
}

/// What a file with this extension can be made from.
fn extensions(built: &str) -> &'static [&'static str] {
    match built {
        ".mjs" | ".d.mts" => &[".mts", ".ts", ".tsx"],
        ".jsx" => &[".tsx", ".ts"],
        _ => &[".ts", ".tsx", ".mts"],
    }
}

/// The name of a file without directory, extension and what bundlers put before it.
pub(super) fn bare_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, _, kind) = kind::split(name);
    match kind {
        Kind::Source => stem,
        _ => INFIXES.iter().find_map(|infix| stem.strip_suffix(infix)).unwrap_or(stem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::files::Files;

    fn source(built: &str, files: &[&str]) -> Option<String> {
        let files: Files = files.iter().map(|path| (PackagePath::try_from(*path).unwrap(), bytes::Bytes::new())).collect();
        source_of(&PackagePath::try_from(built).unwrap(), &FileIndex::new(&files)).map(|path| path.to_string())
    }

    #[test]
    fn finds_sources_by_name() {
        for (built, written) in [
            ("/dist/index.js", "/src/index.ts"),
            ("/dist/esm5/ajax/index.js", "/src/ajax/index.ts"),
            ("/dist/types/index.d.ts", "/src/index.ts"),
            ("/lib/a.mjs", "/src/a.mts"),
            ("/lib/a.mjs", "/source/a.ts"),
            ("/sha2.js", "/src/sha2.ts"),
            ("/v4/locales/en.js", "/src/v4/locales/en.ts"),
            ("/packages/core/dist/index.js", "/packages/core/src/index.ts"),
            ("/dist/foo.js", "/src/foo/index.ts"),
            ("/dist/index.esm.min.js", "/src/index.esm.ts"),
            ("/dist/index.min.js", "/src/index.ts"),
            ("/lib/index.js", "/lib/index.ts"),
            ("/dist/index.js", "/index.ts"),
            ("/build/view.jsx", "/src/view.tsx"),
            ("/dist/esm/x.js", "/src/esm/x.ts"),
        ] {
            assert_eq!(source(built, &[written]).as_deref(), Some(written), "{built}");
        }
        assert_eq!(source("/dist/index.js", &["/src/other.ts", "/src/index.d.ts", "/lib/index.js"]), None);
        assert_eq!(source("/lib/a.js", &["/src/a.ts", "/lib/a.ts"]).as_deref(), Some("/lib/a.ts"));
    }

    #[test]
    fn is_bounded_on_hostile_paths() {
        let path = PackagePath::try_from(format!("/{}a.js", "es/".repeat(50)).as_str()).unwrap();
        assert!(candidates(&path).len() < 100);
    }
}
