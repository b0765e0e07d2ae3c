//! What the author declares: the config file, whichever of the five kinds it is, read into one shape.
//!
//! `jsr.json[c]` and `deno.json[c]` are JSONC and name their entry points; `package.json` is JSON and is understood as npm
//! and its bundlers do (`package_json`). Any other name is read as `jsr.json` is. In all of them `"augmentations": true`
//! allows `declare global`; in `package.json` it may also stand under `slipway`, where other tools leave it alone. What npm
//! clients want to know stands in npm's own fields, or under `"npm"` (`npm_fields`).
//!
//! All findings are collected. Only a file that cannot be read at all, or that leaves no entry point, ends it: without
//! one there is nothing for the later steps to look at.

mod compiler_options;
mod exports;
mod index;
mod json;
mod license;
mod license_text;
mod model;
mod npm_fields;
mod outline;
mod package_json;
mod readme;
mod resolution;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::Upload;
use super::files::Files;
use index::FileIndex;
use json::{Dialect, Document, invalid};

pub use model::{ImportMapSource, JsxOptions, JsxRuntime, Manifest, NpmFields, PathMapping, Resolution};
pub use outline::{Outline, outline};

/// Longest description. It is a line under a name in lists; npm's own pages cut at about as much.
const MAX_DESCRIPTION: usize = 250;

/// Reads the config file named in the request.
pub fn read(upload: &Upload, files: &Files, findings: &mut Findings) -> Option<Manifest> {
    understand(upload, &FileIndex::new(files), findings)
}

/// The same, with every file that the reading looked into or chose. A package without the others reads as this one does.
pub fn read_noting(upload: &Upload, files: &Files, findings: &mut Findings) -> (Option<Manifest>, BTreeSet<PackagePath>) {
    let index = FileIndex::new(files);
    let manifest = understand(upload, &index, findings);
    (manifest, index.into_noted())
}

fn understand(upload: &Upload, index: &FileIndex<'_>, findings: &mut Findings) -> Option<Manifest> {
    let document = load(&upload.config, index).map_err(|finding| findings.push(finding)).ok()?;
    let is_package_json = document.path.file_name() == "package.json";
    findings.extend(check_name(&document, &upload.package, is_package_json).err());
    findings.extend(check_version(&document, &upload.version).err());
    let found = if is_package_json {
        package_json::read(&document, index, findings)
    } else {
        let exports = exports::read(&document, index, findings);
        package_json::EntryPoints { exports, ..package_json::EntryPoints::default() }
    };
    let mut declarations = package_json::siblings(index);
    declarations.extend(found.declarations);
    let license = license::read(&document, index).map_err(|finding| findings.push(finding)).ok();
    let augmentations = augmentations(&document).unwrap_or_else(|finding| {
        findings.push(finding);
        false
    });
    let package_json = if is_package_json { Some(document.object.clone()) } else { beside(&document, index, findings) };
    let npm = npm_fields::read(&document, package_json.as_ref(), index, findings);
    let mut resolution = resolution::read(&document, package_json.as_ref(), index, findings);
    resolution.dependencies.extend(npm_fields::versions(&document));
    let for_npm = npm_fields::own(&document).and_then(Value::as_object);
    let description = description(&document.object).or_else(|| description(for_npm?)).or_else(|| description(package_json.as_ref()?));
    (!found.exports.0.is_empty()).then(|| Manifest {
        config: document.path,
        exports: found.exports,
        declarations,
        license,
        readme: readme::find(index),
        description,
        augmentations,
        npm,
        resolution,
        package_json,
    })
}

/// The JavaScript of a package that has declarations beside it.
#[cfg(test)]
pub(crate) fn pairs(files: &Files) -> std::collections::BTreeMap<PackagePath, PackagePath> {
    package_json::siblings(&FileIndex::new(files))
}

/// The config file, or why it cannot be used.
fn load(path: &PackagePath, index: &FileIndex<'_>) -> Result<Document, Finding> {
    let Some(bytes) = index.bytes(path) else {
        let finding = Finding::error(FindingCode::MissingConfigFile, format!("config file '{path}' is not in the upload"));
        return Err(match index.similar(path.as_str()) {
            Some(other) => finding.hint(format!("the upload has '{other}', whose name differs in case alone")),
            None => finding.hint("is it excluded from publishing?"),
        });
    };
    let dialect = if path.file_name() == "package.json" { Dialect::Json } else { Dialect::Jsonc };
    Document::read(path, bytes, dialect)
}

fn check_name(document: &Document, package: &PackageName, is_package_json: bool) -> Result<(), Finding> {
    let place = document.place("name");
    let name = document.text("name")?.ok_or_else(|| invalid(&document.path, "'name' is missing").at(place.clone()))?;
    match PackageName::try_from(name) {
        Ok(named) if named == *package => Ok(()),
        // A name that is good for npm is no mistake in the file: it is the name of another package.
        Err(problem) if !is_package_json => Err(invalid(&document.path, format!("'name' is not valid: {problem}")).at(place)),
        _ => {
            let message =
                format!("config file '{}' names the package '{}', but '{package}' is being published", document.path, exports::cut(name));
            Err(Finding::error(FindingCode::ConfigFileNameMismatch, message).at(place).hint(format!("set \"name\": \"{package}\"")))
        }
    }
}

fn check_version(document: &Document, version: &Version) -> Result<(), Finding> {
    let place = document.place("version");
    let Some(text) = document.text("version")? else { return Ok(()) };
    let named = Version::try_from(text)
        .map_err(|problem| invalid(&document.path, format!("'version' is not valid: {problem}")).at(place.clone()))?;
    if named == *version {
        return Ok(());
    }
    let message = format!("config file '{}' has version '{named}', but '{version}' is being published", document.path);
    Err(Finding::error(FindingCode::ConfigFileVersionMismatch, message).at(place))
}

fn augmentations(document: &Document) -> Result<bool, Finding> {
    let own = || document.object.get("slipway")?.as_object()?.get("augmentations");
    match document.object.get("augmentations").or_else(own) {
        None => Ok(false),
        Some(Value::Bool(allowed)) => Ok(*allowed),
        Some(_) => Err(invalid(&document.path, "'augmentations' must be true or false").at(document.place("augmentations"))),
    }
}

/// The `package.json` beside a config of another kind.
fn beside(document: &Document, index: &FileIndex<'_>, findings: &mut Findings) -> Option<Map<String, Value>> {
    let path = index.find(&format!("{}package.json", document.path.directory()))?;
    resolution::read_optional(&path, index, Dialect::Json, "its dependencies are not used", findings).map(|package| package.object)
}

/// One line of at most [`MAX_DESCRIPTION`] characters.
fn description(object: &Map<String, Value>) -> Option<String> {
    let text = object.get("description")?.as_str()?;
    // Far more blanks than words is no reason to read a megabyte.
    let line = text.chars().take(4 * MAX_DESCRIPTION).collect::<String>();
    let line = line.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(MAX_DESCRIPTION).collect();
    (!cut.is_empty()).then_some(cut)
}
