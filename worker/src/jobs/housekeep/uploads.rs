//! Uploads and plan packs that nobody will ask for.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use slipway_common::clock::Instant;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::ids::TaskId;
use slipway_common::model::publish::{PublishState, UploadUse};
use slipway_common::storage::{StorageKey, Store, UPLOADS};

use super::STRAY;

/// How long the upload of a publish that was refused or called off stays, for an author who asks why.
const REFUSED: TimeDelta = TimeDelta::days(30);

/// Objects that are listed and asked about at once. What a bucket gives in one answer.
const PAGE: usize = 1_000;

/// Pages of one run. A registry with a million uploads is gone through in four days of hourly runs.
const PAGES_PER_RUN: usize = 10;

/// Objects that are deleted at once.
const DELETES_AT_ONCE: usize = 16;

/// Goes on behind `after`, and returns how far it came; nothing at the end.
pub(super) async fn tidy(context: &Context, mut after: Option<String>) -> Result<Option<String>, AnyFault> {
    for _ in 0..PAGES_PER_RUN {
        let page = context.storage.page(Store::Private, UPLOADS, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = Some(last.key.clone());
        // What does not read as a key of ours was put there by somebody else, who may know why.
        let keys: Vec<_> = page.iter().filter_map(|object| Some((StorageKey::of_upload(&object.key)?, object.last_modified))).collect();
        let mut tasks: Vec<TaskId> = keys.iter().filter_map(|(key, _)| task(key)).collect();
        tasks.dedup();
        let uses = context.db.read().await?.upload_uses(&tasks).await?;
        let now = context.clock.now();
        let void: Vec<_> = keys.into_iter().filter(|(key, written)| !is_needed(key, *written, &uses, now)).map(|(key, _)| key).collect();
        delete(context, void).await;
    }
    Ok(after)
}

async fn delete(context: &Context, keys: Vec<StorageKey>) {
    let delete = |key: StorageKey| async move {
        match context.storage.delete(&key).await {
            Ok(()) => tracing::info!(key = key.text(), "deleted, nobody needs it any more"),
            Err(error) => tracing::warn!(key = key.text(), %error, "stays behind until the next round"),
        }
    };
    stream::iter(keys.into_iter().map(delete)).buffer_unordered(DELETES_AT_ONCE).collect::<()>().await;
}

/// The publish that an object is named after.
fn task(key: &StorageKey) -> Option<TaskId> {
    match key {
        StorageKey::Upload(task) | StorageKey::PlanPack { task, .. } => Some(*task),
        _ => None,
    }
}

/// Whether anybody will ask for an object.
///
/// An upload that was published is what is attested, and one that we failed to publish may be tried again: both stay. A plan pack
/// is needed from the commit to the announcement, and only the one that was committed; before that, only its writer needs it.
fn is_needed(key: &StorageKey, written: Instant, uses: &BTreeMap<TaskId, UploadUse>, now: Instant) -> bool {
    let is_fresh = written > now - STRAY;
    let Some(publish) = task(key).and_then(|task| uses.get(&task)) else { return is_fresh };
    match (key, publish.state) {
        (StorageKey::PlanPack { attempt, .. }, PublishState::Committed) => publish.plan_attempt == Some(*attempt),
        (StorageKey::PlanPack { .. }, state) => !state.is_final() && is_fresh,
        (_, PublishState::Rejected | PublishState::Cancelled) => publish.updated_at > now - REFUSED,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_needs_what() {
        let now: Instant = "2025-06-01T00:00:00Z".parse().unwrap();
        let id = slipway_common::ids::IdSource::counting().next::<TaskId>();
        let (minute, upload) = (TimeDelta::minutes(1), StorageKey::Upload(id));
        let pack = |attempt| StorageKey::PlanPack { task: id, attempt };
        let needed = |key: &StorageKey, age: TimeDelta, publish: Option<(PublishState, TimeDelta)>| {
            let publish = publish.map(|(state, age)| (id, UploadUse { state, plan_attempt: Some(2), updated_at: now - age }));
            is_needed(key, now - age, &publish.into_iter().collect(), now)
        };
        for key in [&upload, &pack(2)] {
            assert!(needed(key, STRAY - minute, None) && !needed(key, STRAY, None), "{key:?} without a row");
        }
        for state in PublishState::ALL {
            let is_refused = matches!(state, PublishState::Rejected | PublishState::Cancelled);
            assert!(needed(&upload, REFUSED, Some((state, REFUSED - minute))), "{state:?}");
            assert_eq!(needed(&upload, REFUSED, Some((state, REFUSED))), !is_refused, "{state:?}");
            let is_committed = state == PublishState::Committed;
            assert_eq!(needed(&pack(2), STRAY, Some((state, STRAY))), is_committed, "{state:?}");
            assert_eq!(needed(&pack(1), minute, Some((state, minute))), !state.is_final() && !is_committed, "{state:?}");
        }
    }
}
