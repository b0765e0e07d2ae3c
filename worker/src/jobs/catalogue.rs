//! Writes the catalogue, from which the read path answers searches.
//!
//! It follows from the rows and is nobody's truth: at most a minute old, and written whole. Only packages that were announced since the
//! last time are looked at more closely, so it costs a list of names and what has changed.

use std::collections::BTreeMap;

use serde_json::Value;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::formats::catalogue::{Catalogue, Entry};
use slipway_common::ids::PackageName;
use slipway_common::model::job::Claim;
use slipway_common::shutdown::aside;
use slipway_common::storage::StorageKey;

use super::{ring, settle};
use crate::error::JobError;
use crate::workshop::Workshop;

/// Names that are read at once.
const PAGE: i64 = 1_000;

/// Most keywords of a package that can be searched for, and their longest, in bytes. Authors write a dozen of a word each; more would
/// only serve to be found everywhere, and make every search slower.
const MAX_KEYWORDS: usize = 50;
const MAX_KEYWORD_BYTES: usize = 100;

/// Writes it if it would be another.
pub(crate) async fn run(workshop: &Workshop, claim: &Claim) -> Result<(), JobError> {
    let context = &workshop.context;
    let seen = context.storage.look(&StorageKey::Catalogue).await?;
    let stored = seen.bytes.clone();
    let known = aside(move || stored.and_then(|bytes| serde_json::from_slice::<Catalogue>(&bytes).ok())).await;
    let is_new = known.is_none();
    let before = known.unwrap_or_default();
    let now = collect(context, &before).await?;
    if is_new || now != before {
        let bytes = aside(move || now.to_bytes()).await;
        context.storage.replace(&StorageKey::Catalogue, bytes.into(), seen.tag).await?;
    }
    let mut tx = context.db.write("catalogue").await?;
    let twin = settle(&mut tx, claim).await?;
    tx.commit().await?;
    ring(context, twin).await;
    Ok(())
}

async fn collect(context: &Context, before: &Catalogue) -> Result<Catalogue, AnyFault> {
    let known: BTreeMap<&PackageName, &Entry> = before.packages.iter().map(|entry| (&entry.package, entry)).collect();
    let (mut packages, mut after) = (Vec::new(), None);
    loop {
        let page = context.db.read().await?.announced_after(after.as_ref(), PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(Catalogue { packages }) };
        after = Some(last.clone());
        for (package, generation) in page {
            match known.get(&package).filter(|entry| entry.generation == generation) {
                Some(entry) => packages.push((*entry).clone()),
                None => packages.extend(entry(context, package, generation).await?),
            }
        }
    }
}

/// What is said of a package. Nothing while it has no version that can be installed.
async fn entry(context: &Context, name: PackageName, generation: i64) -> Result<Option<Entry>, AnyFault> {
    let mut tx = context.db.read().await?;
    let (Some(package), Some(version)) = (tx.package(&name).await?, tx.default_version(&name).await?) else { return Ok(None) };
    let Some(row) = tx.version(&name, &version).await? else { return Ok(None) };
    let manifest = &row.content.npm_manifest;
    let text = |field: &str| manifest.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
    let words = manifest.get("keywords").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let keywords = words.filter(|word| word.len() <= MAX_KEYWORD_BYTES).take(MAX_KEYWORDS).map(ToOwned::to_owned).collect();
    let description = if package.description.is_empty() { text("description").unwrap_or_default() } else { package.description };
    Ok(Some(Entry {
        package: name,
        generation,
        version,
        description,
        keywords,
        license: row.content.license.clone(),
        homepage: text("homepage"),
        published_at: row.created_at,
    }))
}
