//! What vouches for versions, as npm clients check it: the list of keys, and the signature that each version was committed with.
//!
//! A signature is never made again: it is part of what was said of a version, and the key that made it may be gone. The same goes for the
//! statement about its tarball.

use slipway_common::fault::AnyFault;
use slipway_common::formats::npm_keys::NpmKeys;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::PackageVersion;
use slipway_common::signing::{self, Verdict};
use slipway_common::storage::StorageKey;

use super::{Code, Page, Problem, Repair};
use crate::attestation;
use crate::workshop::Workshop;

/// The list of keys, which a repair lists our own key in when there is none. Told of once in a round, on its first page.
pub(super) async fn keys(workshop: &Workshop, is_first: bool, wanted: Repair, page: &mut Page) -> Result<Option<NpmKeys>, AnyFault> {
    let context = &workshop.context;
    if let Some(keys) = signing::listed(&context.storage).await? {
        return Ok(Some(keys));
    }
    if !is_first {
        return Ok(None);
    }
    let mut problem = Problem::new(Code::DocumentMissing, StorageKey::NpmKeys.text(), "there is no list of signing keys");
    if wanted != Repair::Nothing {
        signing::announce(&context.storage, &workshop.signing, context.clock.now()).await?;
        problem.is_repaired = true;
    }
    page.problems.push(problem);
    signing::listed(&context.storage).await
}

/// What is wrong with the signatures of a version: the one that npm is told of, or else the one of what is attested.
pub(super) fn look(keys: &NpmKeys, row: &PackageVersion, publish: Option<&Publish>) -> Option<Problem> {
    let problem = |what| Some(Problem::new(Code::SignatureInvalid, format!("{}@{}", row.package, row.version), what));
    let verdict = match signing::judge(keys, &row.package, &row.version, &row.content.npm_manifest, row.created_at) {
        Verdict::Vouched => match signing::open(keys, row.content.attestation.as_ref()?, row.created_at) {
            Ok(statement) if !attestation::is_about(&statement, row, publish) => {
                return problem("what is attested of it is about something else".to_owned());
            }
            Ok(_) if !is_logged_as_signed(row) => return problem("a log has something else than what is attested of it".to_owned()),
            Ok(_) => return None,
            Err(verdict) => verdict,
        },
        verdict => verdict,
    };
    problem(match verdict {
        Verdict::Vouched => return None,
        Verdict::Unsigned => "it was committed without a signature".to_owned(),
        Verdict::UnknownKey(id) => format!("it is signed with `{id}`, which is not listed"),
        Verdict::Expired(id) => format!("it was published after the end of `{id}`, which it is signed with"),
        Verdict::Wrong(id) => format!("`{id}` did not sign this name, version and integrity"),
    })
}

/// Whether what a log has of a version states what we signed of it.
fn is_logged_as_signed(row: &PackageVersion) -> bool {
    let (signed, logged) = (&row.content.attestation, &row.content.logged);
    logged.is_none() || logged.as_ref().and_then(attestation::payload) == signed.as_ref().and_then(attestation::payload)
}
