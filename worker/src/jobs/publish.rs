//! Judges an upload and, if it is sound, commits it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::db::WriteTx;
use slipway_common::fault::{AnyFault, Retry};
use slipway_common::formats::record::{PublishRecord, VersionRecord};
use slipway_common::ids::{Sha256, TaskId};
use slipway_common::jobs;
use slipway_common::model::artefact::{Artefact, ArtefactKind};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::ci::CiIdentity;
use slipway_common::model::dependency::Dependency;
use slipway_common::model::finding::{Finding, Findings, Severity};
use slipway_common::model::job::{Claim, Job};
use slipway_common::model::limits::UploadLimits;
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{Publish, PublishError, PublishState, Taken};
use slipway_common::model::version::{ArtefactRecord, PackageVersion, ResolvableVersion, VersionContent};
use slipway_common::shutdown::aside;
use slipway_common::signing::SigningKey;
use slipway_common::steps::{self, Step};
use slipway_common::storage::StorageKey;
use url::Url;

use super::plan_pack::{self, Pack};
use super::settle;
use crate::analysis::AnalysisError;
use crate::attestation;
use crate::error::JobError;
use crate::pipeline::{Facts, Plan, PublishedVersion, Upload};
use crate::view::View;
use crate::workshop::Workshop;

/// A version that exists: its bytes are fixed, and there is no way back. Only [`commit`] makes one, or a look at the row that
/// it wrote.
#[derive(Debug)]
pub(crate) struct Committed {
    /// The publish.
    pub(crate) publish: Publish,
    /// Who may read its package. That does not change while a publish is under way.
    pub(crate) visibility: Visibility,
    /// The attempt whose plan pack holds the bytes.
    pub(crate) plan: i64,
    /// Where that pack is.
    pub(crate) pack: Pack,
    /// The bytes, when this worker made them; otherwise they are in the plan pack.
    pub(crate) artefacts: Option<Vec<Artefact>>,
    /// What the registry attests of the version.
    pub(crate) attestation: Option<Value>,
    /// What is to be remembered of the version, when this worker made it; otherwise it is in the rows.
    pub(crate) record: Option<Box<VersionRecord>>,
}

/// What a publish needs to start, read in the transaction that claimed it.
#[derive(Debug)]
pub(crate) struct Started {
    publish: Publish,
    visibility: Visibility,
    limits: UploadLimits,
    ci: Option<CiIdentity>,
}

/// Takes a publish up. `None` when there is nothing to judge any more.
pub(crate) async fn start(tx: &mut WriteTx, workshop: &Workshop, task: TaskId) -> Result<Option<Started>, JobError> {
    let Some(Taken { publish, visibility, upload_limits, ci }) = tx.take_publish(task).await? else { return Ok(None) };
    let limits = workshop.context.config.limits.for_scope(upload_limits.as_ref());
    Ok(Some(Started { publish, visibility, limits, ci }))
}

/// Judges a publish. `Some` when it was committed and has to be stored; `None` when it was refused.
#[tracing::instrument(level = "debug", name = "publish.judge", skip_all, fields(task = %started.publish.id))]
pub(crate) async fn run(workshop: &Workshop, claim: &Claim, started: Started) -> Result<Option<(Committed, Claim)>, JobError> {
    let Started { publish, visibility, limits, ci } = started;
    let tarball = workshop.context.storage.get(&StorageKey::Upload(publish.upload_id)).await?;
    let stored = tarball.clone();
    if aside(move || Sha256::of(&stored)).await != publish.upload {
        return Err(JobError::Abandon(AnyFault::never(format!("the stored upload of {} is not what was accepted", publish.id))));
    }
    let upload =
        Upload { package: publish.package.clone(), version: publish.version.clone(), config: publish.config.clone(), tarball, limits };
    let view = View::of(&publish, visibility);
    match judge(workshop, upload, &view, workshop.context.config.public_url.clone()).await {
        Ok(plan) => match commit(workshop, claim, (publish.clone(), visibility, ci), plan).await {
            // Whoever was not let in a moment ago is told why, if that is because of the scope.
            Err(JobError::Zombie) => turn_away(workshop, claim, &publish).await.map(|()| None),
            outcome => outcome.map(Some),
        },
        Err(AnalysisError::Rejected(findings)) => reject(workshop, claim, &publish, findings).await.map(|()| None),
        Err(AnalysisError::Crashed { how, stderr }) => {
            let is_last = u64::try_from(claim.attempt).is_ok_and(|attempt| attempt >= workshop.context.config.analysis.attempts);
            tracing::warn!(task = %publish.id, package = %publish.package, attempt = claim.attempt, %how, stderr, "the analysis crashed");
            // A limit that was hit once is hit again: the author should not wait for the proof.
            if is_last || how.is_limit() {
                return reject(workshop, claim, &publish, how.finding().into()).await.map(|()| None);
            }
            Err(JobError::Retry(AnyFault::later(how.to_string())))
        }
        Err(error @ AnalysisError::Spawn(_)) => Err(JobError::Retry(AnyFault::later(error.to_string()))),
    }
}

/// Judges an upload once more that was published, as the bench does it today. Nothing when it would not be published today.
/// `public_url` is what the registry was called then.
pub(crate) async fn judge_again(
    workshop: &Workshop,
    publish: &Publish,
    tarball: Bytes,
    public_url: Url,
) -> Result<Option<Vec<Artefact>>, AnyFault> {
    let mut tx = workshop.context.db.read().await?;
    let scope = tx.scope(publish.package.scope()).await?;
    let Some(package) = tx.package(&publish.package).await? else { return Ok(None) };
    drop(tx);
    let limits = workshop.context.config.limits.for_scope(scope.as_ref().and_then(|scope| scope.upload_limits.as_ref()));
    let upload =
        Upload { package: publish.package.clone(), version: publish.version.clone(), config: publish.config.clone(), tarball, limits };
    match judge(workshop, upload, &View::of(publish, package.visibility), public_url).await {
        Ok(plan) => Ok(Some(plan.artefacts)),
        Err(AnalysisError::Rejected(_) | AnalysisError::Crashed { .. }) => Ok(None),
        Err(error @ AnalysisError::Spawn(_)) => Err(AnyFault::later(error.to_string())),
    }
}

/// The two steps of the bench, with one look at the world between them.
async fn judge(workshop: &Workshop, upload: Upload, view: &View, public_url: Url) -> Result<Plan, AnalysisError> {
    let mut examined = workshop.analyser.examine(upload).await?;
    let mut facts = Facts { public_url, packages: BTreeMap::new(), hidden: BTreeSet::new(), inferred: None };
    if !examined.references().is_empty() {
        let found = view.look_up(&workshop.context.db, examined.references()).await;
        for (name, package) in found.map_err(|error| AnalysisError::Spawn(std::io::Error::other(error)))? {
            if view.hides(&name, &package) {
                facts.hidden.insert(name.clone());
            }
            facts.packages.insert(name, package.versions.into_iter().map(published).collect());
        }
    }
    if let Some(compiler) = &workshop.compiler
        && let Some(unsaid) = examined.take_unsaid()
    {
        facts.inferred = Some(compiler.infer(&workshop.context, view, unsaid).await);
    }
    examined.plan(facts).await
}

fn published(known: ResolvableVersion) -> PublishedVersion {
    PublishedVersion { version: known.version, yanked: known.is_yanked, exports: known.exports }
}

/// Ends a publish whose scope was frozen while it was judged. One that is not ours any more is left alone.
async fn turn_away(workshop: &Workshop, claim: &Claim, publish: &Publish) -> Result<(), JobError> {
    let scope = workshop.context.db.read().await?.scope(publish.package.scope()).await?;
    let Some(reason) = scope.and_then(|scope| scope.frozen) else { return Err(JobError::Zombie) };
    let message = format!("@{} is frozen by the staff of this registry: {reason}", publish.package.scope());
    end(workshop, claim, publish, &PublishError { code: "scopeFrozen".to_owned(), message }, &Findings::default()).await
}

/// Ends a publish that has findings.
async fn reject(workshop: &Workshop, claim: &Claim, publish: &Publish, mut findings: Findings) -> Result<(), JobError> {
    findings.sort();
    end(workshop, claim, publish, &explain(&findings), &findings).await
}

async fn end(workshop: &Workshop, claim: &Claim, publish: &Publish, error: &PublishError, findings: &Findings) -> Result<(), JobError> {
    let mut tx = workshop.context.db.write("publish.reject").await?;
    if !tx.end_publish(publish.id, PublishState::Checking, PublishState::Rejected, error, findings).await? {
        return Err(JobError::Zombie);
    }
    let deed = Deed::of_version(Act::PublishReject, &publish.package, &publish.version).with("task", publish.id.to_string());
    tx.audit(workshop.context.ids.next(), &Doer::registry(), &deed.because(&error.code)).await?;
    settle(&mut tx, claim).await?;
    tx.commit().await?;
    tracing::info!(task = %publish.id, package = %publish.package, version = %publish.version, code = error.code, "rejected");
    workshop.context.tell(publish.id).await;
    Ok(())
}

/// What clients show of a list of findings: the first error's code, and every finding on a line of its own.
fn explain(findings: &Findings) -> PublishError {
    let first = findings.first_error();
    let code = first.map_or("internalServerError", |finding| finding.code.as_str()).to_owned();
    let rest = findings.iter().filter(|finding| finding.severity == Severity::Error && Some(*finding) != first);
    let lines: Vec<String> = first.into_iter().chain(rest).map(Finding::to_string).collect();
    PublishError { code, message: lines.join("\n") }
}

/// The hinge. Everything is checked, the bytes are safe in the plan pack; one transaction makes the version exist.
#[tracing::instrument(level = "debug", name = "publish.commit", skip_all)]
async fn commit(
    workshop: &Workshop,
    claim: &Claim,
    (publish, visibility, ci): (Publish, Visibility, Option<CiIdentity>),
    plan: Plan,
) -> Result<(Committed, Claim), JobError> {
    let context = &workshop.context;
    let planned_at = context.clock.now();
    steps::reached(Step::Planned);
    // The bytes are shared, not copied.
    let artefacts = plan.artefacts.clone();
    let packed = aside(move || plan_pack::write(&artefacts)).await?;
    let pack = if packed.len() <= plan_pack::PARCEL_BYTES {
        Pack::Parcel(packed)
    } else {
        context.storage.put(&StorageKey::PlanPack { task: publish.id, attempt: claim.attempt }, packed).await?;
        steps::reached(Step::PackStored);
        Pack::Object
    };

    let mut tx = context.db.write("publish.commit").await?;
    let version = attested(version(&publish, &plan, &workshop.signing, tx.now())?, &publish, workshop)?;
    if !tx.create_version(&version, &plan.dependencies).await? {
        return Err(JobError::Abandon(AnyFault::never(format!("{}@{} exists already", publish.package, publish.version))));
    }
    if !tx.commit_publish(publish.id, claim.attempt, planned_at, &plan.findings).await? {
        return Err(JobError::Zombie);
    }
    settle(&mut tx, claim).await?;
    let job = Job::Store { task: publish.id, plan: claim.attempt };
    let store = jobs::enqueue_claimed_with(&mut tx, &context.ids, job, pack.parcel(), &workshop.name).await?;
    // Nobody can be storing a version that did not exist a moment ago.
    let store = store.ok_or_else(|| AnyFault::later("the version is being stored by somebody else"))?;
    tx.commit().await?;
    steps::reached(Step::Committed);
    let record = Some(Box::new(record(&publish, ci, &version, plan.dependencies, (claim.attempt, planned_at))));
    let attestation = version.content.attestation;
    Ok((Committed { publish, visibility, plan: claim.attempt, pack, artefacts: Some(plan.artefacts), attestation, record }, store))
}

/// What is to be remembered of a version that was committed with an attempt whose plan was ready at an instant. The same as its rows
/// say of it, but for when it is stored.
fn record(
    publish: &Publish,
    ci: Option<CiIdentity>,
    version: &PackageVersion,
    mut dependencies: Vec<Dependency>,
    (attempt, planned_at): (i64, Instant),
) -> VersionRecord {
    let content = &version.content;
    dependencies.sort();
    VersionRecord {
        version: version.version.clone(),
        user_id: version.user_id,
        task_id: version.task_id,
        publish: Some(PublishRecord {
            config: publish.config.clone(),
            upload_id: publish.upload_id,
            upload: publish.upload,
            upload_bytes: publish.upload_bytes,
            plan_attempt: Some(attempt),
            planned_at: Some(planned_at),
            committed_at: Some(version.created_at),
            created_at: publish.created_at,
        }),
        ci,
        license: content.license.clone(),
        readme: content.readme.clone(),
        uses_npm: content.uses_npm,
        npm_manifest: content.npm_manifest.clone(),
        npm_revision: content.npm_revision,
        artefacts: content.artefacts.iter().filter(|artefact| !matches!(artefact.kind, ArtefactKind::Module(_))).cloned().collect(),
        attestation: content.attestation.clone(),
        dependencies,
        stored_generation: 0,
        stored_at: None,
        created_at: version.created_at,
    }
}

fn version(publish: &Publish, plan: &Plan, signing: &SigningKey, now: Instant) -> Result<PackageVersion, AnyFault> {
    let meta = plan
        .artefacts
        .iter()
        .find(|artefact| artefact.kind == ArtefactKind::VersionMeta)
        .ok_or_else(|| AnyFault::never("the plan has no version manifest"))?;
    let record =
        |artefact: &Artefact| ArtefactRecord { kind: artefact.kind.clone(), digest: artefact.digest, size: artefact.bytes.len() as u64 };
    Ok(PackageVersion {
        package: publish.package.clone(),
        version: publish.version.clone(),
        is_yanked: false,
        task_id: publish.id,
        user_id: publish.user_id,
        content: VersionContent {
            exports: plan.exports.clone(),
            license: plan.license.clone(),
            readme: plan.readme.clone(),
            uses_npm: plan.uses_npm,
            augmentations: plan.augmentations,
            meta: meta.digest,
            npm_manifest: npm_manifest(publish, plan, signing)?,
            npm_revision: i64::from(plan.npm.revision),
            artefacts: plan.artefacts.iter().map(record).collect(),
            attestation: None,
            logged: None,
        },
        stored_generation: None,
        created_at: now,
        updated_at: now,
    })
}

/// The version with the statement by which we vouch for its npm tarball: signed here, once, whatever becomes of the key.
fn attested(mut version: PackageVersion, publish: &Publish, workshop: &Workshop) -> Result<PackageVersion, AnyFault> {
    let statement = attestation::statement(&version, publish, &workshop.context.config.public_url);
    let statement = statement.ok_or_else(|| AnyFault::never("the npm manifest has no integrity"))?;
    version.content.attestation = Some(workshop.signing.attest(statement));
    Ok(version)
}

/// What the npm documents say of the version, our signature included: it is made here, once, and kept like the rest, whatever becomes
/// of the key. The tarball's address is added when they are written.
fn npm_manifest(publish: &Publish, plan: &Plan, signing: &SigningKey) -> Result<Value, AnyFault> {
    let mut manifest: serde_json::Map<String, Value> =
        serde_json::from_str(&plan.npm.manifest).map_err(|error| AnyFault::because("npm manifest", Retry::Never, error))?;
    let integrity = plan.npm.sha512.integrity();
    let signature = signing.sign(&publish.package, &publish.version, &integrity);
    manifest.insert(
        "dist".into(),
        serde_json::json!({
            "integrity": integrity,
            "shasum": plan.npm.sha1.hex(),
            "fileCount": plan.npm.file_count,
            "unpackedSize": plan.npm.unpacked_size,
            "signatures": [{ "keyid": signing.id(), "sig": signature }],
        }),
    );
    Ok(manifest.into())
}
