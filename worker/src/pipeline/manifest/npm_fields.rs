//! What the npm package says of itself beyond what every package says: commands, peers, keywords and the like.
//!
//! `package.json` has npm's own fields for that. `jsr.json` and `deno.json` have one key for all of them:
//!
//! ```jsonc
//! "npm": {
//!   "bin": { "kit": "./cli.ts" },                          // or "./cli.ts", a command named as the package is
//!   "peerDependencies": { "react": "^19" },                // also names the version for `import "react"`
//!   "peerDependenciesMeta": { "react": { "optional": true } },
//!   "optionalDependencies": { "fsevents": "^2" },
//!   "keywords": ["tools"], "sideEffects": false, "engines": { "node": ">=22" },
//!   "description": "One line.", "homepage": "…", "repository": "…", "bugs": "…", "author": "…"
//! }
//! ```
//!
//! A field under the key comes before the field of a `package.json` beside it. Nothing here can fail a publish: what is
//! malformed is left out, with a warning where it stands under the key, which is written for this registry alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::exports::cut;
use super::index::{FileIndex, join};
use super::json::Document;
use super::{NpmFields, package_json};

/// Largest value of one field, in bytes of JSON. All of them stand in a document that every npm client loads, once for each
/// version; a long list of keywords has one kilobyte.
const MAX_FIELD_BYTES: usize = 32 * 1024;
/// Most commands. The packages that have the most have some twenty.
const MAX_BINS: usize = 100;
/// The key in `jsr.json` and `deno.json`.
const KEY: &str = "npm";

/// A field: its name, what of a value is kept, and which shape it must have.
type Field = (&'static str, fn(&Value) -> Option<Value>, &'static str);

/// The fields that are carried over as they are.
const FIELDS: &[Field] = &[
    ("keywords", texts, "a list of strings"),
    ("homepage", text, "a string"),
    ("repository", text_or_texts, "a string or an object of strings"),
    ("bugs", text_or_texts, "a string or an object of strings"),
    ("author", text_or_texts, "a string or an object of strings"),
    ("sideEffects", side_effects, "true, false, or a list of strings"),
    ("engines", texts_by_name, "an object of strings"),
    ("peerDependencies", ranges, "an object of version ranges"),
    ("peerDependenciesMeta", optional_peers, "an object such as { \"react\": { \"optional\": true } }"),
    ("optionalDependencies", ranges, "an object of version ranges"),
];

/// Gathers the fields. `package` is the `package.json` beside the config, or the config itself.
pub(super) fn read(config: &Document, package: Option<&Map<String, Value>>, index: &FileIndex<'_>, findings: &mut Findings) -> NpmFields {
    let mut reading = Reading { config, index, findings, found: NpmFields::default() };
    if let Some(package) = package {
        reading.package_json(package);
    }
    if let Some(own) = own(config) {
        reading.own(own);
    }
    reading.found
}

/// What stands under the key, whatever it is.
pub(super) fn own(config: &Document) -> Option<&Value> {
    config.object.get(KEY).filter(|_| config.path.file_name() != "package.json")
}

struct Reading<'a, 'b> {
    config: &'a Document,
    index: &'a FileIndex<'b>,
    findings: &'a mut Findings,
    found: NpmFields,
}

impl Reading<'_, '_> {
    fn package_json(&mut self, package: &Map<String, Value>) {
        for (name, keep, _) in FIELDS {
            if let Some(value) = package.get(*name).filter(|value| fits(value)).and_then(keep) {
                self.found.fields.insert((*name).to_owned(), value);
            }
        }
        // Code can ask for packages in ways that no analysis sees, so what describes the package has a say of its own.
        if self.config.path.file_name() == "package.json"
            && let Some(value) = package.get("dependencies").filter(|value| fits(value)).and_then(ranges)
        {
            self.found.fields.insert("dependencies".to_owned(), value);
        }
        let has_own = own(self.config).is_some_and(|own| own.get("bin").is_some());
        if let Some(bin) = package.get("bin").filter(|_| !has_own) {
            let directory = self.config.path.directory();
            let place = Place::file(format!("{directory}package.json"));
            self.bins(bin, &place);
        }
    }

    fn own(&mut self, own: &Value) {
        let Value::Object(own) = own else { return self.warn(format!("'{KEY}' must be an object")) };
        for (name, value) in own {
            match (FIELDS.iter().find(|(field, ..)| field == name), name.as_str()) {
                (None, "bin") => self.bins(value, &self.config.place(KEY)),
                // Read with the description of the package.
                (None, "description") if value.is_string() => {}
                (None, "description") => self.warn(format!("'{KEY}.description' must be a string and is left out")),
                (None, _) => self.unknown(name),
                (Some((_, keep, shape)), _) => match keep(value).filter(fits) {
                    Some(kept) => {
                        self.left_out(name, value, &kept);
                        self.found.fields.insert(name.clone(), kept);
                    }
                    None => self.warn(format!("'{KEY}.{name}' must be {shape} of at most {MAX_FIELD_BYTES} bytes and is left out")),
                },
            }
        }
    }

    /// Says which dependencies cannot be carried over.
    fn left_out(&mut self, field: &str, value: &Value, kept: &Value) {
        if field == "peerDependenciesMeta" {
            return;
        }
        let names = value.as_object().into_iter().flat_map(Map::keys);
        if let Some(name) = names.into_iter().find(|name| kept.get(name.as_str()).is_none()) {
            let why = "its range means nothing to those who install from a registry";
            self.warn(format!("'{}' of '{KEY}.{field}' is left out: {why}", cut(name)));
        }
    }

    fn unknown(&mut self, name: &str) {
        let known: Vec<&str> = FIELDS.iter().map(|(name, ..)| *name).chain(["bin", "description"]).collect();
        let finding = self.warning(format!("'{KEY}.{}' means nothing here and is left out", cut(name)));
        self.findings.push(finding.hint(format!("known are {}", known.join(", "))));
    }

    /// The commands: one that is named as the package is, or an object of them.
    fn bins(&mut self, value: &Value, place: &Place) {
        let name = self.config.object.get("name").and_then(Value::as_str).unwrap_or_default();
        let bins: Vec<(&str, &Value)> = match value {
            Value::String(_) => vec![(name, value)],
            Value::Object(bins) => bins.iter().map(|(name, path)| (name.as_str(), path)).collect(),
            _ => return self.warn("'bin' must be a path, or an object of paths".to_owned()),
        };
        for (name, path) in bins.into_iter().take(MAX_BINS) {
            let command = name.rsplit('/').next().unwrap_or(name);
            match self.program(command, path) {
                Ok(path) => _ = self.found.bins.insert(command.to_owned(), path),
                Err(why) => {
                    let message = format!("the command '{}' is left out: {why}", cut(command));
                    self.findings.push(Finding::warning(FindingCode::ExportSkipped, message).at(place.clone()));
                }
            }
        }
    }

    /// The file of a command. Where it is not there because nobody built it, its source is.
    fn program(&self, command: &str, path: &Value) -> Result<PackagePath, String> {
        if !is_command(command) {
            return Err("a name may hold letters, digits, '.', '_' and '-', and begins with a letter or digit".to_owned());
        }
        let Value::String(written) = path else { return Err("it must name a file".to_owned()) };
        let rooted = join("/", written.trim_start_matches('/')).unwrap_or_default();
        let found = self.index.find(&rooted).or_else(|| package_json::source_of(&PackagePath::try_from(rooted.as_str()).ok()?, self.index));
        found.ok_or_else(|| format!("'{}' is not in the package; is it excluded from publishing?", cut(written)))
    }

    fn warn(&mut self, message: String) {
        let finding = self.warning(message);
        self.findings.push(finding);
    }

    fn warning(&self, message: String) -> Finding {
        Finding::warning(FindingCode::InvalidConfigFile, message).at(self.config.place(KEY))
    }
}

/// Whether npm clients can make a program of that name on every system.
fn is_command(name: &str) -> bool {
    /// Longest name, as for any file.
    const LONGEST: usize = 100;
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn fits(value: &Value) -> bool {
    value.to_string().len() <= MAX_FIELD_BYTES
}

fn text(value: &Value) -> Option<Value> {
    value.is_string().then(|| value.clone())
}

fn texts(value: &Value) -> Option<Value> {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string)).then(|| value.clone())
}

fn texts_by_name(value: &Value) -> Option<Value> {
    value.as_object().is_some_and(|map| map.values().all(Value::is_string)).then(|| value.clone())
}

fn text_or_texts(value: &Value) -> Option<Value> {
    text(value).or_else(|| texts_by_name(value))
}

fn side_effects(value: &Value) -> Option<Value> {
    if value.is_boolean() { Some(value.clone()) } else { texts(value) }
}

/// The dependencies that whoever installs from a registry can follow.
fn ranges(value: &Value) -> Option<Value> {
    let map = texts_by_name(value)?;
    let kept = map.as_object()?.iter().filter(|(_, range)| range.as_str().is_some_and(can_be_followed));
    Some(kept.map(|(name, range)| (name.clone(), range.clone())).collect::<Map<_, _>>().into())
}

/// Whether this is a range, or another package under this name (`npm:@scope/name@^1`): no workspace, file or repository.
fn can_be_followed(range: &str) -> bool {
    match range.strip_prefix("npm:") {
        Some(alias) => !alias.contains(':') && alias.matches('/').count() <= usize::from(alias.starts_with('@')),
        None => !range.contains([':', '/']),
    }
}

fn optional_peers(value: &Value) -> Option<Value> {
    let peers = value.as_object()?.iter().filter(|(_, meta)| meta.get("optional") == Some(&Value::Bool(true)));
    Some(peers.map(|(name, _)| (name.clone(), json!({ "optional": true }))).collect::<Map<_, _>>().into())
}

/// What stands under the key about versions, for imports that name none.
pub(super) fn versions(config: &Document) -> BTreeMap<String, String> {
    let own = own(config).and_then(Value::as_object);
    let named = ["peerDependencies", "optionalDependencies"].into_iter().filter_map(|field| ranges(own?.get(field)?));
    named.flat_map(|ranges| texts_of(&ranges)).collect()
}

fn texts_of(object: &Value) -> Vec<(String, String)> {
    let entries = object.as_object().into_iter().flatten();
    entries.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::read_all;
    use super::super::{Manifest, NpmFields};
    use super::*;

    fn read(fields: &str, package: &str) -> (Manifest, Vec<String>) {
        let config = format!("{{\"name\": \"@acme/kit\", \"license\": \"MIT\", \"exports\": \"./mod.ts\",\n{fields}}}");
        let mut list = vec![("/jsr.json", config.as_str()), ("/mod.ts", ""), ("/cli.ts", ""), ("/src/more.ts", "")];
        if !package.is_empty() {
            list.push(("/package.json", package));
        }
        let (manifest, findings) = read_all("/jsr.json", &list);
        assert!(!findings.has_errors(), "{findings:?}");
        (manifest.unwrap(), findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn one_key_holds_all() {
        let fields = r#""npm": {
            "bin": { "kit": "./cli.ts", "more": "dist/more.js" }, "peerDependencies": { "react": "^19" }, "optionalDependencies": { "a": "1" },
            "peerDependenciesMeta": { "react": { "optional": true, "x": 1 }, "y": {} }, "keywords": ["a"], "sideEffects": ["./a.css"],
            "engines": { "node": ">=22" }, "description": "For npm.", "author": { "name": "A" }
        }"#;
        let (manifest, findings) = read(fields, "");
        assert!(findings.is_empty(), "{findings:?}");
        let NpmFields { bins, fields } = manifest.npm;
        assert_eq!(bins.iter().map(|(name, path)| format!("{name} {path}")).collect::<Vec<_>>(), ["kit /cli.ts", "more /src/more.ts"]);
        assert_eq!(
            Value::from(fields),
            json!({
                "peerDependencies": { "react": "^19" }, "optionalDependencies": { "a": "1" },
                "peerDependenciesMeta": { "react": { "optional": true } }, "keywords": ["a"], "sideEffects": ["./a.css"],
                "engines": { "node": ">=22" }, "author": { "name": "A" }
            })
        );
        assert_eq!(manifest.description.as_deref(), Some("For npm."));
        assert_eq!(manifest.resolution.dependencies["react"], "^19");
    }

    #[test]
    fn comes_before_the_fields_of_a_package_json() {
        let package = r#"{ "bin": "./none.ts", "keywords": ["old"], "sideEffects": false, "peerDependencies": { "vue": "3", "react": "^18" },
            "dependencies": { "a": "1" }, "engines": [], "description": "Old." }"#;
        let (manifest, findings) =
            read(r#""npm": { "bin": "./cli.ts", "keywords": ["new"], "peerDependencies": { "react": "^19" } }"#, package);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(manifest.npm.bins["kit"].as_str(), "/cli.ts");
        let fields = json!({ "keywords": ["new"], "sideEffects": false, "peerDependencies": { "react": "^19" } });
        assert_eq!(Value::from(manifest.npm.fields), fields);
        assert_eq!(manifest.resolution.dependencies["react"], "^19");
        assert_eq!(manifest.description.as_deref(), Some("Old."));

        let (manifest, findings) = read("", package);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("the command 'kit' is left out: './none.ts' is not in the package"), "{findings:?}");
        assert!(findings[0].contains("(/package.json)"));
        assert_eq!(manifest.npm.fields["keywords"], json!(["old"]));
    }

    #[test]
    fn what_is_malformed_is_a_warning() {
        for (npm, warning) in [
            ("1", "'npm' must be an object"),
            (r#"{ "bin": 1 }"#, "'bin' must be a path, or an object of paths"),
            (r#"{ "bin": { "a": 1 } }"#, "the command 'a' is left out: it must name a file"),
            (r#"{ "bin": { "../..": "./cli.ts" } }"#, "the command '..' is left out: a name may hold"),
            (r#"{ "bin": { "a": "../cli.ts" } }"#, "the command 'a' is left out: '../cli.ts' is not in the package"),
            (r#"{ "keywords": "a" }"#, "'npm.keywords' must be a list of strings"),
            (r#"{ "sideEffects": 1 }"#, "'npm.sideEffects' must be true, false, or a list of strings"),
            (r#"{ "engines": { "node": 22 } }"#, "'npm.engines' must be an object of strings"),
            (r#"{ "peerDependencies": ["react"] }"#, "'npm.peerDependencies' must be an object of version ranges"),
            (r#"{ "peerDependencies": { "a": "workspace:*" } }"#, "'a' of 'npm.peerDependencies' is left out"),
            (r#"{ "peerDependenciesMeta": 1 }"#, "'npm.peerDependenciesMeta' must be an object such as"),
            (r#"{ "description": 1 }"#, "'npm.description' must be a string"),
            (r#"{ "scripts": {} }"#, "'npm.scripts' means nothing here"),
        ] {
            let (manifest, findings) = read(&format!("\"npm\": {npm}"), "");
            assert_eq!(findings.len(), 1, "{npm}: {findings:?}");
            assert!(findings[0].starts_with(warning) && findings[0].contains("(/jsr.json:2:1)"), "{npm}: {findings:?}");
            assert!(manifest.npm.bins.is_empty(), "{npm}");
        }
        let long = format!("\"npm\": {{ \"keywords\": [\"{}\"] }}", "a".repeat(MAX_FIELD_BYTES));
        assert!(read(&long, "").0.npm.fields.is_empty());
    }

    #[test]
    fn ranges_that_can_be_followed() {
        for range in ["^1", "1 || 2", ">=1 <2", "latest", "npm:react@^18", "npm:@a/b@1", ""] {
            assert!(can_be_followed(range), "{range}");
        }
        for range in ["workspace:*", "file:../a", "user/repository", "https://a/b.tgz", "npm:a/b@1", "npm:file:a", "catalog:"] {
            assert!(!can_be_followed(range), "{range}");
        }
    }
}
