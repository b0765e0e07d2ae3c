//! How deep a source would drive a parser, counted before one sees it.
//!
//! A recursive-descent parser, and everything that walks or drops its tree, uses stack for every level of the source; a few
//! kilobytes of brackets overflow it, which aborts the process. That the process is a child which can be replaced is the
//! answer in the last resort. This count gives the author a finding with a line instead, in one pass over the bytes.
//!
//! It knows no grammar. Brackets, templates, JSX elements and type arguments are levels; operators and keywords that nest
//! without brackets (`a => b => …`, `a ? b : c ? …`, `else if`, `!!!…`, `a + b + …`) are links of a chain, which ends where
//! a statement or an item of a list does. Where it cannot know, it counts too little: the child catches the rest, and a
//! reasonable file must never be refused, be it minified, generated, or a table of megabytes.

mod depth;
mod scan;
#[cfg(test)]
mod tests;
mod words;

use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Place};

/// Deepest nesting of brackets. The analysis has a stack of 256 MiB; in a build without optimisation, a quarter of that lasts
/// for 4,000 elements of JSX, 8,000 blocks and 16,000 parentheses through parsing, analysis and emitting. Those are parsers
/// alone: what infers types and makes documentation uses more for each level, and some of it time that grows with the square
/// of the depth. People write ten levels, generators a hundred.
pub const MAX_NESTING: u32 = 500;

/// What a level of brackets weighs in links of a chain. The same stack lasts for 128,000 operands of `+` and more, thirty
/// times as many links as levels; and chains do get long, where a generator joins strings or a build tool calls a
/// thousand methods in a row. `500 × 128` leaves room for 64,000 of them.
const LEVEL: u32 = 128;

/// Deepest nesting of `<T>` before an operand. The parser tries each as the type parameters of an arrow function and, when it is an
/// assertion instead, reads all that follows again: thirty levels, which are a hundred bytes, would take it an hour.
pub const MAX_ASSERTIONS: u32 = 12;

/// Which syntax a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Syntax {
    /// `<` may open type arguments.
    types: bool,
    /// `<` may open an element.
    jsx: bool,
}

impl Syntax {
    /// By the extension; `None` for what is not parsed as JavaScript or TypeScript.
    fn of(extension: &str) -> Option<Self> {
        match extension {
            "ts" | "mts" | "cts" => Some(Self { types: true, jsx: false }),
            "tsx" => Some(Self { types: true, jsx: true }),
            "jsx" => Some(Self { types: false, jsx: true }),
            "js" | "mjs" | "cjs" => Some(Self { types: false, jsx: false }),
            _ => None,
        }
    }
}

/// Whether a file nests deeper than [`MAX_NESTING`], and where it begins to.
#[must_use]
pub fn check(path: &PackagePath, text: &str) -> Option<Finding> {
    let (_, extension) = path.file_name().rsplit_once('.')?;
    check_text(extension, path.as_str(), text)
}

/// The same for a text that is parsed as a file with this extension would be, and shown under this name.
#[must_use]
pub fn check_text(extension: &str, name: &str, text: &str) -> Option<Finding> {
    let at = scan::first_too_deep(text.as_bytes(), Syntax::of(extension)?)?;
    let before = &text.as_bytes()[..at];
    let line = before.split(|byte| *byte == b'\n').count();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let message = format!(
        "the code nests deeper than can be analysed: {MAX_NESTING} levels of brackets, or {MAX_ASSERTIONS} of `<T>` before an operand"
    );
    Some(
        Finding::error(FindingCode::NestingTooDeep, message)
            .at(Place::at(name, number(line), number(column)))
            .hint("take it apart, keep data in a JSON file, or write `x as T` for `<T>x`"),
    )
}
