//! Reading the JSON files that people write by hand, hostile ones included.
//!
//! Whether the nesting is survivable is `jsonc-parser`'s promise: it stops at a few hundred
//! levels. Of a key that is there twice the
//! last one counts, as for every reader of JSON.

use std::collections::BTreeMap;

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Value};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Place};

/// Largest config file. A package of ten thousand exports, each a line of two hundred bytes, has two megabytes; a syntax
/// tree takes some twenty times its text.
pub(super) const MAX_CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// How lenient the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `package.json`, which npm's own tools read strictly.
    Json,
    /// Everything else: comments, trailing commas and keys without quotes are allowed.
    Jsonc,
}

impl Dialect {
    fn options(self) -> ParseOptions {
        let lenient = self == Self::Jsonc;
        ParseOptions {
            allow_comments: lenient,
            allow_loose_object_property_names: lenient,
            allow_trailing_commas: lenient,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        }
    }
}

/// A JSON file whose value is an object.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: PackagePath,
    pub(super) object: Map<String, Value>,
    /// Where the keys of the file are, and under `exports` the keys in there.
    places: BTreeMap<String, (u32, u32)>,
    export_places: BTreeMap<String, (u32, u32)>,
}

impl Document {
    /// Reads a file of the package.
    ///
    /// The finding is an error with `invalidConfigFile`; for a file that is not essential the caller lowers its severity.
    pub(super) fn read(path: &PackagePath, bytes: &[u8], dialect: Dialect) -> Result<Self, Finding> {
        let text = text(path, bytes)?;
        let parsed = parse_to_ast(text, &CollectOptions::default(), &dialect.options()).map_err(|error| {
            let line = u32::try_from(error.line_display()).unwrap_or(u32::MAX);
            let column = u32::try_from(error.column_display()).unwrap_or(u32::MAX);
            invalid(path, format!("it cannot be parsed, {}", lower_first(&error.kind().to_string()))).at(Place::at(
                path.as_str(),
                line,
                column,
            ))
        })?;
        let object = match parsed.value {
            Some(ast::Value::Object(object)) => object,
            None => return Err(invalid(path, "it is empty").at(Place::file(path.as_str()))),
            Some(_) => return Err(invalid(path, "it must hold an object").at(Place::at(path.as_str(), 1, 1))),
        };
        let (places, export_places) = places(text, &object);
        let Value::Object(object) = Value::from(ast::Value::Object(object)) else {
            unreachable!("an object of the syntax tree becomes an object");
        };
        Ok(Self { path: path.clone(), object, places, export_places })
    }

    /// Where a key is, or the file.
    pub(super) fn place(&self, key: &str) -> Place {
        self.at(self.places.get(key))
    }

    /// Where a key of `exports` is, or `exports` itself.
    pub(super) fn export_place(&self, key: &str) -> Place {
        self.at(self.export_places.get(key).or_else(|| self.places.get("exports")))
    }

    fn at(&self, position: Option<&(u32, u32)>) -> Place {
        position.map_or_else(|| Place::file(self.path.as_str()), |(line, column)| Place::at(self.path.as_str(), *line, *column))
    }

    /// A text field; one of another type is a finding.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Finding> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(&self.path, format!("'{key}' must be a string")).at(self.place(key))),
        }
    }
}

/// The finding for a config file that cannot be used.
pub(super) fn invalid(path: &PackagePath, why: impl std::fmt::Display) -> Finding {
    Finding::error(FindingCode::InvalidConfigFile, format!("invalid config file '{path}': {why}"))
}

/// The text of a JSON file, without the byte order mark some editors leave.
fn text<'a>(path: &PackagePath, bytes: &'a [u8]) -> Result<&'a str, Finding> {
    if bytes.len() > MAX_CONFIG_BYTES {
        let why = format!("it has {} bytes, more than the {MAX_CONFIG_BYTES} that are read", bytes.len());
        return Err(invalid(path, why).at(Place::file(path.as_str())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        invalid(path, "it is not valid UTF-8").at(Place::at(path.as_str(), u32::try_from(line).unwrap_or(u32::MAX), 1))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

type Places = BTreeMap<String, (u32, u32)>;

/// The positions of the keys, in one pass over the text: a file may be one line of a hundred thousand keys.
fn places(text: &str, object: &ast::Object<'_>) -> (Places, Places) {
    let mut cursor = Cursor { text, offset: 0, line: 1, column: 1 };
    let (mut top, mut exports) = (Places::new(), Places::new());
    for property in &object.properties {
        top.insert(property.name.as_str().to_owned(), cursor.advance(property.range.start));
        if property.name.as_str() == "exports" {
            exports.clear();
            for export in property.value.as_object().into_iter().flat_map(|object| &object.properties) {
                exports.insert(export.name.as_str().to_owned(), cursor.advance(export.range.start));
            }
        }
    }
    (top, exports)
}

struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl Cursor<'_> {
    fn advance(&mut self, to: usize) -> (u32, u32) {
        for c in self.text.get(self.offset..to).unwrap_or_default().chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.offset = to;
        (self.line, self.column)
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>, dialect: Dialect) -> Result<Document, Finding> {
        Document::read(&PackagePath::try_from("/jsr.json").unwrap(), text.as_ref(), dialect)
    }

    #[test]
    fn is_as_lenient_as_promised() {
        for text in ["{a: 1,}", "// hello\n{\"a\": 1 /* x */}", "\u{feff}{\r\n  \"a\": 1\r\n}", "{\"a\": 2, \"a\": 1}"] {
            let document = read(text, Dialect::Jsonc).unwrap();
            assert_eq!(document.object["a"], 1, "{text}");
        }
        for text in
            ["{'a': 1}", "{\"a\": 0x1}", "{\"a\": +1}", "{\"a\": .5}", "{\"a\": NaN}", "{\"a\": 1 \"b\": 2}", "{} {}", "{\"a\": \"\\x41\"}"]
        {
            assert!(read(text, Dialect::Jsonc).is_err(), "{text}");
        }
        for text in ["{a: 1}", "{\"a\": 1,}", "// a\n{}"] {
            assert!(read(text, Dialect::Json).is_err(), "{text}");
        }
    }

    #[test]
    fn says_where() {
        let finding = read("{\r\n  \"ä\": 1,\r\n  \"b\" 2\r\n}", Dialect::Jsonc).unwrap_err();
        assert_eq!(finding.place, Some(Place::at("/jsr.json", 3, 7)));
        assert_eq!(
            finding.message,
            "invalid config file '/jsr.json': it cannot be parsed, expected colon after the string or word in object property"
        );
        let finding = read(b"{\n\"a\": \"\xff\"}", Dialect::Jsonc).unwrap_err();
        assert_eq!(finding.place, Some(Place::at("/jsr.json", 2, 1)));
        assert!(read("", Dialect::Jsonc).unwrap_err().message.contains("empty"));
        assert!(read("[]", Dialect::Jsonc).unwrap_err().message.contains("object"));
        let document = read("{\n  \"ä\": 1, \"exports\": {\n \".\": 2}}", Dialect::Jsonc).unwrap();
        assert_eq!(document.place("exports"), Place::at("/jsr.json", 2, 11));
        assert_eq!(document.export_place("."), Place::at("/jsr.json", 3, 2));
        assert_eq!(document.export_place("./a"), Place::at("/jsr.json", 2, 11));
        assert_eq!(document.place("zzz"), Place::file("/jsr.json"));
    }

    #[test]
    fn survives_hostile_files() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(deep, Dialect::Jsonc).unwrap_err().message.contains("nesting"));
        assert!(read(vec![b' '; MAX_CONFIG_BYTES + 1], Dialect::Jsonc).unwrap_err().message.contains("more than"));
        assert_eq!(read("{\"a\": 1e999}", Dialect::Jsonc).unwrap().object.len(), 1);
    }
}
