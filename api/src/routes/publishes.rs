//! Publishes: the upload, and how it stands.

use axum::extract::State;
use http::header;
use slipway_common::ids::TaskId;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{ClientAddress, Credential, Id, Json, PackageAt, Paging, Upload, VersionAt};
use crate::service::publish::{self, Target};
use crate::service::tasks::{self, Retried};
use crate::service::wait::{self, Ear, Seen};
use crate::service::{packages, visibility};
use crate::views::PublishView;

type Uncached<T> = ([(header::HeaderName, &'static str); 1], Json<T>);

/// Accepts an upload. Answers with its end when that comes quickly.
pub(crate) async fn create(
    State(app): State<App>,
    credential: ApiResult<Credential>,
    ClientAddress(from): ClientAddress,
    at: ApiResult<VersionAt>,
    Upload { config, tarball }: Upload,
) -> ApiResult<Uncached<PublishView>> {
    // A refusal before this point would cut the upload off, and some clients would report that instead of the refusal.
    let target = || {
        let at = at?;
        Ok(Target { version: at.exact()?, package: at.package, config: config? })
    };
    let (seen, actor) = publish::accept(&app, (credential, from), target(), tarball).await?;
    view(seen, &actor).await
}

/// How a publish stands. Asked without credentials by `deno publish`; who may watch it sees its stages, too.
pub(crate) async fn show(State(app): State<App>, actor: Actor, Id(id): Id<TaskId>) -> ApiResult<Uncached<PublishView>> {
    let mut seen = wait::status(&app, id).await?;
    if !visibility::may_name(&mut seen.tx, &actor, &seen.publish).await? {
        return Ok(([(header::CACHE_CONTROL, "no-store")], Json(PublishView::of_private(&seen.publish))));
    }
    let stages = tasks::stages(&mut seen.tx, &actor, &seen.publish).await?;
    let (headers, Json(view)) = view(seen, &actor).await?;
    Ok((headers, Json(view.with_stages(stages))))
}

/// Calls a publish off that has not begun.
pub(crate) async fn cancel(State(app): State<App>, actor: Actor, Id(id): Id<TaskId>) -> ApiResult<Uncached<PublishView>> {
    let publish = tasks::cancel(&app, &actor, id).await?;
    view(Seen { publish, tx: app.context.db.read().await? }, &actor).await
}

/// Tries a publish again that was failed. Answers with the new one, at its end when that comes quickly.
pub(crate) async fn retry(State(app): State<App>, actor: Actor, Id(id): Id<TaskId>) -> ApiResult<Uncached<PublishView>> {
    let ear = Ear::new(&app);
    let again = tasks::retry(&app, &actor, id).await?;
    view(ear.hear(&app, again).await?, &actor).await
}

/// The publishes of a package, for its members.
pub(crate) async fn of_package(
    State(app): State<App>,
    actor: Actor,
    PackageAt(package): PackageAt,
    paging: Paging,
) -> ApiResult<Json<Vec<PublishView>>> {
    let publishes = packages::publishes(&app, &actor, &package, paging.page).await?;
    Ok(Json(publishes.items.iter().map(|(publish, by)| PublishView::new(publish, by)).collect()))
}

/// Has a publish tried again that is parked or was failed; for staff.
pub(crate) async fn requeue(State(app): State<App>, actor: Actor, Id(id): Id<TaskId>) -> ApiResult<Uncached<PublishView>> {
    actor.staff()?;
    let id = match tasks::retry_for_operator(&app.context, &actor.doer().as_staff(), id).await? {
        Retried::TakenUp(_) => id,
        Retried::Again(again) => again,
    };
    view(wait::status(&app, id).await?, &actor).await
}

async fn view(Seen { publish, mut tx }: Seen, asker: &Actor) -> ApiResult<Uncached<PublishView>> {
    let (by, version) = tasks::made(&mut tx, &publish, asker.known().cloned()).await?;
    let view = PublishView::new(&publish, &by).with_version(version.as_ref());
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)))
}
