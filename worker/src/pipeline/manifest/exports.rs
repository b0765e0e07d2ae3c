//! The `exports` of `jsr.json` and `deno.json`: a path, or a map from keys to paths. No conditions, no wildcards.

use serde_json::Value;
use slipway_common::ids::{ExportKey, ExportTarget, ExportTargetProblem, Exports, PackagePath};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::index::FileIndex;
use super::json::Document;

/// Most exports a version may have. Each is an entry in files that every client loads before the first module, and an entry
/// point that is analysed and documented; the largest package we know of has some three hundred.
pub(super) const MAX_EXPORTS: usize = 10_000;
/// How much of a value that is not a path is shown.
const SHOWN_CHARACTERS: usize = 120;

/// Reads the exports. What comes back exists in the package; everything else has become a finding.
pub(super) fn read(document: &Document, index: &FileIndex<'_>, findings: &mut Findings) -> Exports {
    let mut exports = Exports::default();
    match document.object.get("exports") {
        Some(Value::String(path)) => match target(document, "the root export", path, document.place("exports")) {
            Ok(target) => keep(&mut exports, ExportKey::root(), target, document, index, findings),
            Err(finding) => findings.push(finding),
        },
        Some(Value::Object(map)) => {
            for (key, value) in map {
                let kept = entry(document, key, value);
                match kept {
                    Ok((key, target)) => keep(&mut exports, key, target, document, index, findings),
                    Err(finding) => findings.push(finding),
                }
                if exports.0.len() > MAX_EXPORTS {
                    findings.push(too_many(document));
                    break;
                }
            }
            if map.is_empty() {
                findings.push(none(document));
            }
        }
        None => findings.push(none(document)),
        Some(other) => {
            let why = format!("must be a string or an object, not {}", shown(other));
            findings.push(invalid(document, why, document.place("exports")));
        }
    }
    exports
}

/// The finding for exports that break a rule.
pub(super) fn invalid(document: &Document, why: impl std::fmt::Display, place: Place) -> Finding {
    let message = format!("invalid 'exports' field in config file '{}': {why}", document.path);
    Finding::error(FindingCode::ConfigFileExportsInvalid, message).at(place)
}

/// The finding for a package without an entry point.
pub(super) fn none(document: &Document) -> Finding {
    invalid(document, "there must be at least one entry", document.place("exports"))
        .hint("name the package's main module, such as \"exports\": \"./mod.ts\"")
}

/// The finding for more entry points than [`MAX_EXPORTS`].
pub(super) fn too_many(document: &Document) -> Finding {
    invalid(document, format!("there must be no more than {MAX_EXPORTS} entries"), document.place("exports"))
}

/// One key with its value.
fn entry(document: &Document, key: &str, value: &Value) -> Result<(ExportKey, ExportTarget), Finding> {
    let place = document.export_place(key);
    let key = export_key(document, key)?;
    let Value::String(path) = value else {
        let finding = invalid(document, format!("export '{key}' must be a string, invalid value: '{}'", shown(value)), place);
        return Err(if value.is_object() {
            finding.hint("conditions are understood in package.json only, name one file")
        } else {
            finding
        });
    };
    Ok((key.clone(), target(document, &format!("export '{key}'"), path, place)?))
}

/// A key by the rules for keys.
pub(super) fn export_key(document: &Document, key: &str) -> Result<ExportKey, Finding> {
    ExportKey::try_from(key).map_err(|problem| invalid(document, format!("export '{}' {problem}", cut(key)), document.export_place(key)))
}

/// A target by the rules for targets. `subject` names the export in the message.
pub(super) fn target(document: &Document, subject: &str, path: &str, place: Place) -> Result<ExportTarget, Finding> {
    ExportTarget::try_from(path).map_err(|problem| {
        let why = match problem {
            ExportTargetProblem::Empty => format!("the path for {subject} {problem}"),
            problem => format!("the path '{}' for {subject} {problem}", cut(path)),
        };
        invalid(document, why, place)
    })
}

fn keep(exports: &mut Exports, key: ExportKey, target: ExportTarget, document: &Document, index: &FileIndex<'_>, findings: &mut Findings) {
    match missing(document, &key, &target, index) {
        Some(finding) => findings.push(finding),
        None => {
            exports.0.insert(key, target);
        }
    }
}

/// The finding for a target that is not in the package, if it is not.
pub(super) fn missing(document: &Document, key: &ExportKey, target: &ExportTarget, index: &FileIndex<'_>) -> Option<Finding> {
    let path = target.rooted();
    let place = document.export_place(key.as_str());
    if let Err(problem) = PackagePath::try_from(path) {
        let message = format!("export '{key}' references the invalid path '{}': {problem}", cut(path));
        return Some(Finding::error(FindingCode::InvalidPath, message).at(place));
    }
    if index.contains(path) {
        return None;
    }
    let message = format!("export '{key}' references entrypoint '{path}' which does not exist");
    let finding = Finding::error(FindingCode::ConfigFileExportsInvalid, message).at(place);
    Some(match index.similar(path) {
        Some(other) => finding.hint(format!("the package has '{other}', whose name differs in case alone")),
        None => finding.hint("is it excluded from publishing?"),
    })
}

fn shown(value: &Value) -> String {
    match value {
        // Written out, a hostile value is as long as the file.
        Value::Object(map) if map.len() > 8 => format!("an object of {} entries", map.len()),
        Value::Array(items) if items.len() > 8 => format!("an array of {} items", items.len()),
        value => cut(&value.to_string()),
    }
}

/// The beginning of a text, as messages show it.
pub(super) fn cut(text: &str) -> String {
    if text.chars().nth(SHOWN_CHARACTERS).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN_CHARACTERS).chain(['…']).collect()
}
