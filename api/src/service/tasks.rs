//! What can be done about a publish after it was accepted.

use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{TaskId, UserId};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::finding::Findings;
use slipway_common::model::job::Job;
use slipway_common::model::publish::{Publish, PublishError, PublishState, Stage};
use slipway_common::model::user::User;
use slipway_common::model::version::PackageVersion;

use super::publish::{self, Asker};
use super::users::{self, By};
use crate::app::App;
use crate::auth::actor::{Actor, MayPublish};
use crate::error::{ApiResult, Code};

/// What became of a publish that the operator wanted tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retried {
    /// Its version exists already: so many parked jobs are taken up.
    TakenUp(usize),
    /// It was failed: this is a new one on the same upload.
    Again(TaskId),
}

/// The stages that a publish has come to, for those who may watch it.
pub(crate) async fn stages(tx: &mut ReadTx, actor: &Actor, publish: &Publish) -> ApiResult<Option<Vec<(Stage, Instant)>>> {
    if !actor.may_watch(tx, publish).await? {
        return Ok(None);
    }
    Ok(Some(tx.publish_stages(publish.id).await?))
}

/// Who asked for a publish, and the version that it made, if it did. `asker` is who asks now, whose row need not be read again.
pub(crate) async fn made(tx: &mut ReadTx, publish: &Publish, asker: Option<User>) -> ApiResult<(By, Option<PackageVersion>)> {
    let is_made = matches!(publish.state, PublishState::Committed | PublishState::Published);
    let by = match asker.filter(|asker| publish.user_id == Some(asker.id)) {
        Some(user) => By { user: Some(user), ci: None },
        None => users::by(tx, publish.user_id, publish.id).await?,
    };
    let version = if is_made { tx.version(&publish.package, &publish.version).await? } else { None };
    Ok((by, version.filter(|version| version.task_id == publish.id)))
}

/// Calls a publish off that nobody has taken up yet.
pub(crate) async fn cancel(app: &App, actor: &Actor, id: TaskId) -> ApiResult<Publish> {
    let mut tx = app.context.db.write("task.cancel").await?;
    let Some(publish) = tx.publish(id).await? else { return Code::PublishNotFound.err() };
    let scope = tx.scope(publish.package.scope()).await?;
    actor.publish(&mut tx, scope.as_ref(), &publish.package, &publish.version).await?;
    let error = PublishError { code: "cancelled".to_owned(), message: "the publish was cancelled before it began".to_owned() };
    // Its job finds nothing to do.
    if !tx.end_publish(id, PublishState::Queued, PublishState::Cancelled, &error, &Findings::default()).await? {
        return Code::PublishNotQueued.err();
    }
    let deed = Deed::of_version(Act::PublishCancel, &publish.package, &publish.version).with("task", id.to_string());
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    let now = tx.now();
    tx.commit().await?;
    tracing::info!(task = %id, package = %publish.package, version = %publish.version, "cancelled");
    app.context.tell(id).await;
    Ok(Publish { state: PublishState::Cancelled, error: Some(error), updated_at: now, ..publish })
}

/// Tries a publish again that we failed to do, for somebody who could publish the same upload now.
pub(crate) async fn retry(app: &App, actor: &Actor, id: TaskId) -> ApiResult<TaskId> {
    let mut tx = app.context.db.write("task.retry").await?;
    let Some(publish) = tx.publish(id).await? else { return Code::PublishNotFound.err() };
    let scope = tx.scope(publish.package.scope()).await?;
    let right = actor.publish(&mut tx, scope.as_ref(), &publish.package, &publish.version).await?;
    right.allows(&publish.upload)?;
    if publish.state != PublishState::Failed {
        return Code::PublishNotFailed.err();
    }
    publish::room_for(&mut tx, app, scope.as_ref(), &publish.package, &publish.version).await?;
    again(&app.context, tx, &publish, (right, &actor.doer())).await
}

/// Tries a publish again for the operator, whose word stands above quotas and archives.
pub(crate) async fn retry_for_operator(context: &Context, doer: &Doer, id: TaskId) -> ApiResult<Retried> {
    let mut tx = context.db.write("task.operator").await?;
    let Some(publish) = tx.publish(id).await? else { return Code::PublishNotFound.err() };
    match publish.state {
        PublishState::Committed | PublishState::Published => take_up(context, tx, doer, &publish).await.map(Retried::TakenUp),
        PublishState::Failed => {
            let asker = tx.ci_identity(publish.id).await?.map(|job| Asker::Before(Box::new(job)));
            renew(context, tx, &publish, (publish.user_id, doer), asker).await.map(Retried::Again)
        }
        state => Err(Code::PublishNotFailed.because(format!("the publish is {}: there is nothing to try again", state.as_str())).into()),
    }
}

/// Has what is parked of a committed publish done, or of one that readers see and no log does.
async fn take_up(context: &Context, mut tx: WriteTx, doer: &Doer, publish: &Publish) -> ApiResult<usize> {
    let mut taken = Vec::new();
    let (package, version) = (publish.package.clone(), publish.version.clone());
    // The attempt that was committed is no part of the key.
    for job in [Job::Store { task: publish.id, plan: 0 }, Job::Announce { package: package.clone() }, Job::Log { package, version }] {
        taken.extend(jobs::take_up(&mut tx, Some(&job.dedup_key())).await?);
    }
    if taken.is_empty() {
        return Err(Code::PublishNotFailed
            .because("the version is stored, announced and entered where it is to be, or about to be: nothing of it is parked")
            .into());
    }
    let deed = Deed::of_version(Act::PublishRetry, &publish.package, &publish.version).with("task", publish.id.to_string());
    tx.audit(context.ids.next(), doer, &deed.with("jobs", taken.len())).await?;
    tx.commit().await?;
    for (job, lane) in &taken {
        context.ring(*lane, *job).await;
    }
    Ok(taken.len())
}

/// Makes a new publish on behalf of whoever asks for it now.
async fn again(context: &Context, tx: WriteTx, failed: &Publish, (right, doer): (MayPublish, &Doer)) -> ApiResult<TaskId> {
    let asker = match &right {
        MayPublish::Ci(right) => Some(Asker::Job(right)),
        MayPublish::User { .. } => None,
    };
    renew(context, tx, failed, (right.user(), doer), asker).await
}

/// Makes a new publish on the upload of one that was failed.
async fn renew(
    context: &Context,
    tx: WriteTx,
    failed: &Publish,
    (user, doer): (Option<UserId>, &Doer),
    asker: Option<Asker<'_>>,
) -> ApiResult<TaskId> {
    let now = tx.now();
    let publish = Publish {
        id: context.ids.next(),
        user_id: user,
        state: PublishState::Queued,
        error: None,
        findings: Findings::default(),
        created_at: now,
        updated_at: now,
        ..failed.clone()
    };
    let deed = Deed::of_version(Act::PublishRetry, &publish.package, &publish.version).with("task", publish.id.to_string());
    publish::enqueue(context, tx, &publish, asker, (doer, deed.with("failed", failed.id.to_string()))).await?;
    Ok(publish.id)
}
