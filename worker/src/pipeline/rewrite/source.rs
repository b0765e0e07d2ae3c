//! Which files are source code, and how they are read.

use std::sync::Arc;

use deno_ast::{MediaType, ModuleSpecifier, ParseParams, ParsedSource};
use slipway_common::ids::PackagePath;

/// The byte order mark, which editors put in front of UTF-8 and the parser must not see.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that was parsed.
pub(super) struct Source {
    /// Its syntax tree, over the text without byte order mark.
    pub(super) parsed: ParsedSource,
}

/// The text of a file without its byte order mark, which is kept aside: nothing moves that is no specifier. `None` when it is
/// not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

impl Source {
    /// Reads a file. `None` when it is no JavaScript or TypeScript, is not UTF-8, or has mistakes: should the module graph
    /// reach it, it will say so better.
    pub(super) fn read(path: &PackagePath, bytes: &[u8]) -> Option<Self> {
        let specifier = specifier(path);
        let media_type = MediaType::from_specifier(&specifier);
        if !is_source(media_type) {
            return None;
        }
        let text = text(bytes)?;
        if text.starts_with(BYTE_ORDER_MARK) {
            // The parser strips a second mark as well, and every position after it would be off.
            return None;
        }
        let parsed = deno_ast::parse_program(ParseParams {
            specifier,
            text: Arc::from(text),
            media_type,
            capture_tokens: false,
            scope_analysis: false,
            maybe_syntax: None,
        })
        .ok()?;
        parsed.diagnostics().is_empty().then(|| Self { parsed })
    }

    /// Whether only declarations stand in it.
    pub(super) fn is_declaration(&self) -> bool {
        self.parsed.media_type().is_declaration()
    }
}

/// The address of a file in the module graph: `file:///src/mod.ts`.
pub(super) fn specifier(path: &PackagePath) -> ModuleSpecifier {
    ModuleSpecifier::parse(&format!("file://{path}")).expect("a package path is the path of a file URL")
}

/// `CommonJS` files are left out: they cannot be published, so nothing is gained by looking into them.
fn is_source(media_type: MediaType) -> bool {
    matches!(
        media_type,
        MediaType::TypeScript
            | MediaType::Tsx
            | MediaType::Mts
            | MediaType::JavaScript
            | MediaType::Jsx
            | MediaType::Mjs
            | MediaType::Dts
            | MediaType::Dmts
    )
}
