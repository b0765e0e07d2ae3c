//! Puts every object of a committed version in its place, then makes the version known to the announcement.

use futures::{StreamExt, TryStreamExt, stream};
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::VersionRecord;
use slipway_common::ids::{JobId, TaskId};
use slipway_common::jobs;
use slipway_common::model::artefact::Artefact;
use slipway_common::model::job::{Claim, Job, Lane};
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{Publish, PublishState};
use slipway_common::shutdown::aside;
use slipway_common::steps::{self, Step};
use slipway_common::storage::{StorageError, StorageKey};

use super::announce::{self, News};
use super::plan_pack::{self, Pack};
use super::publish::Committed;
use super::{record, ring, settle};
use crate::attestation::Attested;
use crate::error::JobError;
use crate::workshop::Workshop;

/// Objects that are put at once. More would not make a local disk or a bucket faster, and each holds a buffer.
const PUTS_AT_ONCE: usize = 32;

/// Takes up what another worker committed. `None` when it was stored already.
pub(crate) async fn start(tx: &mut WriteTx, job: JobId, task: TaskId, plan: i64) -> Result<Option<Committed>, JobError> {
    let Some(publish) = tx.publish(task).await? else { return Ok(None) };
    if publish.state != PublishState::Committed {
        return Ok(None);
    }
    let version = tx.version(&publish.package, &publish.version).await?;
    let Some(version) = version.filter(|version| version.stored_generation.is_none()) else { return Ok(None) };
    let Some(package) = tx.package(&publish.package).await? else { return Ok(None) };
    let pack = jobs::parcel(tx, job).await?.map_or(Pack::Object, |parcel| Pack::Parcel(parcel.into()));
    let attestation = version.content.attestation;
    Ok(Some(Committed { publish, visibility: package.visibility, plan, pack, artefacts: None, attestation, record: None }))
}

/// Stores a version. Returns the announcement, if it fell to us.
#[tracing::instrument(level = "debug", name = "publish.store", skip_all, fields(task = %committed.publish.id))]
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, committed: Committed) -> Result<Option<(News, Claim)>, JobError> {
    let context = &workshop.context;
    let Committed { publish, visibility, plan, pack, artefacts, attestation, record: remembered } = committed;
    let is_object = matches!(pack, Pack::Object);
    let artefacts = match artefacts {
        Some(artefacts) => artefacts,
        None => recover(workshop, publish.id, plan, pack).await?,
    };
    let put = |artefact: Artefact| {
        let key = StorageKey::of_artefact(&publish.package, &publish.version, &artefact.kind).seen_by(visibility);
        async move {
            context.storage.put_once(&key, artefact.bytes, &artefact.digest).await?;
            steps::reached(Step::SomeStored);
            Ok::<_, StorageError>(())
        }
    };
    let puts = stream::iter(artefacts.into_iter().map(put)).buffer_unordered(PUTS_AT_ONCE).try_collect::<()>();
    let attested =
        Attested { package: publish.package.clone(), version: publish.version.clone(), own: attestation, logged: None, provenance: None };
    futures::try_join!(puts, record::write_first(&context.storage, attested.document(visibility, &context.config.attestation)))?;
    steps::reached(Step::AllStored);

    let mut tx = context.db.write("publish.stored").await?;
    let generation = tx
        .bump_generation(&publish.package)
        .await?
        .ok_or_else(|| AnyFault::never(format!("{} has no row although it has versions", publish.package)))?;
    tx.mark_stored(&publish.package, &publish.version, generation).await?;
    let twin = settle(&mut tx, claim).await?;
    let job = Job::Announce { package: publish.package.clone() };
    // When somebody is announcing this package right now, the enqueued job waits for them and is rung by them.
    let announce = jobs::enqueue_claimed(&mut tx, &context.ids, job, &workshop.name).await?;
    let next = match announce {
        Some(claim) => {
            let now = tx.now();
            let stored = |record: Box<VersionRecord>| VersionRecord { stored_generation: generation, stored_at: Some(now), ..*record };
            Some((announce::start(&mut tx, &publish.package, remembered.map(stored)).await?, claim))
        }
        None => None,
    };
    let log = enter(&mut tx, workshop, &publish, visibility).await?;
    tx.commit().await?;
    steps::reached(Step::Stored);
    ring(context, twin).await;
    ring(context, log).await;
    if is_object {
        drop_packs(workshop, publish.id, plan).await;
    }
    Ok(next)
}

/// Asks for what is attested of a version to be entered in a log, where there is one, and nothing of it is secret.
async fn enter(
    tx: &mut WriteTx,
    workshop: &Workshop,
    publish: &Publish,
    visibility: Visibility,
) -> Result<Option<(JobId, Lane)>, JobError> {
    let context = &workshop.context;
    if context.config.attestation.log.is_none() || !visibility.is_public() {
        return Ok(None);
    }
    let job = Job::Log { package: publish.package.clone(), version: publish.version.clone() };
    Ok(Some((jobs::enqueue(tx, &context.ids, &job).await?, job.lane())))
}

/// The bytes of a version whose worker died, checked against what the commit fixed.
async fn recover(workshop: &Workshop, task: TaskId, plan: i64, pack: Pack) -> Result<Vec<Artefact>, JobError> {
    let bytes = match pack {
        Pack::Parcel(bytes) => bytes,
        Pack::Object => workshop.context.storage.get(&StorageKey::PlanPack { task, attempt: plan }).await?,
    };
    Ok(aside(move || plan_pack::read(&bytes)).await?)
}

/// Deletes the plan packs of a version that is in its place. One that stays behind costs space until the house is tidied.
async fn drop_packs(workshop: &Workshop, task: TaskId, committed: i64) {
    let drop_pack = |attempt| async move {
        if let Err(error) = workshop.context.storage.delete(&StorageKey::PlanPack { task, attempt }).await {
            tracing::warn!(%task, attempt, %error, "a plan pack stays behind");
        }
    };
    futures::future::join_all((1..=committed).map(drop_pack)).await;
}
