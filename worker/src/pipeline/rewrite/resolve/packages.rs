//! Packages that `package.json` declares, and the package itself under its own name.

use std::collections::BTreeMap;

use deno_package_json::PackageJsonDepValue;
use serde_json::{Map, Value};
use slipway_common::ids::{ExportKey, Exports, PackageName, Version};
use slipway_common::model::finding::FindingCode;

use super::super::super::manifest::Manifest;
use super::range::{self, Unusable};
use super::{Failure, shorten, subpaths};

/// Longest declaration of a dependency that is read, in bytes.
const MAX_DECLARATION_BYTES: usize = 512;

/// A package specifier, ready to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// `npm:chalk@^5/sub`.
    pub(super) text: String,
    /// What the author should know about how it was chosen.
    pub(super) remark: Option<String>,
}

/// Takes `@scope/name/a/b` and `name/a/b` apart into the package and the rest.
pub(super) fn split(specifier: &str) -> Option<(&str, &str)> {
    let from = if specifier.starts_with('@') { specifier.find('/')? + 1 } else { 0 };
    let end = specifier[from..].find('/').map_or(specifier.len(), |slash| from + slash);
    let (name, rest) = specifier.split_at(end);
    (end > from && name.len() > from).then(|| (name, rest.strip_prefix('/').unwrap_or(rest)))
}

/// The dependencies of the package.
pub(super) struct Dependencies<'a> {
    declared: &'a BTreeMap<String, String>,
    development: Option<&'a Map<String, Value>>,
}

impl<'a> Dependencies<'a> {
    pub(super) fn new(manifest: &'a Manifest) -> Self {
        let package_json = manifest.package_json.as_ref();
        let development = package_json.and_then(|json| json.get("devDependencies")).and_then(Value::as_object);
        Self { declared: &manifest.resolution.dependencies, development }
    }

    /// Whether consumers get this package, or at least its author does.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.declared.contains_key(name) || self.development(name).is_some()
    }

    /// The range under which the author alone gets this package.
    pub(super) fn development(&self, name: &str) -> Option<&'a str> {
        self.development?.get(name)?.as_str()
    }

    /// `npm:name@range/sub`, when `name` is declared.
    pub(super) fn specifier(&self, name: &str, sub_path: &str) -> Option<Result<Declared, Failure>> {
        Some(write(name, self.declared.get(name)?, self.development(name), sub_path))
    }

    /// The declarations of `name` from `@types`. Nothing is run, so the author's own copy is as good.
    pub(super) fn types(&self, name: &str, sub_path: &str) -> Option<Result<Declared, Failure>> {
        let types = match name.strip_prefix("@types/") {
            Some(_) => name.to_owned(),
            None => format!("@types/{}", name.trim_start_matches('@').replace('/', "__")),
        };
        let range = self.declared.get(&types).map(String::as_str).or_else(|| self.development(&types))?;
        Some(write(&types, range, None, sub_path))
    }
}

/// The specifier for a dependency as `package.json` declares it.
fn write(name: &str, declaration: &str, preferred: Option<&str>, sub_path: &str) -> Result<Declared, Failure> {
    let declaration = declaration.trim();
    let said = format!("`package.json` declares '{}' as '{}'", shorten(name), shorten(declaration));
    let unsupported = || Failure {
        code: FindingCode::UnsupportedDependencyProtocol,
        message: format!("{said}, which means nothing outside the author's machine"),
        hint: Some("declare a version range such as '^1.2.0'".to_owned()),
    };
    if declaration.len() > MAX_DECLARATION_BYTES {
        return Err(unsupported());
    }
    let Ok(PackageJsonDepValue::Req(request)) = PackageJsonDepValue::parse(name, declaration) else { return Err(unsupported()) };
    let range = range::write(request.version_req.version_text(), preferred).map_err(|problem| match problem {
        Unusable::Open => Failure {
            code: FindingCode::MissingConstraint,
            message: format!("{said}, which leaves the version open"),
            hint: Some("declare a version range such as '^1.2.0'".to_owned()),
        },
        Unusable::Unreadable => unsupported(),
    })?;
    let own = request.name.strip_prefix("@jsr/").and_then(|stem| PackageName::from_npm_stem(stem).ok());
    let package = own.map_or_else(|| format!("npm:{}", request.name), |own| format!("jsr:{own}"));
    let slash = if sub_path.is_empty() { "" } else { "/" };
    let remark = range.is_narrowed.then(|| format!("{said}, which a specifier cannot hold; '{}' is published", range.text));
    Ok(Declared { text: format!("{package}@{}{slash}{sub_path}", range.text), remark })
}

/// The package under its own name.
pub(super) struct Own<'a> {
    package: &'a PackageName,
    version: &'a Version,
    exports: &'a Exports,
    /// Its name in `package.json`, which may be the one it has on another registry.
    npm_name: Option<&'a str>,
    npm_exports: Option<&'a Value>,
}

impl<'a> Own<'a> {
    pub(super) fn new(package: &'a PackageName, version: &'a Version, manifest: &'a Manifest) -> Self {
        let field = |key: &str| manifest.package_json.as_ref().and_then(|json| json.get(key));
        Self {
            package,
            version,
            exports: &manifest.exports,
            npm_name: field("name").and_then(Value::as_str),
            npm_exports: field("exports"),
        }
    }

    /// Whether this is the package's name, here or in its `package.json`.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.npm_name == Some(name) || self.package.to_string() == name
    }

    /// Whether the package may have had this name before it came here: all but the scope is the same.
    pub(super) fn may_have_been(&self, name: &str) -> bool {
        name.rsplit('/').next() == Some(self.package.name())
    }

    /// A specifier that names this very version, for what cannot be said with a relative path.
    pub(super) fn specifier(&self) -> String {
        format!("jsr:{}@^{}", self.package, self.version)
    }

    /// The files that the export for `sub_path` may be, best first, as they are written: `./src/mod.ts`.
    pub(super) fn targets(&self, sub_path: &str, types: bool) -> Vec<String> {
        let stem = [".js", ".mjs", ".ts"].iter().find_map(|ending| sub_path.strip_suffix(ending));
        let names = [Some(sub_path), stem].into_iter().flatten();
        let keys: Vec<_> = names.filter_map(|name| ExportKey::from_sub_path(Some(name)).ok()).collect();
        let exact = keys.iter().filter_map(|key| self.exports.0.get(key)).map(|target| target.as_str().to_owned());
        exact.chain(keys.iter().flat_map(|key| self.npm_targets(key.as_str(), types))).collect()
    }

    fn npm_targets(&self, key: &str, types: bool) -> Vec<String> {
        match self.npm_exports {
            Some(Value::Object(map)) if map.keys().next().is_some_and(|key| key.starts_with('.')) => subpaths::targets(map, key, types),
            Some(value) if key == "." => subpaths::conditional(value, types),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sub_paths() {
        assert_eq!(split("chalk"), Some(("chalk", "")));
        assert_eq!(split("chalk/a/b"), Some(("chalk", "a/b")));
        assert_eq!(split("@std/path"), Some(("@std/path", "")));
        assert_eq!(split("@std/path/posix"), Some(("@std/path", "posix")));
        assert_eq!(split("buffer/"), Some(("buffer", "")));
        assert_eq!((split("@std"), split("@std/"), split(""), split("/a")), (None, None, None, None));
    }

    #[test]
    fn every_way_to_declare() {
        for (name, declaration, expected) in [
            ("chalk", "^5", "npm:chalk@^5/x"),
            ("foo", "npm:bar@^1", "npm:bar@^1/x"),
            ("foo", "npm:@a/bar@~1.2", "npm:@a/bar@~1.2/x"),
            ("@std/path", "npm:@jsr/std__path@^1", "jsr:@std/path@^1/x"),
            ("@std/path", "jsr:^1", "jsr:@std/path@^1/x"),
            ("path", "jsr:@std/path@1.0.1", "jsr:@std/path@1.0.1/x"),
            ("@jsr/std__path", "^1.0.0", "jsr:@std/path@^1.0.0/x"),
        ] {
            assert_eq!(write(name, declaration, None, "x").unwrap().text, expected, "{name} {declaration}");
        }
        assert_eq!(write("chalk", "^5", None, "").unwrap().text, "npm:chalk@^5");
    }

    #[test]
    fn every_way_not_to() {
        for declaration in [
            "workspace:*",
            "workspace:^1.2.0",
            "file:../x",
            "link:../x",
            "portal:../x",
            "catalog:",
            "catalog:react",
            "git+https://example.com/x.git",
            "https://example.com/x.tgz",
            "user/repo",
            "github:user/repo",
            "jsr:^1",
        ] {
            assert_eq!(write("x", declaration, None, "").unwrap_err().code, FindingCode::UnsupportedDependencyProtocol, "{declaration}");
        }
        for declaration in ["*", "", "latest", "npm:y", "npm:y@next", "jsr:@std/path"] {
            assert_eq!(write("x", declaration, None, "").unwrap_err().code, FindingCode::MissingConstraint, "{declaration}");
        }
    }
}
