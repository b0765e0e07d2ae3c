//! Accepting an upload.
//!
//! Everything that can be known without looking into the tarball is decided here, in JSR's order. The upload is stored before its
//! row exists: a request that is lost leaves an object that nobody refers to, never a row that blocks the version.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256 as Hasher};
use slipway_common::context::Context;
use slipway_common::db::{DbError, ReadTx, WriteTx};
use slipway_common::ids::{PackageName, PackagePath, Sha256, TaskId, Version};
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::ci::CiIdentity;
use slipway_common::model::finding::Findings;
use slipway_common::model::job::Job;
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{Publish, PublishState};
use slipway_common::model::scope::Scope;
use slipway_common::steps::{self, Step};
use slipway_common::storage::StorageKey;
use tokio::sync::Semaphore;

use super::rates::{self, Rate, Whose};
use super::wait::{Ear, Seen};
use super::{audit, tokens, users};
use crate::app::App;
use crate::auth::actor::{Actor, MayPublish};
use crate::auth::ci::CiRight;
use crate::error::{ApiError, ApiResult, Code, Refusal};
use crate::extract::Credential;
use crate::intake::Room;
use crate::views::PublishView;

/// Bytes of a refused upload that are still taken in, so that the client reads the refusal instead of a broken connection.
const DISCARDED_BYTES: u64 = 64 * 1024 * 1024;

/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(10);

/// Seconds after which an upload that found no room is sent again: workers do tens of publishes in that time.
const RETRY_AFTER: u32 = 5;

/// A tarball on its way in.
pub(crate) struct Tarball {
    /// What is said about it.
    pub(crate) label: Label,
    /// The bytes; an error when they do not come to their end.
    pub(crate) bytes: BoxStream<'static, ApiResult<Bytes>>,
}

/// What the client says about a tarball.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    /// Its length in bytes.
    pub(crate) declared_bytes: Option<u64>,
    /// Whether it is gzip-compressed.
    pub(crate) is_gzip: bool,
}

/// What is to be published.
pub(crate) struct Target {
    pub(crate) package: PackageName,
    pub(crate) version: Version,
    pub(crate) config: PackagePath,
}

/// Accepts an upload and, if it is quick, waits for its end. A request that was refused before comes here all the same, so that
/// its body is taken in, and so that it is written down from where it came. Returns who asked, too.
pub(crate) async fn accept(
    app: &App,
    (credential, from): (ApiResult<Credential>, Option<IpAddr>),
    target: ApiResult<Target>,
    mut tarball: Tarball,
) -> ApiResult<(Seen, Actor)> {
    let (mut places, mut doer) = (&app.discards.anonymous, Doer::anonymous(from));
    let refused = target.as_ref().ok().map(|target| Deed::of_version(Act::PublishRefuse, &target.package, &target.version));
    let admit = async || {
        let credential = credential?;
        // Who asks and what they may is one question to the database.
        let mut tx = app.context.db.read().await?;
        let actor = credential.identify(&mut tx).await?;
        if matches!(actor, Actor::User(_) | Actor::Ci(_)) {
            places = &app.discards.known;
            doer = actor.doer();
        }
        let target = target?;
        let admitted = admit(app, tx, &actor, &target, tarball.label).await?;
        tokens::note_use(app, &actor).await;
        Ok((admitted, target, actor))
    };
    let (admitted, target, actor) = match admit().await {
        Ok(admitted) => admitted,
        Err(error) => {
            note_refusal(app, &doer, refused, &error).await;
            discard(places, &mut tarball.bytes).await;
            return Err(error);
        }
    };
    let ear = Ear::new(app);
    match take_in(app, (admitted, &doer), target, tarball).await {
        Ok(task) => Ok((ear.hear(app, task).await?, actor)),
        Err(error) => {
            note_refusal(app, &doer, refused, &error).await;
            Err(error)
        }
    }
}

/// Writes down what was refused, as far as it says what it is about.
async fn note_refusal(app: &App, doer: &Doer, refused: Option<Deed>, error: &ApiError) {
    if let Some(deed) = refused {
        audit::refused(app, doer, deed, error).await;
    }
}

/// An upload that nothing speaks against so far.
struct Admitted {
    right: MayPublish,
    max_bytes: u64,
    room: Room,
}

#[tracing::instrument(level = "debug", name = "publish.admit", skip_all)]
async fn admit(app: &App, mut tx: ReadTx, actor: &Actor, target: &Target, label: Label) -> ApiResult<Admitted> {
    let scope = tx.scope(target.package.scope()).await?;
    let of_scope = scope.as_ref().and_then(|scope| scope.upload_limits.as_ref());
    let max_bytes = app.context.config.limits.for_scope(of_scope).compressed_bytes;
    if label.declared_bytes.is_some_and(|bytes| bytes > max_bytes) {
        return Err(too_large(max_bytes));
    }
    if !label.is_gzip {
        return Code::MissingGzipContentEncoding.err();
    }
    let right = actor.publish(&mut tx, scope.as_ref(), &target.package, &target.version).await?;
    room_for(&mut tx, app, scope.as_ref(), &target.package, &target.version).await?;
    // Without a length it may be as long as any.
    let room = app.intake.take(label.declared_bytes.unwrap_or(max_bytes)).ok_or_else(come_back)?;
    Ok(Admitted { right, max_bytes, room })
}

fn come_back() -> ApiError {
    Refusal { retry_after: Some(RETRY_AFTER), ..Code::TooManyUploads.refusal() }.into()
}

/// Refuses a publish for which there is no room, whoever asks.
pub(super) async fn room_for(tx: &mut ReadTx, app: &App, scope: Option<&Scope>, name: &PackageName, version: &Version) -> ApiResult<()> {
    let most = app.context.config.intake.waiting_publishes;
    let Some(room) = tx.room_for_publish(name, version, most).await? else { return Code::PackageNotFound.err() };
    if room.is_archived {
        return Code::PackageArchived.err();
    }
    if room.visibility == Visibility::Opening {
        return Err(Refusal { retry_after: Some(RETRY_AFTER), ..Code::PackageOpening.refusal() }.into());
    }
    if let Some(blocking) = room.blocking {
        return match tx.publish(blocking).await? {
            Some(blocking) => duplicate(tx, &blocking).await,
            None => Code::Unavailable.err(),
        };
    }
    if scope.is_some_and(|scope| room.this_week >= scope.quotas.publishes_per_week) {
        return Code::WeeklyPublishAttemptsLimitExceeded.err();
    }
    if room.waiting >= most { Err(come_back()) } else { Ok(()) }
}

/// Stores an upload, then makes its row and its job.
#[tracing::instrument(level = "debug", name = "publish.take_in", skip_all)]
async fn take_in(app: &App, (admitted, doer): (Admitted, &Doer), target: Target, tarball: Tarball) -> ApiResult<TaskId> {
    let context = &app.context;
    let id: TaskId = context.ids.next();
    let key = StorageKey::Upload(id);
    let (digest, bytes) = store(app, &key, tarball.bytes, admitted.max_bytes).await?;
    // The bytes are in the store.
    drop(admitted.room);
    steps::reached(Step::UploadStored);
    let accepted = record(app, (&admitted.right, doer), &target, id, digest, bytes).await;
    // A refusal means that there is no row. A fault does not: a commit whose answer was lost may have happened, and its publish
    // would be lost with the upload. Housekeeping knows later.
    if let Err(ApiError::Refused(_)) = accepted {
        // Nobody will ask for it; what stays behind all the same costs space and nothing else.
        if let Err(error) = context.storage.delete(&key).await {
            tracing::warn!(task = %id, %error, "a refused upload stays behind");
        }
    }
    accepted
}

async fn store(
    app: &App,
    key: &StorageKey,
    mut body: impl Stream<Item = ApiResult<Bytes>> + Unpin,
    max_bytes: u64,
) -> ApiResult<(Sha256, u64)> {
    let mut writer = app.context.storage.writer(key);
    let mut hasher = Hasher::new();
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        let refusal = match chunk {
            Ok(chunk) => {
                length += chunk.len() as u64;
                if length <= max_bytes {
                    hasher.update(&chunk);
                    writer.write(chunk).await?;
                    continue;
                }
                too_large(max_bytes)
            }
            Err(refusal) => refusal,
        };
        writer.abort().await?;
        discard(&app.discards.known, &mut body).await;
        return Err(refusal);
    }
    writer.finish().await?;
    Ok((Sha256::from_hasher(hasher), length))
}

async fn record(
    app: &App,
    (right, doer): (&MayPublish, &Doer),
    target: &Target,
    id: TaskId,
    upload: Sha256,
    bytes: u64,
) -> ApiResult<TaskId> {
    let context = &app.context;
    right.allows(&upload)?;
    let mut tx = context.db.write("publish.accept").await?;
    let whose = match right {
        MayPublish::User { id, .. } => Whose::Account(*id),
        MayPublish::Ci(right) => Whose::Repository(&right.identity),
    };
    rates::spend(context, &mut tx, Rate::Uploads, whose).await?;
    let now = tx.now();
    let publish = Publish {
        id,
        package: target.package.clone(),
        version: target.version.clone(),
        user_id: right.user(),
        config: target.config.clone(),
        state: PublishState::Queued,
        upload_id: id,
        upload,
        upload_bytes: bytes,
        error: None,
        findings: Findings::default(),
        created_at: now,
        updated_at: now,
    };
    let ci = match right {
        MayPublish::Ci(right) => Some(&**right),
        MayPublish::User { .. } => None,
    };
    let deed = Deed::of_version(Act::PublishAccept, &publish.package, &publish.version).with("task", id.to_string());
    enqueue(context, tx, &publish, ci.map(Asker::Job), (doer, deed.with("upload", upload.checksum()))).await?;
    Ok(id)
}

/// The CI job on whose behalf a publish is made.
pub(super) enum Asker<'a> {
    /// It asks now, and its token is used up by it.
    Job(&'a CiRight),
    /// It asked for the publish that is tried again.
    Before(Box<CiIdentity>),
}

/// Makes the row and the job of a publish, writes down whose deed it is, and commits them.
pub(super) async fn enqueue(
    context: &Context,
    mut tx: WriteTx,
    publish: &Publish,
    asker: Option<Asker<'_>>,
    (doer, deed): (&Doer, Deed),
) -> ApiResult<()> {
    let is_first = match tx.create_publish(publish).await {
        // The package was there when the request was judged, and somebody deleted it since.
        Err(DbError::Conflict(_)) => return Code::PackageNotFound.err(),
        outcome => outcome?,
    };
    if !is_first {
        // Another request was faster: its task is the answer.
        return match tx.blocking_publish(&publish.package, &publish.version).await? {
            Some(blocking) => duplicate(&mut tx, &blocking).await,
            None => Code::Unavailable.err(),
        };
    }
    match asker {
        Some(Asker::Job(right)) => {
            use_up(&mut tx, right).await?;
            tx.note_ci_publish(publish.id, &right.identity).await?;
        }
        Some(Asker::Before(identity)) => tx.note_ci_publish(publish.id, &identity).await?,
        None => {}
    }
    tx.audit(context.ids.next(), doer, &deed).await?;
    let job = Job::Publish { task: publish.id };
    let job_id = jobs::enqueue(&mut tx, &context.ids, &job).await?;
    tx.commit().await?;
    steps::reached(Step::RowsWritten);
    tracing::info!(task = %publish.id, package = %publish.package, version = %publish.version, bytes = publish.upload_bytes, "accepted");
    context.ring(job.lane(), job_id).await;
    Ok(())
}

/// Uses up what a CI token is good for. In the transaction that makes the publish: of two at once one is the second.
async fn use_up(tx: &mut WriteTx, right: &CiRight) -> ApiResult<()> {
    if tx.use_ci_token(&right.identity.issuer, &right.token, &right.subject, right.void_at).await? {
        return Ok(());
    }
    Err(Code::OidcTokenUsed
        .because(format!("the CI token has published {} before; ask the CI system for another one", right.subject))
        .into())
}

async fn duplicate<T>(tx: &mut ReadTx, blocking: &Publish) -> ApiResult<T> {
    let by = users::by(tx, blocking.user_id, blocking.id).await?;
    let task = serde_json::to_value(PublishView::new(blocking, &by)).expect("a view always serialises");
    Err(Code::DuplicateVersionPublish.refusal().with("task", task).into())
}

fn too_large(max_bytes: u64) -> ApiError {
    Code::TarballSizeLimitExceeded.because(format!("the upload is larger than {max_bytes} bytes")).into()
}

/// Reads what a client still sends of an upload that was refused, within bounds. Where no place is free, nothing is read: the
/// connection is closed after the refusal.
async fn discard(places: &Semaphore, body: &mut (impl Stream<Item = ApiResult<Bytes>> + Unpin)) {
    let Ok(_place) = places.try_acquire() else { return };
    let read = async {
        let mut left = DISCARDED_BYTES;
        while let Some(Ok(chunk)) = body.next().await {
            match left.checked_sub(chunk.len() as u64) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // A client that stalls learns of the refusal the hard way.
    let _ = tokio::time::timeout(DISCARD_TIME, read).await;
}
