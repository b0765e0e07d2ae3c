//! Whom a package trusts among the jobs of CI systems.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use slipway_common::ids::PublisherId;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json, PackageAt};
use crate::service::publishers::{self, Asked};
use crate::views::PublisherView;

/// The publishers of a package.
pub(crate) async fn list(State(app): State<App>, actor: Actor, PackageAt(package): PackageAt) -> ApiResult<Json<Vec<PublisherView>>> {
    let publishers = publishers::list(&app, &actor, &package).await?;
    Ok(Json(publishers.into_iter().map(PublisherView::new).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPublisher {
    issuer: String,
    repository: String,
    repository_id: String,
    #[serde(default)]
    workflow: Option<String>,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    environment: Option<String>,
}

/// One more publisher, also of a package that does not exist yet.
pub(crate) async fn add(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    Json(new): Json<NewPublisher>,
) -> ApiResult<Json<PublisherView>> {
    let asked = Asked {
        issuer: new.issuer,
        repository: new.repository,
        repository_id: new.repository_id,
        workflow: new.workflow,
        reference: new.reference,
        environment: new.environment,
    };
    Ok(Json(PublisherView::new(publishers::add(&app, &actor, &package, asked).await?)))
}

/// One publisher less.
pub(crate) async fn remove(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    Id(id): Id<PublisherId>,
) -> ApiResult<StatusCode> {
    publishers::remove(&app, &actor, &package, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
