//! A reading of Rust that is just good enough to find SQL in it: words, signs and texts, each with its line.

use std::fs;
use std::path::Path;

/// A piece of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A name, a keyword or a number.
    Word(String),
    /// The value of a string literal.
    Text(String),
    /// Anything else, one character at a time.
    Sign(char),
}

/// The files of a directory of the house that end in `extension`, sorted, with their text.
pub(crate) fn files(directory: &str, extension: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(directory)).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            files.extend(self::files(&format!("{directory}/{name}"), extension));
        } else if entry.path().extension().is_some_and(|found| found == extension) {
            files.push((format!("{directory}/{name}"), fs::read_to_string(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}

/// Takes a source apart, comments left out, as far as its unit tests.
pub(crate) fn pieces(text: &str) -> Vec<(usize, Piece)> {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let chars: Vec<char> = shipped.chars().collect();
    let mut pieces = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let rest = &chars[at..];
        let (length, piece) = match rest {
            ['/', '/', ..] => (rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()), None),
            ['"', ..] => {
                let (length, value) = literal(rest);
                (length, Some(Piece::Text(value)))
            }
            ['\'', '\\', _, '\'', ..] => (4, None),
            ['\'', _, '\'', ..] => (3, None),
            [c, ..] if is_word(*c) => {
                let length = rest.iter().position(|c| !is_word(*c)).unwrap_or(rest.len());
                (length, Some(Piece::Word(rest[..length].iter().collect())))
            }
            [c, ..] if c.is_whitespace() => (1, None),
            [c, ..] => (1, Some(Piece::Sign(*c))),
            [] => break,
        };
        pieces.extend(piece.map(|piece| (line, piece)));
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    pieces
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length and the value of the string literal at the start of `rest`.
fn literal(rest: &[char]) -> (usize, String) {
    let mut value = String::new();
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        if rest[at] != '\\' {
            value.push(rest[at]);
            at += 1;
            continue;
        }
        match rest.get(at + 1) {
            Some('n') => value.push('\n'),
            Some('\n') => {
                at += rest[at + 2..].iter().position(|c| !c.is_whitespace()).unwrap_or(0);
            }
            Some(c) => value.push(*c),
            None => {}
        }
        at += 2;
    }
    (at + 1, value)
}

#[test]
fn takes_sources_apart() {
    let text = "fn f<'a>(x: &'a str) { // \"no\"\n  g('\"', '\\'', \"a\\\"b \\\n     c\nd\"); }\n#[cfg(test)] mod tests { \"e\" }";
    let texts: Vec<_> = pieces(text).into_iter().filter(|(_, piece)| matches!(piece, Piece::Text(_))).collect();
    assert_eq!(texts, [(2, Piece::Text("a\"b c\nd".to_owned()))]);
    let words: Vec<_> =
        pieces(text).into_iter().filter_map(|(_, piece)| if let Piece::Word(word) = piece { Some(word) } else { None }).collect();
    assert_eq!(words, ["fn", "f", "a", "x", "a", "str", "g"]);
}
