//! Stands in for reading the config file.

use slipway_common::ids::{ExportKey, ExportTarget, Exports};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use crate::pipeline::Upload;
use crate::pipeline::files::Files;
use crate::pipeline::manifest::{Manifest, Resolution};

/// Reads strict JSON with `exports`, `license` and `augmentations`.
pub(in crate::pipeline) fn read(upload: &Upload, files: &Files, findings: &mut Findings) -> Option<Manifest> {
    let Some(text) = files.get(upload.config.as_str()) else {
        findings.push(Finding::error(FindingCode::MissingConfigFile, "the config file is not in the package"));
        return None;
    };
    let json: serde_json::Value = serde_json::from_slice(text).ok()?;
    let exports = match &json["exports"] {
        serde_json::Value::String(target) => vec![(".".to_owned(), target.clone())],
        serde_json::Value::Object(map) => map.iter().filter_map(|(key, target)| Some((key.clone(), target.as_str()?.to_owned()))).collect(),
        _ => Vec::new(),
    };
    let license = json["license"].as_str().map(str::to_owned);
    if license.is_none() {
        findings.push(Finding::error(FindingCode::MissingLicense, "no licence is declared"));
    }
    let pair =
        |(key, target): (String, String)| Some((ExportKey::try_from(key.as_str()).ok()?, ExportTarget::try_from(target.as_str()).ok()?));
    Some(Manifest {
        config: upload.config.clone(),
        exports: Exports(exports.into_iter().filter_map(pair).collect()),
        license,
        readme: None,
        description: None,
        augmentations: json["augmentations"] == true,
        resolution: Resolution::default(),
        package_json: None,
    })
}
