//! Where versions came from, on the wire.

use serde::Serialize;
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::model::provenance::Provenance;

use super::CiView;

/// Where a version came from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvenanceView {
    predicate_type: String,
    /// The CI job that signed, as its certificate says.
    job: CiView,
    log_index: Option<String>,
    logged_at: Option<Instant>,
    verified_at: Instant,
}

impl ProvenanceView {
    pub(crate) fn new(provenance: &Provenance) -> Self {
        Self {
            predicate_type: provenance.predicate_type.clone(),
            job: CiView::new(&provenance.job),
            log_index: provenance.log_index.clone(),
            logged_at: provenance.logged_at,
            verified_at: provenance.created_at,
        }
    }
}

/// The same with the bundle.
#[derive(Debug, Serialize)]
pub(crate) struct ProvenanceWithBundleView {
    #[serde(flatten)]
    plain: ProvenanceView,
    bundle: Value,
}

impl ProvenanceWithBundleView {
    pub(crate) fn new(provenance: Provenance) -> Self {
        Self { plain: ProvenanceView::new(&provenance), bundle: provenance.bundle }
    }
}
