//! Files that a module opens by their address: `new URL("./words.txt", import.meta.url)`, and workers.
//!
//! Nothing in the graph shows them, and a package without them breaks when it runs. They are found in the text, without a syntax
//! tree: a mention in a comment brings in a file that is there and does no harm.

use slipway_common::ids::PackagePath;

use crate::pipeline::files::Files;
use crate::pipeline::graph;

/// What the address of a file begins with.
const CONSTRUCTOR: &str = "new URL(";
/// What makes it relative to the module.
const BASE: &str = "import.meta.url";

/// The files of the package that this script opens by a literal address.
pub(super) fn opened(script: &PackagePath, files: &Files) -> Vec<PackagePath> {
    let Some(bytes) = files.get(script.as_str()) else { return Vec::new() };
    let text = String::from_utf8_lossy(bytes);
    let base = graph::specifier_of(script);
    let literals = text.split(CONSTRUCTOR).skip(1).filter_map(literal);
    let paths = literals.filter_map(|literal| graph::path_of(&base.join(literal).ok()?));
    paths.filter(|path| files.contains(path.as_str())).collect()
}

/// The text of `"…", import.meta.url`.
fn literal(arguments: &str) -> Option<&str> {
    let arguments = arguments.trim_start();
    let quote = arguments.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (literal, rest) = arguments[1..].split_once(quote)?;
    let is_relative = rest.trim_start().strip_prefix(',')?.trim_start().starts_with(BASE);
    is_relative.then_some(literal)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn finds_literals_relative_to_the_module() {
        let path = |text: &str| PackagePath::try_from(text).unwrap();
        let script = r#"
            const a = new URL("./a.txt", import.meta.url), b = new URL(
                '../b.wasm',
                import.meta.url,
            );
            new Worker(new URL(`w.ts`, import.meta.url)); new URL("./c.txt", base); new URL("https://x/d.txt", import.meta.url);
            new URL(`./${e}.txt`, import.meta.url); new URL("../../up", import.meta.url); new URL("./gone", import.meta.url); new URL("
        "#;
        let mut files: Files = ["/src/a.txt", "/b.wasm", "/src/w.ts", "/src/c.txt"].iter().map(|text| (path(text), Bytes::new())).collect();
        files.insert(path("/src/mod.ts"), Bytes::from_static(script.as_bytes()));
        let found = opened(&path("/src/mod.ts"), &files);
        assert_eq!(found, [path("/src/a.txt"), path("/b.wasm"), path("/src/w.ts")]);
    }
}
