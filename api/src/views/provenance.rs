//! Where versions came from, on the wire.

use serde::Serialize;
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::model::provenance::{Provenance, Standing, Unverified};

use super::CiView;
use crate::error::Code;

/// Where a version came from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvenanceView {
    predicate_type: String,
    /// The CI job that signed, as its certificate says.
    job: CiView,
    /// Who says when its certificate was used: `log`, `timestamp`, or `publish` where nobody does.
    time_from: &'static str,
    log_index: Option<String>,
    logged_at: Option<Instant>,
    verified_at: Instant,
}

impl ProvenanceView {
    pub(crate) fn new(provenance: &Provenance) -> Self {
        Self {
            predicate_type: provenance.predicate_type.clone(),
            job: CiView::new(&provenance.job),
            time_from: provenance.time_from.as_str(),
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

/// What has become of a bundle that could not be verified when it was handed in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnverifiedView {
    /// `waiting` or `refused`.
    status: &'static str,
    /// What it would have been refused with at once.
    code: Option<&'static str>,
    message: Option<String>,
    updated_at: Instant,
}

impl UnverifiedView {
    pub(crate) fn new(unverified: &Unverified) -> Self {
        let failure = match &unverified.standing {
            Standing::Waiting(_) => None,
            Standing::Refused(failure) => Some(failure),
        };
        Self {
            status: if failure.is_some() { "refused" } else { "waiting" },
            code: failure.map(|failure| Code::of(failure.step).as_str()),
            message: failure.map(|failure| format!("{}: {}", Code::of(failure.step).message(), failure.why)),
            updated_at: unverified.updated_at,
        }
    }
}
