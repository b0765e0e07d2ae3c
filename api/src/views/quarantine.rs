//! Versions that staff keeps from everybody.

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::model::quarantine::Quarantine;

/// A version in quarantine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuarantineView {
    scope: String,
    package: String,
    version: String,
    /// `held`, or `releasing` while its objects are put back.
    state: &'static str,
    reason: String,
    created_at: Instant,
}

impl QuarantineView {
    pub(crate) fn new(quarantine: &Quarantine) -> Self {
        Self {
            scope: quarantine.package.scope().to_string(),
            package: quarantine.package.name().to_owned(),
            version: quarantine.version.to_string(),
            state: quarantine.custody.as_str(),
            reason: quarantine.reason.clone(),
            created_at: quarantine.created_at,
        }
    }
}
