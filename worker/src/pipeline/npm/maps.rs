//! Source maps after the fact: the compiler maps to the text it parsed, and what ships may differ from it by some edits.

use deno_ast::swc::sourcemap::{DecodedMap, RawToken, SourceMap, Token, decode_data_url, decode_slice};

use super::edits::Edit;
use super::emit::Emitted;
use super::layout::local_path;
use super::specifiers::{file_url, relative};
use crate::pipeline::files::Files;

/// Corrects the source columns behind edited specifiers, so that the map is true for the source as it ships.
pub(super) fn after_edits(emitted: Emitted, source: &str, edits: &[Edit]) -> Emitted {
    let shifts = Shifts::of(source, edits);
    if shifts.0.is_empty() {
        return emitted;
    }
    let map = rewrite(&emitted.map, |token| RawToken { src_col: shifts.column(token.src_line, token.src_col), ..token });
    Emitted { map: map.unwrap_or(emitted.map), ..emitted }
}

/// Puts lines before an emitted file.
pub(super) fn with_lines_before(emitted: Emitted, lines: &[String]) -> Emitted {
    if lines.is_empty() {
        return emitted;
    }
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let map = rewrite(&emitted.map, |token| RawToken { dst_line: token.dst_line.saturating_add(count), ..token });
    Emitted { text: format!("{}\n{}", lines.join("\n"), emitted.text), map: map.unwrap_or(emitted.map) }
}

/// A map that a source came with: it was itself generated from something.
pub(super) struct Existing {
    map: SourceMap,
    /// For each of its sources the file of the package, or nothing when the map holds the text itself.
    files: Vec<Option<String>>,
}

/// Larger maps are left alone. A map takes some twenty bytes of memory for each byte of its text, and the analysis of a
/// package has a few hundred megabytes for everything.
const LARGEST_EXISTING: usize = 4 * 1024 * 1024;

/// Reads the map that the source at `path` names, if everything it maps to is in the package.
pub(super) fn existing(files: &Files, path: &str, url: &str) -> Option<Existing> {
    let base = file_url(path)?.join(url).ok()?;
    let (base, map) = if base.scheme() == "data" {
        if url.len() > LARGEST_EXISTING {
            return None;
        }
        (file_url(path)?, decode_data_url(url).ok()?)
    } else {
        let bytes = files.get(&local_path(&base)?).filter(|bytes| bytes.len() <= LARGEST_EXISTING)?;
        let map = decode_slice(bytes).ok()?;
        (base, map)
    };
    let DecodedMap::Regular(map) = map else { return None };
    let sources = (0..map.get_source_count()).map(|index| {
        let file = base.join(map.get_source(index)?).ok().and_then(|url| local_path(&url)).filter(|path| files.contains(path));
        (file.is_some() || map.get_source_contents(index).is_some()).then_some(file)
    });
    let files = sources.collect::<Option<Vec<_>>>()?;
    Some(Existing { map, files })
}

/// Reads the map of a file that was made from the file at `path` alone.
pub(super) fn made_from(map: &str, path: &str) -> Option<Existing> {
    let DecodedMap::Regular(map) = decode_slice(map.as_bytes()).ok()? else { return None };
    (map.get_source_count() == 1).then(|| Existing { map, files: vec![Some(path.to_owned())] })
}

impl Existing {
    /// The emitted file with a map that leads on to what its source was made from.
    pub(super) fn behind(&self, emitted: &Emitted, place: &str) -> Option<Emitted> {
        let inner = SourceMap::from_slice(emitted.map.as_bytes()).ok()?;
        let tokens = inner.tokens().filter_map(|token| {
            let (line, column) = token.get_src();
            let origin = self.map.lookup_token(line, column).filter(|origin| origin.get_dst_line() == line && origin.has_source())?;
            let (src_line, src_col) = origin.get_src();
            Some(RawToken { src_line, src_col, src_id: origin.get_src_id(), name_id: !0, ..token.get_raw_token() })
        });
        let tokens: Vec<RawToken> = tokens.collect();
        let name = |index: usize, file: &Option<String>| match file {
            Some(path) => relative(place, path).trim_start_matches("./").to_owned().into(),
            None => self.map.get_source(u32::try_from(index).unwrap_or(u32::MAX)).cloned().unwrap_or_default(),
        };
        let sources = self.files.iter().enumerate().map(|(index, file)| name(index, file)).collect();
        let contents = (0..self.map.get_source_count()).zip(&self.files);
        let contents = contents.map(|(index, file)| self.map.get_source_contents(index).filter(|_| file.is_none()).cloned()).collect();
        let map = SourceMap::new(inner.get_file().cloned(), tokens, Vec::new(), sources, Some(contents));
        Some(Emitted { text: emitted.text.clone(), map: to_text(&map)? })
    }
}

/// The map with every token changed; nothing when it cannot be read.
fn rewrite(map: &str, change: impl Fn(RawToken) -> RawToken) -> Option<String> {
    let map = SourceMap::from_slice(map.as_bytes()).ok()?;
    let tokens = map.tokens().map(|token: Token<'_>| change(token.get_raw_token())).collect();
    let names = map.names().cloned().collect();
    let sources = map.sources().cloned().collect();
    let changed = SourceMap::new(map.get_file().cloned(), tokens, names, sources, None);
    to_text(&changed)
}

fn to_text(map: &SourceMap) -> Option<String> {
    let mut text = Vec::new();
    map.to_writer(&mut text).ok()?;
    String::from_utf8(text).ok()
}

/// How far the columns move behind each edit, in UTF-16 units as source maps count.
struct Shifts(Vec<Shift>);

struct Shift {
    line: u32,
    /// The first column behind the edited text, as it was.
    column: u32,
    /// What is added to it and to the columns after it, up to the next edit on the line.
    by: i64,
}

impl Shifts {
    fn of(source: &str, edits: &[Edit]) -> Self {
        let mut shifts: Vec<Shift> = Vec::new();
        let (mut line, mut column, mut seen) = (0_u32, 0_u32, 0);
        for edit in edits {
            // Only what was not looked at before: a file can be one line of ten megabytes.
            let gap = &source[seen..edit.range.end];
            match gap.rsplit_once('\n') {
                Some((lines, last)) => {
                    line = line.saturating_add(1 + u32::try_from(lines.matches('\n').count()).unwrap_or(u32::MAX));
                    column = width(last);
                }
                None => column = column.saturating_add(width(gap)),
            }
            seen = edit.range.end;
            let old = &source[edit.range.clone()];
            let before = shifts.last().filter(|shift| shift.line == line).map_or(0, |shift| shift.by);
            let by = before + i64::from(width(&edit.text)) - i64::from(width(old));
            if by != before && !old.contains('\n') {
                shifts.push(Shift { line, column, by });
            }
        }
        Self(shifts)
    }

    fn column(&self, line: u32, column: u32) -> u32 {
        let end = self.0.partition_point(|shift| (shift.line, shift.column) <= (line, column));
        let shift = self.0[..end].last().filter(|shift| shift.line == line).map_or(0, |shift| shift.by);
        u32::try_from(i64::from(column) + shift).unwrap_or(column)
    }
}

fn width(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_move_behind_edits_alone() {
        let source = "ä;\nf('é'); g('b'); h\nx('c');";
        let at = |text: &str, new: &str| {
            let start = source.find(text).unwrap();
            Edit { range: start..start + text.len(), text: new.into() }
        };
        let shifts = Shifts::of(source, &[at("'é'", "'long'"), at("'b'", "''"), at("'c'", "'d'")]);
        let columns = |line, columns: &[u32]| columns.iter().map(|column| shifts.column(line, *column)).collect::<Vec<_>>();
        assert_eq!(columns(0, &[0, 1]), [0, 1]);
        assert_eq!(columns(1, &[0, 2, 5, 8, 10, 13, 16]), [0, 2, 8, 11, 13, 15, 18]);
        assert_eq!(columns(2, &[0, 5]), [0, 5]);
    }
}
