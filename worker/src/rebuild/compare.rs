//! The difference of two databases: what one says and the other does not. Credentials, jobs and what else has no meaning elsewhere are
//! left out.

use serde_json::{Value, json};
use slipway_common::db::{Db, ReadTx};
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, ScopeName, TaskId, UserId, Version};

/// Things that are read at once.
const PAGE: i64 = 500;

/// Something that a database knows.
#[derive(Debug, Clone)]
enum Thing {
    User(UserId),
    Scope(ScopeName),
    Package(PackageName),
    Version(PackageName, Version),
    Publish(TaskId),
}

/// Hands over one line for each difference: `-` is only in the old one, `+` only in the new one, `~` differs.
///
/// # Errors
/// When a database fails.
pub async fn compare(old: &Db, new: &Db, mut say: impl FnMut(String)) -> Result<(), AnyFault> {
    for kind in 0..KINDS {
        let mut after = None;
        loop {
            let things = page(&mut old.read().await?, kind, after.as_ref()).await?;
            let Some(last) = things.last().cloned() else { break };
            for thing in things {
                let before = look(&mut old.read().await?, &thing).await?;
                let now = look(&mut new.read().await?, &thing).await?;
                lines(&thing, &before, &now).into_iter().for_each(&mut say);
            }
            after = Some(last);
        }
        let mut after = None;
        loop {
            let things = page(&mut new.read().await?, kind, after.as_ref()).await?;
            let Some(last) = things.last().cloned() else { break };
            for thing in things {
                if look(&mut old.read().await?, &thing).await?.is_null() {
                    let now = look(&mut new.read().await?, &thing).await?;
                    lines(&thing, &Value::Null, &now).into_iter().for_each(&mut say);
                }
            }
            after = Some(last);
        }
    }
    Ok(())
}

/// How many kinds of things there are.
const KINDS: u8 = 5;

async fn page(tx: &mut ReadTx, kind: u8, after: Option<&Thing>) -> Result<Vec<Thing>, AnyFault> {
    Ok(match (kind, after) {
        (0, Some(Thing::User(after))) => tx.users_after(Some(*after), PAGE).await?.into_iter().map(Thing::User).collect(),
        (0, _) => tx.users_after(None, PAGE).await?.into_iter().map(Thing::User).collect(),
        (1, Some(Thing::Scope(after))) => tx.scopes_after(Some(after), PAGE).await?.into_iter().map(Thing::Scope).collect(),
        (1, _) => tx.scopes_after(None, PAGE).await?.into_iter().map(Thing::Scope).collect(),
        (2, Some(Thing::Package(after))) => tx.packages_after(Some(after), PAGE).await?.into_iter().map(Thing::Package).collect(),
        (2, _) => tx.packages_after(None, PAGE).await?.into_iter().map(Thing::Package).collect(),
        (3, after) => {
            let after = match after {
                Some(Thing::Version(package, version)) => Some((package.clone(), version.clone())),
                _ => None,
            };
            let found = tx.versions_after(after.as_ref(), PAGE).await?;
            found.into_iter().map(|(package, version)| Thing::Version(package, version)).collect()
        }
        (_, Some(Thing::Publish(after))) => tx.publishes_after(Some(*after), PAGE).await?.into_iter().map(Thing::Publish).collect(),
        (_, _) => tx.publishes_after(None, PAGE).await?.into_iter().map(Thing::Publish).collect(),
    })
}

/// Everything that a database says of a thing; null when it does not know it.
async fn look(tx: &mut ReadTx, thing: &Thing) -> Result<Value, AnyFault> {
    Ok(match thing {
        Thing::User(id) => tx.user_record(*id).await?.map_or(Value::Null, |user| json!(user)),
        Thing::Scope(name) => tx.scope_record(name).await?.map_or(Value::Null, |scope| json!(scope)),
        Thing::Package(name) => {
            let Some(package) = tx.package(name).await? else { return Ok(Value::Null) };
            let trust = tx.publishers_record(name).await?;
            json!({
                "description": package.description, "repository": package.repository, "is_archived": package.is_archived,
                "readme_source": package.readme_source, "runtime_compat": package.runtime_compat, "dist_tags": package.tags, "generation": package.generation,
                "announced": package.announced, "visibility": package.visibility, "created_at": package.created_at, "updated_at": package.updated_at, "trust": trust,
            })
        }
        Thing::Version(package, version) => {
            let Some(row) = tx.version(package, version).await? else { return Ok(Value::Null) };
            let dependencies = tx.dependencies_of(package, version).await?;
            let provenance = tx.provenance(package, version).await?;
            let quarantine = tx.quarantine(package, version).await?.map(|held| json!({ "reason": held.reason, "since": held.created_at }));
            json!({
                "is_yanked": row.is_yanked, "task_id": row.task_id, "user_id": row.user_id, "exports": row.content.exports,
                "license": row.content.license, "readme": row.content.readme, "uses_npm": row.content.uses_npm,
                "augmentations": row.content.augmentations, "meta": row.content.meta, "npm_manifest": row.content.npm_manifest,
                "npm_revision": row.content.npm_revision, "artefacts": row.content.artefacts,
                "attestation": row.content.attestation, "logged": row.content.logged,
                "stored_generation": row.stored_generation, "created_at": row.created_at, "updated_at": row.updated_at,
                "dependencies": dependencies, "provenance": provenance, "quarantine": quarantine,
            })
        }
        Thing::Publish(id) => {
            let Some(row) = tx.publish(*id).await? else { return Ok(Value::Null) };
            let ci = tx.ci_identity(*id).await?;
            json!({
                "version": format!("{}@{}", row.package, row.version), "user_id": row.user_id, "config": row.config,
                "ci": ci, "state": row.state.as_str(), "upload_id": row.upload_id, "upload": row.upload, "upload_bytes": row.upload_bytes,
                "error": row.error.map(|error| error.code), "findings": row.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "created_at": row.created_at, "updated_at": row.updated_at,
            })
        }
    })
}

fn lines(thing: &Thing, before: &Value, now: &Value) -> Vec<String> {
    let name = match thing {
        Thing::User(id) => format!("user {id}"),
        Thing::Scope(name) => format!("scope @{name}"),
        Thing::Package(name) => format!("package {name}"),
        Thing::Version(package, version) => format!("version {package}@{version}"),
        Thing::Publish(id) => format!("publish {id}"),
    };
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let changed = before.iter().filter(|(field, value)| now.get(*field) != Some(value));
            changed.map(|(field, value)| format!("~ {name} {field}: {value} is {} now", now.get(field).unwrap_or(&Value::Null))).collect()
        }
        (Value::Null, Value::Null) => Vec::new(),
        (Value::Null, now) => vec![format!("+ {name} {now}")],
        (before, _) => vec![format!("- {name} {before}")],
    }
}
