//! The few lines of a config file that whoever packs a directory has to know before there is a package.

use serde_json::Value;
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, Place};

use super::json::{Dialect, Document};

/// What a config file says about the package as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The name, as written.
    pub name: Option<Stated>,
    /// The version, as written.
    pub version: Option<Stated>,
    /// Patterns of what belongs to the package, one that starts with `!` taking away, in the order in which they count: `files`,
    /// and `include` and `exclude` of deno configs, under `publish` or not.
    pub patterns: Vec<String>,
    /// Whether it is a `package.json` with `"private": true`, which keeps npm's tools from publishing it.
    pub is_private: bool,
}

/// A text of the config file and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The text.
    pub text: String,
    /// The place of its key.
    pub place: Place,
}

/// Reads the outline of a config file of any kind.
///
/// # Errors
/// When the file cannot be parsed, or name or version are no texts.
pub fn outline(path: &PackagePath, bytes: &[u8]) -> Result<Outline, Finding> {
    let is_package_json = path.file_name() == "package.json";
    let document = Document::read(path, bytes, if is_package_json { Dialect::Json } else { Dialect::Jsonc })?;
    let stated = |key: &str| {
        let text = document.text(key)?;
        Ok::<_, Finding>(text.map(|text| Stated { text: text.to_owned(), place: document.place(key) }))
    };
    Ok(Outline {
        name: stated("name")?,
        version: stated("version")?,
        patterns: patterns(&document, is_package_json),
        is_private: is_package_json && document.object.get("private") == Some(&Value::Bool(true)),
    })
}

fn patterns(document: &Document, is_package_json: bool) -> Vec<String> {
    let list = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut patterns = list(document.object.get("files"));
    if is_package_json {
        return patterns;
    }
    let publish = document.object.get("publish").and_then(Value::as_object);
    let of = |key: &str| publish.and_then(|publish| publish.get(key)).or_else(|| document.object.get(key));
    patterns.extend(list(of("include")));
    let taken_away = list(of("exclude")).into_iter();
    // Deno's own way to take something back in is an exclusion with a mark.
    patterns.extend(taken_away.map(|text| text.strip_prefix('!').map_or_else(|| format!("!{text}"), str::to_owned)));
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Result<Outline, Finding> {
        outline(&PackagePath::try_from(path).unwrap(), text.as_bytes())
    }

    #[test]
    fn every_kind_of_config() {
        let text = "{\n  // jsonc\n  \"name\": \"@a/b\", \"exports\": \"./mod.ts\",\n  \"files\": [\"docs\"],\n  \"exclude\": [\"x\"],\n  \
                    \"publish\": { \"include\": [\"assets/\"], \"exclude\": [\"*.test.ts\", \"!a.test.ts\", 1] }\n}";
        let read_jsr = read("/jsr.json", text).unwrap();
        let name = read_jsr.name.as_ref().unwrap();
        assert_eq!((name.text.as_str(), name.place.to_string().as_str()), ("@a/b", "/jsr.json:3:3"));
        assert_eq!(read_jsr.version, None);
        assert_eq!(read_jsr.patterns, ["docs", "assets/", "!*.test.ts", "a.test.ts"]);
        let text = r#"{ "name": "b", "version": "1.0.0", "files": ["dist", "!dist/x"], "publish": { "exclude": ["y"] } }"#;
        assert_eq!(read("/package.json", text).unwrap().patterns, ["dist", "!dist/x"]);
        assert!(read("/package.json", r#"{ "private": true }"#).unwrap().is_private && !read_jsr.is_private);
        assert_eq!(read("/deno.json", r#"{ "exclude": ["x"] }"#).unwrap().patterns, ["!x"]);
    }

    #[test]
    fn broken_ones() {
        assert!(read("/package.json", "{ // no comments here\n}").unwrap_err().message.contains("cannot be parsed"));
        assert_eq!(read("/jsr.json", r#"{ "name": 1 }"#).unwrap_err().place.unwrap().line, 1);
    }
}
