//! Edits of a module's text that leave its lines where they are.

use std::ops::Range;
use std::sync::Arc;

/// One replacement. What comes in has as many line breaks as what goes, so that only columns move.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TextEdit {
    /// Where the bytes begin that go.
    pub(super) start: usize,
    /// Where they end. The same as the start for an insertion.
    pub(super) end: usize,
    /// Of two insertions at one place the smaller comes first.
    rank: u8,
    /// What comes in their place.
    pub(super) text: String,
}

impl TextEdit {
    /// Puts a text in. Of two at one place that of the smaller rank comes first.
    pub(super) fn insert(at: usize, rank: u8, text: impl Into<String>) -> Self {
        Self { start: at, end: at, rank, text: text.into() }
    }

    /// Puts a text in the place of another, and line breaks behind it for those that go.
    pub(super) fn replace(source: &str, range: Range<usize>, text: &str) -> Self {
        let breaks = source[range.clone()].matches('\n').count().saturating_sub(text.matches('\n').count());
        Self { start: range.start, end: range.end, rank: 0, text: format!("{text}{}", "\n".repeat(breaks)) }
    }

    /// Takes a text out, and leaves blanks.
    pub(super) fn blank(source: &str, range: Range<usize>) -> Self {
        let text = source[range.clone()].chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf16()) }).collect();
        Self { start: range.start, end: range.end, rank: 0, text }
    }
}

/// A module whose text was changed to be declared.
#[derive(Debug, Clone)]
pub struct Revision {
    /// What the author wrote.
    original: Arc<str>,
    /// In order and without overlap, in places of the original.
    edits: Vec<TextEdit>,
}

impl Revision {
    pub(super) fn of(original: Arc<str>) -> Self {
        Self { original, edits: Vec::new() }
    }

    /// The text with all edits made.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.original.len());
        let mut done = 0;
        for edit in &self.edits {
            text.push_str(&self.original[done..edit.start]);
            text.push_str(&edit.text);
            done = edit.end;
        }
        text.push_str(&self.original[done..]);
        text
    }

    /// The edits that lead from the changed text back to the original.
    #[must_use]
    pub fn back(&self) -> Vec<(Range<usize>, String)> {
        let mut shift = Shift::default();
        let back = self.edits.iter().map(|edit| {
            let start = shift.changed(edit.start);
            shift.pass(edit);
            (start..start + edit.text.len(), self.original[edit.start..edit.end].to_owned())
        });
        back.collect()
    }

    /// Adds edits of the changed text. Returns whether there is anything new among them.
    pub(super) fn add(&mut self, edits: impl IntoIterator<Item = TextEdit>) -> bool {
        let before = self.edits.clone();
        let edits: Vec<TextEdit> = edits.into_iter().filter_map(|edit| self.in_original(edit)).collect();
        self.edits.extend(edits);
        self.edits.sort();
        self.edits.dedup();
        let mut end = 0;
        // Of two that overlap the first stays; the other comes again with the next complaint, if it is still needed.
        self.edits.retain(|edit| {
            let is_free = edit.start >= end;
            end = end.max(edit.end);
            is_free
        });
        self.edits != before
    }

    /// An edit of the changed text as one of the original. Inside of what was put in there is nothing to edit.
    fn in_original(&self, edit: TextEdit) -> Option<TextEdit> {
        let (start, end) = (self.original_place(edit.start)?, self.original_place(edit.end)?);
        (start <= end).then_some(TextEdit { start, end, ..edit })
    }

    pub(super) fn original_place(&self, at: usize) -> Option<usize> {
        let mut shift = Shift::default();
        for edit in &self.edits {
            let start = shift.changed(edit.start);
            if at <= start {
                break;
            }
            if at < start + edit.text.len() {
                return None;
            }
            shift.pass(edit);
        }
        Some(shift.original(at))
    }
}

/// How far the edits up to a place have moved it.
#[derive(Default)]
struct Shift {
    added: usize,
    removed: usize,
}

impl Shift {
    fn pass(&mut self, edit: &TextEdit) {
        self.added += edit.text.len();
        self.removed += edit.end - edit.start;
    }

    fn changed(&self, original: usize) -> usize {
        original + self.added - self.removed
    }

    fn original(&self, changed: usize) -> usize {
        changed + self.removed - self.added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_the_changed_text_are_edits_of_the_original() {
        let mut revision = Revision::of("let a = f();\nlet b;".into());
        assert!(revision.add([TextEdit::insert(5, 1, ": T")]));
        assert_eq!(revision.text(), "let a: T = f();\nlet b;");
        let at = revision.text().find("b;").unwrap() + 1;
        assert!(revision.add([TextEdit::insert(at, 1, ": T")]));
        assert!(!revision.add([TextEdit::insert(5, 1, ": T")]), "it is there already");
        assert_eq!(revision.text(), "let a: T = f();\nlet b: T;");
        assert_eq!(revision.back(), [(5..8, String::new()), (21..24, String::new())]);
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "a(\n  'é'\n);";
        let mut revision = Revision::of(source.into());
        revision.add([TextEdit::replace(source, 0..source.len() - 1, "b")]);
        assert_eq!(revision.text(), "b\n\n;");
        let mut revision = Revision::of(source.into());
        revision.add([TextEdit::blank(source, 0..source.len())]);
        assert_eq!(revision.text(), "  \n     \n  ");
    }
}
