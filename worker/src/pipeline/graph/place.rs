//! Positions as authors count them: from one, in characters.

use deno_ast::{SourcePos, SourceTextInfo};
use deno_graph::{ModuleSpecifier, Range};
use slipway_common::model::finding::Place;

use super::load::path_of;

/// Longest part of a specifier that a finding shows. A `data:` URL may be as long as a file.
const SHOWN_BYTES: usize = 120;

/// A position in the text of a module.
#[must_use]
pub fn place_at(specifier: &ModuleSpecifier, position: SourcePos, text: &SourceTextInfo) -> Place {
    let index = text.line_and_column_index(position);
    Place::at(place_of(specifier), count(index.line_index), count(index.column_index))
}

/// Where a range of `deno_graph` starts.
pub(crate) fn place_of_range(range: &Range) -> Place {
    let start = range.range.start;
    Place::at(place_of(&range.specifier), count(start.line), count(start.character))
}

/// How a module is named in a place: by its path, or by its shortened specifier.
pub(crate) fn place_of(specifier: &ModuleSpecifier) -> String {
    path_of(specifier).map_or_else(|| shorten(specifier.as_str()), |path| path.to_string())
}

/// The text, cut where a reader has seen enough.
pub(crate) fn shorten(text: &str) -> String {
    if text.len() <= SHOWN_BYTES {
        return text.to_owned();
    }
    let end = (0..=SHOWN_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

fn count(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}
