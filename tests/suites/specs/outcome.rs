//! What becomes of a spec's package, in the parts that its file shows.
//!
//! `outcome` and the files that were rewritten are always shown. What else there is, is shown where the file has a section for it:
//! `tree` (the files of the npm tarball), `modes` (those with other permissions than 644), `npm/…` (one of them), `meta` (the version's manifest), `docs/…`.

use std::collections::BTreeMap;

use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::dependency::DependencyKind;
use slipway_common::model::finding::{Finding, Findings, Severity};
use slipway_tests::spec::{Section, Spec, npm_files};
use slipway_worker::pipeline::Plan;

/// Runs a spec.
pub(crate) fn of(spec: &Spec, is_reject: bool) -> Result<Vec<Section>, String> {
    match spec.plan() {
        Err(findings) if is_reject => Ok(vec![section("findings", lines(&findings))]),
        Err(findings) => Err(format!("it was refused:\n{}", lines(&findings))),
        Ok(_) if is_reject => Err("it was accepted".into()),
        Ok(plan) => parts(spec, &plan),
    }
}

fn parts(spec: &Spec, plan: &Plan) -> Result<Vec<Section>, String> {
    let mut parts = vec![section("outcome", summary(plan))];
    parts.extend(rewritten(spec, plan));
    let files = npm_files(plan);
    let modes: String =
        files.iter().filter(|(_, file)| file.mode != 0o644).map(|(path, file)| format!("{:o} {path}\n", file.mode)).collect();
    let npm: BTreeMap<String, String> =
        files.into_iter().map(|(path, file)| (path, String::from_utf8_lossy(&file.bytes).into_owned())).collect();
    for wanted in spec.expected.iter().map(|section| section.name.as_str()).filter(|name| *name != "outcome" && !name.starts_with('/')) {
        let text = match wanted.split_once('/') {
            None if wanted == "tree" => npm.keys().map(|path| format!("{path}\n")).collect(),
            None if wanted == "modes" => modes.clone(),
            None if wanted == "meta" => json(&artefact(plan, |kind| *kind == ArtefactKind::VersionMeta)?),
            Some(("npm", "package.json")) => npm.get("package.json").cloned().ok_or("there is no package.json")?,
            Some(("npm", path)) => npm.get(path).cloned().ok_or_else(|| format!("the npm tarball has no {path}"))?,
            Some(("docs", path)) => json(&artefact(plan, |kind| matches!(kind, ArtefactKind::Docs { name, .. } if name == path))?),
            _ => return Err(format!("nothing is called {wanted}")),
        };
        parts.push(section(wanted, text));
    }
    Ok(parts)
}

fn section(name: &str, text: String) -> Section {
    Section { name: name.to_owned(), text }
}

/// What a version is, a line for each thing.
fn summary(plan: &Plan) -> String {
    let mut lines_of: Vec<String> = plan.exports.0.iter().map(|(key, target)| format!("export {key} {target}")).collect();
    lines_of.extend(plan.license.iter().map(|license| format!("license {license}")));
    lines_of.extend(plan.readme.iter().map(|readme| format!("readme {readme}")));
    lines_of.extend(plan.description.iter().map(|description| format!("description {description}")));
    for needed in &plan.dependencies {
        let kind = match needed.kind {
            DependencyKind::Jsr => "jsr",
            DependencyKind::Npm => "npm",
        };
        let path = if needed.path.is_empty() { String::new() } else { format!(" {}", needed.path) };
        lines_of.push(format!("needs {kind}:{}@{}{path}", needed.name, needed.constraint));
    }
    if plan.augmentations {
        lines_of.push("augmentations".to_owned());
    }
    lines_of.push(lines(&plan.findings).trim_end().to_owned());
    lines_of.retain(|line| !line.is_empty());
    lines_of.iter().map(|line| format!("{line}\n")).collect()
}

/// The stored files that are not what was sent.
fn rewritten(spec: &Spec, plan: &Plan) -> Vec<Section> {
    let stored = plan.artefacts.iter().filter_map(|artefact| match &artefact.kind {
        ArtefactKind::Module(path) => Some((path.as_str(), &artefact.bytes[..])),
        _ => None,
    });
    let sent = |path: &str| spec.files.iter().find(|file| file.path() == &path[1..]).map(Section::bytes);
    let rewritten = stored.filter(|(path, bytes)| sent(path).as_deref() != Some(*bytes));
    rewritten.map(|(path, bytes)| section(path, String::from_utf8_lossy(bytes).into_owned())).collect()
}

fn artefact(plan: &Plan, which: impl Fn(&ArtefactKind) -> bool) -> Result<String, String> {
    let found = plan.artefacts.iter().find(|artefact| which(&artefact.kind)).ok_or("there is no such artefact")?;
    Ok(String::from_utf8_lossy(&found.bytes).into_owned())
}

/// JSON as people read it.
fn json(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).expect("we wrote it");
    serde_json::to_string_pretty(&value).expect("it was JSON") + "\n"
}

/// Each finding on a line: severity, code, place, message, remedy.
fn lines(findings: &Findings) -> String {
    findings.iter().map(|finding| line(finding) + "\n").collect()
}

fn line(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = finding.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
    let hint = finding.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{severity} {}{place}: {}{hint}", finding.code, finding.message)
}
