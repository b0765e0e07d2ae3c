//! CI jobs on the wire: those that are trusted, and the one that published.

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::ids::PublisherId;
use slipway_common::model::ci::{CiIdentity, TrustedPublisher};

/// A CI identity that a package trusts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublisherView {
    id: PublisherId,
    issuer: String,
    repository: String,
    repository_id: String,
    workflow: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    environment: Option<String>,
    created_at: Instant,
}

impl PublisherView {
    pub(crate) fn new(publisher: TrustedPublisher) -> Self {
        let TrustedPublisher { id, demands, created_at, .. } = publisher;
        Self {
            id,
            issuer: demands.issuer,
            repository: demands.repository,
            repository_id: demands.repository_id,
            workflow: demands.workflow,
            reference: demands.reference,
            environment: demands.environment,
            created_at,
        }
    }
}

/// The CI job that published.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CiView {
    issuer: String,
    repository: String,
    repository_id: String,
    #[serde(rename = "ref")]
    reference: String,
    workflow: Option<String>,
    environment: Option<String>,
    actor: Option<String>,
    commit: Option<String>,
    run: Option<String>,
}

impl CiView {
    pub(crate) fn new(job: &CiIdentity) -> Self {
        Self {
            issuer: job.issuer.clone(),
            repository: job.repository.clone(),
            repository_id: job.repository_id.clone(),
            reference: job.reference.clone(),
            workflow: job.workflow.clone(),
            environment: job.environment.clone(),
            actor: job.actor.clone(),
            commit: job.commit.clone(),
            run: job.run.clone(),
        }
    }
}
