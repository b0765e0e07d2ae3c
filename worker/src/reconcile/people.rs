//! Users, scopes, whom packages trust in CI, and where versions came from, with their records.

use slipway_common::config::Attestation;
use slipway_common::db::ReadTx;
use slipway_common::fault::AnyFault;
use slipway_common::formats::record;
use slipway_common::ids::{PackageName, ScopeName, UserId, Version};
use slipway_common::model::job::{Job, Subject};
use slipway_common::storage::StorageKey;

use super::{Code, Page, Problem, Repair, have_done};
use crate::attestation::Attested;
use crate::workshop::Workshop;

/// Records that are compared before the cursor is handed back.
const PAGE: i64 = 100;

pub(super) async fn users(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after: Option<UserId> = after.and_then(|after| after.parse().ok());
    let found = workshop.context.db.read().await?.users_after(after, PAGE).await?;
    let next = found.last().map(ToString::to_string);
    compare(workshop, found.into_iter().map(Subject::User).collect(), next, repair).await
}

pub(super) async fn scopes(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after = after.and_then(|after| ScopeName::try_from(after).ok());
    let found = workshop.context.db.read().await?.scopes_after(after.as_ref(), PAGE).await?;
    let next = found.last().map(ToString::to_string);
    compare(workshop, found.into_iter().map(Subject::Scope).collect(), next, repair).await
}

pub(super) async fn publishers(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after = after.and_then(|after| PackageName::try_from(after).ok());
    let found = workshop.context.db.read().await?.trusting_after(after.as_ref(), PAGE).await?;
    let next = found.last().map(ToString::to_string);
    compare(workshop, found.into_iter().map(Subject::Publishers).collect(), next, repair).await
}

pub(super) async fn provenances(workshop: &Workshop, after: Option<&str>, repair: Repair) -> Result<Page, AnyFault> {
    let after = after.and_then(|after| after.rsplit_once('@'));
    let after = after.and_then(|(package, version)| Some((PackageName::try_from(package).ok()?, Version::try_from(version).ok()?)));
    let found = workshop.context.db.read().await?.provenances_after(after.as_ref(), PAGE).await?;
    let next = found.last().map(|(package, version)| format!("{package}@{version}"));
    let subjects = found.into_iter().map(|(package, version)| Subject::Provenance(package, version));
    compare(workshop, subjects.collect(), next, repair).await
}

async fn compare(workshop: &Workshop, subjects: Vec<Subject>, next: Option<String>, repair: Repair) -> Result<Page, AnyFault> {
    let mut page = Page { next, seen: subjects.len() as u64, ..Page::default() };
    for subject in subjects {
        page.problems.extend(one(workshop, &subject, repair).await?);
    }
    Ok(page)
}

/// What is wrong with what is written of somebody or something, put right if that is wanted.
pub(super) async fn one(workshop: &Workshop, subject: &Subject, repair: Repair) -> Result<Option<Problem>, AnyFault> {
    let Some(mut problem) = look(workshop, subject).await? else { return Ok(None) };
    if repair >= Repair::Documents {
        have_done(workshop, &Job::Record { subject: subject.clone() }).await?;
        problem.is_repaired = look(workshop, subject).await?.is_none();
    }
    Ok(Some(problem))
}

/// What is wrong with the record of somebody or something, or with what everybody may read of it.
async fn look(workshop: &Workshop, subject: &Subject) -> Result<Option<Problem>, AnyFault> {
    let context = &workshop.context;
    let settings = &context.config.attestation;
    let mut tx = context.db.read().await?;
    let expected = expected(&mut tx, subject, settings).await?;
    let is_under_way = tx.is_under_way(&Job::Record { subject: subject.clone() }).await?;
    drop(tx);
    if is_under_way {
        return Ok(None);
    }
    for (key, wanted) in &expected {
        let (code, what) = match context.storage.look(key).await?.bytes {
            Some(stored) if stored == *wanted => continue,
            Some(_) => (Code::DocumentStale, "it shows something else than the rows"),
            None => (Code::DocumentMissing, "there is no such object"),
        };
        // What was changed meanwhile is somebody else's work.
        let again = self::expected(&mut context.db.read().await?, subject, settings).await?;
        return Ok((again == expected).then(|| Problem::new(code, key.text(), what)));
    }
    Ok(None)
}

/// The objects that there are of somebody or something, with their bytes.
async fn expected(tx: &mut ReadTx, subject: &Subject, settings: &Attestation) -> Result<Vec<(StorageKey, Vec<u8>)>, AnyFault> {
    let one = |key: StorageKey, bytes: Option<Vec<u8>>| bytes.map(|bytes| (key, bytes)).into_iter().collect();
    Ok(match subject {
        Subject::User(id) => one(StorageKey::UserRecord(*id), tx.user_record(*id).await?.map(|user| record::to_bytes(&user))),
        Subject::Scope(name) => {
            one(StorageKey::ScopeRecord(name.clone()), tx.scope_record(name).await?.map(|scope| record::to_bytes(&scope)))
        }
        Subject::Publishers(name) => {
            one(StorageKey::PublishersRecord(name.clone()), tx.publishers_record(name).await?.map(|trust| record::to_bytes(&trust)))
        }
        Subject::Provenance(name, version) => {
            let attested = Attested::of(tx, name, version).await?;
            let visibility = tx.package(name).await?.map(|package| package.visibility).unwrap_or_default();
            let is_held = tx.quarantine(name, version).await?.is_some();
            let key = StorageKey::ProvenanceRecord { package: name.clone(), version: version.clone() };
            let record = attested.provenance.as_ref().map(|provenance| (key, record::to_bytes(provenance)));
            let document = if is_held { None } else { attested.document(visibility, settings) };
            record.into_iter().chain(document).collect()
        }
    })
}
