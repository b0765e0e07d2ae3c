//! What is wrong with a JSON value, in words of JSON.
//!
//! The library that reads values speaks to programmers, of maps, sequences, structs and `i64`. Whoever sent the value knows
//! objects, arrays and numbers, and wants to know which of theirs is meant.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

/// Reads a value. The error names the place and what belongs there.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "it".to_owned() } else { format!("`{path}`") };
        reword(&place, &error.inner().to_string())
    })
}

/// What is wrong with a text that is no JSON.
pub(crate) fn of_syntax(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof if error.line() <= 1 && error.column() == 0 => "it is empty".to_owned(),
        Category::Eof => "it ends too early".to_owned(),
        _ => format!("something is wrong at line {}, column {}", error.line(), error.column()),
    }
}

/// Says in words of JSON what the library says. What it does not say itself comes from the nouns of the house, whose words are
/// meant for people.
fn reword(place: &str, text: &str) -> String {
    if let Some(name) = text.strip_prefix("missing field ") {
        let within = if place == "it" { String::new() } else { format!(" in {place}") };
        return format!("{name} is missing{within}");
    }
    if let Some((name, known)) = text.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", ")) {
        return format!("{name} is not known{}", alternatives(known));
    }
    if let Some((name, known)) = text.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", ")) {
        return format!("{place} cannot be {name}{}", alternatives(known));
    }
    for kind in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((given, wanted)) = text.strip_prefix(kind).and_then(|rest| rest.rsplit_once(", expected ")) {
            return match of_expected(wanted) {
                Some(wanted) => format!("{place} must be {wanted}"),
                None => format!("{place} cannot be {}", of_given(given)),
            };
        }
    }
    format!("{place}: {text}")
}

/// ", it is `a`", ", it is one of `a`, `b`", or nothing: the names that would have been right.
fn alternatives(text: &str) -> String {
    let Some(names) = text.strip_prefix("expected ") else { return String::new() };
    if names.contains('`') { format!("; expected {names}") } else { String::new() }
}

/// What was expected, if the words for it are known.
fn of_expected(text: &str) -> Option<&'static str> {
    let is_number = |text: &str| text.len() <= 5 && text.starts_with(['i', 'u']) && text[1..].parse::<u8>().is_ok();
    match text {
        "a string" | "a borrowed string" | "a character" | "a formatted UUID string" => Some("text"),
        "a boolean" => Some("`true` or `false`"),
        "a sequence" => Some("an array"),
        "a map" => Some("an object"),
        "map with a single key" => Some("an object with one key"),
        "a number" | "f64" | "f32" => Some("a number"),
        "isize" | "usize" => Some("a whole number"),
        _ if is_number(text) => Some("a whole number"),
        _ if text.starts_with("struct ") => Some("an object"),
        _ if text.starts_with("enum ") || text == "string or map" => Some("an object with one key, or text"),
        _ if text.contains("date and time") => Some("a time like `2025-01-01T00:00:00Z`"),
        _ => None,
    }
}

/// What was there instead.
fn of_given(text: &str) -> &'static str {
    match text.split([' ', '`']).next().unwrap_or_default() {
        "null" | "unit" | "Option" => "`null`",
        "boolean" => "`true` or `false`",
        "integer" | "floating" => "a number",
        "string" | "character" => "text",
        "sequence" => "an array",
        "map" => "an object",
        _ => "what it is",
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        many: Option<Vec<Inner>>,
        count: Option<u32>,
        yes: Option<bool>,
        time: Option<slipway_common::clock::Instant>,
        scope: Option<slipway_common::ids::ScopeName>,
        any: Option<serde_json::Map<String, Value>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only read")]
    enum Inner {
        One(String),
        Two { x: i64 },
    }

    #[test]
    fn words() {
        let said = |value: Value| read::<Outer>(value).unwrap_err();
        assert_eq!(said(json!([])), "it must be an object");
        assert_eq!(said(json!({})), "`name` is missing");
        assert_eq!(said(json!({ "name": {} })), "`name` must be text");
        assert_eq!(said(json!({ "name": "", "many": [{ "two": {} }] })), "`x` is missing in `many[0].two`");
        assert_eq!(said(json!({ "name": "", "any": [] })), "`any` must be an object");
        assert_eq!(said(json!({ "name": "a, expected `b`", "yes": 1 })), "`yes` must be `true` or `false`");
        assert_eq!(said(json!({ "name": "", "count": -1 })), "`count` must be a whole number");
        assert_eq!(said(json!({ "name": "", "count": 1.5 })), "`count` must be a whole number");
        assert_eq!(said(json!({ "name": "", "many": {} })), "`many` must be an array");
        assert_eq!(said(json!({ "name": "", "many": [{ "one": "x" }, { "two": { "x": [] } }] })), "`many[1].two.x` must be a whole number");
        assert_eq!(said(json!({ "name": "", "many": [{ "three": 3 }] })), "`many[0]` cannot be `three`; expected `one` or `two`");
        assert!(said(json!({ "name": "", "nome": 1 })).starts_with("`nome` is not known; expected one of `name`, `many`"));
        for value in [json!({ "name": "", "time": 7 }), json!({ "name": "", "any": [] }), json!({ "name": "", "many": [7] })] {
            let text = said(value);
            for word in ["struct", "enum", "map", "sequence", "unit", "variant", "integer", "u32", "i64", "invalid type", "expected"] {
                assert!(!text.contains(word), "{text}");
            }
        }
        let text = said(json!({ "name": "", "scope": "A" }));
        assert!(text.starts_with("`scope`: "), "{text}");
    }

    #[test]
    fn texts_that_are_no_json() {
        let said = |text: &str| of_syntax(&serde_json::from_str::<Value>(text).unwrap_err());
        assert_eq!(said(""), "it is empty");
        assert_eq!(said("{\"a\":"), "it ends too early");
        assert_eq!(said("{\n  a: 1\n}"), "something is wrong at line 2, column 3");
    }
}
