//! Stands in for unpacking.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Findings};
use slipway_common::model::limits::UploadLimits;

use crate::pipeline::files::Files;

/// Unpacks ordinary archives.
pub(in crate::pipeline) fn unpack(tarball: &[u8], _: &UploadLimits) -> Result<Files, Findings> {
    let invalid = |error: std::io::Error| Findings::from(Finding::error(FindingCode::InvalidTarball, error.to_string()));
    let mut files = Files::default();
    for entry in tar::Archive::new(GzDecoder::new(tarball)).entries().map_err(invalid)? {
        let mut entry = entry.map_err(invalid)?;
        let path = format!("/{}", String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./"));
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(invalid)?;
        let path = PackagePath::try_from(path.as_str())
            .map_err(|problem| Findings::from(Finding::error(FindingCode::InvalidPath, problem.to_string())))?;
        files.insert(path, Bytes::from(bytes));
    }
    Ok(files)
}
