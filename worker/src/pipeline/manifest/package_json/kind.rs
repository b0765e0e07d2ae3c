//! What a file is, by its name.

/// What a file is to a package that publishes TypeScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// TypeScript that can be published.
    Source,
    /// Declarations.
    Declarations,
    /// JavaScript, as a module.
    Script,
    /// `CommonJS` by its extension, JavaScript or TypeScript.
    CommonJs,
    /// Anything else: styles, data, binaries.
    Other,
}

const EXTENSIONS: &[(&str, Kind)] = &[
    (".d.ts", Kind::Declarations),
    (".d.mts", Kind::Declarations),
    (".d.cts", Kind::Declarations),
    (".ts", Kind::Source),
    (".tsx", Kind::Source),
    (".mts", Kind::Source),
    (".js", Kind::Script),
    (".mjs", Kind::Script),
    (".jsx", Kind::Script),
    (".cjs", Kind::CommonJs),
    (".cts", Kind::CommonJs),
];

/// A path without its extension, the extension, and what that says.
pub(super) fn split(path: &str) -> (&str, &'static str, Kind) {
    let found = EXTENSIONS.iter().find_map(|(extension, kind)| Some((path.strip_suffix(extension)?, *extension, *kind)));
    found.unwrap_or((path, "", Kind::Other))
}

/// What a file is.
pub(super) fn of(path: &str) -> Kind {
    split(path).2
}
