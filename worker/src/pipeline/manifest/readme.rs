//! Which file is the readme.

use slipway_common::ids::PackagePath;

use super::index::FileIndex;

/// Extensions of a readme, the preferred one first.
const EXTENSIONS: &[&str] = &["md", "markdown", "txt"];

/// The readme at the root of the package: `readme` in any case. Of several, the one whose extension comes first in
/// the list, then the one whose path does.
pub(super) fn find(index: &FileIndex<'_>) -> Option<PackagePath> {
    let rank = |path: &PackagePath| {
        let (stem, extension) = path.file_name().rsplit_once('.')?;
        let named = path.directory() == "/" && stem.eq_ignore_ascii_case("readme");
        named.then(|| EXTENSIONS.iter().position(|known| extension.eq_ignore_ascii_case(known)))?
    };
    let ranked = index.paths().filter_map(|path| Some((rank(path)?, path)));
    ranked.min().and_then(|(_, path)| index.find(path.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::files::Files;

    #[test]
    fn prefers_markdown_at_the_root() {
        let find = |paths: &[&str]| {
            let files: Files = paths.iter().map(|path| (PackagePath::try_from(*path).unwrap(), bytes::Bytes::new())).collect();
            find(&FileIndex::new(&files)).map(|path| path.to_string())
        };
        assert_eq!(find(&["/README.txt", "/readme.MD", "/README.markdown"]).as_deref(), Some("/readme.MD"));
        assert_eq!(find(&["/ReadMe.txt", "/docs/README.md"]).as_deref(), Some("/ReadMe.txt"));
        assert_eq!(find(&["/README", "/readme.rst", "/readme.md.ts"]), None);
    }
}
